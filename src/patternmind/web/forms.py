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

from patternmind.web.guard import SAFE_METHODS
from patternmind.web.problems import FORM_REFUSED, Declined

if TYPE_CHECKING:
    from patternmind.bootstrap import House
    from patternmind.web.auth import Caller

FIELD = "form_token"
KEY = "form_key"
HEADER = "x-form-token"
"""For what a script of ours sends; the page holds the token in ``<meta name="form-token">``."""

LONGEST_KEY = 40
MOST_FIELDS = 300
MOST_FILES = 5

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def form_token(house: "House", caller: "Caller | None") -> str:
    """What the forms of this caller hold: the same for a session in a network, and no other."""
    session = caller.session.sha256 if caller and caller.session else ""
    network_id = caller.network_id if caller else ""
    return hmac.new(house.store.secret(), f"form\0{session}\0{network_id}".encode(), hashlib.sha256).hexdigest()


def shelf_of(house: "House", caller: "Caller | None") -> str:
    """Under what a browser keeps the unsaved text of somebody: nobody else who signs in there finds it."""
    who = caller.member.id if caller and caller.member else ""
    return hmac.new(house.store.secret(), f"shelf\0{who}".encode(), hashlib.sha256).hexdigest()[:12] if who else ""


async def check_form(request: Request) -> None:
    """Go on only with a form of ours; reading is free.

    Raises:
        Declined: it has no token, or that of another session or network.
    """
    if request.method in SAFE_METHODS:
        return
    given = request.headers.get(HEADER, "")
    if not given and request.headers.get("content-type", "").partition(";")[0].strip() in FORMS:
        form = await request.form(max_fields=MOST_FIELDS, max_files=MOST_FILES)  # kept on the request for the route
        given = str(form.get(FIELD, ""))
    house, caller = request.app.state.rooms.house, request.state.caller
    allowed = [form_token(house, caller)]
    if request.state.admitted.action is None:  # a page from before somebody signed in, in another window meanwhile
        allowed.append(form_token(house, None))
    if not any(hmac.compare_digest(given.encode("utf-8", "replace"), one.encode()) for one in allowed):
        raise Declined(FORM_REFUSED, "This page was left open over a sign-in. Go back, reload it, and send it again.")


async def form_values(request: Request) -> dict[str, str]:
    """The fields of the form that was sent, the last of each name; files are left out."""
    form = await request.form(max_fields=MOST_FIELDS, max_files=MOST_FILES)
    return {name: value for name, value in form.multi_items() if isinstance(value, str)}


TheForm = Annotated[Mapping[str, str], Depends(form_values)]


async def sent_as(request: Request) -> str | None:
    """Names a form as it was shown, with what was written into it; None for what is no form of a page.

    What was sent once and is sent again has the same name: a second click, a page gone back to.
    """
    if request.method in SAFE_METHODS or request.headers.get("content-type", "").partition(";")[0].strip() not in FORMS:
        return None
    form = await request.form(max_fields=MOST_FIELDS, max_files=MOST_FILES)
    key = form.get(KEY)
    if not isinstance(key, str) or not 0 < len(key) <= LONGEST_KEY:
        return None
    held = [
        [name, value] if isinstance(value, str) else [name, value.filename, value.size]
        for name, value in form.multi_items()
    ]
    return hashlib.sha256(json.dumps([request.url.path, held]).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class KeptForm:
    """What a form held: its fields, and the names of those that held a file."""

    fields: list[tuple[str, str]]
    files: list[str]


async def kept_form(request: Request) -> str | None:
    """What a form held that could not be taken, as text for a hidden field; None where there was none.

    Files are left out: a browser gives them again only when a person chooses them again.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if request.method in SAFE_METHODS or kind not in FORMS:
        return None
    form = await request.form(max_fields=MOST_FIELDS, max_files=MOST_FILES)
    fields = [
        (name, value) for name, value in form.multi_items() if isinstance(value, str) and name not in (FIELD, KEY)
    ]
    files = list(dict.fromkeys(name for name, value in form.multi_items() if not isinstance(value, str)))
    return json.dumps({"fields": fields, "files": files})


def read_kept(kept: str) -> KeptForm | None:
    """A form that was kept; None where it is not one that we wrote."""
    try:
        said: Any = json.loads(kept)
        fields = [(str(name), str(value)) for name, value in said["fields"] if name not in (FIELD, KEY)]
        return KeptForm(fields[:MOST_FIELDS], [str(name) for name in said["files"]][:MOST_FILES])
    except (ValueError, TypeError, KeyError):
        return None


def local_path(text: str) -> str:
    """An address on this server, or the first page: whoever signs in is led nowhere else."""
    parts = urlsplit(text)
    harmless = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable() and "\\" not in text
    return text if harmless and not parts.scheme and not parts.netloc else "/"
