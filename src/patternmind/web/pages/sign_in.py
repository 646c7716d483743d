"""Signing in, by link or by password, and out. What somebody had written before comes back afterwards."""

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from patternmind.errors import PatternmindError
from patternmind.verbs.signing_in import (
    LONGEST_PASSWORD,
    Started,
    read_link,
    sign_in_by_password,
    sign_out_elsewhere,
    use_link,
)
from patternmind.verbs.tokens import digest
from patternmind.web.audit import write_down
from patternmind.web.auth import Caller
from patternmind.web.cookies import give_session, session_secret, take_session
from patternmind.web.door import PageDoor, caller_of, rooms_of
from patternmind.web.forms import local_path, read_kept
from patternmind.web.limiting import place_of
from patternmind.web.rendering import flash, render
from patternmind.web.rights import needs_nobody

router = APIRouter(route_class=PageDoor)

Text = Annotated[str, Form()]
Kept = Annotated[str, Form(max_length=1_000_000)]


@router.get("/sign-in", name="read_sign_in", dependencies=[needs_nobody()])
def read_sign_in(request: Request, next: str = "/") -> Response:
    if request.state.caller is not None:
        return RedirectResponse(local_path(next), status_code=303)
    return _form(request, local_path(next))


def _form(
    request: Request, next: str, *, status: int = 200, kept: str = "", error: str = "", sign_in_name: str = ""
) -> Response:
    return render(request, "sign_in/form.html", status, next=next, kept=kept, error=error, sign_in_name=sign_in_name)


@router.post("/sign-in", name="sign_in", dependencies=[needs_nobody()])
def sign_in(
    request: Request, sign_in_name: Text = "", password: Text = "", next: Text = "/", kept: Kept = ""
) -> Response:
    """By password. A wrong one costs a try, of so many from one place and so many for one name."""
    rooms = rooms_of(request)
    house, tries = rooms.house, rooms.wrong_passwords
    proxied = house.settings.url is not None
    places = (place_of(request, proxied=proxied), f"name {digest(sign_in_name.strip().casefold())}")
    for place in places:
        tries.check(place)
    started = sign_in_by_password(
        house.accounts, house.passwords, house.clock, sign_in_name, password[: LONGEST_PASSWORD + 1]
    )
    if started is None:
        for place in places:
            tries.failed(place)
        said = "That name and password do not go together."
        return _form(request, local_path(next), status=422, kept=kept, error=said, sign_in_name=sign_in_name[:100])
    return _let_in(request, started, "sign_in", local_path(next), kept)


@router.get("/sign-in/link/{secret}", name="read_sign_in_link", dependencies=[needs_nobody()])
def read_sign_in_link(request: Request, secret: str) -> Response:
    """Shows a button and uses nothing up: mail scanners follow links, and press no buttons."""
    house = rooms_of(request).house
    link = read_link(house.accounts, secret, house.clock.now())
    if link is None:
        return render(request, "sign_in/used.html", 404)
    account = house.accounts.account(link.account_id) if link.account_id else None
    return render(request, "sign_in/link.html", secret=secret, who=account, name="", error="")


@router.post("/sign-in/link/{secret}", name="use_sign_in_link", dependencies=[needs_nobody()])
def use_sign_in_link(request: Request, secret: str, name: Text = "") -> Response:
    house = rooms_of(request).house
    try:
        started = use_link(house.accounts, house.clock, secret, name=name)
    except PatternmindError as error:
        return render(request, "sign_in/link.html", 422, secret=secret, who=None, name=name[:200], error=str(error))
    if started is None:
        return render(request, "sign_in/used.html", 404)
    return _let_in(request, started, "sign_in_by_link", "/settings/account")


@router.post("/sign-in/again", name="sign_in_again", dependencies=[needs_nobody()])
def sign_in_again(request: Request, next: Text = "/", kept: Kept = "") -> Response:
    """For who signed in in another window meanwhile."""
    if request.state.caller is None:
        said = "You have not signed in yet."
        return _form(request, local_path(next), status=422, kept=kept, error=said)
    return _back(request, local_path(next), kept)


def _let_in(request: Request, started: Started, did: str, next: str, kept: str = "") -> Response:
    """Whatever session the browser had before ends here; the new one has another name."""
    rooms = rooms_of(request)
    former = session_secret(request)
    if former:
        rooms.house.accounts.end_sessions([digest(former)])
    member = started.member
    request.state.caller = Caller(
        name=member.name,
        member=member,
        roles=member.roles,
        network_id=member.network_id,
        session=started.session,
    )
    write_down(request, caller_of(request), did, None, "member", member.id)
    answer = _back(request, next, kept)
    give_session(request, answer, started.secret)
    return answer


def _back(request: Request, next: str, kept: str) -> Response:
    form = read_kept(kept) if kept else None
    return (
        render(request, "sign_in/resume.html", target=next, kept=form)
        if form is not None
        else RedirectResponse(next, status_code=303)
    )


@router.post("/sign-out", name="sign_out", dependencies=[needs_nobody()])
def sign_out(request: Request) -> Response:
    return _out(request, everywhere=False)


@router.post("/sign-out/everywhere", name="sign_out_everywhere", dependencies=[needs_nobody()])
def sign_out_everywhere(request: Request) -> Response:
    return _out(request, everywhere=True)


def _out(request: Request, *, everywhere: bool) -> Response:
    caller: Caller | None = request.state.caller
    house = rooms_of(request).house
    answer = RedirectResponse("/sign-in", status_code=303)
    take_session(request, answer)
    if caller is not None and caller.session is not None:
        if everywhere:
            sign_out_elsewhere(house.accounts, caller.session)
        house.accounts.end_sessions([caller.session.sha256])
        write_down(request, caller, "sign_out_everywhere" if everywhere else "sign_out", None)
    flash(answer, "You are signed out everywhere." if everywhere else "You are signed out.")
    return answer
