"""Render page templates with the variables and security headers that every page needs."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, cast
from urllib.parse import quote, unquote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from patternmind.domain.permissions import Action
from patternmind.publishing.document import to_visible_line
from patternmind.web import forms
from patternmind.web.caller import Caller
from patternmind.web.static_files import asset_url

PAGE_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

PAGE_HEADERS = {
    "content-security-policy": PAGE_CONTENT_SECURITY_POLICY,
    # with no-referrer, browsers send "Origin: null" with our own forms, and SecurityMiddleware rejects them
    "referrer-policy": "same-origin",
}

FLASH_COOKIE = "patternmind_flash"
FLASH_MAX_AGE_SECONDS = 60
MAX_FLASH_LENGTH = 300


@dataclass(frozen=True, slots=True)
class NavigationItem:
    """A navigation entry, shown to callers who may perform its action."""

    title: str
    path: str
    action: Action
    extra_prefix: str = ""
    """Another path prefix for which the entry is the current one."""


NAVIGATION: Sequence[NavigationItem] = (
    NavigationItem("Home", "/", Action.SEARCH),
    NavigationItem("Cases", "/cases", Action.SEARCH),
    NavigationItem("Themes", "/themes", Action.SEE_THEMES),
    NavigationItem("Review queue", "/review", Action.SEE_DRAFTS, extra_prefix="/drafts/"),
    NavigationItem("Pre-reading", "/prereadings", Action.REQUEST_PREREADING),
    NavigationItem("Library", "/library", Action.SEARCH),
    NavigationItem("Runs", "/runs", Action.SEE_THEMES),
    NavigationItem("Settings", "/settings", Action.OWN_TOKENS),
)
SETTINGS_TABS: Sequence[NavigationItem] = (
    NavigationItem("Account", "/settings/account", Action.OWN_TOKENS),
    NavigationItem("Tokens", "/settings/tokens", Action.OWN_TOKENS),
    NavigationItem("Shortcuts", "/settings/keys", Action.OWN_KEYS),
    NavigationItem("Network", "/settings/network", Action.SETTINGS),
    NavigationItem("Limits", "/settings/limits", Action.SET_BUDGETS),
    NavigationItem("Roster", "/settings/roster", Action.ROSTER),
    NavigationItem("Possible names", "/settings/names", Action.SEE_POSSIBLE_NAMES),
    NavigationItem("Status", "/settings/status", Action.SETTINGS),
    NavigationItem("Members", "/settings/members", Action.MEMBERS),
    NavigationItem("Audit log", "/settings/audit", Action.AUDIT_LOG),
)


@dataclass(frozen=True, slots=True)
class FormToken:
    """The form token of a page: ``{{ form_token() }}`` renders hidden fields, ``form_token.value`` is the token.

    The second hidden field is a random key per rendered form, so that two clicks submit it once.
    """

    value: str

    def __call__(self) -> Markup:
        fields = Markup('<input type="hidden" name="{}" value="{}"><input type="hidden" name="{}" value="{}">')
        return fields.format(forms.TOKEN_FIELD, self.value, forms.REPLAY_KEY_FIELD, secrets.token_urlsafe(9))


def render(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Render a template as a page.

    In addition to ``values`` a template gets ``caller`` (None for anonymous callers), ``may("review_drafts")``,
    ``nav``, ``settings_tabs``, ``flash``, ``form_token()``, ``autosave_namespace``, ``now``, ``path`` and
    ``asset("app.css")``.
    """
    caller = cast("Caller | None", getattr(request.state, "caller", None))
    ctx = request.app.state.shared.ctx
    message = unquote(request.cookies.get(FLASH_COOKIE, ""))[:MAX_FLASH_LENGTH]
    common: dict[str, Any] = {
        "caller": caller,
        "may": partial(_is_allowed, caller),
        "nav": [
            (item.path, item.title, _is_current(item, f"{request.url.path.rstrip('/')}/"))
            for item in _visible_items(request, caller, NAVIGATION)
        ],
        "settings_tabs": [(item.path, item.title) for item in _visible_items(request, caller, SETTINGS_TABS)],
        "flash": message,
        "form_token": FormToken(forms.form_token(ctx, caller)),
        "autosave_namespace": forms.autosave_namespace(ctx, caller),
        "now": ctx.clock.now(),
        "path": request.url.path,
        "asset": asset_url,
    }
    html = template_environment().get_template(template).render(common | values)
    page = HTMLResponse(html, status, headers=PAGE_HEADERS)
    if message:
        page.delete_cookie(FLASH_COOKIE, path="/", httponly=True, samesite="lax")
    return page


def flash(response: Response, text: str) -> None:
    """Show a message once, on the next page; it must not contain case text."""
    response.set_cookie(
        FLASH_COOKIE,
        quote(text[:MAX_FLASH_LENGTH], safe=""),
        max_age=FLASH_MAX_AGE_SECONDS,
        path="/",
        httponly=True,
        samesite="lax",
    )


def redirect(path: str, message: str = "") -> Response:
    """Redirect to a page, which shows the message once."""
    response = RedirectResponse(path, status_code=303)
    if message:
        flash(response, message)
    return response


def error_page(
    request: Request, title: str, detail: str, status: int, *, headers: Mapping[str, str] | None = None
) -> HTMLResponse:
    """Render a page with the error and what to do."""
    page = render(request, "error.html", status, title=title, detail=detail, request_id=request.state.request_id)
    page.headers.update(headers or {})
    return page


def _is_allowed(caller: Caller | None, action: str, own: bool = False, *, proposing: bool = False) -> bool:
    return caller is not None and caller.may(Action(action), own, proposing=proposing, reading=False)


@cache
def template_environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("patternmind.web"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["visible_line"] = to_visible_line
    return environment


def _is_current(item: NavigationItem, current_path: str) -> bool:
    if item.path == "/":
        return current_path == "/"
    return current_path.startswith(f"{item.path}/") or bool(
        item.extra_prefix and current_path.startswith(item.extra_prefix)
    )


def _visible_items(request: Request, caller: Caller | None, items: Sequence[NavigationItem]) -> list[NavigationItem]:
    page_paths = request.app.state.pages
    return [item for item in items if caller and item.path in page_paths and caller.may(item.action, reading=True)]
