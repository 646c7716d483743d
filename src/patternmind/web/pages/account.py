"""Settings page of the caller's own account: password, sessions and current network."""

from typing import Annotated

from fastapi import Form
from starlette.responses import Response

from patternmind.domain.members import Session
from patternmind.domain.permissions import Action
from patternmind.errors import RuleViolated, UsageError
from patternmind.services.authentication import set_password, switch_network
from patternmind.web.audit import audit_target
from patternmind.web.caller import Caller
from patternmind.web.page_request import PageDep, PageRequest
from patternmind.web.routing import PageRouter
from patternmind.web.state import get_app_state
from patternmind.web.templating import redirect

router = PageRouter()


@router.get("/settings", "read_settings", Action.OWN_TOKENS)
def read_settings() -> Response:
    return redirect("/settings/account")


@router.get("/settings/account", "read_account", Action.OWN_TOKENS)
def read_account(page: PageDep) -> Response:
    return _page(page)


def _page(page: PageRequest, *, status: int = 200, error: str = "") -> Response:
    session = _require_session(page.caller)
    names = {network.id: network.name for network in page.accounts.networks.list_all()}
    memberships = page.accounts.members.list_memberships(session.account_id)
    return page.render(
        "settings/account.html",
        status,
        sessions=page.accounts.sessions.list_all(session.account_id),
        session=session,
        networks=[(member.network_id, names[member.network_id]) for member in memberships],
        account=page.accounts.members.find_account(session.account_id),
        error=error,
    )


def _require_session(caller: Caller) -> Session:
    assert caller.session is not None  # noqa: S101 - PageRoute admits only callers with a session
    return caller.session


@router.post("/settings/account/password", "change_password", Action.OWN_TOKENS)
def change_password(
    page: PageDep,
    password: Annotated[str, Form()] = "",
    again: Annotated[str, Form()] = "",
    current: Annotated[str, Form()] = "",
) -> Response:
    """Set a new password; requires the current one, if any, so that an open browser is not enough."""
    session = _require_session(page.caller)
    account = page.accounts.members.find_account(session.account_id)
    limiter, key = get_app_state(page.request).password_limiter, f"change {session.account_id}"
    limiter.check(key)
    if account and account.password_hash and not page.ctx.passwords.verify(current[:201], account.password_hash):
        limiter.record_failure(key)
        return _page(page, status=422, error="The current password is wrong.")
    if password != again:
        return _page(page, status=422, error="The new passwords do not match.")
    try:
        set_password(page.accounts, page.ctx.passwords, session, password)
    except (UsageError, RuleViolated) as error:
        return _page(page, status=422, error=str(error))
    audit_target(page.request, "member", session.account_id)
    return redirect("/settings/account", "Password set. You are signed out everywhere else.")


@router.post("/settings/account/network", "choose_network", Action.OWN_TOKENS)
def choose_network(page: PageDep, network: Annotated[str, Form(max_length=40)]) -> Response:
    try:
        switch_network(page.accounts, _require_session(page.caller), network)
    except RuleViolated as error:
        return _page(page, status=422, error=str(error))
    audit_target(page.request, "network", network)
    return redirect("/settings/account", "Network switched.")
