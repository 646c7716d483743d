"""Pages of pre-readings: list, request form, job status, reading, printing and approval."""

from collections.abc import Mapping
from dataclasses import asdict

from starlette.responses import Response

from patternmind.domain.drafts import DraftAction, ReviewedDraft, active_decisions, approval_of
from patternmind.domain.jobs import JobKind, JobState
from patternmind.domain.permissions import Action
from patternmind.errors import InvalidField, InvalidState, NotFound, VersionConflict
from patternmind.review import possible_actions
from patternmind.services import prereadings
from patternmind.services.prereadings import PrereadingRequest
from patternmind.web.dependencies import JobRunnerDep
from patternmind.web.document_response import DownloadFormat, document_response
from patternmind.web.forms import FormValuesDep, form_version
from patternmind.web.page_request import PageDep, PageRequest
from patternmind.web.pages.job_status import render_job_status
from patternmind.web.pagination import CursorQuery, cursor_links, paginate
from patternmind.web.routing import PageRouter
from patternmind.web.templating import redirect

router = PageRouter()

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


@router.get("/prereadings", "list_page", Action.REQUEST_PREREADING)
def list_page(page: PageDep, job_runner: JobRunnerDep, cursor: CursorQuery = None) -> Response:
    rows = prereadings.list_prereadings(page.store)
    keys = {row.id: f"{10**6 - n:07d}" for n, row in enumerate(reversed(rows))}
    current_page = paginate(rows, key=lambda row: keys[row.id], limit=PAGE_SIZE, cursor=cursor)
    unfinished_jobs = [
        job for job in job_runner.list_jobs(kind=JobKind.PREREADING, limit=10) if job.state is not JobState.FINISHED
    ]
    return page.render(
        "prereadings/list.html",
        rows=current_page.rows,
        n_unapproved=sum(not row.approved_by for row in rows),
        n_all=len(rows),
        jobs=unfinished_jobs,
        **cursor_links("/prereadings", current_page, cursor),
    )


@router.get("/prereadings/new", "ask_page", Action.REQUEST_PREREADING)
def new_page(page: PageDep, theme: str = "", case: str = "", topic: str = "") -> Response:
    about = "case" if case else "topic" if topic else "theme"
    return _form(page, {"theme": theme, "case": case, "topic": topic, "about": about}, {})


def _form(page: PageRequest, submitted: Mapping[str, str], errors: Mapping[str, str], status: int = 200) -> Response:
    names = ("about", "theme", "topic", "case", "session", "date", "leave_with")
    themes = [card.theme for card in page.store.themes.cards()]
    values = {name: submitted.get(name, "") for name in names}
    if not themes and values["about"] in {"", "theme"}:
        values["about"] = "topic"
    return page.render(
        "prereadings/new.html", status, form=values, errors=errors, themes=[(theme.id, theme.name) for theme in themes]
    )


@router.post("/prereadings", "ask_for_prereading", Action.REQUEST_PREREADING)
def request_prereading(page: PageDep, job_runner: JobRunnerDep, form: FormValuesDep) -> Response:
    about = form.get("about", "")
    subject = form.get(about, "") if about in {"theme", "topic", "case"} else ""
    options = {name: form.get(name, "") for name in ("session", "date", "leave_with")}
    if not subject.strip():
        field = about if about in {"theme", "topic", "case"} else "about"
        return _form(page, form, {field: "Choose or enter what the session is about."}, 422)
    try:
        prereading_request = prereadings.validate_prereading_request(
            page.store, PrereadingRequest(**{about: subject}, **options)
        )
    except InvalidField as error:
        return _form(page, form, {error.field: str(error)}, 422)
    except NotFound:
        return _form(page, form, {about: f"{about.capitalize()} not found. Its ID is on the page of the {about}."}, 422)
    job = job_runner.start(JobKind.PREREADING, asdict(prereading_request), actor=page.caller.name)
    return redirect(f"/prereadings/jobs/{job.id}")


