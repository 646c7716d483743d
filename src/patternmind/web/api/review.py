"""The review desk for programs: the queue, reservations, one's own last decisions, what people see differently."""

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
from patternmind.web.pagination import (
    CursorQuery,
    LimitQuery,
    decode_number_cursor,
    encode_number_cursor,
)
from patternmind.web.permissions import requires
from patternmind.web.routing import (
    ACCEPTS_IDEMPOTENCY_KEY,
    ApiRoute,
    CallerDep,
    ContextDep,
    problem_responses,
)

router = APIRouter(route_class=ApiRoute, tags=["review"])

DraftId = Annotated[str, Path(max_length=200)]


@router.get("/review/queue", name="review_queue", dependencies=[requires(Action.SEE_DRAFTS)])
def review_queue(
    ctx: ContextDep,
    caller: CallerDep,
    kind: DraftKind | None = None,
    standing: Annotated[
        ReviewStatus | None, Query(description="Of this reviewer; all of them where none is named.")
    ] = None,
    limit: LimitQuery = 50,
    cursor: CursorQuery = None,
) -> schemas.ReviewQueueResponse:
    """Drafts in the order of the day: the most uncertain first, one in ten drawn at random."""
    desk = get_review_queue(ctx.store, ctx.clock, caller.name)
    wanted = desk.filter(*([standing] if standing else ReviewStatus), kind=kind)
    begin = decode_number_cursor(cursor) or 0
    page = wanted[begin : begin + limit]
    return schemas.ReviewQueueResponse(
        items=[_queue_item_response(line) for line in page],
        next_cursor=encode_number_cursor(begin + limit) if begin + limit < len(wanted) else None,
        n_drafts=len(desk.items),
        n_decided=desk.n_decided,
        n_second=desk.n_second,
    )


def _queue_item_response(item: QueueItem) -> schemas.QueueItemResponse:
    return schemas.QueueItemResponse.model_validate(asdict(item))


@router.get("/review/discuss", name="review_discuss", dependencies=[requires(Action.SEE_DRAFTS)])
def review_discuss(ctx: ContextDep, caller: CallerDep) -> schemas.ListResponse[schemas.DiscussionResponse]:
    """What people see differently, and what was kept for a jam."""
    desk = get_review_queue(ctx.store, ctx.clock, caller.name)
    return schemas.ListResponse(items=[_discussion_response(ctx, line) for line in desk.to_discuss])


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
    by: Annotated[str | None, Query(max_length=120, description="Who asks, where no token says so.")] = None,
) -> schemas.ListResponse[schemas.OwnDecisionResponse]:
    """The caller's last ten decisions, newest first, one a draft. Nobody is shown another's."""
    own = list_own_decisions(ctx.store, caller.actor_name(by))
    return schemas.ListResponse(
        items=[
            schemas.OwnDecisionResponse(
                draft_id=one.decision.draft_id,
                name=one.name,
                decision=decision_response(one.decision),
                stands=one.is_active,
                last=one.is_last,
            )
            for one in own
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
    """Take back the caller's last decision that stands, wherever it was; again, and the one before it goes."""
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
    """Keep a draft for a quarter of an hour, or learn who has it. Others are given another; nobody is kept out."""
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
    """Give a draft back; nothing happens where somebody else has it."""
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
    """The uses of a published pattern, the latest first."""
    get_library_entry(ctx.store, pattern_id)
    return schemas.ListResponse(items=[_use_response(one) for one in ctx.store.list_pattern_uses(pattern_id)])


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
    """Tell that a team worked by a pattern. Three uses by two teams, and it is field-tested."""
    by = caller.actor_name(body.by)
    use = record_use(ctx.store, ctx.clock, pattern_id, used_on=body.on, team=body.team, note=body.note, actor=by)
    return _use_response(use)


def _use_response(use: PatternUse) -> schemas.PatternUseResponse:
    return schemas.PatternUseResponse(id=use.id, pattern_id=use.pattern_id, on=use.on, team=use.team, note=use.note)
