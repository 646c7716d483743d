"""The page on which somebody waits for long work, shared by all kinds of it."""

from starlette.requests import Request
from starlette.responses import Response

from patternmind.domain.jobs import Job, JobKind, JobState
from patternmind.web.api.jobs import job_problem
from patternmind.web.templating import render

STEP_LABELS = {
    "": "Waiting for its turn",
    "embed": "Reading the cases",
    "prepare": "Choosing what to read",
}
"""What a person reads while a step goes on."""

AFTER_EMBEDDING_LABEL = "Grouping the cases, and drafting"

SECTION_PATHS = {JobKind.RUN: "/runs", JobKind.PREREADING: "/prereadings"}


def step_label(job: Job) -> str:
    if job.kind is JobKind.RUN and job.step == "embed" and job.n_done >= job.n_total:
        return AFTER_EMBEDDING_LABEL
    return STEP_LABELS.get(job.step, job.step.capitalize())


def render_job_status(
    request: Request, job: Job, *, title: str, lead: str, result_path: str, result_label: str
) -> Response:
    """How far a job is, by events, by reload, and by hand.

    Args:
        made: the address of what came of it.
        ready: the words of the link there.
    """
    place = SECTION_PATHS[job.kind]
    problem = job_problem(job)
    return render(
        request,
        "jobs/status.html",
        title=title,
        lead=lead,
        job=job,
        running=job.state is JobState.RUNNING,
        finished=job.state is JobState.FINISHED,
        words=step_label(job),
        counted=job.n_total > 1,
        problem=problem,
        place=place,
        restart=f"{place}/jobs/{job.id}/restart",
        made=result_path,
        ready=result_label,
    )
