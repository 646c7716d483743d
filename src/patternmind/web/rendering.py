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

from patternmind.model.rights import Action
from patternmind.web import forms
from patternmind.web.static_files import asset

if TYPE_CHECKING:
    from patternmind.web.auth import Caller

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

PAGE_HEADERS = {
    "content-security-policy": PAGE_POLICY,
    # with no-referrer a browser sends "Origin: null" with our own forms, and the guard would turn them away
    "referrer-policy": "same-origin",
}

FLASH = "patternmind_flash"
FLASH_SECONDS = 60
LONGEST_FLASH = 300


@dataclass(frozen=True, slots=True)
class Way:
    """An entry of the navigation, for whom may read it."""

    title: str
    address: str
    action: Action
    also: str = ""
    """Another beginning of addresses that belong to it."""


NAVIGATION: Sequence[Way] = (
    Way("Home", "/", Action.SEARCH),
    Way("Cases", "/cases", Action.SEARCH),
    Way("Themes", "/themes", Action.SEE_THEMES),
    Way("Review", "/review", Action.SEE_DRAFTS, also="/drafts/"),
    Way("Pre-reading", "/prereadings", Action.REQUEST_PREREADING),
    Way("Library", "/library", Action.SEARCH),
    Way("Runs", "/runs", Action.SEE_THEMES),
    Way("Settings", "/settings", Action.OWN_TOKENS),
)
"""An entry whose page is not there yet is left out."""

SETTINGS: Sequence[Way] = (
    Way("Account", "/settings/account", Action.OWN_TOKENS),
    Way("Tokens", "/settings/tokens", Action.OWN_TOKENS),
    Way("Keys", "/settings/keys", Action.OWN_KEYS),
    Way("Network", "/settings/network", Action.SETTINGS),
    Way("Limits", "/settings/limits", Action.SET_BUDGETS),
    Way("Roster", "/settings/roster", Action.ROSTER),
    Way("Possible names", "/settings/names", Action.SEE_POSSIBLE_NAMES),
    Way("Status", "/settings/status", Action.SETTINGS),
    Way("Members", "/settings/members", Action.MEMBERS),
    Way("Audit log", "/settings/audit", Action.AUDIT_LOG),
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
        return fields.format(forms.FIELD, self.value, forms.KEY, secrets.token_urlsafe(9))


def render(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page of a template.

    Beside ``values`` a template gets ``caller`` (None where nobody signed in), ``may("review_drafts")``, ``nav``,
    ``flash``, ``form_token()``, ``shelf``, ``now``, ``path`` and ``asset("desk.css")``.
    """
    caller = cast("Caller | None", getattr(request.state, "caller", None))
    house = request.app.state.rooms.house
    said = unquote(request.cookies.get(FLASH, ""))[:LONGEST_FLASH]
    given: dict[str, Any] = {
        "caller": caller,
        "may": partial(_may, caller),
        "nav": _navigation(request, caller),
        "settings_tabs": [(way.address, way.title) for way in _open_to(request, caller, SETTINGS)],
        "flash": said,
        "form_token": FormToken(forms.form_token(house, caller)),
        "shelf": forms.shelf_of(house, caller),
        "now": house.clock.now(),
        "path": request.url.path,
        "asset": asset,
    }
    html = templates().get_template(template).render(given | values)
    page = HTMLResponse(html, status, headers=PAGE_HEADERS)
    if said:
        page.delete_cookie(FLASH, path="/", httponly=True, samesite="lax")
    return page


def flash(response: Response, text: str) -> None:
    """Say this on the next page that is shown, once. Never the text of a case."""
    response.set_cookie(
        FLASH, quote(text[:LONGEST_FLASH], safe=""), max_age=FLASH_SECONDS, path="/", httponly=True, samesite="lax"
    )


def error_page(
    request: Request, title: str, detail: str, status: int, *, headers: Mapping[str, str] | None = None
) -> HTMLResponse:
    """What went wrong and what to do, on a page."""
    page = render(request, "error.html", status, title=title, detail=detail, request_id=request.state.request_id)
    page.headers.update(headers or {})
    return page


def _may(caller: "Caller | None", action: str, own: bool = False, *, proposing: bool = False) -> bool:
    return caller is not None and caller.may(Action(action), own, proposing=proposing, reading=False)


@cache
def templates() -> Environment:
    return Environment(
        loader=PackageLoader("patternmind.web"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )


def _is_current(way: Way, here: str) -> bool:
    if way.address == "/":
        return here == "/"
    return here.startswith(f"{way.address}/") or bool(way.also and here.startswith(way.also))


def _navigation(request: Request, caller: "Caller | None") -> list[dict[str, Any]]:
    """Where this caller may go; ``current`` marks where they are."""
    here = f"{request.url.path.rstrip('/')}/"
    return [
        {
            "title": way.title,
            "address": way.address,
            "current": _is_current(way, here),
        }
        for way in _open_to(request, caller, NAVIGATION)
    ]


def _open_to(request: Request, caller: "Caller | None", ways: Sequence[Way]) -> list[Way]:
    there = request.app.state.pages
    return [way for way in ways if caller and way.address in there and caller.may(way.action, reading=True)]
