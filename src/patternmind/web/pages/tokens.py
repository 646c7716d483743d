"""Settings page of API tokens; members see their own, stewards see and revoke all."""

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from patternmind.bootstrap import AppContext
from patternmind.domain.characters import is_name
from patternmind.domain.members import ApiToken
from patternmind.domain.permissions import Action, Role
from patternmind.errors import NotFound, UsageError
from patternmind.services.tokens import create_token
from patternmind.web.audit import audit_target
from patternmind.web.caller import Caller
from patternmind.web.dependencies import CallerDep, ContextDep
from patternmind.web.permissions import requires
from patternmind.web.routing import PageRoute
from patternmind.web.state import get_app_state
from patternmind.web.templating import flash, render

router = APIRouter(route_class=PageRoute)

MAX_DAYS = 365
MAX_NAME_LENGTH = 80


@router.get("/settings/tokens", name="list_tokens", dependencies=[requires(Action.OWN_TOKENS)])
def list_tokens(request: Request, ctx: ContextDep, caller: CallerDep) -> Response:
    return _page(request, ctx, caller)


def _page(
    request: Request,
    ctx: AppContext,
    caller: Caller,
    *,
    status: int = 200,
    error: str = "",
    name: str = "",
    secret: str = "",
) -> Response:
    accounts = get_app_state(request).ctx.accounts
    return render(
        request,
        "settings/tokens.html",
        status,
        tokens=_visible_tokens(ctx, caller),
        creator_names={member.id: member.name for member in accounts.list_members(caller.network_id)},
        own_roles=[(role.value, role.label) for role in Role if role in caller.roles],
        all_actions=[(action.value, action.value.replace("_", " ")) for action in Action],
        error=error,
        name=name,
        secret=secret,
    )


def _visible_tokens(ctx: AppContext, caller: Caller) -> list[ApiToken]:
    sees_all = caller.may(Action.MEMBERS)
    member_id = caller.member.id if caller.member else None
    return [token for token in ctx.store.tokens.list_all() if sees_all or token.account_id == member_id]


@router.post("/settings/tokens", name="make_token", dependencies=[requires(Action.OWN_TOKENS)])
def make_token(
    request: Request,
    ctx: ContextDep,
    caller: CallerDep,
    name: Annotated[str, Form(max_length=400)] = "",
    days: Annotated[str, Form(max_length=10)] = "90",
    roles: Annotated[list[Role], Form()] = [],  # noqa: B006
    actions: Annotated[list[Action], Form()] = [],  # noqa: B006
) -> Response:
    """Create a token and show it once."""
    try:
        secret, token = create_token(
            ctx.store,
            ctx.clock,
            _parse_name(name),
            lifetime_days=_parse_days(days),
            creator=caller.member,
            roles=roles,
            actions=actions,
        )
    except UsageError as error:
        return _page(request, ctx, caller, status=422, error=str(error), name=name)
    audit_target(request, "token", token.id)
    return _page(request, ctx, caller, secret=secret)


def _parse_name(text: str) -> str:
    name = " ".join(text.split())
    if not is_name(name, max_chars=MAX_NAME_LENGTH):
        raise UsageError(f"Enter the purpose of the token, in at most {MAX_NAME_LENGTH} characters.")
    return name


def _parse_days(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MAX_DAYS:
        raise UsageError(f"Enter a number of days from 1 to {MAX_DAYS}.")
    return int(text)


@router.post("/settings/tokens/{token_id}/revoke", name="revoke_token", dependencies=[requires(Action.OWN_TOKENS)])
def revoke_token(request: Request, ctx: ContextDep, caller: CallerDep, token_id: str) -> Response:
    if token_id not in {token.id for token in _visible_tokens(ctx, caller)}:
        raise NotFound("token", token_id)
    get_app_state(request).ctx.accounts.revoke_token(caller.network_id, token_id, ctx.clock.now())
    response = RedirectResponse("/settings/tokens", status_code=303)
    flash(response, "Token revoked. It no longer works.")
    return response
