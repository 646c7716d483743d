"""The review queue: what waits, why it comes first, what one decided last, and what people see differently."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from patternmind.domain.drafts import DraftKind
from patternmind.domain.permissions import Action
from patternmind.errors import RuleViolated, VersionConflict
from patternmind.review import ReviewStatus, latest_views
from patternmind.services.review_queue import (
    QueueItem,
    ReviewQueue,
    get_review_queue,
    list_own_decisions,
    next_draft,
    reserve_draft,
    undo_last_decision,
)
from patternmind.web.audit import audit_target
from patternmind.web.dependencies import CallerDep, ContextDep
from patternmind.web.permissions import requires
from patternmind.web.routing import PageRoute
from patternmind.web.templating import flash, render

router = APIRouter(route_class=PageRoute)

PAGE_SIZE = 25

QUEUE_TABS = {
    "waiting": ("To review", (ReviewStatus.WAITING,)),
    "second": ("Second view", (ReviewStatus.SECOND, ReviewStatus.ASKED)),
    "jam": ("For a jam", (ReviewStatus.JAM,)),
    "decided": ("Decided", (ReviewStatus.DECIDED,)),
}


@router.get("/review", name="review_queue", dependencies=[requires(Action.SEE_DRAFTS)])
def review_queue(
    request: Request,
    ctx: ContextDep,
    caller: CallerDep,
    *,
    shelf: str = "waiting",
    kind: str = "",
    words: Annotated[str, Query(max_length=200)] = "",
    start: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Response:
    desk = get_review_queue(ctx.store, ctx.clock, caller.name)
    shelf = shelf if shelf in QUEUE_TABS else "waiting"
    chosen = DraftKind(kind) if kind in set(DraftKind) else None
    found = [one for one in desk.filter(*QUEUE_TABS[shelf][1], kind=chosen) if words.casefold() in one.name.casefold()]
    if shelf == "decided":
        found.sort(key=lambda one: (one.name.casefold(), one.draft_id))
    return render(
        request,
        "review/queue.html",
        desk=desk,
        lines=found[start : start + PAGE_SIZE],
        shown=f"{start + 1}–{min(start + PAGE_SIZE, len(found))} of {len(found)}" if len(found) > PAGE_SIZE else "",
        following=_queue_url(shelf, kind, words, start + PAGE_SIZE) if start + PAGE_SIZE < len(found) else "",
        first=_queue_url(shelf, kind, words, 0) if start else "",
        shelf=shelf,
        shelves=_queue_tabs(desk, chosen),
        kind=kind,
        kinds=_kind_options(desk),
        words=words,
        next_id=next_draft(desk),
        last=list_own_decisions(ctx.store, caller.name) if caller.name else [],
        progress=progress_text(desk),
    )


def _queue_url(tab: str, kind: str, words: str, start: int) -> str:
    said = {"shelf": tab, "kind": kind, "words": words, "start": start}
    return f"/review?{urlencode({name: value for name, value in said.items() if value})}"


def _queue_tabs(queue: ReviewQueue, kind: DraftKind | None) -> list[tuple[str, str, int]]:
    told = [
        (f"/review?shelf={name}", title, len(queue.filter(*held, kind=kind)))
        for name, (title, held) in QUEUE_TABS.items()
    ]
    return [*told, ("/review/discuss", "To discuss", len(queue.to_discuss))]


def _kind_options(queue: ReviewQueue) -> list[tuple[str, str]]:
    there = sorted({line.kind.value for line in queue.items})
    return [("", "All kinds"), *((kind, kind.capitalize()) for kind in there)]


def progress_text(queue: ReviewQueue) -> str:
    """Such as "12 of 40 decided, 3 need a second view"."""
    second = queue.n_second
    told = f", {second} need{'s' if second == 1 else ''} a second view" if second else ""
    return f"{queue.n_decided} of {len(queue.items)} decided{told}"


@router.get("/review/discuss", name="to_discuss", dependencies=[requires(Action.SEE_DRAFTS)])
def discussion_page(request: Request, ctx: ContextDep, caller: CallerDep) -> Response:
    desk = get_review_queue(ctx.store, ctx.clock, caller.name)
    return render(
        request,
        "review/discuss.html",
        differ=[(one, _reviewer_views(ctx, one)) for one in desk.to_discuss if one.differs],
        jam=[one for one in desk.to_discuss if one.standing is ReviewStatus.JAM],
        shelves=_queue_tabs(desk, None),
    )


def _reviewer_views(ctx: ContextDep, item: QueueItem) -> list[tuple[str, str]]:
    """Who sees it how. Names stand here so that they can talk; they are counted nowhere."""
    _, log, _ = ctx.store.draft(item.draft_id)
    return [(by, action.value.replace("_", " ")) for by, action in latest_views(log).items()]


@router.post("/review/next", name="begin_next", dependencies=[requires(Action.REVIEW_DRAFTS)])
def open_next(ctx: ContextDep, caller: CallerDep, after: Annotated[str, Form(max_length=200)] = "") -> Response:
    """Open what comes next, and keep it from others for a quarter of an hour."""
    return redirect_to_next(ctx, caller, after=after or None)


def redirect_to_next(ctx: ContextDep, caller: CallerDep, *, after: str | None = None) -> Response:
    """To the next draft that nobody else has open, or back to the queue where there is none."""
    desk = get_review_queue(ctx.store, ctx.clock, caller.name)
    if after is not None and caller.name:
        ctx.store.release_draft(after, caller.name)
    following = next_draft(desk, after=after)
    if following is None:
        return RedirectResponse("/review", status_code=303)
    if caller.name:
        reserve_draft(ctx.store, ctx.clock, following, caller.name)
    return RedirectResponse(f"/drafts/{following}", status_code=303)


@router.post("/review/undo", name="undo", dependencies=[requires(Action.REVIEW_DRAFTS)])
def undo_own_decision(request: Request, ctx: ContextDep, caller: CallerDep) -> Response:
    """Take back one's last decision, and look at that draft again."""
    try:
        reviewed = undo_last_decision(ctx.store, ctx.clock, caller.name or "")
    except (RuleViolated, VersionConflict) as error:
        answer: Response = RedirectResponse("/review", status_code=303)
        flash(answer, str(error))
        return answer
    audit_target(request, "draft", reviewed.grounded.draft.id)
    answer = RedirectResponse(f"/drafts/{reviewed.grounded.draft.id}", status_code=303)
    flash(answer, "Taken back. The draft stands as it did before.")
    return answer


KEYBOARD_SHORTCUTS = (
    ("A", "Accept"),
    ("E", "Edit"),
    ("X", "Reject"),
    ("S", "Not sure"),
    ("F", "Flag for a jam"),
    ("Z", "Take back my last decision"),
    ("J", "Next sentence"),
    ("K", "Sentence before"),
    ("]", "Next draft"),
    ("[", "Draft before"),
)


@router.get("/settings/keys", name="keys", dependencies=[requires(Action.OWN_KEYS)])
def keys_page(request: Request) -> Response:
    """Kept in the browser, for that is where keys are pressed."""
    return render(request, "settings/keys.html", keys=KEYBOARD_SHORTCUTS)
