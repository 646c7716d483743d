"""Drafts: list, read, decide and reserve."""

import datetime as dt
from typing import Annotated

from fastapi import Path, Query, Response
from pydantic import Field

from patternmind.domain.draft_fields import parse_fields
from patternmind.domain.drafts import DraftAction, DraftKind, DraftState, RejectionReason, ReviewedDraft
from patternmind.domain.permissions import Action
from patternmind.domain.read_models import DraftFilter, Page
from patternmind.errors import UsageError
from patternmind.review import possible_actions
from patternmind.services.exports import draft_row
from patternmind.services.review_queue import reserve_draft, with_visible_log
from patternmind.services.reviews import decide_draft, get_draft, list_drafts
from patternmind.web.api.schemas import (
    ActorRequest,
    DecisionResponse,
    DraftContentResponse,
    FlagResponse,
    PageResponse,
    RequestModel,
    ResponseModel,
)
from patternmind.web.caller import Caller
from patternmind.web.dependencies import CallerDep, ContextDep
from patternmind.web.draft_permissions import require_decision_permission
from patternmind.web.etags import IfMatchHeader, expected_version, format_etag
from patternmind.web.pagination import CursorQuery, LimitQuery, decode_cursor
from patternmind.web.routing import ApiRouter

router = ApiRouter("review")


class DraftResponse(DraftContentResponse):
    """A draft with its decisions applied. `version` counts them and is its ETag."""

    version: int
    flags: list[FlagResponse]
    refused_claims: int = Field(description="Claims without valid evidence; they are left out.")
    created_at: dt.datetime | None
    decisions: list[DecisionResponse]
    possible_actions: list[DraftAction]


class DecisionRequest(RequestModel):
    """A decision on a draft."""

    action: DraftAction
    by: str | None = Field(
        default=None,
        min_length=1,
        max_length=120,
        description="Name of the person who decides; with a token, the token's name.",
    )
    reason: RejectionReason | None = Field(default=None, description="Required for reject.")
    note: str = Field(default="", max_length=4000)
    fields: dict[str, str | list[str]] = Field(
        default={}, max_length=40, description="For edit: full new text by field; `name` is one of them."
    )


class ReservationResponse(ResponseModel):
    draft_id: str
    by: str
    until: dt.datetime
    mine: bool = Field(description="False if another reviewer holds it; the reservation expires at `until`.")


@router.get("/drafts", "list_drafts", Action.SEE_DRAFTS)
def read_drafts(
    ctx: ContextDep,
    caller: CallerDep,
    *,
    kind: DraftKind | None = None,
    state: DraftState | None = None,
    theme_id: Annotated[str | None, Query(max_length=200)] = None,
    limit: LimitQuery = 50,
    cursor: CursorQuery = None,
) -> PageResponse[DraftResponse]:
    """List drafts with and without decisions, oldest first."""
    draft_filter = DraftFilter(kind=kind, state=state, theme_id=theme_id)
    page = list_drafts(ctx.store, draft_filter, limit=limit, after=decode_cursor(cursor))
    items = tuple(_draft_response(reviewed, caller) for reviewed in page.rows)
    return PageResponse[DraftResponse].of_page(Page(items, page.next_cursor))


@router.get("/drafts/{draft_id}", "read_draft", Action.SEE_DRAFTS, etag="draft")
def read_draft(ctx: ContextDep, caller: CallerDep, response: Response, draft_id: str) -> DraftResponse:
    """Read a draft with quotes and decisions; second reviewers see the decisions only after their own."""
    return draft_response_with_etag(get_draft(ctx.store, draft_id), caller, response)


@router.post("/drafts/{draft_id}/decisions", "decide", Action.REVIEW_DRAFTS, problems=[409], etag="draft")
def decide(
    ctx: ContextDep,
    caller: CallerDep,
    response: Response,
    draft_id: str,
    body: DecisionRequest,
    if_match: IfMatchHeader = None,
) -> DraftResponse:
    """Accept, edit, reject, not sure, flag, retire or undo; retiring needs a steward.

    Every decision is logged under a name and can be undone.
    """
    require_decision_permission(ctx.store, caller, draft_id, body.action)
    if not isinstance(body.fields.get("name", ""), str):
        raise UsageError('"fields.name" must be a single line of text, not a list.', field="fields.name")
    version = get_draft(ctx.store, draft_id).version
    reviewed = decide_draft(
        ctx.store,
        ctx.clock,
        draft_id,
        body.action,
        actor=caller.actor_name(body.by),
        reason=body.reason,
        note=body.note,
        edits=parse_fields(body.fields),
        expected_version=expected_version(if_match, version, kind="draft", id=draft_id),
    )
    return draft_response_with_etag(reviewed, caller, response)


def draft_response_with_etag(reviewed: ReviewedDraft, caller: Caller, response: Response) -> DraftResponse:
    response.headers["etag"] = format_etag(reviewed.version)
    return _draft_response(reviewed, caller)


def _draft_response(reviewed: ReviewedDraft, caller: Caller) -> DraftResponse:
    return DraftResponse.model_validate(
        {
            **draft_row(reviewed),
            "created_at": reviewed.created_at,
            "decisions": with_visible_log(reviewed, caller.name).decisions,
            "possible_actions": possible_actions(reviewed.decisions),
        }
    )


DraftId = Annotated[str, Path(max_length=200)]


@router.post("/drafts/{draft_id}/reservation", "reserve", Action.REVIEW_DRAFTS)
def reserve(ctx: ContextDep, caller: CallerDep, draft_id: DraftId, body: ActorRequest) -> ReservationResponse:
    """Reserve a draft for 15 minutes, or read who holds it. Others get another draft, but can still open it."""
    by = caller.actor_name(body.by)
    reservation = reserve_draft(ctx.store, ctx.clock, draft_id, by)
    return ReservationResponse.of(reservation, mine=reservation.by == by)


@router.delete("/drafts/{draft_id}/reservation", "release", Action.REVIEW_DRAFTS, status_code=204)
def release(ctx: ContextDep, caller: CallerDep, draft_id: DraftId) -> None:
    """Release a draft; no effect if another reviewer holds it."""
    ctx.store.drafts.get(draft_id)
    if caller.name:
        ctx.store.drafts.release(draft_id, caller.name)
