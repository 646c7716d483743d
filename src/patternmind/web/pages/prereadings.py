"""Pre-reading: what there is, asking for one, waiting for it, reading and printing it, approving it."""

from collections.abc import Mapping
from dataclasses import asdict

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from patternmind.bootstrap import House
from patternmind.errors import ChangedMeanwhile, NotFound, WrongState
from patternmind.model.drafts import DraftAction as Decided
from patternmind.model.drafts import ReviewedDraft
from patternmind.model.jobs import JobKind, JobState
from patternmind.model.rights import Action
from patternmind.review import possible_actions, standing
from patternmind.verbs import prereadings
from patternmind.verbs.prereadings import Wish, WishInvalid
from patternmind.web.auth import Caller
from patternmind.web.door import PageDoor, TheCaller, TheHouse, TheJobs
from patternmind.web.files import FileFormat, as_file
from patternmind.web.forms import TheForm
from patternmind.web.pages.blocks import shown_blocks
from patternmind.web.pages.waiting import waiting_page
from patternmind.web.paging import Cursor, one_page
from patternmind.web.rendering import flash, render
from patternmind.web.rights import needs

router = APIRouter(route_class=PageDoor)

ON_A_PAGE = 30

DONE = {
    "accept": "approved it",
    "edit": "edited it",
    "undo": "took a decision back",
    "reject": "rejected it",
    "not_sure": "was not sure",
    "flag": "flagged it for a jam",
}
"""What a line of the log says somebody did."""


@router.get("/prereadings", name="list_page", dependencies=[needs(Action.REQUEST_PREREADING)])
def list_page(request: Request, house: TheHouse, jobs: TheJobs, cursor: Cursor = None) -> Response:
    rows = prereadings.list_prereadings(house.store)
    newest = {one.id: f"{10**6 - n:07d}" for n, one in enumerate(reversed(rows))}
    page, following = one_page(rows, key=lambda one: newest[one.id], limit=ON_A_PAGE, cursor=cursor)
    waiting = [job for job in jobs.jobs(kind=JobKind.PREREADING, limit=10) if job.state is not JobState.FINISHED]
    return render(
        request,
        "prereadings/list.html",
        rows=page,
        n_waiting=sum(not one.approved_by for one in rows),
        n_all=len(rows),
        jobs=waiting,
        following=f"/prereadings?cursor={following}" if following else "",
        first="/prereadings" if cursor else "",
    )


@router.get("/prereadings/new", name="ask_page", dependencies=[needs(Action.REQUEST_PREREADING)])
def ask_page(request: Request, house: TheHouse, theme: str = "", case: str = "", topic: str = "") -> Response:
    about = "case" if case else "topic" if topic else "theme"
    return _form(request, house, {"theme": theme, "case": case, "topic": topic, "about": about}, {})


def _form(
    request: Request, house: House, given: Mapping[str, str], errors: Mapping[str, str], status: int = 200
) -> Response:
    names = ("about", "theme", "topic", "case", "session", "date", "leave_with")
    themes = [card.theme for card in house.store.theme_cards()]
    values = {name: given.get(name, "") for name in names}
    if not themes and values["about"] in {"", "theme"}:
        values["about"] = "topic"
    return render(
        request,
        "prereadings/new.html",
        status,
        given=values,
        errors=errors,
        themes=[(theme.id, theme.name) for theme in themes],
    )


@router.post("/prereadings", name="ask_for_prereading", dependencies=[needs(Action.REQUEST_PREREADING)])
def ask_for_prereading(request: Request, house: TheHouse, jobs: TheJobs, caller: TheCaller, form: TheForm) -> Response:
    about = form.get("about", "")
    chosen = form.get(about, "") if about in {"theme", "topic", "case"} else ""
    rest = {name: form.get(name, "") for name in ("session", "date", "leave_with")}
    if not chosen.strip():
        field = about if about in {"theme", "topic", "case"} else "about"
        return _form(request, house, form, {field: "Say what the session is about."}, 422)
    try:
        wish = prereadings.check_wish(house.store, Wish(**{about: chosen}, **rest))
    except WishInvalid as error:
        return _form(request, house, form, {error.field: str(error)}, 422)
    except NotFound:
        return _form(request, house, form, {about: f"There is no such {about} here. Look at its page for its id."}, 422)
    job = jobs.start(JobKind.PREREADING, asdict(wish), by=caller.name)
    return RedirectResponse(f"/prereadings/jobs/{job.id}", status_code=303)


@router.get("/prereadings/jobs/{job_id}", name="wait_page", dependencies=[needs(Action.REQUEST_PREREADING)])
def wait_page(request: Request, jobs: TheJobs, job_id: str) -> Response:
    job = jobs.job(job_id, kind=JobKind.PREREADING)
    return waiting_page(
        request,
        job,
        title="Your pre-reading",
        lead="It is made from the cases as they are now, and kept as a draft.",
        made=f"/prereadings/{job.made}",
        ready="Read it",
    )


