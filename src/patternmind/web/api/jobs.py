"""Jobs: list, state and progress events."""

import datetime as dt
import hashlib
import json
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import Header, Query, Response
from pydantic import AliasPath, Field
from starlette.concurrency import run_in_threadpool

from patternmind.bootstrap import AppContext
from patternmind.domain.jobs import Job, JobKind, JobState
from patternmind.domain.permissions import Action
from patternmind.jobs.runner import JobRunner
from patternmind.web.api.schemas import EditConflictResponse, PageResponse, ResponseModel
from patternmind.web.caller import Caller
from patternmind.web.dependencies import CallerDep, ContextDep, EventStreamsDep, JobRunnerDep
from patternmind.web.event_streams import EventReader, ServerSentEvent
from patternmind.web.pagination import LimitQuery, invalid_cursor
from patternmind.web.problems import Problem, job_problem
from patternmind.web.routing import ApiRouter

router = ApiRouter("jobs")


class RunResponse(ResponseModel):
    run_id: str = Field(validation_alias="id")
    state: str = Field(description="running, finished, failed or interrupted.")
    label: str = Field(validation_alias=AliasPath("parameters", "label"))
    lens: str = Field(validation_alias=AliasPath("parameters", "lens"))
    level: str = Field(validation_alias=AliasPath("parameters", "level"))
    engine: str = Field(validation_alias=AliasPath("parameters", "engine"))
    seed: int = Field(validation_alias=AliasPath("parameters", "seed"))
    since: str | None = Field(validation_alias=AliasPath("parameters", "since"))
    started_at: dt.datetime
    finished_at: dt.datetime | None
    cases: int = Field(validation_alias="n_cases")
    themes: int = Field(validation_alias="n_themes")
    outliers: int = Field(validation_alias="n_outliers")
    drafts: int = Field(validation_alias="n_drafts")
    seconds: dict[str, float]
    notes: list[str]
    doubts: list[EditConflictResponse] = Field(
        validation_alias="conflicts", description="Decisions that the cases of the run contradict; they stay in effect."
    )


class JobProgressResponse(ResponseModel):
    step: str
    done: int = Field(validation_alias="n_done")
    total: int = Field(validation_alias="n_total")


class JobResponse(ResponseModel):
    """A background job. Poll it while `state` is `running`, or listen to its events."""

    job_id: str = Field(validation_alias="id")
    kind: JobKind
    state: Literal["running", "finished", "failed"]
    by: str = Field(description="Name of the requester.")
    started_at: dt.datetime
    finished_at: dt.datetime | None
    progress: JobProgressResponse
    run: RunResponse | None = Field(description="The run, once finished.")
    prereading_id: str | None = Field(description="Id of the pre-reading, once finished.")
    notes: list[str] = Field(description="Notes on how it was created.")
    problem: Problem | None = Field(description="Reason of the failure; type `lost` if its process died.")


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


def accepted_job_response(ctx: AppContext, job: Job, response: Response) -> JobResponse:
    response.headers["location"] = f"/api/v1/jobs/{job.id}"
    response.headers["retry-after"] = "1"
    return job_response(ctx, job)


def job_response(ctx: AppContext, job: Job) -> JobResponse:
    result_id = job.made if job.state is JobState.FINISHED else ""
    is_run = job.kind is JobKind.RUN
    runs = ctx.store.runs.list_all() if result_id and is_run else []
    return JobResponse.of(
        job,
        state="failed" if job.state is JobState.LOST else job.state.value,
        progress=job,
        run=next((run for run in runs if run.id == result_id), None),
        prereading_id=None if is_run else result_id or None,
        problem=job_problem(job),
    )


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
