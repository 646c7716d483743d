"""Review queue, reservations, own decisions, discussions and pattern uses."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from patternmind.domain.drafts import DraftKind, DraftReservation, PatternUse
from patternmind.domain.permissions import Action
from patternmind.review import ReviewStatus, latest_views
from patternmind.services.library import get_library_entry
from patternmind.services.pattern_uses import record_use
from patternmind.services.review_queue import (
    QueueItem,
    get_review_queue,
    list_own_decisions,
    reserve_draft,
    undo_last_decision,
)
from patternmind.web.api import schemas
from patternmind.web.api.drafts import ETAG_RESPONSE, decision_response, draft_response_with_etag
from patternmind.web.dependencies import CallerDep, ContextDep
from patternmind.web.idempotency import ACCEPTS_IDEMPOTENCY_KEY
from patternmind.web.pagination import (
    CursorQuery,
    LimitQuery,
    decode_number_cursor,
    encode_number_cursor,
)
from patternmind.web.permissions import requires
from patternmind.web.problems import problem_responses
from patternmind.web.routing import ApiRoute

router = APIRouter(route_class=ApiRoute, tags=["review"])

DraftId = Annotated[str, Path(max_length=200)]


@router.get("/review/queue", name="review_queue", dependencies=[requires(Action.SEE_DRAFTS)])
def review_queue(
    ctx: ContextDep,
    caller: CallerDep,
    kind: DraftKind | None = None,
    standing: Annotated[ReviewStatus | None, Query(description="Status for this reviewer; default: all.")] = None,
    limit: LimitQuery = 50,
    cursor: CursorQuery = None,
) -> schemas.ReviewQueueResponse:
    """List drafts to review: the most uncertain first, one in ten drawn at random."""
    queue = get_review_queue(ctx.store, ctx.clock, caller.name)
    items = queue.filter(*([standing] if standing else ReviewStatus), kind=kind)
    start = decode_number_cursor(cursor) or 0
    end = start + limit
    return schemas.ReviewQueueResponse(
        items=[_queue_item_response(item) for item in items[start:end]],
        next_cursor=encode_number_cursor(end) if end < len(items) else None,
        n_drafts=len(queue.items),
        n_decided=queue.n_decided,
        n_second=queue.n_second,
    )


def _queue_item_response(item: QueueItem) -> schemas.QueueItemResponse:
    return schemas.QueueItemResponse.model_validate(asdict(item))


@router.get("/review/discuss", name="review_discuss", dependencies=[requires(Action.SEE_DRAFTS)])
def review_discuss(ctx: ContextDep, caller: CallerDep) -> schemas.ListResponse[schemas.DiscussionResponse]:
    """List drafts that reviewers disagree on, and drafts kept for a jam."""
    queue = get_review_queue(ctx.store, ctx.clock, caller.name)
    return schemas.ListResponse(items=[_discussion_response(ctx, item) for item in queue.to_discuss])


def _discussion_response(ctx: ContextDep, item: QueueItem) -> schemas.DiscussionResponse:
    views = latest_views(ctx.store.draft(item.draft_id)[1]) if item.differs else {}
    return schemas.DiscussionResponse(
        draft_id=item.draft_id,
        kind=item.kind,
        name=item.name,
        views=[schemas.ReviewerViewResponse(by=by, action=action) for by, action in views.items()],
        for_jam=item.standing is ReviewStatus.JAM,
    )


@router.get(
    "/review/decisions",
    name="my_decisions",
    responses=problem_responses(422),
    dependencies=[requires(Action.SEE_DRAFTS)],
)
def read_own_decisions(
    ctx: ContextDep,
    caller: CallerDep,
    by: Annotated[str | None, Query(max_length=120, description="Your name, if you use no token.")] = None,
) -> schemas.ListResponse[schemas.OwnDecisionResponse]:
    """List the caller's last ten decisions, newest first, one per draft."""
    own_decisions = list_own_decisions(ctx.store, caller.actor_name(by))
    return schemas.ListResponse(
        items=[
            schemas.OwnDecisionResponse(
                draft_id=own.decision.draft_id,
                name=own.name,
                decision=decision_response(own.decision),
                stands=own.is_active,
                last=own.is_last,
            )
            for own in own_decisions
        ]
    )


