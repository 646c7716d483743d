"""The caller, members and the audit log."""

from datetime import datetime

from pydantic import BaseModel, Field

from patternmind.domain.permissions import Action, Role
from patternmind.web.api.schemas import ListResponse, PageResponse
from patternmind.web.dependencies import AppStateDep, CallerDep
from patternmind.web.pagination import CursorQuery, LimitQuery, decode_number_cursor, encode_number_cursor
from patternmind.web.routing import ApiRouter

router = ApiRouter("network")


class MeResponse(BaseModel):
    """The caller with their permissions."""

    name: str | None
    network_id: str
    roles: list[Role]
    actions: list[Action] = Field(description="Actions that the caller may perform without approval.")


class MemberResponse(BaseModel):
    id: str
    name: str
    roles: list[Role]


class AuditEntryResponse(BaseModel):
    number: int
    at: datetime
    who: str
    action: Action | None = Field(description="Required permission; null for signing in and out.")
    did: str
    kind: str
    id: str


@router.get("/me", "read_me", Action.OWN_TOKENS)
def read_me(caller: CallerDep) -> MeResponse:
    """Read the caller's name, roles and permissions."""
    return MeResponse(
        name=caller.name,
        network_id=caller.network_id,
        roles=[role for role in Role if role in caller.roles],
        actions=[action for action in Action if caller.may(action)],
    )


@router.get("/members", "list_members", Action.MEMBERS)
def list_members(app_state: AppStateDep, caller: CallerDep) -> ListResponse[MemberResponse]:
    """List the members of the network by name."""
    return ListResponse(
        items=[
            MemberResponse(id=member.id, name=member.name, roles=[role for role in Role if role in member.roles])
            for member in app_state.ctx.accounts.list_members(caller.network_id)
        ]
    )


@router.get("/audit", "list_audit", Action.AUDIT_LOG)
def list_audit(
    app_state: AppStateDep, caller: CallerDep, limit: LimitQuery = 50, cursor: CursorQuery = None
) -> PageResponse[AuditEntryResponse]:
    """List changes, newest first: author, time, action and object, without case text."""
    before = decode_number_cursor(cursor)
    entries = app_state.ctx.accounts.list_audit(caller.network_id, before=before, limit=limit + 1)
    page = entries[:limit]
    return PageResponse(
        items=[
            AuditEntryResponse(
                number=entry.number,
                at=entry.at,
                who=entry.who,
                action=entry.action,
                did=entry.did,
                kind=entry.kind,
                id=entry.id,
            )
            for entry in page
        ],
        next_cursor=encode_number_cursor(page[-1].number) if len(entries) > limit else None,
    )
