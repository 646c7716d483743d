"""Settings page of members, for stewards: invite, change roles, create sign-in links, remove."""

from typing import Annotated

from fastapi import Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from patternmind.domain.permissions import Action, Role
from patternmind.errors import RuleViolated, UsageError, VersionConflict
from patternmind.services.authentication import LINK_LIFETIME, create_sign_in_link
from patternmind.services.members import (
    add_member,
    change_roles,
    find_member,
    remove_member,
)
from patternmind.web.audit import audit_target
from patternmind.web.caller import Caller
from patternmind.web.dependencies import CallerDep
from patternmind.web.routing import PageRouter
from patternmind.web.state import get_app_state
from patternmind.web.templating import flash, render

router = PageRouter()

RolesForm = Annotated[list[Role], Form()]


@router.get("/settings/members", "list_members", Action.MEMBERS)
def list_members(request: Request, caller: CallerDep) -> Response:
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
        members=get_app_state(request).ctx.accounts.list_members(caller.network_id),
        all_roles=[(role.value, role.label) for role in Role],
        name=name,
        roles=roles if roles is not None else [Role.MEMBER],
        error=error,
        link=link,
        link_for=link_for,
        link_days=LINK_LIFETIME.days,
    )


@router.post("/settings/members", "invite_member", Action.MEMBERS)
def invite_member(
    request: Request,
    caller: CallerDep,
    name: Annotated[str, Form(max_length=400)] = "",
    roles: RolesForm = [],  # noqa: B006
) -> Response:
    """Add a member and show the sign-in link once; the steward sends it, because the server sends no mail."""
    ctx = get_app_state(request).ctx
    try:
        member = add_member(ctx.accounts, ctx.clock, caller.network_id, name, roles)
    except UsageError as error:
        return _page(request, caller, status=422, name=name, roles=roles, error=str(error))
    audit_target(request, "member", member.id)
    return _page_with_link(request, caller, member.id)


@router.post("/settings/members/{member_id}/link", "make_member_link", Action.MEMBERS)
def make_member_link(request: Request, caller: CallerDep, member_id: str) -> Response:
    return _page_with_link(request, caller, member_id)


def _page_with_link(request: Request, caller: Caller, member_id: str) -> Response:
    ctx = get_app_state(request).ctx
    member = find_member(ctx.accounts, caller.network_id, member_id)
    secret = create_sign_in_link(ctx.accounts, ctx.clock, member, is_confined=True)
    base = ctx.settings.url or f"{request.url.scheme}://{request.url.netloc}"
    return _page(request, caller, link=f"{base}/sign-in/link/{secret}", link_for=member.name)


@router.post("/settings/members/{member_id}/roles", "change_member_roles", Action.MEMBERS)
def change_member_roles(
    request: Request,
    caller: CallerDep,
    member_id: str,
    roles: RolesForm = [],  # noqa: B006
    was: Annotated[list[Role] | None, Form()] = None,
) -> Response:
    try:
        member = change_roles(
            get_app_state(request).ctx.accounts, caller.network_id, member_id, roles, expected_roles=was
        )
    except (UsageError, RuleViolated) as error:
        return _page(request, caller, status=422, error=str(error))
    except VersionConflict as error:
        message = f"The roles of {error.id} were changed in the meantime. The current roles are below; choose again."
        return _page(request, caller, status=412, error=message)
    labels = ", ".join(role.label for role in Role if role in member.roles)
    return _redirect_with_message(f"Saved. Roles of {member.name}: {labels}.")


@router.post("/settings/members/{member_id}/remove", "remove_from_network", Action.MEMBERS)
def remove_from_network(request: Request, caller: CallerDep, member_id: str) -> Response:
    try:
        member = remove_member(get_app_state(request).ctx.accounts, caller.network_id, member_id)
    except RuleViolated as error:
        return _page(request, caller, status=422, error=str(error))
    return _redirect_with_message(f"{member.name} is no longer a member. Their decisions stay in the log.")


def _redirect_with_message(text: str) -> Response:
    response = RedirectResponse("/settings/members", status_code=303)
    flash(response, text)
    return response
