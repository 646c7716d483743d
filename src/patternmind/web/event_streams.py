"""Server-sent events: what changes is told while somebody listens, and nothing twice to who comes back.

An event's id says all that was told up to it. A browser that was cut off sends the last one as ``Last-Event-ID``. A
stream ends by itself after a while, and when the server stops; the browser comes again.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from patternmind.web.problems import TOO_MANY_ATTEMPTS, HTTPProblem

MAX_STREAMS_PER_CALLER = 6
"""A caller's at a time: a few tabs, and a browser's own limit for one server."""

POLL_SECONDS = 0.5
KEEPALIVE_SECONDS = 15.0
"""After so long without an event a comment is sent, so that nothing on the way takes the line for dead."""

MAX_STREAM_SECONDS = 600.0
RETRY_MILLISECONDS = 2000

STREAM_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """``last`` ends the stream."""

    id: str
    name: str
    data: Mapping[str, Any]
    is_last: bool = False

    def encode(self) -> str:
        return f"id: {self.id}\nevent: {self.name}\ndata: {json.dumps(self.data)}\n\n"


EventReader = Callable[[str], list[ServerSentEvent]]
"""The events after the one with this id, "" for somebody who has seen none; it reads the store."""


class EventStreams:
    """How many streams each caller has open, in this process. Used from the event loop alone."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()
        self._closing = False

    def close(self) -> None:
        """End all of them at their next look."""
        self._closing = True

    @property
    def is_closing(self) -> bool:
        return self._closing

    @contextmanager
    def track(self, caller: str) -> Generator[None]:
        self._open[caller] += 1
        try:
            yield
        finally:
            self._open[caller] -= 1
            if self._open[caller] <= 0:
                del self._open[caller]

    def check_limit(self, caller: str) -> None:
        """Go on only if this caller may open another one.

        Raises:
            Declined
        """
        if self._open[caller] >= MAX_STREAMS_PER_CALLER:
            detail = f"At most {MAX_STREAMS_PER_CALLER} streams of events at a time. Close a tab, or ask again a little later."
            raise HTTPProblem(TOO_MANY_ATTEMPTS, detail, headers={"Retry-After": "10"})

    def respond(self, look: EventReader, *, caller: str, last_id: str) -> Response:
        """The stream of what ``look`` sees, beginning after ``last_id``.

        Raises:
            Declined: the caller has too many.
        """
        self.check_limit(caller)
        return StreamingResponse(
            self.iterate(look, caller, last_id), media_type="text/event-stream", headers=STREAM_HEADERS
        )

    async def iterate(self, look: EventReader, caller: str, last_id: str) -> AsyncGenerator[str]:
        with self.track(caller):
            begun = quiet_since = time.monotonic()
            yield f"retry: {RETRY_MILLISECONDS}\n\n"
            while not self._closing and time.monotonic() - begun < MAX_STREAM_SECONDS:
                for event in await run_in_threadpool(look, last_id):
                    last_id, quiet_since = event.id, time.monotonic()
                    yield event.encode()
                    if event.is_last:
                        return
                if time.monotonic() - quiet_since > KEEPALIVE_SECONDS:
                    quiet_since = time.monotonic()
                    yield ": still here\n\n"
                await asyncio.sleep(POLL_SECONDS)
