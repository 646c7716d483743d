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

from patternmind.web.forms import sent_as
from patternmind.web.problems import SENT_BEFORE, Declined
from patternmind.web.rendering import flash
from patternmind.web.repeats import Endpoint

MOST_KEPT = 2000
BODY_SECONDS = 60.0
"""How long a page that answered a form is kept, such as one that shows a new token: for as long as a click may hang."""
CLICK_SECONDS = 3.0
"""What is sent again so soon is a second click; later somebody went back, and is told that nothing was done again."""

Place = tuple[str, str]


@dataclass(slots=True)
class _Sending:
    """``answer`` is None while it is worked on, and where it failed; after a while it is bare."""

    done: asyncio.Event = field(default_factory=asyncio.Event)
    answer: Response | None = None
    at: float = 0.0


class Sendings:
    """The last forms that were sent and taken, by session and name. Used from the event loop alone."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Place, _Sending] = OrderedDict()

    def forget(self) -> None:
        """Show no page again: a case was erased, and one of them may hold its text."""
        for one in self._kept.values():
            if one.answer is not None:
                one.answer = _bare(one.answer)

    async def answer(self, request: Request, endpoint: Endpoint) -> Response:
        """What the endpoint says, or said when this very form was sent before.

        Raises:
            Declined: it was sent before, and the page that answered it is not kept any more.
        """
        name = await sent_as(request)
        if name is None:
            return await endpoint(request)
        caller = request.state.caller
        place = (caller.session.sha256 if caller and caller.session else "", name)
        before = self._kept.get(place)
        if before is not None:
            at_once = not before.done.is_set()
            await before.done.wait()
            soon = at_once or time.monotonic() - before.at < CLICK_SECONDS
            signing_in = request.state.admitted.action is None  # whoever signed out meanwhile means it
            if before.answer is not None and (soon or not signing_in):
                return _again(before.answer, soon=soon)
        sending = self._kept[place] = _Sending()
        try:
            response = await endpoint(request)
            if response.status_code < 400:
                sending.answer, sending.at = response, time.monotonic()
            return response
        finally:
            self._settle(place, sending)

    def _settle(self, place: Place, sending: _Sending) -> None:
        sending.done.set()
        if sending.answer is None and self._kept.get(place) is sending:
            del self._kept[place]
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        now = time.monotonic()
        for one in self._kept.values():
            if one.answer is not None and now - one.at > BODY_SECONDS:
                one.answer = _bare(one.answer)


def _bare(answer: Response) -> Response:
    """Where an answer led and nothing else of it: no text, no cookie."""
    place = answer.headers.get("location")
    return Response(status_code=answer.status_code, headers={"location": place} if place else None)


def _again(answer: Response, *, soon: bool) -> Response:
    if answer.status_code >= 300 and not soon:
        led_on = Response(status_code=answer.status_code, headers={"location": answer.headers["location"]})
        flash(led_on, "This was sent before, so nothing was done again.")
        return led_on
    if answer.status_code < 300 and not answer.body:
        raise Declined(SENT_BEFORE, "Nothing was done again. Open the page anew to do it once more.")
    again = Response(answer.body, answer.status_code)
    again.raw_headers = list(answer.raw_headers)
    return again
