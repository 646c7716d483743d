"""Background jobs: start, restart, progress and event streams."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from starlette.concurrency import run_in_threadpool

from patternmind.bootstrap import AppContext
from patternmind.domain.jobs import Job, JobKind, JobState
from patternmind.domain.permissions import Action
from patternmind.jobs.runner import JobRunner
from patternmind.ports import RunParameters
from patternmind.services.validation import validate_run_parameters
from patternmind.web.api import schemas
from patternmind.web.api.themes import run_response
from patternmind.web.caller import Caller
from patternmind.web.dependencies import CallerDep, ContextDep, EventStreamsDep, JobRunnerDep
from patternmind.web.event_streams import EventReader, ServerSentEvent
from patternmind.web.idempotency import ACCEPTS_IDEMPOTENCY_KEY
from patternmind.web.pagination import LimitQuery, invalid_cursor
from patternmind.web.permissions import requires
from patternmind.web.problems import job_problem, problem_responses
from patternmind.web.routing import ApiRoute

router = APIRouter(route_class=ApiRoute, tags=["jobs"])

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


@router.post(
    "/runs",
    name="start_run",
    tags=["runs"],
    status_code=202,
    responses=problem_responses(400, 409),
    dependencies=[requires(Action.START_RUN), ACCEPTS_IDEMPOTENCY_KEY],
)
def start_run(
    ctx: ContextDep,
    job_runner: JobRunnerDep,
    caller: CallerDep,
    response: Response,
    body: schemas.RunRequest | None = None,
) -> schemas.JobResponse:
    """Group all cases into themes, keep existing themes, draft patterns; `Location` is the job."""
    settings = (body or schemas.RunRequest()).model_dump()
    settings["since"] = settings["since"].isoformat() if settings["since"] else None
    parameters = RunParameters(**settings)
    validate_run_parameters(parameters)
    return accepted_job_response(ctx, job_runner.start(JobKind.RUN, asdict(parameters), actor=caller.name), response)


@router.get("/jobs", name="list_jobs", dependencies=[requires(Action.SEE_THEMES)])
def list_jobs(
    ctx: ContextDep,
    job_runner: JobRunnerDep,
    kind: JobKind | None = None,
    limit: LimitQuery = 50,
    cursor: Annotated[str | None, Query(max_length=100, description="`next_cursor` of the previous page.")] = None,
) -> schemas.PageResponse[schemas.JobResponse]:
    """List the jobs of the network, newest first, from all processes."""
    if cursor is not None and not job_runner.exists(cursor):
        raise invalid_cursor()
    jobs = job_runner.list_jobs(kind=kind, before=cursor, limit=limit + 1)
    next_cursor = jobs[limit - 1].id if len(jobs) > limit else None
    return schemas.PageResponse(items=[job_response(ctx, job) for job in jobs[:limit]], next_cursor=next_cursor)


@router.get(
    "/jobs/{job_id}", name="read_job", responses=problem_responses(404), dependencies=[requires(Action.SEE_THEMES)]
)
def read_job(ctx: ContextDep, job_runner: JobRunnerDep, job_id: str) -> schemas.JobResponse:
    """Read the state and progress of a job."""
    return job_response(ctx, job_runner.find(job_id))


@router.post(
    "/runs/jobs/{job_id}/restart",
    name="restart_run",
    status_code=202,
    responses=problem_responses(404, 409),
    dependencies=[requires(Action.START_RUN), ACCEPTS_IDEMPOTENCY_KEY],
)
def restart_run(
    ctx: ContextDep, job_runner: JobRunnerDep, caller: CallerDep, response: Response, job_id: str
) -> schemas.JobResponse:
    """Restart a run that failed or whose process died; existing embeddings are reused."""
    return accepted_job_response(ctx, job_runner.restart(job_id, kind=JobKind.RUN, actor=caller.name), response)


@router.post(
    "/prereadings/jobs/{job_id}/restart",
    name="restart_prereading",
    status_code=202,
    responses=problem_responses(404, 409),
    dependencies=[requires(Action.REQUEST_PREREADING), ACCEPTS_IDEMPOTENCY_KEY],
)
def restart_prereading(
    ctx: ContextDep, job_runner: JobRunnerDep, caller: CallerDep, response: Response, job_id: str
) -> schemas.JobResponse:
    """Restart a pre-reading that failed or whose process died."""
    return accepted_job_response(ctx, job_runner.restart(job_id, kind=JobKind.PREREADING, actor=caller.name), response)


@router.get(
    "/jobs/{job_id}/events",
    name="stream_job",
    response_class=Response,
    responses=problem_responses(404, 429) | STREAM_RESPONSES,
    dependencies=[requires(Action.SEE_THEMES)],
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
    return await _stream_response(event_streams, read_events, caller, last_event_id)


@router.get(
    "/events",
    name="stream_events",
    response_class=Response,
    responses=problem_responses(429) | STREAM_RESPONSES,
    dependencies=[requires(Action.SEE_THEMES)],
)
async def stream_events(
    ctx: ContextDep, event_streams: EventStreamsDep, caller: CallerDep, last_event_id: LastEventIdHeader = None
) -> Response:
    """Stream notices of changed `jobs`, `runs`, `themes` or `reviews`. Events contain no text; reload the data."""
    return await _stream_response(event_streams, partial(_change_events, ctx), caller, last_event_id)


async def _stream_response(
    event_streams: EventStreamsDep, read_events: EventReader, caller: Caller, last_event_id: str | None
) -> Response:
    last_id = last_event_id or ""
    new_events = await run_in_threadpool(read_events, last_id)
    if last_id.endswith("-end") and not new_events:
        return Response(status_code=204)
    return event_streams.respond(read_events, caller=f"{caller.network_id} {caller.name or ''}", last_id=last_id)


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


def accepted_job_response(ctx: AppContext, job: Job, response: Response) -> schemas.JobResponse:
    response.headers["location"] = f"/api/v1/jobs/{job.id}"
    response.headers["retry-after"] = "1"
    return job_response(ctx, job)


def job_response(ctx: AppContext, job: Job) -> schemas.JobResponse:
    result_id = job.made if job.state is JobState.FINISHED else ""
    run = next((run for run in ctx.store.runs() if run.id == result_id), None) if result_id and is_run(job) else None
    return schemas.JobResponse(
        job_id=job.id,
        kind=job.kind,
        state="failed" if job.state is JobState.LOST else job.state.value,
        by=job.by,
        started_at=job.started_at,
        finished_at=job.finished_at,
        progress=schemas.JobProgressResponse(step=job.step, done=job.n_done, total=job.n_total),
        run=run_response(run) if run else None,
        prereading_id=result_id if result_id and not is_run(job) else None,
        notes=list(job.notes),
        problem=job_problem(job),
    )


def is_run(job: Job) -> bool:
    return job.kind is JobKind.RUN
