"""Who is in the network: invite, give roles, make a new link, remove. For stewards."""

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from patternmind.errors import ChangedMeanwhile, NotAllowed, UsageError
from patternmind.model.rights import Action, Role
from patternmind.verbs.members import add_member, change_roles, find_member, remove_member
from patternmind.verbs.signing_in import LINK_LASTS, make_link
from patternmind.web.audit import touched
from patternmind.web.auth import Caller
from patternmind.web.door import PageDoor, TheCaller, rooms_of
from patternmind.web.rendering import flash, render
from patternmind.web.rights import needs

router = APIRouter(route_class=PageDoor)

Roles = Annotated[list[Role], Form()]


@router.get("/settings/members", name="list_members", dependencies=[needs(Action.MEMBERS)])
def list_members(request: Request, caller: TheCaller) -> Response:
    return _page(request, caller)


def _page(
    request: Request,
    caller: Caller,
    *,
    status: int = 200,
    name: str = "",
    roles: list[Role] | None = None,
    error: str = "",
    link: str = "",
    link_for: str = "",
) -> Response:
    return render(
        request,
        "settings/members.html",
        status,
        members=rooms_of(request).house.accounts.members(caller.network_id),
        all_roles=[(role.value, role.words) for role in Role],
        name=name,
        roles=roles if roles is not None else [Role.MEMBER],
        error=error,
        link=link,
        link_for=link_for,
        link_days=LINK_LASTS.days,
    )


@router.post("/settings/members", name="invite_member", dependencies=[needs(Action.MEMBERS)])
def invite_member(
    request: Request,
    caller: TheCaller,
    name: Annotated[str, Form(max_length=400)] = "",
    roles: Roles = [],  # noqa: B006
) -> Response:
    """The answer shows the link, once; sending it is the steward's own doing, for this server sends no mail."""
    house = rooms_of(request).house
    try:
        member = add_member(house.accounts, house.clock, caller.network_id, name, roles)
    except UsageError as error:
        return _page(request, caller, status=422, name=name, roles=roles, error=str(error))
    touched(request, "member", member.id)
    return _with_link(request, caller, member.id)


@router.post("/settings/members/{member_id}/link", name="make_member_link", dependencies=[needs(Action.MEMBERS)])
def make_member_link(request: Request, caller: TheCaller, member_id: str) -> Response:
    return _with_link(request, caller, member_id)


def _with_link(request: Request, caller: Caller, member_id: str) -> Response:
    house = rooms_of(request).house
    member = find_member(house.accounts, caller.network_id, member_id)
    secret = make_link(house.accounts, house.clock, member, confined=True)
    base = house.settings.url or f"{request.url.scheme}://{request.url.netloc}"
    return _page(request, caller, link=f"{base}/sign-in/link/{secret}", link_for=member.name)


@router.post("/settings/members/{member_id}/roles", name="change_member_roles", dependencies=[needs(Action.MEMBERS)])
def change_member_roles(
    request: Request,
    caller: TheCaller,
    member_id: str,
    roles: Roles = [],  # noqa: B006
    was: Annotated[list[Role] | None, Form()] = None,
) -> Response:
    try:
        member = change_roles(rooms_of(request).house.accounts, caller.network_id, member_id, roles, was=was)
    except (UsageError, NotAllowed) as error:
        return _page(request, caller, status=422, error=str(error))
    except ChangedMeanwhile as error:
        said = f"The roles of {error.id} were changed meanwhile. Below is what they are now: choose again."
        return _page(request, caller, status=412, error=said)
    return _said(f"{member.name} is now: {', '.join(role.words for role in Role if role in member.roles)}.")


@router.post("/settings/members/{member_id}/remove", name="remove_from_network", dependencies=[needs(Action.MEMBERS)])
def remove_from_network(request: Request, caller: TheCaller, member_id: str) -> Response:
    try:
        gone = remove_member(rooms_of(request).house.accounts, caller.network_id, member_id)
    except NotAllowed as error:
        return _page(request, caller, status=422, error=str(error))
    return _said(f"{gone.name} is not a member any more. What they decided stays, under their name.")


def _said(text: str) -> Response:
    answer = RedirectResponse("/settings/members", status_code=303)
    flash(answer, text)
    return answer
