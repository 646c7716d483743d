"""Pages: a template with what every page needs, and the policy under which a browser shows it."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote, unquote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from patternmind.domain.permissions import Action
from patternmind.web import forms
from patternmind.web.static_files import asset_url

if TYPE_CHECKING:
    from patternmind.web.auth import Caller

PAGE_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

PAGE_HEADERS = {
    "content-security-policy": PAGE_CONTENT_SECURITY_POLICY,
    # with no-referrer a browser sends "Origin: null" with our own forms, and the guard would turn them away
    "referrer-policy": "same-origin",
}

FLASH_COOKIE = "patternmind_flash"
FLASH_MAX_AGE_SECONDS = 60
MAX_FLASH_LENGTH = 300


@dataclass(frozen=True, slots=True)
class NavigationItem:
    """An entry of the navigation, for whom may read it."""

    title: str
    path: str
    action: Action
    extra_prefix: str = ""
    """Another beginning of addresses that belong to it."""


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
"""An entry whose page is not there yet is left out."""

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
"""The tabs of the settings pages."""


@dataclass(frozen=True, slots=True)
class FormToken:
    """``{{ form_token() }}`` are the hidden fields of a form; ``form_token.value`` the token alone, for a script.

    The second of the fields names this form of this page as it was shown once: two clicks on it are one.
    """

    value: str

    def __call__(self) -> Markup:
        fields = Markup('<input type="hidden" name="{}" value="{}"><input type="hidden" name="{}" value="{}">')
        return fields.format(forms.TOKEN_FIELD, self.value, forms.REPLAY_KEY_FIELD, secrets.token_urlsafe(9))


def render(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page of a template.

    Beside ``values`` a template gets ``caller`` (None where nobody signed in), ``may("review_drafts")``, ``nav``,
    ``flash``, ``form_token()``, ``shelf``, ``now``, ``path`` and ``asset("app.css")``.
    """
    caller = cast("Caller | None", getattr(request.state, "caller", None))
    house = request.app.state.rooms.ctx
    said = unquote(request.cookies.get(FLASH_COOKIE, ""))[:MAX_FLASH_LENGTH]
    given: dict[str, Any] = {
        "caller": caller,
        "may": partial(_is_allowed, caller),
        "nav": _navigation(request, caller),
        "settings_tabs": [(way.path, way.title) for way in _visible_items(request, caller, SETTINGS_TABS)],
        "flash": said,
        "form_token": FormToken(forms.form_token(house, caller)),
        "shelf": forms.autosave_namespace(house, caller),
        "now": house.clock.now(),
        "path": request.url.path,
        "asset": asset_url,
    }
    html = template_environment().get_template(template).render(given | values)
    page = HTMLResponse(html, status, headers=PAGE_HEADERS)
    if said:
        page.delete_cookie(FLASH_COOKIE, path="/", httponly=True, samesite="lax")
    return page


def flash(response: Response, text: str) -> None:
    """Say this on the next page that is shown, once. Never the text of a case."""
    response.set_cookie(
        FLASH_COOKIE,
        quote(text[:MAX_FLASH_LENGTH], safe=""),
        max_age=FLASH_MAX_AGE_SECONDS,
        path="/",
        httponly=True,
        samesite="lax",
    )


def error_page(
    request: Request, title: str, detail: str, status: int, *, headers: Mapping[str, str] | None = None
) -> HTMLResponse:
    """What went wrong and what to do, on a page."""
    page = render(request, "error.html", status, title=title, detail=detail, request_id=request.state.request_id)
    page.headers.update(headers or {})
    return page


def _is_allowed(caller: "Caller | None", action: str, own: bool = False, *, proposing: bool = False) -> bool:
    return caller is not None and caller.may(Action(action), own, proposing=proposing, reading=False)


@cache
def template_environment() -> Environment:
    return Environment(
        loader=PackageLoader("patternmind.web"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )


def _is_current(item: NavigationItem, current_path: str) -> bool:
    if item.path == "/":
        return current_path == "/"
    return current_path.startswith(f"{item.path}/") or bool(
        item.extra_prefix and current_path.startswith(item.extra_prefix)
    )


def _navigation(request: Request, caller: "Caller | None") -> list[dict[str, Any]]:
    """Where this caller may go; ``current`` marks where they are."""
    here = f"{request.url.path.rstrip('/')}/"
    return [
        {
            "title": way.title,
            "address": way.path,
            "current": _is_current(way, here),
        }
        for way in _visible_items(request, caller, NAVIGATION)
    ]


def _visible_items(request: Request, caller: "Caller | None", items: Sequence[NavigationItem]) -> list[NavigationItem]:
    there = request.app.state.pages
    return [way for way in items if caller and way.path in there and caller.may(way.action, reading=True)]
