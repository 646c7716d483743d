"""Members and the audit log, for programs."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from patternmind.domain.permissions import Action, Role
from patternmind.web.api import schemas
from patternmind.web.pagination import (
    CursorQuery,
    LimitQuery,
    decode_number_cursor,
    encode_number_cursor,
)
from patternmind.web.permissions import requires
from patternmind.web.routing import ApiRoute, AppStateDep, CallerDep

router = APIRouter(route_class=ApiRoute, tags=["network"])


class MeResponse(BaseModel):
    """Who this request came from, and what they may."""

    name: str | None
    network_id: str
    roles: list[Role]
    actions: list[Action] = Field(description="What may be done without asking anybody.")


class MemberResponse(BaseModel):
    id: str
    name: str
    roles: list[Role]


class AuditEntryResponse(BaseModel):
    number: int
    at: datetime
    who: str
    action: Action | None = Field(description="The right it took; null for signing in and out.")
    did: str
    kind: str
    id: str


@router.get("/me", name="read_me", dependencies=[requires(Action.OWN_TOKENS)])
def read_me(caller: CallerDep) -> MeResponse:
    """The caller as this service sees them."""
    return MeResponse(
        name=caller.name,
        network_id=caller.network_id,
        roles=[role for role in Role if role in caller.roles],
        actions=[action for action in Action if caller.may(action)],
    )


@router.get("/members", name="list_members", dependencies=[requires(Action.MEMBERS)])
def list_members(app_state: AppStateDep, caller: CallerDep) -> schemas.ListResponse[MemberResponse]:
    """Who is in the network, by name."""
    return schemas.ListResponse(
        items=[
            MemberResponse(id=one.id, name=one.name, roles=[role for role in Role if role in one.roles])
            for one in app_state.ctx.accounts.list_members(caller.network_id)
        ]
    )


@router.get("/audit", name="list_audit", dependencies=[requires(Action.AUDIT_LOG)])
def list_audit(
    app_state: AppStateDep, caller: CallerDep, limit: LimitQuery = 50, cursor: CursorQuery = None
) -> schemas.PageResponse[AuditEntryResponse]:
    """What was changed, the newest first: who, when, what, on which thing. It holds no text of a case."""
    before = decode_number_cursor(cursor)
    found = app_state.ctx.accounts.list_audit(caller.network_id, before=before, limit=limit + 1)
    shown = found[:limit]
    return schemas.PageResponse(
        items=[
            AuditEntryResponse(
                number=one.number,
                at=one.at,
                who=one.who,
                action=one.action,
                did=one.did,
                kind=one.kind,
                id=one.id,
            )
            for one in shown
        ],
        next_cursor=encode_number_cursor(shown[-1].number) if len(found) > limit else None,
    )
