"""Pages of the review queue: pending drafts, own decisions, disagreements, and keyboard shortcuts."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import Form, Query
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
from patternmind.web.routing import PageRouter
from patternmind.web.templating import flash, render

router = PageRouter()

PAGE_SIZE = 25

QUEUE_TABS = {
    "waiting": ("To review", (ReviewStatus.WAITING,)),
    "second": ("Second view", (ReviewStatus.SECOND, ReviewStatus.ASKED)),
    "jam": ("For a jam", (ReviewStatus.JAM,)),
    "decided": ("Decided", (ReviewStatus.DECIDED,)),
}


@router.get("/review", "review_queue", Action.SEE_DRAFTS)
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
    queue = get_review_queue(ctx.store, ctx.clock, caller.name)
    tab = shelf if shelf in QUEUE_TABS else "waiting"
    kind_filter = DraftKind(kind) if kind in set(DraftKind) else None
    items = queue.filter(*QUEUE_TABS[tab][1], kind=kind_filter)
    items = [item for item in items if words.casefold() in item.name.casefold()]
    if tab == "decided":
        items.sort(key=lambda item: (item.name.casefold(), item.draft_id))
    n = len(items)
    return render(
        request,
        "review/queue.html",
        queue=queue,
        items=items[start : start + PAGE_SIZE],
        page_range=f"{start + 1}–{min(start + PAGE_SIZE, n)} of {n}" if n > PAGE_SIZE else "",
        next_url=_queue_url(tab, kind, words, start + PAGE_SIZE) if start + PAGE_SIZE < n else "",
        first_url=_queue_url(tab, kind, words, 0) if start else "",
        tab=tab,
        tabs=_queue_tabs(queue, kind_filter),
        kind=kind,
        kinds=_kind_options(queue),
        words=words,
        next_id=next_draft(queue),
        own_decisions=list_own_decisions(ctx.store, caller.name) if caller.name else [],
        progress=progress_text(queue),
    )


def _queue_url(tab: str, kind: str, words: str, start: int) -> str:
    query = {"shelf": tab, "kind": kind, "words": words, "start": start}
    return f"/review?{urlencode({name: value for name, value in query.items() if value})}"


def _queue_tabs(queue: ReviewQueue, kind: DraftKind | None) -> list[tuple[str, str, int]]:
    tabs = [
        (f"/review?shelf={name}", title, len(queue.filter(*statuses, kind=kind)))
        for name, (title, statuses) in QUEUE_TABS.items()
    ]
    return [*tabs, ("/review/discuss", "To discuss", len(queue.to_discuss))]


def _kind_options(queue: ReviewQueue) -> list[tuple[str, str]]:
    kinds = sorted({item.kind.value for item in queue.items})
    return [("", "All kinds"), *((kind, kind.capitalize()) for kind in kinds)]


def progress_text(queue: ReviewQueue) -> str:
    """Return a text such as "12 of 40 decided, 3 need a second view"."""
    n_second = queue.n_second
    second_view = f", {n_second} need{'s' if n_second == 1 else ''} a second view" if n_second else ""
    return f"{queue.n_decided} of {len(queue.items)} decided{second_view}"


@router.get("/review/discuss", "to_discuss", Action.SEE_DRAFTS)
def discussion_page(request: Request, ctx: ContextDep, caller: CallerDep) -> Response:
    queue = get_review_queue(ctx.store, ctx.clock, caller.name)
    return render(
        request,
        "review/discuss.html",
        disagreements=[(item, _reviewer_views(ctx, item)) for item in queue.to_discuss if item.differs],
        flagged=[item for item in queue.to_discuss if item.standing is ReviewStatus.JAM],
        tabs=_queue_tabs(queue, None),
    )


def _reviewer_views(ctx: ContextDep, item: QueueItem) -> list[tuple[str, str]]:
    """Return each reviewer with their latest action, so that they can talk; nothing is counted per person."""
    _, log, _ = ctx.store.drafts.get(item.draft_id)
    return [(reviewer, action.value.replace("_", " ")) for reviewer, action in latest_views(log).items()]


@router.post("/review/next", "begin_next", Action.REVIEW_DRAFTS)
def open_next(ctx: ContextDep, caller: CallerDep, after: Annotated[str, Form(max_length=200)] = "") -> Response:
    """Open the next draft and reserve it for 15 minutes."""
    return redirect_to_next(ctx, caller, after=after or None)


def redirect_to_next(ctx: ContextDep, caller: CallerDep, *, after: str | None = None) -> Response:
    """Redirect to the next draft that no other reviewer has reserved, else to the queue."""
    queue = get_review_queue(ctx.store, ctx.clock, caller.name)
    if after is not None and caller.name:
        ctx.store.drafts.release(after, caller.name)
    next_id = next_draft(queue, after=after)
    if next_id is None:
        return RedirectResponse("/review", status_code=303)
    if caller.name:
        reserve_draft(ctx.store, ctx.clock, next_id, caller.name)
    return RedirectResponse(f"/drafts/{next_id}", status_code=303)


@router.post("/review/undo", "undo", Action.REVIEW_DRAFTS)
def undo_own_decision(request: Request, ctx: ContextDep, caller: CallerDep) -> Response:
    """Undo the caller's last decision and open its draft."""
    try:
        reviewed = undo_last_decision(ctx.store, ctx.clock, caller.name or "")
    except (RuleViolated, VersionConflict) as error:
        response: Response = RedirectResponse("/review", status_code=303)
        flash(response, str(error))
        return response
    audit_target(request, "draft", reviewed.grounded.draft.id)
    response = RedirectResponse(f"/drafts/{reviewed.grounded.draft.id}", status_code=303)
    flash(response, "Undone. The draft is as it was before.")
    return response


KEYBOARD_SHORTCUTS = (
    ("A", "Accept"),
    ("E", "Edit"),
    ("X", "Reject"),
    ("S", "Not sure"),
    ("F", "Flag for a jam"),
    ("Z", "Undo my last decision"),
    ("J", "Next sentence"),
    ("K", "Previous sentence"),
    ("]", "Next draft"),
    ("[", "Previous draft"),
)


@router.get("/settings/keys", "keys", Action.OWN_KEYS)
def keys_page(request: Request) -> Response:
    """Show the keyboard shortcuts; changes are stored in the browser."""
    return render(request, "settings/keys.html", shortcuts=KEYBOARD_SHORTCUTS)