@router.post(
    "/prereadings/jobs/{job_id}/restart", name="restart_prereading", dependencies=[needs(Action.REQUEST_PREREADING)]
)
def restart_prereading(jobs: TheJobs, caller: TheCaller, job_id: str) -> Response:
    job = jobs.restart(job_id, kind=JobKind.PREREADING, by=caller.name)
    return RedirectResponse(f"/prereadings/jobs/{job.id}", status_code=303)


@router.get("/prereadings/{prereading_id}", name="read_page", dependencies=[needs(Action.REQUEST_PREREADING)])
def read_page(request: Request, house: TheHouse, prereading_id: str) -> Response:
    return _read(request, house, prereadings.open_prereading(house.store, prereading_id))


def _read(request: Request, house: House, reviewed: ReviewedDraft, *, error: str = "", status: int = 200) -> Response:
    document = prereadings.document_of(house.store, reviewed)
    held = standing(reviewed.decisions)
    taken_back = {one.undoes for one in reviewed.decisions}
    return render(
        request,
        "prereadings/read.html",
        status,
        id=reviewed.grounded.draft.id,
        title=document.title,
        blocks=shown_blocks(document),
        approval=prereadings.approval_of(reviewed.decisions),
        last=held[-1] if held else None,
        may_approve=caller_may(request) and can_be_approved(reviewed),
        log=[
            {
                "by": one.by,
                "at": one.at,
                "did": DONE.get(one.action.value, one.action.value),
                "gone": one.id in taken_back,
            }
            for one in reversed(reviewed.decisions)
        ],
        version=reviewed.version,
        theme_id=reviewed.grounded.draft.theme_id,
        error=error,
    )


def caller_may(request: Request) -> bool:
    return request.state.caller.may(Action.APPROVE_PREREADING)


def can_be_approved(reviewed: ReviewedDraft) -> bool:
    return Decided.ACCEPT in possible_actions(reviewed.decisions)


@router.get("/prereadings/{prereading_id}/print", name="print_page", dependencies=[needs(Action.REQUEST_PREREADING)])
def print_page(house: TheHouse, prereading_id: str) -> Response:
    """The two pages alone, as they print; a document of its own, with its own style sheet."""
    reviewed = prereadings.open_prereading(house.store, prereading_id)
    return as_file(prereadings.document_of(house.store, reviewed), "html")


@router.get(
    "/prereadings/{prereading_id}/file/{format}",
    name="download_prereading",
    dependencies=[needs(Action.REQUEST_PREREADING)],
)
def download_prereading(house: TheHouse, prereading_id: str, format: FileFormat) -> Response:
    reviewed = prereadings.open_prereading(house.store, prereading_id)
    return as_file(prereadings.document_of(house.store, reviewed), format, kept=True)


@router.post(
    "/prereadings/{prereading_id}/approve", name="approve_prereading", dependencies=[needs(Action.APPROVE_PREREADING)]
)
def approve_prereading(
    request: Request, house: TheHouse, caller: TheCaller, prereading_id: str, form: TheForm
) -> Response:
    """Approve what was on the page; what changed since is shown instead."""
    return _decide(request, house, caller, prereading_id, form, what="approve")


@router.post(
    "/prereadings/{prereading_id}/undo", name="undo_prereading", dependencies=[needs(Action.APPROVE_PREREADING)]
)
def undo_prereading(
    request: Request, house: TheHouse, caller: TheCaller, prereading_id: str, form: TheForm
) -> Response:
    return _decide(request, house, caller, prereading_id, form, what="undo")


def _decide(
    request: Request, house: House, caller: Caller, prereading_id: str, form: Mapping[str, str], *, what: str
) -> Response:
    decide = prereadings.approve_prereading if what == "approve" else prereadings.take_back
    try:
        decide(
            house.store,
            house.clock,
            prereading_id,
            by=caller.signs_as(form.get("by") or None),
            version=version_in(form),
        )
    except (ChangedMeanwhile, WrongState):
        reviewed = prereadings.open_prereading(house.store, prereading_id)
        said = "Somebody decided while you read. This is how it stands now; nothing of yours was done."
        return _read(request, house, reviewed, error=said, status=412)
    answer = RedirectResponse(f"/prereadings/{prereading_id}", status_code=303)
    flash(answer, "Approved. It prints under your name now." if what == "approve" else "Taken back.")
    return answer


def version_in(form: Mapping[str, str]) -> int | None:
    given = form.get("version", "")
    return int(given) if given.isascii() and given.isdigit() else None
