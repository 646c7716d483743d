"""Forms that only our own pages can send.

The guard turns away what a browser says comes from another site. Beside that every form holds a token that only a page
of the same session, in the same network, was given.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends
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
    session = (caller.session if caller else None) or ""
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
    expected = form_token(request.app.state.rooms.house, request.state.caller)
    if not hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode()):
        raise Declined(FORM_REFUSED, "This page was left open over a sign-in. Go back, reload it, and send it again.")


async def form_values(request: Request) -> dict[str, str]:
    """The fields of the form that was sent, the last of each name; files are left out."""
    form = await request.form(max_fields=MOST_FIELDS, max_files=MOST_FILES)
    return {name: value for name, value in form.multi_items() if isinstance(value, str)}


TheForm = Annotated[Mapping[str, str], Depends(form_values)]
