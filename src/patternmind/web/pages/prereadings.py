"""Pages of pre-readings: list, request form, job status, reading, printing and approval."""

from collections.abc import Mapping
from dataclasses import asdict

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from patternmind.bootstrap import AppContext
from patternmind.domain.drafts import DraftAction, ReviewedDraft, active_decisions, approval_of
from patternmind.domain.jobs import JobKind, JobState
from patternmind.domain.permissions import Action
from patternmind.errors import InvalidField, InvalidState, NotFound, VersionConflict
from patternmind.review import possible_actions
from patternmind.services import prereadings
from patternmind.services.prereadings import PrereadingRequest
from patternmind.web.caller import Caller
from patternmind.web.dependencies import CallerDep, ContextDep, JobRunnerDep
from patternmind.web.document_response import DownloadFormat, document_response
from patternmind.web.forms import FormValuesDep
from patternmind.web.pages.document_blocks import block_views
from patternmind.web.pages.job_status import render_job_status
from patternmind.web.pagination import CursorQuery, paginate
from patternmind.web.permissions import requires
from patternmind.web.routing import PageRoute
from patternmind.web.templating import flash, render

router = APIRouter(route_class=PageRoute)

PAGE_SIZE = 30

ACTION_LABELS = {
    "accept": "approved it",
    "edit": "edited it",
    "undo": "undid a decision",
    "reject": "rejected it",
    "not_sure": "was not sure",
    "flag": "flagged it for a jam",
}
"""Texts of the log, after the name of the person."""


@router.get("/prereadings", name="list_page", dependencies=[requires(Action.REQUEST_PREREADING)])
def list_page(request: Request, ctx: ContextDep, job_runner: JobRunnerDep, cursor: CursorQuery = None) -> Response:
    rows = prereadings.list_prereadings(ctx.store)
    keys = {row.id: f"{10**6 - n:07d}" for n, row in enumerate(reversed(rows))}
    page, next_cursor = paginate(rows, key=lambda row: keys[row.id], limit=PAGE_SIZE, cursor=cursor)
    unfinished_jobs = [
        job for job in job_runner.list_jobs(kind=JobKind.PREREADING, limit=10) if job.state is not JobState.FINISHED
    ]
    return render(
        request,
        "prereadings/list.html",
        rows=page,
        n_unapproved=sum(not row.approved_by for row in rows),
        n_all=len(rows),
        jobs=unfinished_jobs,
        next_url=f"/prereadings?cursor={next_cursor}" if next_cursor else "",
        first_url="/prereadings" if cursor else "",
    )


@router.get("/prereadings/new", name="ask_page", dependencies=[requires(Action.REQUEST_PREREADING)])
def new_page(request: Request, ctx: ContextDep, theme: str = "", case: str = "", topic: str = "") -> Response:
    about = "case" if case else "topic" if topic else "theme"
    return _form(request, ctx, {"theme": theme, "case": case, "topic": topic, "about": about}, {})


def _form(
    request: Request, ctx: AppContext, submitted: Mapping[str, str], errors: Mapping[str, str], status: int = 200
) -> Response:
    names = ("about", "theme", "topic", "case", "session", "date", "leave_with")
    themes = [card.theme for card in ctx.store.themes.cards()]
    values = {name: submitted.get(name, "") for name in names}
    if not themes and values["about"] in {"", "theme"}:
        values["about"] = "topic"
    return render(
        request,
        "prereadings/new.html",
        status,
        form=values,
        errors=errors,
        themes=[(theme.id, theme.name) for theme in themes],
    )


@router.post("/prereadings", name="ask_for_prereading", dependencies=[requires(Action.REQUEST_PREREADING)])
def request_prereading(
    request: Request, ctx: ContextDep, job_runner: JobRunnerDep, caller: CallerDep, form: FormValuesDep
) -> Response:
    about = form.get("about", "")
    subject = form.get(about, "") if about in {"theme", "topic", "case"} else ""
    options = {name: form.get(name, "") for name in ("session", "date", "leave_with")}
    if not subject.strip():
        field = about if about in {"theme", "topic", "case"} else "about"
        return _form(request, ctx, form, {field: "Choose or enter what the session is about."}, 422)
    try:
        prereading_request = prereadings.validate_prereading_request(
            ctx.store, PrereadingRequest(**{about: subject}, **options)
        )
    except InvalidField as error:
        return _form(request, ctx, form, {error.field: str(error)}, 422)
    except NotFound:
        return _form(
            request, ctx, form, {about: f"{about.capitalize()} not found. Its ID is on the page of the {about}."}, 422
        )
    job = job_runner.start(JobKind.PREREADING, asdict(prereading_request), actor=caller.name)
    return RedirectResponse(f"/prereadings/jobs/{job.id}", status_code=303)


@router.get("/prereadings/jobs/{job_id}", name="wait_page", dependencies=[requires(Action.REQUEST_PREREADING)])
def job_page(request: Request, job_runner: JobRunnerDep, job_id: str) -> Response:
    job = job_runner.find(job_id, kind=JobKind.PREREADING)
    return render_job_status(
        request,
        job,
        title="Your pre-reading",
        lead="It is created from the current cases and saved as a draft.",
        result_path=f"/prereadings/{job.made}",
        result_label="Read it",
    )


