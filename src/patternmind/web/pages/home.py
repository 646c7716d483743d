"""Home: what waits for whoever signed in, by what they may do, and the way into the library for everybody."""

from dataclasses import dataclass

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from patternmind.domain.permissions import Action
from patternmind.review import ReviewStatus
from patternmind.services.review_queue import get_review_queue, list_own_decisions, next_draft
from patternmind.web.dependencies import CallerDep, ContextDep
from patternmind.web.permissions import requires
from patternmind.web.routing import PageRoute
from patternmind.web.templating import render

router = APIRouter(route_class=PageRoute)


@dataclass(frozen=True, slots=True)
class PendingReview:
    """One thing that waits: how many, of what, where."""

    n: int
    label: str
    href: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class HomeAction:
    """Something one may begin here, where its page is there."""

    title: str
    note: str
    href: str
    action: Action


HOME_ACTIONS = (
    HomeAction("Hand in a case", "Three minutes; a title or the problem is enough.", "/cases/new", Action.SUBMIT_CASE),
    HomeAction("Prepare a session", "Pre-reading, from a theme or a case.", "/prereadings", Action.REQUEST_PREREADING),
    HomeAction("Look at the themes", "What recurs, and how it changes by quarter.", "/themes", Action.SEE_THEMES),
    HomeAction("Start a run", "Group all cases to date, and draft what recurs.", "/runs", Action.START_RUN),
)


@router.get("/", name="home", dependencies=[requires(Action.SEARCH)])
def home(request: Request, ctx: ContextDep, caller: CallerDep) -> Response:
    sees_drafts = caller.may(Action.SEE_DRAFTS)
    desk = get_review_queue(ctx.store, ctx.clock, caller.name) if sees_drafts else None
    waiting: list[PendingReview] = []
    if desk and caller.may(Action.REVIEW_DRAFTS):
        second = len(desk.filter(ReviewStatus.SECOND))
        waiting = [
            PendingReview(len(desk.filter(ReviewStatus.WAITING)), "to review", "/review", "the most uncertain first"),
            PendingReview(second, "for a second view", "/review?shelf=second", "somebody was not sure"),
            PendingReview(len(desk.to_discuss), "to discuss", "/review/discuss", "seen differently, or kept for a jam"),
        ]
    there = request.app.state.pages
    return render(
        request,
        "home/home.html",
        network=ctx.store.network,
        waiting=[one for one in waiting if one.n],
        all_done=bool(waiting) and not any(one.n for one in waiting),
        next_id=next_draft(desk) if desk and caller.may(Action.REVIEW_DRAFTS) else None,
        ways=[way for way in HOME_ACTIONS if caller.may(way.action) and way.href in there],
        run=ctx.store.last_run() if caller.may(Action.SEE_THEMES) else None,
        sees_themes=caller.may(Action.SEE_THEMES),
        last=list_own_decisions(ctx.store, caller.name)[:3] if caller.name and sees_drafts else [],
    )
