"""Review: queue, discussions and own decisions."""

from typing import Annotated

from fastapi import Query, Response
from pydantic import AliasPath, Field

from patternmind.domain.drafts import DraftAction, DraftKind, DraftState
from patternmind.domain.permissions import Action
from patternmind.domain.read_models import Page
from patternmind.review import ReviewStatus, latest_views
from patternmind.services.review_queue import QueueItem, get_review_queue, list_own_decisions, undo_last_decision
from patternmind.web.api.drafts import DraftResponse, draft_response_with_etag
from patternmind.web.api.schemas import ActorRequest, DecisionResponse, ListResponse, PageResponse, ResponseModel
from patternmind.web.dependencies import CallerDep, ContextDep
from patternmind.web.pagination import CursorQuery, LimitQuery, decode_number_cursor
from patternmind.web.routing import ApiRouter

router = ApiRouter("review")


class QueueItemResponse(ResponseModel):
    """A draft in the review queue."""

    draft_id: str
    kind: DraftKind
    name: str
    theme_id: str | None
    state: DraftState
    standing: ReviewStatus = Field(description="Status for this reviewer; `asked` means that they were not sure.")
    version: int
    uncertainty: float = Field(description="0..1; the most uncertain drafts come first.")
    why: list[str] = Field(description="Reasons for the uncertainty, most important first.")
    at_random: bool = Field(description="True for the one in ten drafts that is drawn at random by draft and day.")
    reserved_by: str | None = Field(description="Name of another reviewer who has it open now.")
    differs: bool = Field(description="Reviewers disagree.")


class ReviewQueueResponse(PageResponse[QueueItemResponse]):
    n_drafts: int
    n_decided: int
    n_second: int = Field(description="Number of drafts that need a second view.")


class ReviewerViewResponse(ResponseModel):
    by: str
    action: DraftAction


class DiscussionResponse(ResponseModel):
    draft_id: str
    kind: DraftKind
    name: str
    views: list[ReviewerViewResponse] = Field(description="Latest view of each reviewer, if they differ.")
    for_jam: bool


class OwnDecisionResponse(ResponseModel):
    """A recent decision of the caller."""

    draft_id: str = Field(validation_alias=AliasPath("decision", "draft_id"))
    name: str
    decision: DecisionResponse
    stands: bool = Field(validation_alias="is_active")
    last: bool = Field(
        validation_alias="is_last", description="It is the latest decision on the draft and can be undone."
    )


@router.get("/review/queue", "review_queue", Action.SEE_DRAFTS)
def review_queue(
    ctx: ContextDep,
    caller: CallerDep,
    kind: DraftKind | None = None,
    standing: Annotated[ReviewStatus | None, Query(description="Status for this reviewer; default: all.")] = None,
    limit: LimitQuery = 50,
    cursor: CursorQuery = None,
) -> ReviewQueueResponse:
    """List drafts to review: the most uncertain first, one in ten drawn at random."""
    queue = get_review_queue(ctx.store, ctx.clock, caller.name)
    items = queue.filter(*([standing] if standing else ReviewStatus), kind=kind)
    start = decode_number_cursor(cursor) or 0
    end = start + limit
    page = Page(tuple(items[start:end]), str(end) if end < len(items) else None)
    return ReviewQueueResponse.of_page(
        page, n_drafts=len(queue.items), n_decided=queue.n_decided, n_second=queue.n_second
    )


@router.get("/review/discuss", "review_discuss", Action.SEE_DRAFTS)
def review_discuss(ctx: ContextDep, caller: CallerDep) -> ListResponse[DiscussionResponse]:
    """List drafts that reviewers disagree on, and drafts kept for a jam."""
    queue = get_review_queue(ctx.store, ctx.clock, caller.name)
    return ListResponse(items=[_discussion_response(ctx, item) for item in queue.to_discuss])


def _discussion_response(ctx: ContextDep, item: QueueItem) -> DiscussionResponse:
    views = latest_views(ctx.store.drafts.get(item.draft_id)[1]) if item.differs else {}
    return DiscussionResponse.of(
        item,
        views=[{"by": by, "action": action} for by, action in views.items()],
        for_jam=item.standing is ReviewStatus.JAM,
    )


@router.get("/review/decisions", "my_decisions", Action.SEE_DRAFTS)
def read_own_decisions(
    ctx: ContextDep,
    caller: CallerDep,
    by: Annotated[str | None, Query(max_length=120, description="Your name, if you use no token.")] = None,
) -> ListResponse[OwnDecisionResponse]:
    """List the caller's last ten decisions, newest first, one per draft."""
    return ListResponse[OwnDecisionResponse].of_records(list_own_decisions(ctx.store, caller.actor_name(by)))


@router.post("/review/undo", "undo_last_decision", Action.REVIEW_DRAFTS, problems=[412], etag="draft")
def undo_own_decision(ctx: ContextDep, caller: CallerDep, response: Response, body: ActorRequest) -> DraftResponse:
    """Undo the caller's last active decision on any draft; repeat to undo earlier ones."""
    return draft_response_with_etag(
        undo_last_decision(ctx.store, ctx.clock, caller.actor_name(body.by)), caller, response
    )
