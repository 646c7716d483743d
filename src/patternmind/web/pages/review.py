"""Pages of the review queue: pending drafts, own decisions, disagreements, and keyboard shortcuts."""

from typing import Annotated

from fastapi import Form, Query
from starlette.responses import Response

from patternmind.domain.drafts import DraftKind
from patternmind.domain.permissions import Action
from patternmind.errors import RuleViolated, VersionConflict
from patternmind.ports import Store
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
from patternmind.web.page_request import PageDep, PageRequest
from patternmind.web.pagination import offset_links
from patternmind.web.routing import PageRouter
from patternmind.web.templating import redirect

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
    page: PageDep,
    *,
    shelf: str = "waiting",
    kind: str = "",
    words: Annotated[str, Query(max_length=200)] = "",
    start: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Response:
    queue = get_review_queue(page.store, page.ctx.clock, page.caller.name)
    tab = shelf if shelf in QUEUE_TABS else "waiting"
    kind_filter = DraftKind(kind) if kind in set(DraftKind) else None
    items = queue.filter(*QUEUE_TABS[tab][1], kind=kind_filter)
    items = [item for item in items if words.casefold() in item.name.casefold()]
    if tab == "decided":
        items.sort(key=lambda item: (item.name.casefold(), item.draft_id))
    return page.render(
        "review/queue.html",
        queue=queue,
        items=items[start : start + PAGE_SIZE],
        tab=tab,
        tabs=_queue_tabs(queue, kind_filter),
        kind=kind,
        kinds=_kind_options(queue),
        words=words,
        next_id=next_draft(queue),
        own_decisions=list_own_decisions(page.store, page.caller.name) if page.caller.name else [],
        progress=progress_text(queue),
        **offset_links("/review", len(items), start, PAGE_SIZE, shelf=tab, kind=kind, words=words),
    )


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
def discussion_page(page: PageDep) -> Response:
    queue = get_review_queue(page.store, page.ctx.clock, page.caller.name)
    return page.render(
        "review/discuss.html",
        disagreements=[(item, _reviewer_views(page.store, item)) for item in queue.to_discuss if item.differs],
        flagged=[item for item in queue.to_discuss if item.standing is ReviewStatus.JAM],
        tabs=_queue_tabs(queue, None),
    )


def _reviewer_views(store: Store, item: QueueItem) -> list[tuple[str, str]]:
    """Return each reviewer with their latest action, so that they can talk; nothing is counted per person."""
    _, log, _ = store.drafts.get(item.draft_id)
    return [(reviewer, action.value.replace("_", " ")) for reviewer, action in latest_views(log).items()]


@router.post("/review/next", "begin_next", Action.REVIEW_DRAFTS)
def open_next(page: PageDep, after: Annotated[str, Form(max_length=200)] = "") -> Response:
    """Open the next draft and reserve it for 15 minutes."""
    return redirect_to_next(page, after=after or None)


def redirect_to_next(page: PageRequest, message: str = "", *, after: str | None = None) -> Response:
    """Redirect to the next draft that no other reviewer has reserved, else to the queue."""
    reviewer = page.caller.name
    queue = get_review_queue(page.store, page.ctx.clock, reviewer)
    if after is not None and reviewer:
        page.store.drafts.release(after, reviewer)
    next_id = next_draft(queue, after=after)
    if next_id is None:
        return redirect("/review", message)
    if reviewer:
        reserve_draft(page.store, page.ctx.clock, next_id, reviewer)
    return redirect(f"/drafts/{next_id}", message)


@router.post("/review/undo", "undo", Action.REVIEW_DRAFTS)
def undo_own_decision(page: PageDep) -> Response:
    """Undo the caller's last decision and open its draft."""
    try:
        reviewed = undo_last_decision(page.store, page.ctx.clock, page.caller.name or "")
    except (RuleViolated, VersionConflict) as error:
        return redirect("/review", str(error))
    audit_target(page.request, "draft", reviewed.grounded.draft.id)
    return redirect(f"/drafts/{reviewed.grounded.draft.id}", "Undone. The draft is as it was before.")


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
def keys_page(page: PageDep) -> Response:
    """Show the keyboard shortcuts; changes are stored in the browser."""
    return page.render("settings/keys.html", shortcuts=KEYBOARD_SHORTCUTS)
