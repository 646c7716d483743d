"""Server-sent events: live progress and change notices, resumable after a disconnect.

The id of an event encodes everything sent up to it. A browser that reconnects sends the last id as ``Last-Event-ID``
and gets no event twice. A stream ends after some minutes and when the server stops; the browser then reconnects.
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
"""Open streams per caller: a few tabs, and the limit of a browser for one server."""

POLL_SECONDS = 0.5
KEEPALIVE_SECONDS = 15.0
"""Longest pause: then a comment is sent, so that no proxy closes the connection."""

MAX_STREAM_SECONDS = 600.0
RETRY_MILLISECONDS = 2000

STREAM_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """An event; ``is_last`` ends the stream."""

    id: str
    name: str
    data: Mapping[str, Any]
    is_last: bool = False

    def encode(self) -> str:
        return f"id: {self.id}\nevent: {self.name}\ndata: {json.dumps(self.data)}\n\n"


EventReader = Callable[[str], list[ServerSentEvent]]
"""Returns the events after the given id, or all for ""; it reads the store and blocks."""


class EventStreams:
    """The open event streams of this process, counted per caller.

    Not thread-safe: use it from the event loop only.
    """

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()
        self._closing = False

    def close(self) -> None:
        """End all streams at their next poll."""
        self._closing = True

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
        """Check that the caller may open another stream.

        Raises:
            HTTPProblem: the caller has ``MAX_STREAMS_PER_CALLER`` open.
        """
        if self._open[caller] >= MAX_STREAMS_PER_CALLER:
            detail = f"You can have at most {MAX_STREAMS_PER_CALLER} event streams open. Close a tab or retry later."
            raise HTTPProblem(TOO_MANY_ATTEMPTS, detail, headers={"Retry-After": "10"})

    def respond(self, read_events: EventReader, *, caller: str, last_id: str) -> Response:
        """Return a streaming response with the events after ``last_id``.

        Raises:
            HTTPProblem: the caller has too many streams open.
        """
        self.check_limit(caller)
        return StreamingResponse(
            self.iterate(read_events, caller, last_id), media_type="text/event-stream", headers=STREAM_HEADERS
        )

    async def iterate(self, read_events: EventReader, caller: str, last_id: str) -> AsyncGenerator[str]:
        with self.track(caller):
            started_at = quiet_since = time.monotonic()
            yield f"retry: {RETRY_MILLISECONDS}\n\n"
            while not self._closing and time.monotonic() - started_at < MAX_STREAM_SECONDS:
                for event in await run_in_threadpool(read_events, last_id):
                    last_id, quiet_since = event.id, time.monotonic()
                    yield event.encode()
                    if event.is_last:
                        return
                if time.monotonic() - quiet_since > KEEPALIVE_SECONDS:
                    quiet_since = time.monotonic()
                    yield ": keep-alive\n\n"
                await asyncio.sleep(POLL_SECONDS)
