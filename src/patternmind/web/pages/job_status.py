"""The status page of a job, shared by runs and pre-readings."""

from starlette.responses import Response

from patternmind.domain.jobs import Job, JobKind, JobState
from patternmind.web.page_request import PageRequest
from patternmind.web.problems import job_problem

STEP_LABELS = {"": "Waiting in the queue", "embed": "Reading the cases", "prepare": "Selecting the cases"}
"""Texts shown while a step is running."""

AFTER_EMBEDDING_LABEL = "Grouping the cases and drafting patterns"

SECTIONS = {JobKind.RUN: ("/runs", "Runs"), JobKind.PREREADING: ("/prereadings", "Pre-reading")}
"""Path and title of the list that a job belongs to."""


def step_label(job: Job) -> str:
    if job.kind is JobKind.RUN and job.step == "embed" and job.n_done >= job.n_total:
        return AFTER_EMBEDDING_LABEL
    return STEP_LABELS.get(job.step, job.step.capitalize())


def render_job_status(
    page: PageRequest, job: Job, *, title: str, lead: str, result_path: str, result_label: str
) -> Response:
    """Render the progress of a job; the page updates by server-sent events, or by reloading without scripts.

    Args:
        request: the current request.
        job: the job to show.
        title: heading of the page.
        lead: sentence below the heading.
        result_path: path of the result.
        result_label: text of the link to the result.
    """
    section_path, section_title = SECTIONS[job.kind]
    return page.render(
        "jobs/status.html",
        title=title,
        lead=lead,
        job=job,
        is_running=job.state is JobState.RUNNING,
        is_finished=job.state is JobState.FINISHED,
        step=step_label(job),
        problem=job_problem(job),
        section_path=section_path,
        section_title=section_title,
        result_path=result_path,
        result_label=result_label,
    )
