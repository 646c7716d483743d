"""The same request sent again is answered again, not done again: ``Idempotency-Key`` on every POST.

Kept in memory, so a restart forgets. Nothing is lost by that: taking in the same file twice changes nothing, a run
without new cases is the last one, and a decision made twice is a wrong state.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from patternmind.web.problems import KEY_REUSED, STILL_WORKING, HTTPProblem

MAX_KEY_LENGTH = 200
MAX_ENTRIES = 200
MAX_TOTAL_BYTES = 16_000_000

Endpoint = Callable[[Request], Awaitable[Response]]
CacheKey = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class _CachedResponse:
    """``answer`` is ``None`` while the request is worked on."""

    fingerprint: str
    answer: Response | None = None

    @property
    def n_bytes(self) -> int:
        return len(self.answer.body) if self.answer is not None else 0


class IdempotencyCache:
    """The last answers that changed something, by caller, address and key. Used from the event loop alone."""

    def __init__(self) -> None:
        self._kept: OrderedDict[CacheKey, _CachedResponse] = OrderedDict()

    def clear(self) -> None:
        """Give no answer again: a case was erased, and one of them may hold its text."""
        self._kept = OrderedDict((place, kept) for place, kept in self._kept.items() if kept.answer is None)

    async def respond(self, request: Request, endpoint: Endpoint) -> Response:
        """What the endpoint says, or said to this very request before.

        Raises:
            Declined: the key was used with another content, or its request is still being worked on.
        """
        key = request.headers.get("idempotency-key", "")
        if request.method != "POST" or not 0 < len(key) <= MAX_KEY_LENGTH:
            return await endpoint(request)
        place = (request.state.caller.key, request.url.path, key)
        fingerprint = await _fingerprint(request)
        known = self._kept.get(place)
        if known is not None:
            return _replay(known, fingerprint)
        self._kept[place] = _CachedResponse(fingerprint)
        response: Response | None = None
        try:
            response = await endpoint(request)
            return response
        finally:
            self._settle(place, fingerprint, response)

    def _settle(self, place: CacheKey, fingerprint: str, response: Response | None) -> None:
        """Keep an answer that stands; one that failed may be tried again."""
        self._kept.pop(place, None)
        if response is not None and response.status_code < 300:
            self._kept[place] = _CachedResponse(fingerprint, response)
        while len(self._kept) > MAX_ENTRIES or sum(one.n_bytes for one in self._kept.values()) > MAX_TOTAL_BYTES:
            self._kept.popitem(last=False)


async def _fingerprint(request: Request) -> str:
    body = await request.body()
    return hashlib.sha256(request.url.query.encode() + b"\0" + body).hexdigest()


def _replay(cached: _CachedResponse, fingerprint: str) -> Response:
    if cached.fingerprint != fingerprint:
        raise HTTPProblem(KEY_REUSED, "Use a new Idempotency-Key for a request with another content.")
    if cached.answer is None:
        raise HTTPProblem(STILL_WORKING, "Wait for the first answer, then ask again with the same Idempotency-Key.")
    headers = {name: value for name, value in cached.answer.headers.items() if name != "x-request-id"}
    return Response(cached.answer.body, cached.answer.status_code, {**headers, "idempotent-replayed": "true"})
