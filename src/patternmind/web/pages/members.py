"""Settings page of members, for stewards: invite, change roles, create sign-in links, remove."""

from typing import Annotated, Any

from fastapi import Form
from starlette.responses import Response

from patternmind.domain.permissions import Action, Role
from patternmind.errors import RuleViolated, UsageError, VersionConflict
from patternmind.services.authentication import LINK_LIFETIME, create_sign_in_link
from patternmind.services.members import add_member, change_roles, find_member, remove_member
from patternmind.web.audit import audit_target
from patternmind.web.page_request import PageDep, PageRequest
from patternmind.web.routing import PageRouter
from patternmind.web.templating import redirect

router = PageRouter()

RolesForm = Annotated[list[Role], Form()]


@router.get("/settings/members", "list_members", Action.MEMBERS)
def list_members(page: PageDep) -> Response:
    return _page(page)


def _page(page: PageRequest, *, status: int = 200, **more: Any) -> Response:
    values: dict[str, Any] = {
        "members": page.accounts.members.list_all(page.caller.network_id),
        "all_roles": [(role.value, role.label) for role in Role],
        "name": "",
        "roles": [Role.MEMBER],
        "error": "",
        "link": "",
        "link_for": "",
        "link_days": LINK_LIFETIME.days,
        **more,
    }
    return page.render("settings/members.html", status, **values)


@router.post("/settings/members", "invite_member", Action.MEMBERS)
def invite_member(
    page: PageDep,
    name: Annotated[str, Form(max_length=400)] = "",
    roles: RolesForm = [],  # noqa: B006
) -> Response:
    """Add a member and show the sign-in link once; the steward sends it, because the server sends no mail."""
    try:
        member = add_member(page.accounts.members, page.ctx.clock, page.caller.network_id, name, roles)
    except UsageError as error:
        return _page(page, status=422, name=name, roles=roles, error=str(error))
    audit_target(page.request, "member", member.id)
    return _page_with_link(page, member.id)


@router.post("/settings/members/{member_id}/link", "make_member_link", Action.MEMBERS)
def make_member_link(page: PageDep, member_id: str) -> Response:
    return _page_with_link(page, member_id)


def _page_with_link(page: PageRequest, member_id: str) -> Response:
    member = find_member(page.accounts.members, page.caller.network_id, member_id)
    secret = create_sign_in_link(page.accounts.sign_in_links, page.ctx.clock, member, is_confined=True)
    base = page.ctx.settings.url or f"{page.request.url.scheme}://{page.request.url.netloc}"
    return _page(page, link=f"{base}/sign-in/link/{secret}", link_for=member.name)


@router.post("/settings/members/{member_id}/roles", "change_member_roles", Action.MEMBERS)
def change_member_roles(
    page: PageDep,
    member_id: str,
    roles: RolesForm = [],  # noqa: B006
    was: Annotated[list[Role] | None, Form()] = None,
) -> Response:
    try:
        member = change_roles(page.accounts.members, page.caller.network_id, member_id, roles, expected_roles=was)
    except (UsageError, RuleViolated) as error:
        return _page(page, status=422, error=str(error))
    except VersionConflict as error:
        message = f"The roles of {error.id} were changed in the meantime. The current roles are below; choose again."
        return _page(page, status=412, error=message)
    labels = ", ".join(role.label for role in Role if role in member.roles)
    return redirect("/settings/members", f"Saved. Roles of {member.name}: {labels}.")


@router.post("/settings/members/{member_id}/remove", "remove_from_network", Action.MEMBERS)
def remove_from_network(page: PageDep, member_id: str) -> Response:
    try:
        member = remove_member(page.accounts.members, page.caller.network_id, member_id)
    except RuleViolated as error:
        return _page(page, status=422, error=str(error))
    return redirect("/settings/members", f"{member.name} was removed. Their decisions stay in the log.")
