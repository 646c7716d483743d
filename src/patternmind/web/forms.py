"""Form tokens, form parsing and saved form values.

``SecurityMiddleware`` rejects requests that a browser marks as cross-site. In addition, every form holds a token that
is valid only for the same session in the same network.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from fastapi import Depends
from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData
from starlette.requests import Request

from patternmind.bootstrap import AppContext
from patternmind.web.caller import Caller
from patternmind.web.middleware import SAFE_METHODS
from patternmind.web.problems import FORM_REFUSED, HTTPProblem

TOKEN_FIELD = "form_token"  # noqa: S105 - the name of a form field
REPLAY_KEY_FIELD = "form_key"
OWN_FIELDS = frozenset({TOKEN_FIELD, REPLAY_KEY_FIELD})
"""Fields of every form that say nothing about what the person entered."""

TOKEN_HEADER = "x-form-token"  # noqa: S105 - the name of a header
"""Header for our scripts; they read the token from ``<meta name="form-token">``."""

Missing = TypeVar("Missing", int, None)

MAX_KEY_LENGTH = 40
MAX_FIELDS = 300
MAX_FILES = 5

FORM_MEDIA_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


def form_token(ctx: AppContext, caller: Caller | None) -> str:
    """Return the token of the caller's forms; it is unique to the session and network."""
    session = caller.session.sha256 if caller and caller.session else ""
    network_id = caller.network_id if caller else ""
    return _keyed_hash(ctx, f"form\0{session}\0{network_id}")


def autosave_namespace(ctx: AppContext, caller: Caller | None) -> str:
    """Return the per-member key for locally saved form drafts; empty for anonymous callers."""
    member_id = caller.member.id if caller and caller.member else ""
    if not member_id:
        return ""
    return _keyed_hash(ctx, f"shelf\0{member_id}")[:12]


def _keyed_hash(ctx: AppContext, text: str) -> str:
    return hmac.new(ctx.store.network.contributor_secret(), text.encode(), hashlib.sha256).hexdigest()


async def verify_form_token(request: Request) -> None:
    """Check the form token of a request; safe methods need none.

    Raises:
        HTTPProblem: the token is missing, or belongs to another session or network.
    """
    if request.method in SAFE_METHODS:
        return
    token = request.headers.get(TOKEN_HEADER, "")
    if not token and _is_form_submission(request):
        token = str((await form_data(request)).get(TOKEN_FIELD, ""))
    ctx, caller = request.app.state.shared.ctx, request.state.caller
    valid_tokens = [form_token(ctx, caller)]
    if request.state.permission.action is None:  # the page was opened before the user signed in in another window
        valid_tokens.append(form_token(ctx, None))
    if not any(hmac.compare_digest(token.encode("utf-8", "replace"), valid.encode()) for valid in valid_tokens):
        raise HTTPProblem(
            FORM_REFUSED, "You signed in or out after this page was opened. Go back, reload it and submit again."
        )


async def form_data(request: Request) -> FormData:
    """Return the submitted form; Starlette caches it."""
    return await request.form(max_fields=MAX_FIELDS, max_files=MAX_FILES)


FormDataDep = Annotated[FormData, Depends(form_data)]


async def form_values(request: Request) -> dict[str, str]:
    """Return the text fields of the submitted form, the last value of each name."""
    form = await form_data(request)
    return {name: value for name, value in form.multi_items() if isinstance(value, str)}


FormValuesDep = Annotated[Mapping[str, str], Depends(form_values)]


async def form_fingerprint(request: Request) -> str | None:
    """Return a hash of the rendered form and its values; None if the request is not a page's form.

    Repeating a submission, by a second click or by going back, gives the same hash.
    """
    if not _is_form_submission(request):
        return None
    form = await form_data(request)
    key = form.get(REPLAY_KEY_FIELD)
    if not isinstance(key, str) or not 0 < len(key) <= MAX_KEY_LENGTH:
        return None
    values = [
        [name, value] if isinstance(value, str) else [name, value.filename, value.size]
        for name, value in form.multi_items()
    ]
    return hashlib.sha256(json.dumps([request.url.path, values]).encode()).hexdigest()


def _is_form_submission(request: Request) -> bool:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip()
    return request.method not in SAFE_METHODS and media_type in FORM_MEDIA_TYPES


class SavedForm(BaseModel):
    """The values of a rejected form: its text fields, and the names of its file fields."""

    fields: list[tuple[str, str]]
    files: list[str]


async def serialize_form(request: Request) -> str | None:
    """Return the values of a rejected form as text for a hidden field; None if the request is not a form.

    Files are left out: a browser sends them only after the person chooses them again.
    """
    if not _is_form_submission(request):
        return None
    values = (await form_data(request)).multi_items()
    fields = [(name, value) for name, value in values if isinstance(value, str) and name not in OWN_FIELDS]
    files = dict.fromkeys(name for name, value in values if not isinstance(value, str))
    return SavedForm(fields=fields, files=list(files)).model_dump_json()


def parse_saved_form(serialized: str) -> SavedForm | None:
    """Parse the text of ``serialize_form``; None if it is invalid."""
    try:
        saved = SavedForm.model_validate_json(serialized)
    except ValidationError:
        return None
    fields = [(name, value) for name, value in saved.fields if name not in OWN_FIELDS]
    return SavedForm(fields=fields[:MAX_FIELDS], files=saved.files[:MAX_FILES])


def safe_redirect_path(text: str) -> str:
    """Return the path if it is on this server, else "/".

    A sign-in must never redirect to another site.
    """
    parts = urlsplit(text)
    is_local = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable() and "\\" not in text
    return text if is_local and not parts.scheme and not parts.netloc else "/"


def form_version(form: Mapping[str, Any], missing: Missing = None) -> int | Missing:
    """Return the version that the form was rendered for; ``missing`` if it names none."""
    version = str(form.get("version", ""))
    return int(version) if version.isascii() and version.isdigit() and len(version) < 10 else missing
