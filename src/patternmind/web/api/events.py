"""Events: a stream of change notices of the network."""

from collections.abc import Mapping
from functools import partial

from fastapi import Response

from patternmind.bootstrap import AppContext
from patternmind.domain.permissions import Action
from patternmind.web.api.jobs import STREAM_RESPONSES, LastEventIdHeader, stream_response
from patternmind.web.dependencies import CallerDep, ContextDep, EventStreamsDep
from patternmind.web.event_streams import ServerSentEvent
from patternmind.web.routing import ApiRouter

router = ApiRouter("jobs")


@router.get("/events", "stream_events", Action.SEE_THEMES, response_class=Response, responses=STREAM_RESPONSES)
async def stream_events(
    ctx: ContextDep, event_streams: EventStreamsDep, caller: CallerDep, last_event_id: LastEventIdHeader = None
) -> Response:
    """Stream notices of changed `jobs`, `runs`, `themes` or `reviews`. Events contain no text; reload the data."""
    return await stream_response(event_streams, partial(_change_events, ctx), caller, last_event_id)


def _change_events(ctx: AppContext, last_id: str) -> list[ServerSentEvent]:
    """Return an event for each changed counter; a new client gets all counters at once."""
    counters = ctx.store.change_counters()
    sent = decode_counters(last_id)
    if not sent:
        return [ServerSentEvent(encode_counters(counters), "message", counters)]
    events: list[ServerSentEvent] = []
    for name, value in counters.items():
        if sent.get(name) != value:
            sent = {**sent, name: value}
            events.append(ServerSentEvent(encode_counters(sent), name, {"at": value}))
    return events


def encode_counters(counters: Mapping[str, int]) -> str:
    """Return change counters as an event id."""
    return ".".join(f"{name}-{value}" for name, value in sorted(counters.items()))


def decode_counters(event_id: str) -> dict[str, int]:
    """Return the change counters in an event id; empty if the id is invalid."""
    parts = [part.rpartition("-") for part in event_id.split(".")]
    if not all(name and dash and value.isascii() and value.isdigit() for name, dash, value in parts):
        return {}
    return {name: int(value) for name, _, value in parts}
