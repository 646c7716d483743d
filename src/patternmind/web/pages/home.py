"""Home page: pending reviews, actions the caller may start, and library search."""

from dataclasses import dataclass

from starlette.responses import Response

from patternmind.domain.permissions import Action
from patternmind.review import ReviewStatus
from patternmind.services.review_queue import get_review_queue, list_own_decisions, next_draft
from patternmind.web.page_request import PageDep
from patternmind.web.routing import PageRouter

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
def home(page: PageDep) -> Response:
    sees_drafts = page.caller.may(Action.SEE_DRAFTS)
    queue = get_review_queue(page.store, page.ctx.clock, page.caller.name) if sees_drafts else None
    pending: list[PendingReview] = []
    if queue and page.caller.may(Action.REVIEW_DRAFTS):
        second = len(queue.filter(ReviewStatus.SECOND))
        pending = [
            PendingReview(len(queue.filter(ReviewStatus.WAITING)), "to review", "/review", "most uncertain first"),
            PendingReview(second, "for a second view", "/review?shelf=second", "another reviewer was not sure"),
            PendingReview(
                len(queue.to_discuss), "to discuss", "/review/discuss", "reviewers disagree, or flagged for a jam"
            ),
        ]
    page_paths = page.request.app.state.pages
    return page.render(
        "home/home.html",
        network=page.store.network.get(),
        pending=[review for review in pending if review.n],
        all_done=bool(pending) and not any(review.n for review in pending),
        next_id=next_draft(queue) if queue and page.caller.may(Action.REVIEW_DRAFTS) else None,
        actions=[action for action in HOME_ACTIONS if page.caller.may(action.action) and action.href in page_paths],
        run=page.store.runs.latest() if page.caller.may(Action.SEE_THEMES) else None,
        sees_themes=page.caller.may(Action.SEE_THEMES),
        own_decisions=list_own_decisions(page.store, page.caller.name)[:3] if page.caller.name and sees_drafts else [],
    )
