"""Members and the audit log, for programs."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from patternmind.model.rights import Action, Role
from patternmind.web import answers
from patternmind.web.door import Door, TheCaller, TheRooms
from patternmind.web.paging import Cursor, Limit, read_number, write_number
from patternmind.web.rights import needs

router = APIRouter(route_class=Door, tags=["network"])


class MeAnswer(BaseModel):
    """Who this request came from, and what they may."""

    name: str | None
    network_id: str
    roles: list[Role]
    actions: list[Action] = Field(description="What may be done without asking anybody.")


class MemberAnswer(BaseModel):
    id: str
    name: str
    roles: list[Role]


class AuditAnswer(BaseModel):
    number: int
    at: datetime
    who: str
    action: Action | None = Field(description="The right it took; null for signing in and out.")
    did: str
    kind: str
    id: str


@router.get("/me", name="read_me", dependencies=[needs(Action.OWN_TOKENS)])
def read_me(caller: TheCaller) -> MeAnswer:
    """The caller as this service sees them."""
    return MeAnswer(
        name=caller.name,
        network_id=caller.network_id,
        roles=[role for role in Role if role in caller.roles],
        actions=[action for action in Action if caller.may(action)],
    )


@router.get("/members", name="list_members", dependencies=[needs(Action.MEMBERS)])
def list_members(rooms: TheRooms, caller: TheCaller) -> answers.Listing[MemberAnswer]:
    """Who is in the network, by name."""
    return answers.Listing(
        items=[
            MemberAnswer(id=one.id, name=one.name, roles=[role for role in Role if role in one.roles])
            for one in rooms.house.accounts.members(caller.network_id)
        ]
    )


@router.get("/audit", name="list_audit", dependencies=[needs(Action.AUDIT_LOG)])
def list_audit(
    rooms: TheRooms, caller: TheCaller, limit: Limit = 50, cursor: Cursor = None
) -> answers.Page[AuditAnswer]:
    """What was changed, the newest first: who, when, what, on which thing. It holds no text of a case."""
    before = read_number(cursor)
    found = rooms.house.accounts.audit(caller.network_id, before=before, limit=limit + 1)
    shown = found[:limit]
    return answers.Page(
        items=[
            AuditAnswer(
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
        next_cursor=write_number(shown[-1].number) if len(found) > limit else None,
    )
