"""Settings page of API tokens; members see their own, stewards see and revoke all."""

from typing import Annotated

from fastapi import Form
from starlette.responses import Response

from patternmind.domain.characters import is_name
from patternmind.domain.members import ApiToken
from patternmind.domain.permissions import Action, Role
from patternmind.errors import NotFound, UsageError
from patternmind.services.tokens import create_token
from patternmind.web.audit import audit_target
from patternmind.web.page_request import PageDep, PageRequest
from patternmind.web.routing import PageRouter
from patternmind.web.templating import redirect

router = PageRouter()

MAX_DAYS = 365
MAX_NAME_LENGTH = 80


@router.get("/settings/tokens", "list_tokens", Action.OWN_TOKENS)
def list_tokens(page: PageDep) -> Response:
    return _page(page)


def _page(page: PageRequest, *, status: int = 200, error: str = "", name: str = "", secret: str = "") -> Response:
    return page.render(
        "settings/tokens.html",
        status,
        tokens=_visible_tokens(page),
        creator_names={member.id: member.name for member in page.accounts.members.list_all(page.caller.network_id)},
        own_roles=[(role.value, role.label) for role in Role if role in page.caller.roles],
        all_actions=[(action.value, action.value.replace("_", " ")) for action in Action],
        error=error,
        name=name,
        secret=secret,
    )


def _visible_tokens(page: PageRequest) -> list[ApiToken]:
    sees_all = page.caller.may(Action.MEMBERS)
    member_id = page.caller.member.id if page.caller.member else None
    return [token for token in page.store.tokens.list_all() if sees_all or token.account_id == member_id]


@router.post("/settings/tokens", "make_token", Action.OWN_TOKENS)
def make_token(
    page: PageDep,
    name: Annotated[str, Form(max_length=400)] = "",
    days: Annotated[str, Form(max_length=10)] = "90",
    roles: Annotated[list[Role], Form()] = [],  # noqa: B006
    actions: Annotated[list[Action], Form()] = [],  # noqa: B006
) -> Response:
    """Create a token and show it once."""
    try:
        secret, token = create_token(
            page.store.tokens,
            page.ctx.clock,
            _parse_name(name),
            lifetime_days=_parse_days(days),
            creator=page.caller.member,
            roles=roles,
            actions=actions,
        )
    except UsageError as error:
        return _page(page, status=422, error=str(error), name=name)
    audit_target(page.request, "token", token.id)
    return _page(page, secret=secret)


def _parse_name(text: str) -> str:
    name = " ".join(text.split())
    if not is_name(name, max_chars=MAX_NAME_LENGTH):
        raise UsageError(f"Enter the purpose of the token, in at most {MAX_NAME_LENGTH} characters.")
    return name


def _parse_days(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MAX_DAYS:
        raise UsageError(f"Enter a number of days from 1 to {MAX_DAYS}.")
    return int(text)


@router.post("/settings/tokens/{token_id}/revoke", "revoke_token", Action.OWN_TOKENS)
def revoke_token(page: PageDep, token_id: str) -> Response:
    if token_id not in {token.id for token in _visible_tokens(page)}:
        raise NotFound("token", token_id)
    page.store.tokens.revoke(token_id, page.ctx.clock.now())
    return redirect("/settings/tokens", "Token revoked. It no longer works.")