@router.post(
    "/prereadings/jobs/{job_id}/restart", name="restart_prereading", dependencies=[requires(Action.REQUEST_PREREADING)]
)
def restart_prereading(job_runner: JobRunnerDep, caller: CallerDep, job_id: str) -> Response:
    job = job_runner.restart(job_id, kind=JobKind.PREREADING, actor=caller.name)
    return RedirectResponse(f"/prereadings/jobs/{job.id}", status_code=303)


@router.get("/prereadings/{prereading_id}", name="read_page", dependencies=[requires(Action.REQUEST_PREREADING)])
def read_page(request: Request, ctx: ContextDep, prereading_id: str) -> Response:
    return _render_prereading(request, ctx, prereadings.get_prereading(ctx.store, prereading_id))


def _render_prereading(
    request: Request, ctx: AppContext, reviewed: ReviewedDraft, *, error: str = "", status: int = 200
) -> Response:
    document = prereadings.build_prereading_document(ctx.store, reviewed)
    active = active_decisions(reviewed.decisions)
    undone_ids = {decision.undoes for decision in reviewed.decisions}
    return render(
        request,
        "prereadings/read.html",
        status,
        id=reviewed.grounded.draft.id,
        title=document.title,
        blocks=block_views(document),
        approval=approval_of(reviewed.decisions),
        last_decision=active[-1] if active else None,
        may_approve=may_approve(request) and is_approvable(reviewed),
        log=[
            {
                "by": decision.by,
                "at": decision.at,
                "action": ACTION_LABELS.get(decision.action.value, decision.action.value),
                "is_undone": decision.id in undone_ids,
            }
            for decision in reversed(reviewed.decisions)
        ],
        version=reviewed.version,
        theme_id=reviewed.grounded.draft.theme_id,
        error=error,
    )


def may_approve(request: Request) -> bool:
    return request.state.caller.may(Action.APPROVE_PREREADING)


def is_approvable(reviewed: ReviewedDraft) -> bool:
    return DraftAction.ACCEPT in possible_actions(reviewed.decisions)


@router.get("/prereadings/{prereading_id}/print", name="print_page", dependencies=[requires(Action.REQUEST_PREREADING)])
def print_page(ctx: ContextDep, prereading_id: str) -> Response:
    """Show the two pages as a stand-alone document with its own style sheet, for printing."""
    reviewed = prereadings.get_prereading(ctx.store, prereading_id)
    return document_response(prereadings.build_prereading_document(ctx.store, reviewed), "html")


@router.get(
    "/prereadings/{prereading_id}/file/{format}",
    name="download_prereading",
    dependencies=[requires(Action.REQUEST_PREREADING)],
)
def download_prereading(ctx: ContextDep, prereading_id: str, format: DownloadFormat) -> Response:
    reviewed = prereadings.get_prereading(ctx.store, prereading_id)
    return document_response(prereadings.build_prereading_document(ctx.store, reviewed), format, as_attachment=True)


@router.post(
    "/prereadings/{prereading_id}/approve",
    name="approve_prereading",
    dependencies=[requires(Action.APPROVE_PREREADING)],
)
def approve_prereading(
    request: Request, ctx: ContextDep, caller: CallerDep, prereading_id: str, form: FormValuesDep
) -> Response:
    """Approve the version on the page; if it has changed, show the current one instead."""
    return _decide(request, ctx, caller, prereading_id, form, action="approve")


@router.post(
    "/prereadings/{prereading_id}/undo", name="undo_prereading", dependencies=[requires(Action.APPROVE_PREREADING)]
)
def undo_prereading(
    request: Request, ctx: ContextDep, caller: CallerDep, prereading_id: str, form: FormValuesDep
) -> Response:
    return _decide(request, ctx, caller, prereading_id, form, action="undo")


def _decide(
    request: Request, ctx: AppContext, caller: Caller, prereading_id: str, form: Mapping[str, str], *, action: str
) -> Response:
    decide = prereadings.approve_prereading if action == "approve" else prereadings.undo_prereading_decision
    try:
        decide(
            ctx.store,
            ctx.clock,
            prereading_id,
            actor=caller.actor_name(form.get("by") or None),
            expected_version=form_version(form),
        )
    except (VersionConflict, InvalidState):
        reviewed = prereadings.get_prereading(ctx.store, prereading_id)
        message = "Someone else changed this in the meantime. Your decision was not saved; this is the current version."
        return _render_prereading(request, ctx, reviewed, error=message, status=412)
    response = RedirectResponse(f"/prereadings/{prereading_id}", status_code=303)
    flash(response, "Approved. Prints now show your name." if action == "approve" else "Undone.")
    return response


def form_version(form: Mapping[str, str]) -> int | None:
    version = form.get("version", "")
    return int(version) if version.isascii() and version.isdigit() else None
