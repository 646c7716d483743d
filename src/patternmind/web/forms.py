"""Forms that only our own pages can send.

The guard turns away what a browser says comes from another site. Beside that every form holds a token that only a page
of the same session, in the same network, was given.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends
from starlette.requests import Request

from patternmind.web.middleware import SAFE_METHODS
from patternmind.web.problems import FORM_REFUSED, HTTPProblem

if TYPE_CHECKING:
    from patternmind.bootstrap import AppContext
    from patternmind.web.auth import Caller

TOKEN_FIELD = "form_token"
REPLAY_KEY_FIELD = "form_key"
TOKEN_HEADER = "x-form-token"
"""For what a script of ours sends; the page holds the token in ``<meta name="form-token">``."""

MAX_KEY_LENGTH = 40
MAX_FIELDS = 300
MAX_FILES = 5

FORM_MEDIA_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


def form_token(ctx: "AppContext", caller: "Caller | None") -> str:
    """What the forms of this caller hold: the same for a session in a network, and no other."""
    session = caller.session.sha256 if caller and caller.session else ""
    network_id = caller.network_id if caller else ""
    return hmac.new(ctx.store.secret(), f"form\0{session}\0{network_id}".encode(), hashlib.sha256).hexdigest()


def autosave_namespace(ctx: "AppContext", caller: "Caller | None") -> str:
    """Under what a browser keeps the unsaved text of somebody: nobody else who signs in there finds it."""
    who = caller.member.id if caller and caller.member else ""
    return hmac.new(ctx.store.secret(), f"shelf\0{who}".encode(), hashlib.sha256).hexdigest()[:12] if who else ""


async def verify_form_token(request: Request) -> None:
    """Go on only with a form of ours; reading is free.

    Raises:
        Declined: it has no token, or that of another session or network.
    """
    if request.method in SAFE_METHODS:
        return
    given = request.headers.get(TOKEN_HEADER, "")
    if not given and request.headers.get("content-type", "").partition(";")[0].strip() in FORM_MEDIA_TYPES:
        form = await request.form(max_fields=MAX_FIELDS, max_files=MAX_FILES)  # kept on the request for the route
        given = str(form.get(TOKEN_FIELD, ""))
    house, caller = request.app.state.rooms.ctx, request.state.caller
    allowed = [form_token(house, caller)]
    if request.state.admitted.action is None:  # a page from before somebody signed in, in another window meanwhile
        allowed.append(form_token(house, None))
    if not any(hmac.compare_digest(given.encode("utf-8", "replace"), one.encode()) for one in allowed):
        raise HTTPProblem(
            FORM_REFUSED, "This page was left open over a sign-in. Go back, reload it, and send it again."
        )


async def form_values(request: Request) -> dict[str, str]:
    """The fields of the form that was sent, the last of each name; files are left out."""
    form = await request.form(max_fields=MAX_FIELDS, max_files=MAX_FILES)
    return {name: value for name, value in form.multi_items() if isinstance(value, str)}


FormValuesDep = Annotated[Mapping[str, str], Depends(form_values)]


async def form_fingerprint(request: Request) -> str | None:
    """Names a form as it was shown, with what was written into it; None for what is no form of a page.

    What was sent once and is sent again has the same name: a second click, a page gone back to.
    """
    if (
        request.method in SAFE_METHODS
        or request.headers.get("content-type", "").partition(";")[0].strip() not in FORM_MEDIA_TYPES
    ):
        return None
    form = await request.form(max_fields=MAX_FIELDS, max_files=MAX_FILES)
    key = form.get(REPLAY_KEY_FIELD)
    if not isinstance(key, str) or not 0 < len(key) <= MAX_KEY_LENGTH:
        return None
    held = [
        [name, value] if isinstance(value, str) else [name, value.filename, value.size]
        for name, value in form.multi_items()
    ]
    return hashlib.sha256(json.dumps([request.url.path, held]).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class SavedForm:
    """What a form held: its fields, and the names of those that held a file."""

    fields: list[tuple[str, str]]
    files: list[str]


async def serialize_form(request: Request) -> str | None:
    """What a form held that could not be taken, as text for a hidden field; None where there was none.

    Files are left out: a browser gives them again only when a person chooses them again.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if request.method in SAFE_METHODS or kind not in FORM_MEDIA_TYPES:
        return None
    form = await request.form(max_fields=MAX_FIELDS, max_files=MAX_FILES)
    fields = [
        (name, value)
        for name, value in form.multi_items()
        if isinstance(value, str) and name not in (TOKEN_FIELD, REPLAY_KEY_FIELD)
    ]
    files = list(dict.fromkeys(name for name, value in form.multi_items() if not isinstance(value, str)))
    return json.dumps({"fields": fields, "files": files})


def parse_saved_form(serialized: str) -> SavedForm | None:
    """A form that was kept; None where it is not one that we wrote."""
    try:
        said: Any = json.loads(serialized)
        fields = [
            (str(name), str(value)) for name, value in said["fields"] if name not in (TOKEN_FIELD, REPLAY_KEY_FIELD)
        ]
        return SavedForm(fields[:MAX_FIELDS], [str(name) for name in said["files"]][:MAX_FILES])
    except (ValueError, TypeError, KeyError):
        return None


def safe_redirect_path(text: str) -> str:
    """An address on this server, or the first page: whoever signs in is led nowhere else."""
    parts = urlsplit(text)
    harmless = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable() and "\\" not in text
    return text if harmless and not parts.scheme and not parts.netloc else "/"
