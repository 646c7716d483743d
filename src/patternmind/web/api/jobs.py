"""Jobs: list, state and progress events."""

import hashlib
import json
from functools import partial
from typing import Annotated, Any

from fastapi import Header, Query, Response
from starlette.concurrency import run_in_threadpool

from patternmind.bootstrap import AppContext
from patternmind.domain.jobs import JobKind, JobState
from patternmind.domain.permissions import Action
from patternmind.jobs.runner import JobRunner
from patternmind.web.api.job_responses import JobResponse, job_response
from patternmind.web.api.schemas import PageResponse
from patternmind.web.caller import Caller
from patternmind.web.dependencies import CallerDep, ContextDep, EventStreamsDep, JobRunnerDep
from patternmind.web.event_streams import EventReader, ServerSentEvent
from patternmind.web.pagination import LimitQuery, invalid_cursor
from patternmind.web.routing import ApiRouter

router = ApiRouter("jobs")


LastEventIdHeader = Annotated[
    str | None, Header(max_length=200, description="Id of the last received event; browsers send it.")
]


STREAM_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
        "description": "Server-sent events, each with an id.",
    },
    204: {"description": "All events were sent; do not reconnect."},
}


@router.get("/jobs", "list_jobs", Action.SEE_THEMES)
def list_jobs(
    ctx: ContextDep,
    job_runner: JobRunnerDep,
    kind: JobKind | None = None,
    limit: LimitQuery = 50,
    cursor: Annotated[str | None, Query(max_length=100, description="`next_cursor` of the previous page.")] = None,
) -> PageResponse[JobResponse]:
    """List the jobs of the network, newest first, from all processes."""
    if cursor is not None and not job_runner.exists(cursor):
        raise invalid_cursor()
    jobs = job_runner.list_jobs(kind=kind, before=cursor, limit=limit + 1)
    next_cursor = jobs[limit - 1].id if len(jobs) > limit else None
    return PageResponse(items=[job_response(ctx, job) for job in jobs[:limit]], next_cursor=next_cursor)


@router.get("/jobs/{job_id}", "read_job", Action.SEE_THEMES)
def read_job(ctx: ContextDep, job_runner: JobRunnerDep, job_id: str) -> JobResponse:
    """Read the state and progress of a job."""
    return job_response(ctx, job_runner.find(job_id))


@router.get(
    "/jobs/{job_id}/events", "stream_job", Action.SEE_THEMES, response_class=Response, responses=STREAM_RESPONSES
)
async def stream_job(
    ctx: ContextDep,
    job_runner: JobRunnerDep,
    event_streams: EventStreamsDep,
    caller: CallerDep,
    job_id: str,
    last_event_id: LastEventIdHeader = None,
) -> Response:
    """Stream the progress of a job: `progress` events, then `done` or `failed`. 204 after the last event."""
    read_events = partial(_job_events, ctx, job_runner, job_id)
    return await stream_response(event_streams, read_events, caller, last_event_id)


def _job_events(ctx: AppContext, job_runner: JobRunner, job_id: str, last_id: str) -> list[ServerSentEvent]:
    """Return the current state of a job, unless it is the one sent last."""
    job = job_runner.find(job_id)
    data = job_response(ctx, job).model_dump(mode="json")
    digest = hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:16]
    id = f"{digest}-end" if job.has_ended else digest
    if id == last_id:
        return []
    name = {JobState.RUNNING: "progress", JobState.FINISHED: "done"}.get(job.state, "failed")
    return [ServerSentEvent(id, name, data, is_last=job.has_ended)]


async def stream_response(
    event_streams: EventStreamsDep, read_events: EventReader, caller: Caller, last_event_id: str | None
) -> Response:
    last_id = last_event_id or ""
    new_events = await run_in_threadpool(read_events, last_id)
    if last_id.endswith("-end") and not new_events:
        return Response(status_code=204)
    return event_streams.respond(read_events, caller=f"{caller.network_id} {caller.name or ''}", last_id=last_id)
