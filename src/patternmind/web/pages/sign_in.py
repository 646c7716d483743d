"""Signing in, by link or by password, and out. What somebody had written before comes back afterwards."""

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from patternmind.errors import PatternmindError
from patternmind.services.authentication import (
    MAX_PASSWORD_CHARS,
    SignInResult,
    end_other_sessions,
    find_usable_link,
    sign_in_by_link,
    sign_in_by_password,
)
from patternmind.services.tokens import hash_secret
from patternmind.web.audit import append_audit_entry
from patternmind.web.auth import Caller
from patternmind.web.cookies import delete_session_cookie, read_session_cookie, set_session_cookie
from patternmind.web.forms import parse_saved_form, safe_redirect_path
from patternmind.web.permissions import allows_anonymous
from patternmind.web.rate_limit import client_key
from patternmind.web.routing import PageRoute, get_app_state, get_caller
from patternmind.web.templating import flash, render

router = APIRouter(route_class=PageRoute)

FormText = Annotated[str, Form()]
SavedFormText = Annotated[str, Form(max_length=1_000_000)]


@router.get("/sign-in", name="read_sign_in", dependencies=[allows_anonymous()])
def sign_in_page(request: Request, next: str = "/") -> Response:
    if request.state.caller is not None:
        return RedirectResponse(safe_redirect_path(next), status_code=303)
    return _render_form(request, safe_redirect_path(next))


def _render_form(
    request: Request, next: str, *, status: int = 200, saved_form: str = "", error: str = "", sign_in_name: str = ""
) -> Response:
    return render(
        request, "sign_in/form.html", status, next=next, kept=saved_form, error=error, sign_in_name=sign_in_name
    )


@router.post("/sign-in", name="sign_in", dependencies=[allows_anonymous()])
def sign_in(
    request: Request,
    sign_in_name: FormText = "",
    password: FormText = "",
    next: FormText = "/",
    kept: SavedFormText = "",
) -> Response:
    """By password. A wrong one costs a try, of so many from one place and so many for one name."""
    rooms = get_app_state(request)
    house, tries = rooms.ctx, rooms.password_limiter
    proxied = house.settings.url is not None
    places = (client_key(request, is_proxied=proxied), f"name {hash_secret(sign_in_name.strip().casefold())}")
    for place in places:
        tries.check(place)
    started = sign_in_by_password(
        house.accounts, house.passwords, house.clock, sign_in_name, password[: MAX_PASSWORD_CHARS + 1]
    )
    if started is None:
        for place in places:
            tries.record_failure(place)
        said = "That name and password do not go together."
        return _render_form(
            request, safe_redirect_path(next), status=422, saved_form=kept, error=said, sign_in_name=sign_in_name[:100]
        )
    return _start_session(request, started, "sign_in", safe_redirect_path(next), kept)


@router.get("/sign-in/link/{secret}", name="read_sign_in_link", dependencies=[allows_anonymous()])
def sign_in_link_page(request: Request, secret: str) -> Response:
    """Shows a button and uses nothing up: mail scanners follow links, and press no buttons."""
    house = get_app_state(request).ctx
    link = find_usable_link(house.accounts, secret, house.clock.now())
    if link is None:
        return render(request, "sign_in/invalid_link.html", 404)
    account = house.accounts.find_account(link.account_id) if link.account_id else None
    return render(request, "sign_in/link.html", secret=secret, who=account, name="", error="")


@router.post("/sign-in/link/{secret}", name="use_sign_in_link", dependencies=[allows_anonymous()])
def use_sign_in_link(request: Request, secret: str, name: FormText = "") -> Response:
    house = get_app_state(request).ctx
    try:
        started = sign_in_by_link(house.accounts, house.clock, secret, name=name)
    except PatternmindError as error:
        return render(request, "sign_in/link.html", 422, secret=secret, who=None, name=name[:200], error=str(error))
    if started is None:
        return render(request, "sign_in/invalid_link.html", 404)
    return _start_session(request, started, "sign_in_by_link", "/settings/account")


@router.post("/sign-in/again", name="sign_in_again", dependencies=[allows_anonymous()])
def resume_after_sign_in(request: Request, next: FormText = "/", kept: SavedFormText = "") -> Response:
    """For who signed in in another window meanwhile."""
    if request.state.caller is None:
        said = "You have not signed in yet."
        return _render_form(request, safe_redirect_path(next), status=422, saved_form=kept, error=said)
    return _redirect_or_resume(request, safe_redirect_path(next), kept)


def _start_session(
    request: Request, started: SignInResult, audit_action: str, next: str, saved_form: str = ""
) -> Response:
    """Whatever session the browser had before ends here; the new one has another name."""
    rooms = get_app_state(request)
    former = read_session_cookie(request)
    if former:
        rooms.ctx.accounts.delete_sessions([hash_secret(former)])
    member = started.member
    request.state.caller = Caller(
        name=member.name,
        member=member,
        roles=member.roles,
        network_id=member.network_id,
        session=started.session,
    )
    append_audit_entry(request, get_caller(request), audit_action, None, "member", member.id)
    answer = _redirect_or_resume(request, next, saved_form)
    set_session_cookie(request, answer, started.secret)
    return answer


def _redirect_or_resume(request: Request, next: str, saved_form: str) -> Response:
    form = parse_saved_form(saved_form) if saved_form else None
    return (
        render(request, "sign_in/resume.html", target=next, kept=form)
        if form is not None
        else RedirectResponse(next, status_code=303)
    )


@router.post("/sign-out", name="sign_out", dependencies=[allows_anonymous()])
def sign_out(request: Request) -> Response:
    return _end_session(request, is_everywhere=False)


@router.post("/sign-out/everywhere", name="sign_out_everywhere", dependencies=[allows_anonymous()])
def sign_out_everywhere(request: Request) -> Response:
    return _end_session(request, is_everywhere=True)


def _end_session(request: Request, *, is_everywhere: bool) -> Response:
    caller: Caller | None = request.state.caller
    house = get_app_state(request).ctx
    answer = RedirectResponse("/sign-in", status_code=303)
    delete_session_cookie(request, answer)
    if caller is not None and caller.session is not None:
        if is_everywhere:
            end_other_sessions(house.accounts, caller.session)
        house.accounts.delete_sessions([caller.session.sha256])
        append_audit_entry(request, caller, "sign_out_everywhere" if is_everywhere else "sign_out", None)
    flash(answer, "You are signed out everywhere." if is_everywhere else "You are signed out.")
    return answer
