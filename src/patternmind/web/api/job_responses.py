"""Responses with a job, shared by the resources that start one."""

import datetime as dt
from typing import Literal

from fastapi import Response
from pydantic import AliasPath, Field

from patternmind.bootstrap import AppContext
from patternmind.domain.jobs import Job, JobKind, JobState
from patternmind.web.api.schemas import EditConflictResponse, ResponseModel
from patternmind.web.problems import Problem, job_problem


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
    """A background job: poll it until `state` is no longer running, or listen to its events."""

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
