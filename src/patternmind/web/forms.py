"""Forms that only our own pages can send.

The guard turns away what a browser says comes from another site. Beside that every form holds a token that only a page
of the same session, in the same network, was given.
"""

import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.requests import Request

from patternmind.web.guard import SAFE_METHODS
from patternmind.web.problems import FORM_REFUSED, Declined

if TYPE_CHECKING:
    from patternmind.bootstrap import House
    from patternmind.web.auth import Caller

FIELD = "form_token"
HEADER = "x-form-token"
"""For what a script of ours sends; the page holds the token in ``<meta name="form-token">``."""

MOST_FIELDS = 300
MOST_FILES = 5

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def form_token(house: "House", caller: "Caller | None") -> str:
    """What the forms of this caller hold: the same for a session in a network, and no other."""
    session = caller.session.sha256 if caller and caller.session else ""
    network_id = caller.network_id if caller else ""
    return hmac.new(house.store.secret(), f"form\0{session}\0{network_id}".encode(), hashlib.sha256).hexdigest()


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


async def kept_form(request: Request) -> str | None:
    """What a form held that could not be taken, as text for a hidden field; None where there was none.

    Files are left out: a browser gives them again only when a person chooses them again.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if request.method in SAFE_METHODS or kind not in FORMS:
        return None
    form = await request.form(max_fields=MOST_FIELDS, max_files=MOST_FILES)
    pairs = [(name, value) for name, value in form.multi_items() if isinstance(value, str) and name != FIELD]
    return json.dumps(pairs)


def read_kept(kept: str) -> list[tuple[str, str]]:
    """The fields of a form that was kept; none where it is not one that we wrote."""
    try:
        pairs: Any = json.loads(kept)
        return [(str(name), str(value)) for name, value in pairs if name != FIELD][:MOST_FIELDS]
    except (ValueError, TypeError):
        return []


def local_path(text: str) -> str:
    """An address on this server, or the first page: whoever signs in is led nowhere else."""
    parts = urlsplit(text)
    harmless = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable() and "\\" not in text
    return text if harmless and not parts.scheme and not parts.netloc else "/"
