"""One's own account: password, sessions, and which network is shown."""

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from patternmind.errors import NotAllowed, UsageError
from patternmind.model.members import Session
from patternmind.model.rights import Action
from patternmind.verbs.signing_in import set_password, switch_network
from patternmind.web.audit import touched
from patternmind.web.auth import Caller
from patternmind.web.door import PageDoor, TheCaller, rooms_of
from patternmind.web.rendering import flash, render
from patternmind.web.rights import needs

router = APIRouter(route_class=PageDoor)


@router.get("/settings", name="read_settings", dependencies=[needs(Action.OWN_TOKENS)])
def read_settings() -> Response:
    return RedirectResponse("/settings/account", status_code=303)


@router.get("/settings/account", name="read_account", dependencies=[needs(Action.OWN_TOKENS)])
def read_account(request: Request, caller: TheCaller) -> Response:
    return _page(request, caller)


def _page(request: Request, caller: Caller, *, status: int = 200, error: str = "") -> Response:
    accounts = rooms_of(request).house.accounts
    session = _session_of(caller)
    names = {one.id: one.name for one in accounts.networks()}
    memberships = accounts.memberships(session.account_id)
    return render(
        request,
        "settings/account.html",
        status,
        sessions=accounts.sessions(session.account_id),
        session=session,
        networks=[(one.network_id, names[one.network_id]) for one in memberships],
        account=accounts.account(session.account_id),
        error=error,
    )


def _session_of(caller: Caller) -> Session:
    assert caller.session is not None  # noqa: S101 - the door of pages lets nobody in without
    return caller.session


@router.post("/settings/account/password", name="change_password", dependencies=[needs(Action.OWN_TOKENS)])
def change_password(
    request: Request,
    caller: TheCaller,
    password: Annotated[str, Form()] = "",
    again: Annotated[str, Form()] = "",
    current: Annotated[str, Form()] = "",
) -> Response:
    """Needs the current password where there is one: a browser left open is not enough to take an account over."""
    house, session = rooms_of(request).house, _session_of(caller)
    account = house.accounts.account(session.account_id)
    tries, place = rooms_of(request).wrong_passwords, f"change {session.account_id}"
    tries.check(place)
    if account and account.password_hash and not house.passwords.fits(current[:201], account.password_hash):
        tries.failed(place)
        return _page(request, caller, status=422, error="That is not your current password.")
    if password != again:
        return _page(request, caller, status=422, error="The two are not the same. Type the new password twice.")
    try:
        set_password(house.accounts, house.passwords, session, password)
    except (UsageError, NotAllowed) as error:
        return _page(request, caller, status=422, error=str(error))
    touched(request, "member", session.account_id)
    return _said("Your password is set. You are signed out everywhere else.")


@router.post("/settings/account/network", name="choose_network", dependencies=[needs(Action.OWN_TOKENS)])
def choose_network(request: Request, caller: TheCaller, network: Annotated[str, Form(max_length=40)]) -> Response:
    try:
        switch_network(rooms_of(request).house.accounts, _session_of(caller), network)
    except NotAllowed as error:
        return _page(request, caller, status=422, error=str(error))
    touched(request, "network", network)
    return _said("This network is shown now.")


def _said(text: str) -> Response:
    answer = RedirectResponse("/settings/account", status_code=303)
    flash(answer, text)
    return answer
