"""Long work: how far it is, again from the start, and what changes as it happens."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from starlette.concurrency import run_in_threadpool

from patternmind.bootstrap import House
from patternmind.errors import UsageError
from patternmind.model.jobs import Job, JobKind, JobState
from patternmind.model.rights import Action
from patternmind.ports import RunParameters
from patternmind.verbs.checks import check_parameters
from patternmind.web import answers
from patternmind.web.auth import Caller
from patternmind.web.door import MAY_REPEAT, Door, TheCaller, TheHouse, TheJobs, TheStreams, problems
from patternmind.web.jobs import Jobs
from patternmind.web.paging import Limit
from patternmind.web.problems import LOST, Problem, problem
from patternmind.web.rights import needs
from patternmind.web.routes.themes import run_answer
from patternmind.web.streams import Event, Look

router = APIRouter(route_class=Door, tags=["jobs"])

LastEventId = Annotated[
    str | None, Header(max_length=200, description="The id of the last event that was seen; browsers send it.")
]
STREAM: dict[int | str, dict[str, Any]] = {
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
    responses=problems(400, 409),
    dependencies=[needs(Action.START_RUN), MAY_REPEAT],
)
def start_run(
    house: TheHouse, jobs: TheJobs, caller: TheCaller, response: Response, asked: answers.RunAsked | None = None
) -> answers.JobAnswer:
    """Group all cases to date into themes, carry the themes on, draft their patterns; `Location` is the job."""
    chosen = (asked or answers.RunAsked()).model_dump()
    chosen["since"] = chosen["since"].isoformat() if chosen["since"] else None
    parameters = RunParameters(**chosen)
    check_parameters(parameters)
    return begun(house, jobs.start(JobKind.RUN, asdict(parameters), by=caller.name), response)


@router.get("/jobs", name="list_jobs", dependencies=[needs(Action.SEE_THEMES)])
def list_jobs(
    house: TheHouse,
    jobs: TheJobs,
    kind: JobKind | None = None,
    limit: Limit = 50,
    cursor: Annotated[str | None, Query(max_length=100, description="`next_cursor` of the page before.")] = None,
) -> answers.Page[answers.JobAnswer]:
    """The last jobs of the network, newest first; those of every process."""
    if cursor is not None and not jobs.knows(cursor):
        raise UsageError('"cursor" is not one that this service gave. Begin again without it.', field="query.cursor")
    found = jobs.jobs(kind=kind, before=cursor, limit=limit + 1)
    following = found[limit - 1].id if len(found) > limit else None
    return answers.Page(items=[job_answer(house, job) for job in found[:limit]], next_cursor=following)


@router.get("/jobs/{job_id}", name="read_job", responses=problems(404), dependencies=[needs(Action.SEE_THEMES)])
def read_job(house: TheHouse, jobs: TheJobs, job_id: str) -> answers.JobAnswer:
    """How far a job is."""
    return job_answer(house, jobs.job(job_id))


@router.post(
    "/runs/jobs/{job_id}/restart",
    name="restart_run",
    status_code=202,
    responses=problems(404, 409),
    dependencies=[needs(Action.START_RUN), MAY_REPEAT],
)
def restart_run(
    house: TheHouse, jobs: TheJobs, caller: TheCaller, response: Response, job_id: str
) -> answers.JobAnswer:
    """Start a run again that failed, or whose process died; what was embedded is kept."""
    return begun(house, jobs.restart(job_id, kind=JobKind.RUN, by=caller.name), response)


@router.post(
    "/prereadings/jobs/{job_id}/restart",
    name="restart_prereading",
    status_code=202,
    responses=problems(404, 409),
    dependencies=[needs(Action.REQUEST_PREREADING), MAY_REPEAT],
)
def restart_prereading(
    house: TheHouse, jobs: TheJobs, caller: TheCaller, response: Response, job_id: str
) -> answers.JobAnswer:
    """Ask again for a pre-reading that failed, or whose process died."""
    return begun(house, jobs.restart(job_id, kind=JobKind.PREREADING, by=caller.name), response)


@router.get(
    "/jobs/{job_id}/events",
    name="stream_job",
    response_class=Response,
    responses=problems(404, 429) | STREAM,
    dependencies=[needs(Action.SEE_THEMES)],
)
async def stream_job(
    house: TheHouse,
    jobs: TheJobs,
    streams: TheStreams,
    caller: TheCaller,
    job_id: str,
    last_event_id: LastEventId = None,
) -> Response:
    """Progress as it happens: `progress` until the end, then `done` or `failed`. 204 to who has seen the end."""
    look = partial(_job_events, house, jobs, job_id)
    return await _stream(streams, look, caller, last_event_id)


@router.get(
    "/events",
    name="stream_events",
    response_class=Response,
    responses=problems(429) | STREAM,
    dependencies=[needs(Action.SEE_THEMES)],
)
async def stream_events(
    house: TheHouse, streams: TheStreams, caller: TheCaller, last_event_id: LastEventId = None
) -> Response:
    """That something changed: `jobs`, `runs`, `themes` or `reviews`. Read it again then; no event holds a text."""
    return await _stream(streams, partial(_changes, house), caller, last_event_id)


async def _stream(streams: TheStreams, look: Look, caller: Caller, last_event_id: str | None) -> Response:
    seen = last_event_id or ""
    first = await run_in_threadpool(look, seen)
    if seen.endswith("-end") and not first:
        return Response(status_code=204)
    return streams.answer(look, caller=f"{caller.network_id} {caller.name or ''}", last_id=seen)


def _job_events(house: House, jobs: Jobs, job_id: str, last_id: str) -> list[Event]:
    """The job as it stands, where it is not what was told last."""
    job = jobs.job(job_id)
    answer = job_answer(house, job).model_dump(mode="json")
    digest = hashlib.sha256(json.dumps(answer, sort_keys=True).encode()).hexdigest()[:16]
    id = f"{digest}-end" if job.ended else digest
    if id == last_id:
        return []
    name = {JobState.RUNNING: "progress", JobState.FINISHED: "done"}.get(job.state, "failed")
    return [Event(id, name, answer, last=job.ended)]


def _changes(house: House, last_id: str) -> list[Event]:
    """One event a mark that moved; who comes first is told where all of them stand."""
    marks = house.store.marks()
    seen = read_marks(last_id)
    if not seen:
        return [Event(write_marks(marks), "message", marks)]
    events: list[Event] = []
    for name, at in marks.items():
        if seen.get(name) != at:
            seen = {**seen, name: at}
            events.append(Event(write_marks(seen), name, {"at": at}))
    return events


def write_marks(marks: Mapping[str, int]) -> str:
    return ".".join(f"{name}-{at}" for name, at in sorted(marks.items()))


def read_marks(id: str) -> dict[str, int]:
    """The marks of an event's id; none where it is not one of ours."""
    parts = [part.rpartition("-") for part in id.split(".")]
    if not all(name and dash and at.isascii() and at.isdigit() for name, dash, at in parts):
        return {}
    return {name: int(at) for name, _, at in parts}


