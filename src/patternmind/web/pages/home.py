"""Home page: pending reviews, actions the caller may start, and library search."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from patternmind.domain.permissions import Action
from patternmind.review import ReviewStatus
from patternmind.services.review_queue import get_review_queue, list_own_decisions, next_draft
from patternmind.web.dependencies import CallerDep, ContextDep
from patternmind.web.routing import PageRouter
from patternmind.web.templating import render

router = PageRouter()


@dataclass(frozen=True, slots=True)
class PendingReview:
    """A number of pending reviews, with a link to them."""

    n: int
    label: str
    href: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class HomeAction:
    """A link to something the caller may start, shown if its page exists."""

    title: str
    note: str
    href: str
    action: Action


HOME_ACTIONS = (
    HomeAction("Submit a case", "Takes three minutes; the problem is enough.", "/cases/new", Action.SUBMIT_CASE),
    HomeAction(
        "Prepare a session", "Pre-reading from a theme, topic or case.", "/prereadings", Action.REQUEST_PREREADING
    ),
    HomeAction("View the themes", "Recurring problems, and how they change by quarter.", "/themes", Action.SEE_THEMES),
    HomeAction("Start a run", "Group all cases into themes and draft patterns.", "/runs", Action.START_RUN),
)


@router.get("/", "home", Action.SEARCH)
def home(request: Request, ctx: ContextDep, caller: CallerDep) -> Response:
    sees_drafts = caller.may(Action.SEE_DRAFTS)
    queue = get_review_queue(ctx.store, ctx.clock, caller.name) if sees_drafts else None
    pending: list[PendingReview] = []
    if queue and caller.may(Action.REVIEW_DRAFTS):
        second = len(queue.filter(ReviewStatus.SECOND))
        pending = [
            PendingReview(len(queue.filter(ReviewStatus.WAITING)), "to review", "/review", "most uncertain first"),
            PendingReview(second, "for a second view", "/review?shelf=second", "another reviewer was not sure"),
            PendingReview(
                len(queue.to_discuss), "to discuss", "/review/discuss", "reviewers disagree, or flagged for a jam"
            ),
        ]
    page_paths = request.app.state.pages
    return render(
        request,
        "home/home.html",
        network=ctx.store.network.get(),
        pending=[review for review in pending if review.n],
        all_done=bool(pending) and not any(review.n for review in pending),
        next_id=next_draft(queue) if queue and caller.may(Action.REVIEW_DRAFTS) else None,
        actions=[action for action in HOME_ACTIONS if caller.may(action.action) and action.href in page_paths],
        run=ctx.store.runs.latest() if caller.may(Action.SEE_THEMES) else None,
        sees_themes=caller.may(Action.SEE_THEMES),
        own_decisions=list_own_decisions(ctx.store, caller.name)[:3] if caller.name and sees_drafts else [],
    )
