"""A form of a page that is sent twice is done once: two clicks, a slow network, a page gone back to.

Every form of a page that is shown holds a key of its own, so the same form shown again may do the same again. Kept in
memory; behind two processes, and after a restart, the version that a form holds turns the second sending down.
"""

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from patternmind.web.forms import form_fingerprint
from patternmind.web.idempotency import Endpoint
from patternmind.web.problems import SENT_BEFORE, HTTPProblem
from patternmind.web.templating import flash

MAX_ENTRIES = 2000
BODY_RETENTION_SECONDS = 60.0
"""How long a page that answered a form is kept, such as one that shows a new token: for as long as a click may hang."""
DOUBLE_CLICK_SECONDS = 3.0
"""What is sent again so soon is a second click; later somebody went back, and is told that nothing was done again."""

ReplayKey = tuple[str, str]


@dataclass(slots=True)
class _Submission:
    """``answer`` is None while it is worked on, and where it failed; after a while it is bare."""

    done: asyncio.Event = field(default_factory=asyncio.Event)
    answer: Response | None = None
    at: float = 0.0


class FormReplayCache:
    """The last forms that were sent and taken, by session and name. Used from the event loop alone."""

    def __init__(self) -> None:
        self._kept: OrderedDict[ReplayKey, _Submission] = OrderedDict()

    def clear(self) -> None:
        """Show no page again: a case was erased, and one of them may hold its text."""
        for one in self._kept.values():
            if one.answer is not None:
                one.answer = _without_body(one.answer)

    async def respond(self, request: Request, endpoint: Endpoint) -> Response:
        """What the endpoint says, or said when this very form was sent before.

        Raises:
            Declined: it was sent before, and the page that answered it is not kept any more.
        """
        name = await form_fingerprint(request)
        if name is None:
            return await endpoint(request)
        caller = request.state.caller
        place = (caller.session.sha256 if caller and caller.session else "", name)
        before = self._kept.get(place)
        if before is not None:
            at_once = not before.done.is_set()
            await before.done.wait()
            soon = at_once or time.monotonic() - before.at < DOUBLE_CLICK_SECONDS
            signing_in = request.state.admitted.action is None  # whoever signed out meanwhile means it
            if before.answer is not None and (soon or not signing_in):
                return _replay(before.answer, is_double_click=soon)
        sending = self._kept[place] = _Submission()
        try:
            response = await endpoint(request)
            if response.status_code < 400:
                sending.answer, sending.at = response, time.monotonic()
            return response
        finally:
            self._settle(place, sending)

    def _settle(self, place: ReplayKey, sending: _Submission) -> None:
        sending.done.set()
        if sending.answer is None and self._kept.get(place) is sending:
            del self._kept[place]
        while len(self._kept) > MAX_ENTRIES:
            self._kept.popitem(last=False)
        now = time.monotonic()
        for one in self._kept.values():
            if one.answer is not None and now - one.at > BODY_RETENTION_SECONDS:
                one.answer = _without_body(one.answer)


def _without_body(response: Response) -> Response:
    """Where an answer led and nothing else of it: no text, no cookie."""
    place = response.headers.get("location")
    return Response(status_code=response.status_code, headers={"location": place} if place else None)


def _replay(response: Response, *, is_double_click: bool) -> Response:
    if response.status_code >= 300 and not is_double_click:
        led_on = Response(status_code=response.status_code, headers={"location": response.headers["location"]})
        flash(led_on, "This was sent before, so nothing was done again.")
        return led_on
    if response.status_code < 300 and not response.body:
        raise HTTPProblem(SENT_BEFORE, "Nothing was done again. Open the page anew to do it once more.")
    again = Response(response.body, response.status_code)
    again.raw_headers = list(response.raw_headers)
    return again
