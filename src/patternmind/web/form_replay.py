"""Protection against double form submission: two clicks, a slow network, or going back to a page.

Every rendered form holds its own key, so the same form rendered again may be submitted again. Responses are kept in
memory. With two processes, and after a restart, the version that a form holds makes the second submission fail.
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
"""Time in which a response page, such as a new token, is replayed."""
DOUBLE_CLICK_SECONDS = 3.0
"""A repeat within this time counts as a double click; a later one shows that nothing was done again."""

ReplayKey = tuple[str, str]


@dataclass(slots=True)
class _Submission:
    """A submitted form; ``response`` is None while in progress or if it failed, and loses its body later."""

    is_done: asyncio.Event = field(default_factory=asyncio.Event)
    response: Response | None = None
    answered_at: float = 0.0


class FormReplayCache:
    """Recent successful form submissions, by session and form fingerprint.

    Not thread-safe: use it from the event loop only.
    """

    def __init__(self) -> None:
        self._entries: OrderedDict[ReplayKey, _Submission] = OrderedDict()

    def clear(self) -> None:
        """Drop all cached bodies: one may contain the text of an erased case."""
        for submission in self._entries.values():
            if submission.response is not None:
                submission.response = _without_body(submission.response)

    async def respond(self, request: Request, endpoint: Endpoint) -> Response:
        """Call the endpoint, or replay its response to the same earlier form.

        Raises:
            HTTPProblem: the form was submitted before, and the page that answered it is no longer kept.
        """
        fingerprint = await form_fingerprint(request)
        if fingerprint is None:
            return await endpoint(request)
        caller = request.state.caller
        key = (caller.session.sha256 if caller and caller.session else "", fingerprint)
        earlier = self._entries.get(key)
        if earlier is not None:
            was_in_progress = not earlier.is_done.is_set()
            await earlier.is_done.wait()
            is_double_click = was_in_progress or time.monotonic() - earlier.answered_at < DOUBLE_CLICK_SECONDS
            # A sign-in form may be repeated on purpose: the member signed out in between.
            is_sign_in = request.state.permission.action is None
            if earlier.response is not None and (is_double_click or not is_sign_in):
                return _replay(earlier.response, is_double_click=is_double_click)
        submission = self._entries[key] = _Submission()
        try:
            response = await endpoint(request)
            if response.status_code < 400:
                submission.response, submission.answered_at = response, time.monotonic()
            return response
        finally:
            self._store(key, submission)

    def _store(self, key: ReplayKey, submission: _Submission) -> None:
        submission.is_done.set()
        if submission.response is None and self._entries.get(key) is submission:
            del self._entries[key]
        while len(self._entries) > MAX_ENTRIES:
            self._entries.popitem(last=False)
        now = time.monotonic()
        for entry in self._entries.values():
            if entry.response is not None and now - entry.answered_at > BODY_RETENTION_SECONDS:
                entry.response = _without_body(entry.response)


def _without_body(response: Response) -> Response:
    """Return the redirect only; body and cookies are dropped."""
    location = response.headers.get("location")
    return Response(status_code=response.status_code, headers={"location": location} if location else None)


def _replay(response: Response, *, is_double_click: bool) -> Response:
    if response.status_code >= 300 and not is_double_click:
        redirect = Response(status_code=response.status_code, headers={"location": response.headers["location"]})
        flash(redirect, "You already submitted this form. Nothing was done again.")
        return redirect
    if response.status_code < 300 and not response.body:
        raise HTTPProblem(SENT_BEFORE, "Nothing was done again. To do it once more, reload the page first.")
    replay = Response(response.body, response.status_code)
    replay.raw_headers = list(response.raw_headers)
    return replay
