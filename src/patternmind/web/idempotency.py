"""Replay of responses to repeated POST requests with the same ``Idempotency-Key``.

Responses are kept in memory and lost on restart. That is safe: importing a file twice changes nothing, a run without
new cases returns the last run, and repeating a decision is rejected because of the draft's state.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header
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
    """A response; None while the request is in progress."""

    fingerprint: str
    response: Response | None = None

    @property
    def n_bytes(self) -> int:
        return len(self.response.body) if self.response is not None else 0


class IdempotencyCache:
    """Recent responses to POST requests, by caller, path and key.

    Not thread-safe: use it from the event loop only.
    """

    def __init__(self) -> None:
        self._entries: OrderedDict[CacheKey, _CachedResponse] = OrderedDict()

    def clear(self) -> None:
        """Drop all cached responses: one may contain the text of an erased case."""
        self._entries = OrderedDict((key, entry) for key, entry in self._entries.items() if entry.response is None)

    async def respond(self, request: Request, endpoint: Endpoint) -> Response:
        """Call the endpoint, or replay its response to the same earlier request.

        Raises:
            HTTPProblem: the key was used with other content, or the first request is still in progress.
        """
        idempotency_key = request.headers.get("idempotency-key", "")
        if request.method != "POST" or not 0 < len(idempotency_key) <= MAX_KEY_LENGTH:
            return await endpoint(request)
        cache_key = (request.state.caller.identity, request.url.path, idempotency_key)
        fingerprint = await _fingerprint(request)
        cached = self._entries.get(cache_key)
        if cached is not None:
            return _replay(cached, fingerprint)
        self._entries[cache_key] = _CachedResponse(fingerprint)
        response: Response | None = None
        try:
            response = await endpoint(request)
            return response
        finally:
            self._store(cache_key, fingerprint, response)

    def _store(self, cache_key: CacheKey, fingerprint: str, response: Response | None) -> None:
        """Keep a successful response; a failed request may be retried with the same key."""
        self._entries.pop(cache_key, None)
        if response is not None and response.status_code < 300:
            self._entries[cache_key] = _CachedResponse(fingerprint, response)
        while (
            len(self._entries) > MAX_ENTRIES or sum(entry.n_bytes for entry in self._entries.values()) > MAX_TOTAL_BYTES
        ):
            self._entries.popitem(last=False)


async def _fingerprint(request: Request) -> str:
    body = await request.body()
    return hashlib.sha256(request.url.query.encode() + b"\0" + body).hexdigest()


def _replay(cached: _CachedResponse, fingerprint: str) -> Response:
    if cached.fingerprint != fingerprint:
        raise HTTPProblem(KEY_REUSED, "Use a new Idempotency-Key for a request with different content.")
    if cached.response is None:
        raise HTTPProblem(STILL_WORKING, "Wait until the first request ends, then retry with the same Idempotency-Key.")
    headers = {name: value for name, value in cached.response.headers.items() if name != "x-request-id"}
    return Response(cached.response.body, cached.response.status_code, {**headers, "idempotent-replayed": "true"})


async def _document_header(
    idempotency_key: Annotated[
        str | None,
        Header(
            max_length=MAX_KEY_LENGTH,
            description="Repeating a request with the same key returns the first response without doing it again.",
        ),
    ] = None,
) -> None:
    """Document the header and check its length; ``IdempotencyCache`` reads it."""


ACCEPTS_IDEMPOTENCY_KEY = Depends(_document_header)
