"""Responses with a job, shared by the resources that start one."""

import datetime as dt
from dataclasses import asdict
from typing import Literal

from fastapi import Response
from pydantic import BaseModel, Field

from patternmind.bootstrap import AppContext
from patternmind.domain.jobs import Job, JobKind, JobState
from patternmind.ports import RunRecord
from patternmind.web.api.schemas import EditConflictResponse
from patternmind.web.problems import Problem, job_problem


class RunResponse(BaseModel):
    run_id: str
    state: str = Field(description="running, finished, failed or interrupted.")
    label: str
    lens: str
    level: str
    engine: str
    seed: int
    since: str | None
    started_at: dt.datetime
    finished_at: dt.datetime | None
    cases: int
    themes: int
    outliers: int
    drafts: int
    seconds: dict[str, float]
    notes: list[str]
    doubts: list[EditConflictResponse] = Field(
        description="Decisions that the cases of the run contradict; they stay in effect."
    )


class JobProgressResponse(BaseModel):
    step: str
    done: int
    total: int


class JobResponse(BaseModel):
    """A background job: poll it until `state` is no longer running, or listen to its events."""

    job_id: str
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


def accepted_job_response(ctx: AppContext, job: Job, response: Response) -> JobResponse:
    response.headers["location"] = f"/api/v1/jobs/{job.id}"
    response.headers["retry-after"] = "1"
    return job_response(ctx, job)


def job_response(ctx: AppContext, job: Job) -> JobResponse:
    result_id = job.made if job.state is JobState.FINISHED else ""
    run = (
        next((run for run in ctx.store.runs.list_all() if run.id == result_id), None)
        if result_id and is_run(job)
        else None
    )
    return JobResponse(
        job_id=job.id,
        kind=job.kind,
        state="failed" if job.state is JobState.LOST else job.state.value,
        by=job.by,
        started_at=job.started_at,
        finished_at=job.finished_at,
        progress=JobProgressResponse(step=job.step, done=job.n_done, total=job.n_total),
        run=run_response(run) if run else None,
        prereading_id=result_id if result_id and not is_run(job) else None,
        notes=list(job.notes),
        problem=job_problem(job),
    )


def is_run(job: Job) -> bool:
    return job.kind is JobKind.RUN


def run_response(record: RunRecord) -> RunResponse:
    parameters = asdict(record.parameters)
    del parameters["draft"]
    return RunResponse(
        **parameters,
        run_id=record.id,
        state=record.state,
        started_at=record.started_at,
        finished_at=record.finished_at,
        cases=record.n_cases,
        themes=record.n_themes,
        outliers=record.n_outliers,
        drafts=record.n_drafts,
        seconds=dict(record.seconds),
        notes=list(record.notes),
        doubts=[EditConflictResponse(**asdict(conflict)) for conflict in record.conflicts],
    )
