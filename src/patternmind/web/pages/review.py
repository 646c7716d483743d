"""The review queue: what waits, why it comes first, what one decided last, and what people see differently."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from patternmind.errors import ChangedMeanwhile, NotAllowed
from patternmind.model.drafts import DraftKind
from patternmind.model.rights import Action
from patternmind.review import Standing, views_of
from patternmind.verbs.desk import Desk, Line, last_decisions, next_draft, open_desk, reserve_draft, undo_last
from patternmind.web.audit import touched
from patternmind.web.door import PageDoor, TheCaller, TheHouse
from patternmind.web.rendering import flash, render
from patternmind.web.rights import needs

router = APIRouter(route_class=PageDoor)

ROWS = 25

SHELVES = {
    "waiting": ("To review", (Standing.WAITING,)),
    "second": ("Second view", (Standing.SECOND, Standing.ASKED)),
    "jam": ("For a jam", (Standing.JAM,)),
    "decided": ("Decided", (Standing.DECIDED,)),
}


@router.get("/review", name="review_queue", dependencies=[needs(Action.SEE_DRAFTS)])
def review_queue(
    request: Request,
    house: TheHouse,
    caller: TheCaller,
    *,
    shelf: str = "waiting",
    kind: str = "",
    words: Annotated[str, Query(max_length=200)] = "",
    start: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Response:
    desk = open_desk(house.store, house.clock, caller.name)
    shelf = shelf if shelf in SHELVES else "waiting"
    chosen = DraftKind(kind) if kind in set(DraftKind) else None
    found = [one for one in desk.of(*SHELVES[shelf][1], kind=chosen) if words.casefold() in one.name.casefold()]
    if shelf == "decided":
        found.sort(key=lambda one: (one.name.casefold(), one.draft_id))
    return render(
        request,
        "review/queue.html",
        desk=desk,
        lines=found[start : start + ROWS],
        shown=f"{start + 1}–{min(start + ROWS, len(found))} of {len(found)}" if len(found) > ROWS else "",
        following=_address(shelf, kind, words, start + ROWS) if start + ROWS < len(found) else "",
        first=_address(shelf, kind, words, 0) if start else "",
        shelf=shelf,
        shelves=_shelves(desk, chosen),
        kind=kind,
        kinds=_kinds(desk),
        words=words,
        next_id=next_draft(desk),
        last=last_decisions(house.store, caller.name) if caller.name else [],
        progress=progress_text(desk),
    )


def _address(shelf: str, kind: str, words: str, start: int) -> str:
    said = {"shelf": shelf, "kind": kind, "words": words, "start": start}
    return f"/review?{urlencode({name: value for name, value in said.items() if value})}"


def _shelves(desk: Desk, kind: DraftKind | None) -> list[tuple[str, str, int]]:
    told = [(f"/review?shelf={name}", title, len(desk.of(*held, kind=kind))) for name, (title, held) in SHELVES.items()]
    return [*told, ("/review/discuss", "To discuss", len(desk.to_discuss))]


def _kinds(desk: Desk) -> list[tuple[str, str]]:
    there = sorted({line.kind.value for line in desk.lines})
    return [("", "All kinds"), *((kind, kind.capitalize()) for kind in there)]


def progress_text(desk: Desk) -> str:
    """Such as "12 of 40 decided, 3 need a second view"."""
    second = desk.n_second
    told = f", {second} need{'s' if second == 1 else ''} a second view" if second else ""
    return f"{desk.n_decided} of {len(desk.lines)} decided{told}"


@router.get("/review/discuss", name="to_discuss", dependencies=[needs(Action.SEE_DRAFTS)])
def to_discuss(request: Request, house: TheHouse, caller: TheCaller) -> Response:
    desk = open_desk(house.store, house.clock, caller.name)
    return render(
        request,
        "review/discuss.html",
        differ=[(one, _views(house, one)) for one in desk.to_discuss if one.differs],
        jam=[one for one in desk.to_discuss if one.standing is Standing.JAM],
        shelves=_shelves(desk, None),
    )


def _views(house: TheHouse, line: Line) -> list[tuple[str, str]]:
    """Who sees it how. Names stand here so that they can talk; they are counted nowhere."""
    _, log, _ = house.store.draft(line.draft_id)
    return [(by, action.value.replace("_", " ")) for by, action in views_of(log).items()]


@router.post("/review/next", name="begin_next", dependencies=[needs(Action.REVIEW_DRAFTS)])
def begin_next(house: TheHouse, caller: TheCaller, after: Annotated[str, Form(max_length=200)] = "") -> Response:
    """Open what comes next, and keep it from others for a quarter of an hour."""
    return go_on(house, caller, after=after or None)


def go_on(house: TheHouse, caller: TheCaller, *, after: str | None = None) -> Response:
    """To the next draft that nobody else has open, or back to the queue where there is none."""
    desk = open_desk(house.store, house.clock, caller.name)
    if after is not None and caller.name:
        house.store.release_draft(after, caller.name)
    following = next_draft(desk, after=after)
    if following is None:
        return RedirectResponse("/review", status_code=303)
    if caller.name:
        reserve_draft(house.store, house.clock, following, caller.name)
    return RedirectResponse(f"/drafts/{following}", status_code=303)


@router.post("/review/undo", name="undo", dependencies=[needs(Action.REVIEW_DRAFTS)])
def undo(request: Request, house: TheHouse, caller: TheCaller) -> Response:
    """Take back one's last decision, and look at that draft again."""
    try:
        reviewed = undo_last(house.store, house.clock, caller.name or "")
    except (NotAllowed, ChangedMeanwhile) as error:
        answer: Response = RedirectResponse("/review", status_code=303)
        flash(answer, str(error))
        return answer
    touched(request, "draft", reviewed.grounded.draft.id)
    answer = RedirectResponse(f"/drafts/{reviewed.grounded.draft.id}", status_code=303)
    flash(answer, "Taken back. The draft stands as it did before.")
    return answer


KEYS = (
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


@router.get("/settings/keys", name="keys", dependencies=[needs(Action.OWN_KEYS)])
def keys(request: Request) -> Response:
    """Kept in the browser, for that is where keys are pressed."""
    return render(request, "settings/keys.html", keys=KEYS)
