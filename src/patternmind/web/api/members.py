"""The caller, members and the audit log."""

from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator, Field

from patternmind.domain.permissions import Action, Role
from patternmind.domain.read_models import Page
from patternmind.web.api.schemas import ListResponse, PageResponse, ResponseModel
from patternmind.web.dependencies import AppStateDep, CallerDep
from patternmind.web.pagination import CursorQuery, LimitQuery, decode_number_cursor
from patternmind.web.routing import ApiRouter

router = ApiRouter("network")


OrderedRoles = Annotated[list[Role], BeforeValidator(lambda roles: [role for role in Role if role in roles])]
"""Roles in the order of their definition, from a set."""


class MeResponse(ResponseModel):
    """The caller with their permissions."""

    name: str | None
    network_id: str
    roles: OrderedRoles
    actions: list[Action] = Field(description="Actions that the caller may perform without approval.")


class MemberResponse(ResponseModel):
    id: str
    name: str
    roles: OrderedRoles


class AuditEntryResponse(ResponseModel):
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
    return MeResponse.of(caller, actions=[action for action in Action if caller.may(action)])


@router.get("/members", "list_members", Action.MEMBERS)
def list_members(app_state: AppStateDep, caller: CallerDep) -> ListResponse[MemberResponse]:
    """List the members of the network by name."""
    members = app_state.ctx.accounts.members.list_all(caller.network_id)
    return ListResponse[MemberResponse].of_records(members)


@router.get("/audit", "list_audit", Action.AUDIT_LOG)
def list_audit(
    app_state: AppStateDep, caller: CallerDep, limit: LimitQuery = 50, cursor: CursorQuery = None
) -> PageResponse[AuditEntryResponse]:
    """List changes, newest first: author, time, action and object, without case text."""
    before = decode_number_cursor(cursor)
    entries = app_state.ctx.accounts.audit.list_recent(caller.network_id, before=before, limit=limit + 1)
    page = tuple(entries[:limit])
    next_position = str(page[-1].number) if len(entries) > limit else None
    return PageResponse[AuditEntryResponse].of_page(Page(page, next_position))
