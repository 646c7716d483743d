"""Settings page of the caller's own account: password, sessions and current network."""

from typing import Annotated

from fastapi import Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from patternmind.domain.members import Session
from patternmind.domain.permissions import Action
from patternmind.errors import RuleViolated, UsageError
from patternmind.services.authentication import set_password, switch_network
from patternmind.web.audit import audit_target
from patternmind.web.caller import Caller
from patternmind.web.dependencies import CallerDep
from patternmind.web.routing import PageRouter
from patternmind.web.state import get_app_state
from patternmind.web.templating import flash, render

router = PageRouter()


@router.get("/settings", "read_settings", Action.OWN_TOKENS)
def read_settings() -> Response:
    return RedirectResponse("/settings/account", status_code=303)


@router.get("/settings/account", "read_account", Action.OWN_TOKENS)
def read_account(request: Request, caller: CallerDep) -> Response:
    return _page(request, caller)


def _page(request: Request, caller: Caller, *, status: int = 200, error: str = "") -> Response:
    accounts = get_app_state(request).ctx.accounts
    session = _require_session(caller)
    names = {network.id: network.name for network in accounts.list_networks()}
    memberships = accounts.list_memberships(session.account_id)
    return render(
        request,
        "settings/account.html",
        status,
        sessions=accounts.list_sessions(session.account_id),
        session=session,
        networks=[(member.network_id, names[member.network_id]) for member in memberships],
        account=accounts.find_account(session.account_id),
        error=error,
    )


def _require_session(caller: Caller) -> Session:
    assert caller.session is not None  # noqa: S101 - PageRoute admits only callers with a session
    return caller.session


@router.post("/settings/account/password", "change_password", Action.OWN_TOKENS)
def change_password(
    request: Request,
    caller: CallerDep,
    password: Annotated[str, Form()] = "",
    again: Annotated[str, Form()] = "",
    current: Annotated[str, Form()] = "",
) -> Response:
    """Set a new password; requires the current one, if any, so that an open browser is not enough."""
    ctx, session = get_app_state(request).ctx, _require_session(caller)
    account = ctx.accounts.find_account(session.account_id)
    limiter, key = get_app_state(request).password_limiter, f"change {session.account_id}"
    limiter.check(key)
    if account and account.password_hash and not ctx.passwords.verify(current[:201], account.password_hash):
        limiter.record_failure(key)
        return _page(request, caller, status=422, error="The current password is wrong.")
    if password != again:
        return _page(request, caller, status=422, error="The new passwords do not match.")
    try:
        set_password(ctx.accounts, ctx.passwords, session, password)
    except (UsageError, RuleViolated) as error:
        return _page(request, caller, status=422, error=str(error))
    audit_target(request, "member", session.account_id)
    return _redirect_with_message("Password set. You are signed out everywhere else.")


@router.post("/settings/account/network", "choose_network", Action.OWN_TOKENS)
def choose_network(request: Request, caller: CallerDep, network: Annotated[str, Form(max_length=40)]) -> Response:
    try:
        switch_network(get_app_state(request).ctx.accounts, _require_session(caller), network)
    except RuleViolated as error:
        return _page(request, caller, status=422, error=str(error))
    audit_target(request, "network", network)
    return _redirect_with_message("Network switched.")


def _redirect_with_message(text: str) -> Response:
    response = RedirectResponse("/settings/account", status_code=303)
    flash(response, text)
    return response
