"""Sign-in by link or password, and sign-out; a form submitted while signed out is restored after sign-in."""

from typing import Annotated

from fastapi import Form
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
from patternmind.web.caller import Caller
from patternmind.web.cookies import delete_session_cookie, read_session_cookie, set_session_cookie
from patternmind.web.dependencies import get_caller
from patternmind.web.forms import parse_saved_form, safe_redirect_path
from patternmind.web.permissions import allows_anonymous
from patternmind.web.rate_limit import client_key
from patternmind.web.routing import PageRouter
from patternmind.web.state import get_app_state
from patternmind.web.templating import flash, render

router = PageRouter()

FormText = Annotated[str, Form()]
SavedFormText = Annotated[str, Form(alias="kept", max_length=1_000_000)]


@router.get("/sign-in", name="read_sign_in", dependencies=[allows_anonymous()])
def sign_in_page(request: Request, next: str = "/") -> Response:
    if request.state.caller is not None:
        return RedirectResponse(safe_redirect_path(next), status_code=303)
    return _render_form(request, safe_redirect_path(next))


def _render_form(
    request: Request, next: str, *, status: int = 200, saved_form: str = "", error: str = "", sign_in_name: str = ""
) -> Response:
    return render(
        request, "sign_in/form.html", status, next=next, saved_form=saved_form, error=error, sign_in_name=sign_in_name
    )


@router.post("/sign-in", name="sign_in", dependencies=[allows_anonymous()])
def sign_in(
    request: Request,
    sign_in_name: FormText = "",
    password: FormText = "",
    next: FormText = "/",
    saved_form: SavedFormText = "",
) -> Response:
    """Sign in by password; failed attempts are limited per client and per sign-in name."""
    app_state = get_app_state(request)
    ctx, limiter = app_state.ctx, app_state.password_limiter
    is_proxied = ctx.settings.url is not None
    keys = (client_key(request, is_proxied=is_proxied), f"name {hash_secret(sign_in_name.strip().casefold())}")
    for key in keys:
        limiter.check(key)
    result = sign_in_by_password(
        ctx.accounts, ctx.passwords, ctx.clock, sign_in_name, password[: MAX_PASSWORD_CHARS + 1]
    )
    if result is None:
        for key in keys:
            limiter.record_failure(key)
        error, name = "Wrong name or password.", sign_in_name[:100]
        return _render_form(
            request, safe_redirect_path(next), status=422, saved_form=saved_form, error=error, sign_in_name=name
        )
    return _start_session(request, result, "sign_in", safe_redirect_path(next), saved_form)


@router.get("/sign-in/link/{secret}", name="read_sign_in_link", dependencies=[allows_anonymous()])
def sign_in_link_page(request: Request, secret: str) -> Response:
    """Show a sign-in button and leave the link valid: mail scanners open links but press no buttons."""
    ctx = get_app_state(request).ctx
    link = find_usable_link(ctx.accounts, secret, ctx.clock.now())
    if link is None:
        return render(request, "sign_in/invalid_link.html", 404)
    account = ctx.accounts.members.find_account(link.account_id) if link.account_id else None
    return render(request, "sign_in/link.html", secret=secret, account=account, name="", error="")


@router.post("/sign-in/link/{secret}", name="use_sign_in_link", dependencies=[allows_anonymous()])
def use_sign_in_link(request: Request, secret: str, name: FormText = "") -> Response:
    ctx = get_app_state(request).ctx
    try:
        result = sign_in_by_link(ctx.accounts, ctx.clock, secret, name=name)
    except PatternmindError as error:
        return render(request, "sign_in/link.html", 422, secret=secret, account=None, name=name[:200], error=str(error))
    if result is None:
        return render(request, "sign_in/invalid_link.html", 404)
    return _start_session(request, result, "sign_in_by_link", "/settings/account")


@router.post("/sign-in/again", name="sign_in_again", dependencies=[allows_anonymous()])
def resume_after_sign_in(request: Request, next: FormText = "/", saved_form: SavedFormText = "") -> Response:
    """Restore the form of a person who has signed in in another window."""
    if request.state.caller is None:
        error = "You have not signed in yet."
        return _render_form(request, safe_redirect_path(next), status=422, saved_form=saved_form, error=error)
    return _redirect_or_resume(request, safe_redirect_path(next), saved_form)


def _start_session(
    request: Request, result: SignInResult, audit_action: str, next: str, saved_form: str = ""
) -> Response:
    """Start a new session with a new secret and end the browser's previous session."""
    former_secret = read_session_cookie(request)
    if former_secret:
        get_app_state(request).ctx.accounts.sessions.delete_all([hash_secret(former_secret)])
    member = result.member
    request.state.caller = Caller(
        name=member.name, member=member, roles=member.roles, network_id=member.network_id, session=result.session
    )
    append_audit_entry(request, get_caller(request), audit_action, None, "member", member.id)
    response = _redirect_or_resume(request, next, saved_form)
    set_session_cookie(request, response, result.secret)
    return response


def _redirect_or_resume(request: Request, next: str, saved_form: str) -> Response:
    form = parse_saved_form(saved_form) if saved_form else None
    return (
        render(request, "sign_in/resume.html", target=next, form=form)
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
    accounts = get_app_state(request).ctx.accounts
    response = RedirectResponse("/sign-in", status_code=303)
    delete_session_cookie(request, response)
    if caller is not None and caller.session is not None:
        if is_everywhere:
            end_other_sessions(accounts.sessions, caller.session)
        accounts.sessions.delete_all([caller.session.sha256])
        append_audit_entry(request, caller, "sign_out_everywhere" if is_everywhere else "sign_out", None)
    flash(response, "You are signed out everywhere." if is_everywhere else "You are signed out.")
    return response
