"""Long work: how far it is, again from the start, and what changes as it happens."""

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
from patternmind.errors import UsageError
from patternmind.jobs.runner import JobRunner
from patternmind.ports import RunParameters
from patternmind.services.validation import validate_run_parameters
from patternmind.web.api import schemas
from patternmind.web.api.themes import run_response
from patternmind.web.auth import Caller
from patternmind.web.event_streams import EventReader, ServerSentEvent
from patternmind.web.pagination import LimitQuery
from patternmind.web.permissions import requires
from patternmind.web.problems import LOST, Problem, build_problem
from patternmind.web.routing import (
    ACCEPTS_IDEMPOTENCY_KEY,
    ApiRoute,
    CallerDep,
    ContextDep,
    EventStreamsDep,
    JobRunnerDep,
    problem_responses,
)

router = APIRouter(route_class=ApiRoute, tags=["jobs"])

LastEventIdHeader = Annotated[
    str | None, Header(max_length=200, description="The id of the last event that was seen; browsers send it.")
]
STREAM_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
        "description": "Server-sent events, each with an id.",
    },
    204: {"description": "All of it was told; do not ask again."},
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
    """Group all cases to date into themes, carry the themes on, draft their patterns; `Location` is the job."""
    chosen = (body or schemas.RunRequest()).model_dump()
    chosen["since"] = chosen["since"].isoformat() if chosen["since"] else None
    parameters = RunParameters(**chosen)
    validate_run_parameters(parameters)
    return accepted_job_response(ctx, job_runner.start(JobKind.RUN, asdict(parameters), actor=caller.name), response)


@router.get("/jobs", name="list_jobs", dependencies=[requires(Action.SEE_THEMES)])
def list_jobs(
    ctx: ContextDep,
    job_runner: JobRunnerDep,
    kind: JobKind | None = None,
    limit: LimitQuery = 50,
    cursor: Annotated[str | None, Query(max_length=100, description="`next_cursor` of the page before.")] = None,
) -> schemas.PageResponse[schemas.JobResponse]:
    """The last jobs of the network, newest first; those of every process."""
    if cursor is not None and not job_runner.exists(cursor):
        raise UsageError('"cursor" is not one that this service gave. Begin again without it.', field="query.cursor")
    found = job_runner.list_jobs(kind=kind, before=cursor, limit=limit + 1)
    following = found[limit - 1].id if len(found) > limit else None
    return schemas.PageResponse(items=[job_response(ctx, job) for job in found[:limit]], next_cursor=following)


@router.get(
    "/jobs/{job_id}", name="read_job", responses=problem_responses(404), dependencies=[requires(Action.SEE_THEMES)]
)
def read_job(ctx: ContextDep, job_runner: JobRunnerDep, job_id: str) -> schemas.JobResponse:
    """How far a job is."""
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
    """Start a run again that failed, or whose process died; what was embedded is kept."""
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
    """Ask again for a pre-reading that failed, or whose process died."""
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
    """Progress as it happens: `progress` until the end, then `done` or `failed`. 204 to who has seen the end."""
    look = partial(_job_events, ctx, job_runner, job_id)
    return await _stream_response(event_streams, look, caller, last_event_id)


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
    """That something changed: `jobs`, `runs`, `themes` or `reviews`. Read it again then; no event holds a text."""
    return await _stream_response(event_streams, partial(_change_events, ctx), caller, last_event_id)


async def _stream_response(
    event_streams: EventStreamsDep, read_events: EventReader, caller: Caller, last_event_id: str | None
) -> Response:
    seen = last_event_id or ""
    first = await run_in_threadpool(read_events, seen)
    if seen.endswith("-end") and not first:
        return Response(status_code=204)
    return event_streams.respond(read_events, caller=f"{caller.network_id} {caller.name or ''}", last_id=seen)


def _job_events(ctx: AppContext, job_runner: JobRunner, job_id: str, last_id: str) -> list[ServerSentEvent]:
    """The job as it stands, where it is not what was told last."""
    job = job_runner.find(job_id)
    answer = job_response(ctx, job).model_dump(mode="json")
    digest = hashlib.sha256(json.dumps(answer, sort_keys=True).encode()).hexdigest()[:16]
    id = f"{digest}-end" if job.has_ended else digest
    if id == last_id:
        return []
    name = {JobState.RUNNING: "progress", JobState.FINISHED: "done"}.get(job.state, "failed")
    return [ServerSentEvent(id, name, answer, is_last=job.has_ended)]


def _change_events(ctx: AppContext, last_id: str) -> list[ServerSentEvent]:
    """One event a mark that moved; who comes first is told where all of them stand."""
    marks = ctx.store.change_counters()
    seen = decode_marks(last_id)
    if not seen:
        return [ServerSentEvent(encode_marks(marks), "message", marks)]
    events: list[ServerSentEvent] = []
    for name, at in marks.items():
        if seen.get(name) != at:
            seen = {**seen, name: at}
            events.append(ServerSentEvent(encode_marks(seen), name, {"at": at}))
    return events


def encode_marks(marks: Mapping[str, int]) -> str:
    return ".".join(f"{name}-{at}" for name, at in sorted(marks.items()))


def decode_marks(event_id: str) -> dict[str, int]:
    """The marks of an event's id; none where it is not one of ours."""
    parts = [part.rpartition("-") for part in event_id.split(".")]
    if not all(name and dash and at.isascii() and at.isdigit() for name, dash, at in parts):
        return {}
    return {name: int(at) for name, _, at in parts}


def accepted_job_response(ctx: AppContext, job: Job, response: Response) -> schemas.JobResponse:
    response.headers["location"] = f"/api/v1/jobs/{job.id}"
    response.headers["retry-after"] = "1"
    return job_response(ctx, job)


def job_response(ctx: AppContext, job: Job) -> schemas.JobResponse:
    made = job.made if job.state is JobState.FINISHED else ""
    run = next((one for one in ctx.store.runs() if one.id == made), None) if made and is_run(job) else None
    return schemas.JobResponse(
        job_id=job.id,
        kind=job.kind,
        state="failed" if job.state is JobState.LOST else job.state.value,
        by=job.by,
        started_at=job.started_at,
        finished_at=job.finished_at,
        progress=schemas.JobProgressResponse(step=job.step, done=job.n_done, total=job.n_total),
        run=run_response(run) if run else None,
        prereading_id=made if made and not is_run(job) else None,
        notes=list(job.notes),
        problem=job_problem(job),
    )


def is_run(job: Job) -> bool:
    return job.kind is JobKind.RUN


def job_problem(job: Job) -> Problem | None:
    """Why it failed; a lost one left no word, so we say what is known."""
    if job.state is JobState.LOST:
        detail = "The process that worked on it ended without a word. Nothing stored was lost; start it again."
        return build_problem(LOST, detail, request_id=job.id)
    return Problem.model_validate(job.problem) if job.problem else None
