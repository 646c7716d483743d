"""Patterns: accepted patterns and their uses."""

import datetime as dt
from typing import Annotated

from fastapi import Path
from pydantic import Field

from patternmind.domain.permissions import Action
from patternmind.services.exports import export_rows
from patternmind.services.library import get_library_entry
from patternmind.services.pattern_uses import record_use
from patternmind.web.api.schemas import ActorName, DraftContentResponse, ListResponse, RequestModel, ResponseModel
from patternmind.web.dependencies import CallerDep, ContextDep
from patternmind.web.routing import ApiRouter

router = ApiRouter("patterns")


class PatternUseRequest(RequestModel):
    """Use of a pattern by a team."""

    on: dt.date = Field(description="Day of use; not in the future.")
    team: str = Field(min_length=1, max_length=100)
    note: str = Field(default="", max_length=1000, description="Result.")
    by: ActorName = None


class PatternUseResponse(ResponseModel):
    """A recorded use, without the person: uses count per team."""

    id: str
    pattern_id: str
    on: dt.date
    team: str
    note: str


class PatternResponse(DraftContentResponse):
    """An accepted pattern, without quotes that may not leave the network."""

    reviewers: list[str]
    accepted_at: dt.datetime
    version: int
    share_edited: float
    withheld_claims: int


@router.get("/patterns", "list_patterns", Action.SEARCH)
def list_patterns(ctx: ContextDep) -> ListResponse[PatternResponse]:
    """List accepted patterns that may be published, by name; withheld quotes are counted.

    `GET /api/v1/playbook` lists withheld patterns with the reason.
    """
    rows = export_rows(ctx.store, "patterns")
    return ListResponse[PatternResponse].of_records(row for row in rows if "withheld" not in row)


PatternId = Annotated[str, Path(max_length=200)]


@router.get("/patterns/{pattern_id}/uses", "list_uses", Action.SEARCH)
def list_uses(ctx: ContextDep, pattern_id: PatternId) -> ListResponse[PatternUseResponse]:
    """List the uses of a published pattern, latest first."""
    get_library_entry(ctx.store, pattern_id)
    return ListResponse[PatternUseResponse].of_records(ctx.store.drafts.pattern_uses(pattern_id))


@router.post("/patterns/{pattern_id}/uses", "record_use", Action.RECORD_USE, status_code=201)
def record_pattern_use(
    ctx: ContextDep, caller: CallerDep, pattern_id: PatternId, body: PatternUseRequest
) -> PatternUseResponse:
    """Record the use of a pattern by a team. Three uses by two teams make it field-tested."""
    by = caller.actor_name(body.by)
    use = record_use(ctx.store, ctx.clock, pattern_id, used_on=body.on, team=body.team, note=body.note, actor=by)
    return PatternUseResponse.of(use)
