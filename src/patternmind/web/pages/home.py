"""Home: what waits for whoever signed in, by what they may do, and the way into the library for everybody."""

from dataclasses import dataclass

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from patternmind.model.rights import Action
from patternmind.review import Standing
from patternmind.verbs.desk import last_decisions, next_draft, open_desk
from patternmind.web.door import PageDoor, TheCaller, TheHouse
from patternmind.web.rendering import render
from patternmind.web.rights import needs

router = APIRouter(route_class=PageDoor)


@dataclass(frozen=True, slots=True)
class Waiting:
    """One thing that waits: how many, of what, where."""

    n: int
    what: str
    href: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Way:
    """Something one may begin here, where its page is there."""

    title: str
    note: str
    href: str
    action: Action


WAYS = (
    Way("Hand in a case", "Three minutes; a title or the problem is enough.", "/cases/new", Action.SUBMIT_CASE),
    Way("Prepare a session", "Pre-reading, from a theme or a case.", "/prereadings", Action.REQUEST_PREREADING),
    Way("Look at the themes", "What recurs, and how it changes by quarter.", "/themes", Action.SEE_THEMES),
    Way("Start a run", "Group all cases to date, and draft what recurs.", "/runs", Action.START_RUN),
)


@router.get("/", name="home", dependencies=[needs(Action.SEARCH)])
def home(request: Request, house: TheHouse, caller: TheCaller) -> Response:
    sees_drafts = caller.may(Action.SEE_DRAFTS)
    desk = open_desk(house.store, house.clock, caller.name) if sees_drafts else None
    waiting: list[Waiting] = []
    if desk and caller.may(Action.REVIEW_DRAFTS):
        second = len(desk.of(Standing.SECOND))
        waiting = [
            Waiting(len(desk.of(Standing.WAITING)), "to review", "/review", "the most uncertain first"),
            Waiting(second, "for a second view", "/review?shelf=second", "somebody was not sure"),
            Waiting(len(desk.to_discuss), "to discuss", "/review/discuss", "seen differently, or kept for a jam"),
        ]
    there = request.app.state.pages
    return render(
        request,
        "home/home.html",
        network=house.store.network,
        waiting=[one for one in waiting if one.n],
        all_done=bool(waiting) and not any(one.n for one in waiting),
        next_id=next_draft(desk) if desk and caller.may(Action.REVIEW_DRAFTS) else None,
        ways=[way for way in WAYS if caller.may(way.action) and way.href in there],
        run=house.store.last_run() if caller.may(Action.SEE_THEMES) else None,
        sees_themes=caller.may(Action.SEE_THEMES),
        last=last_decisions(house.store, caller.name)[:3] if caller.name and sees_drafts else [],
    )