@router.post(
    "/review/undo",
    name="undo_my_last",
    responses=problem_responses(400, 412) | ETAG_RESPONSE,
    dependencies=[requires(Action.REVIEW_DRAFTS), ACCEPTS_IDEMPOTENCY_KEY],
)
def undo_own_decision(
    ctx: ContextDep, caller: CallerDep, response: Response, body: schemas.ReviewerRequest
) -> schemas.DraftResponse:
    """Undo the caller's last active decision on any draft; repeat to undo earlier ones."""
    return draft_response_with_etag(
        undo_last_decision(ctx.store, ctx.clock, caller.actor_name(body.by)), caller, response
    )


@router.post(
    "/drafts/{draft_id}/reservation",
    name="reserve",
    responses=problem_responses(400, 404),
    dependencies=[requires(Action.REVIEW_DRAFTS), ACCEPTS_IDEMPOTENCY_KEY],
)
def reserve(
    ctx: ContextDep, caller: CallerDep, draft_id: DraftId, body: schemas.ReviewerRequest
) -> schemas.ReservationResponse:
    """Reserve a draft for 15 minutes, or read who holds it. Others get another draft, but can still open it."""
    by = caller.actor_name(body.by)
    return _reservation_response(reserve_draft(ctx.store, ctx.clock, draft_id, by), by)


def _reservation_response(reservation: DraftReservation, actor: str) -> schemas.ReservationResponse:
    return schemas.ReservationResponse(
        draft_id=reservation.draft_id, by=reservation.by, until=reservation.until, mine=reservation.by == actor
    )


@router.delete(
    "/drafts/{draft_id}/reservation",
    name="release",
    status_code=204,
    responses=problem_responses(404),
    dependencies=[requires(Action.REVIEW_DRAFTS)],
)
def release(ctx: ContextDep, caller: CallerDep, draft_id: DraftId) -> None:
    """Release a draft; no effect if another reviewer holds it."""
    ctx.store.draft(draft_id)
    if caller.name:
        ctx.store.release_draft(draft_id, caller.name)


@router.get(
    "/patterns/{pattern_id}/uses",
    name="list_uses",
    tags=["patterns"],
    responses=problem_responses(404),
    dependencies=[requires(Action.SEARCH)],
)
def list_uses(ctx: ContextDep, pattern_id: DraftId) -> schemas.ListResponse[schemas.PatternUseResponse]:
    """List the uses of a published pattern, latest first."""
    get_library_entry(ctx.store, pattern_id)
    return schemas.ListResponse(items=[_use_response(use) for use in ctx.store.list_pattern_uses(pattern_id)])


@router.post(
    "/patterns/{pattern_id}/uses",
    name="tell_use",
    tags=["patterns"],
    status_code=201,
    responses=problem_responses(400, 404),
    dependencies=[requires(Action.RECORD_USE), ACCEPTS_IDEMPOTENCY_KEY],
)
def record_pattern_use(
    ctx: ContextDep, caller: CallerDep, pattern_id: DraftId, body: schemas.PatternUseRequest
) -> schemas.PatternUseResponse:
    """Record the use of a pattern by a team. Three uses by two teams make it field-tested."""
    by = caller.actor_name(body.by)
    use = record_use(ctx.store, ctx.clock, pattern_id, used_on=body.on, team=body.team, note=body.note, actor=by)
    return _use_response(use)


def _use_response(use: PatternUse) -> schemas.PatternUseResponse:
    return schemas.PatternUseResponse(id=use.id, pattern_id=use.pattern_id, on=use.on, team=use.team, note=use.note)