@router.get("/prereadings/jobs/{job_id}", "wait_page", Action.REQUEST_PREREADING)
def job_page(page: PageDep, job_runner: JobRunnerDep, job_id: str) -> Response:
    job = job_runner.find(job_id, kind=JobKind.PREREADING)
    return render_job_status(
        page,
        job,
        title="Your pre-reading",
        lead="It is created from the current cases and saved as a draft.",
        result_path=f"/prereadings/{job.made}",
        result_label="Read it",
    )


@router.post("/prereadings/jobs/{job_id}/restart", "restart_prereading", Action.REQUEST_PREREADING)
def restart_prereading(page: PageDep, job_runner: JobRunnerDep, job_id: str) -> Response:
    job = job_runner.restart(job_id, kind=JobKind.PREREADING, actor=page.caller.name)
    return redirect(f"/prereadings/jobs/{job.id}")


@router.get("/prereadings/{prereading_id}", "read_page", Action.REQUEST_PREREADING)
def read_page(page: PageDep, prereading_id: str) -> Response:
    return _render_prereading(page, prereadings.get_prereading(page.store, prereading_id))


def _render_prereading(page: PageRequest, reviewed: ReviewedDraft, *, error: str = "", status: int = 200) -> Response:
    document = prereadings.build_prereading_document(page.store, reviewed)
    active = active_decisions(reviewed.decisions)
    undone_ids = {decision.undoes for decision in reviewed.decisions}
    return page.render(
        "prereadings/read.html",
        status,
        id=reviewed.grounded.draft.id,
        title=document.title,
        blocks=document.blocks,
        approval=approval_of(reviewed.decisions),
        last_decision=active[-1] if active else None,
        may_approve=page.caller.may(Action.APPROVE_PREREADING) and is_approvable(reviewed),
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


def is_approvable(reviewed: ReviewedDraft) -> bool:
    return DraftAction.ACCEPT in possible_actions(reviewed.decisions)


@router.get("/prereadings/{prereading_id}/print", "print_page", Action.REQUEST_PREREADING)
def print_page(page: PageDep, prereading_id: str) -> Response:
    """Show the two pages as a stand-alone document with its own style sheet, for printing."""
    reviewed = prereadings.get_prereading(page.store, prereading_id)
    return document_response(prereadings.build_prereading_document(page.store, reviewed), "html")


@router.get("/prereadings/{prereading_id}/file/{format}", "download_prereading", Action.REQUEST_PREREADING)
def download_prereading(page: PageDep, prereading_id: str, format: DownloadFormat) -> Response:
    reviewed = prereadings.get_prereading(page.store, prereading_id)
    return document_response(prereadings.build_prereading_document(page.store, reviewed), format, as_attachment=True)


@router.post("/prereadings/{prereading_id}/approve", "approve_prereading", Action.APPROVE_PREREADING)
def approve_prereading(page: PageDep, prereading_id: str, form: FormValuesDep) -> Response:
    """Approve the version on the page; if it has changed, show the current one instead."""
    return _decide(page, prereading_id, form, action="approve")


@router.post("/prereadings/{prereading_id}/undo", "undo_prereading", Action.APPROVE_PREREADING)
def undo_prereading(page: PageDep, prereading_id: str, form: FormValuesDep) -> Response:
    return _decide(page, prereading_id, form, action="undo")


def _decide(page: PageRequest, prereading_id: str, form: Mapping[str, str], *, action: str) -> Response:
    apply = prereadings.approve_prereading if action == "approve" else prereadings.undo_prereading_decision
    actor = page.caller.actor_name(form.get("by") or None)
    try:
        apply(page.store, page.ctx.clock, prereading_id, actor=actor, expected_version=form_version(form))
    except (VersionConflict, InvalidState):
        reviewed = prereadings.get_prereading(page.store, prereading_id)
        message = "Someone else changed this in the meantime. Your decision was not saved; this is the current version."
        return _render_prereading(page, reviewed, error=message, status=412)
    message = "Approved. Prints now show your name." if action == "approve" else "Undone."
    return redirect(f"/prereadings/{prereading_id}", message)