def begun(house: House, job: Job, response: Response) -> answers.JobAnswer:
    response.headers["location"] = f"/api/v1/jobs/{job.id}"
    response.headers["retry-after"] = "1"
    return job_answer(house, job)


def job_answer(house: House, job: Job) -> answers.JobAnswer:
    made = job.made if job.state is JobState.FINISHED else ""
    run = next((one for one in house.store.runs() if one.id == made), None) if made and is_run(job) else None
    return answers.JobAnswer(
        job_id=job.id,
        kind=job.kind,
        state="failed" if job.state is JobState.LOST else job.state.value,
        by=job.by,
        started_at=job.started_at,
        finished_at=job.finished_at,
        progress=answers.ProgressAnswer(step=job.step, done=job.n_done, total=job.n_total),
        run=run_answer(run) if run else None,
        prereading_id=made if made and not is_run(job) else None,
        notes=list(job.notes),
        problem=problem_in(job),
    )


def is_run(job: Job) -> bool:
    return job.kind is JobKind.RUN


def problem_in(job: Job) -> Problem | None:
    """Why it failed; a lost one left no word, so we say what is known."""
    if job.state is JobState.LOST:
        detail = "The process that worked on it ended without a word. Nothing stored was lost; start it again."
        return problem(LOST, detail, request_id=job.id)
    return Problem.model_validate(job.problem) if job.problem else None
