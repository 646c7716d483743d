"""The page on which somebody waits for long work, shared by all kinds of it."""

from starlette.requests import Request
from starlette.responses import Response

from patternmind.model.jobs import Job, JobKind, JobState
from patternmind.web.rendering import render
from patternmind.web.routes.jobs import problem_in

STEPS = {
    "": "Waiting for its turn",
    "embed": "Reading the cases",
    "prepare": "Choosing what to read",
}
"""What a person reads while a step goes on."""

AFTER_READING = "Grouping the cases, and drafting"

PLACES = {JobKind.RUN: "/runs", JobKind.PREREADING: "/prereadings"}


def step_in_words(job: Job) -> str:
    if job.kind is JobKind.RUN and job.step == "embed" and job.n_done >= job.n_total:
        return AFTER_READING
    return STEPS.get(job.step, job.step.capitalize())


def waiting_page(request: Request, job: Job, *, title: str, lead: str, made: str, ready: str) -> Response:
    """How far a job is, by events, by reload, and by hand.

    Args:
        made: the address of what came of it.
        ready: the words of the link there.
    """
    place = PLACES[job.kind]
    problem = problem_in(job)
    return render(
        request,
        "jobs/waiting.html",
        title=title,
        lead=lead,
        job=job,
        running=job.state is JobState.RUNNING,
        finished=job.state is JobState.FINISHED,
        words=step_in_words(job),
        counted=job.n_total > 1,
        problem=problem,
        place=place,
        restart=f"{place}/jobs/{job.id}/restart",
        made=made,
        ready=ready,
    )
