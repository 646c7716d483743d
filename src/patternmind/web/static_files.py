"""Style sheet and script, under an address that changes with their content, so that a browser may keep them."""

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from fastapi import APIRouter
from starlette.responses import Response

from patternmind.errors import NotFound
from patternmind.web.permissions import allows_anonymous

router = APIRouter(include_in_schema=False)

MEDIA_TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
}

IMMUTABLE_CACHE_CONTROL = "public, max-age=31536000, immutable"


@cache
def _file_contents() -> Mapping[str, bytes]:
    """The files by name, read once: what is asked for is looked up here and never on the disk."""
    folder = files("patternmind.web").joinpath("static")
    found = {one.name: one for one in folder.iterdir() if one.is_file()} if folder.is_dir() else {}
    return {name: one.read_bytes() for name, one in sorted(found.items()) if _file_suffix(name) in MEDIA_TYPES}


def _file_suffix(name: str) -> str:
    return f".{name.rpartition('.')[2]}"


@cache
def assets_version() -> str:
    """Names the content of all files together."""
    digest = hashlib.sha256()
    for name, content in _file_contents().items():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]


def asset_url(name: str) -> str:
    """The address of a static file; templates say ``{{ asset("app.css") }}``."""
    return f"/static/{assets_version()}/{name}"


@router.get("/static/{digest}/{name}", name="read_static", dependencies=[allows_anonymous()])
async def read_static(digest: str, name: str) -> Response:
    """One file. An address with another digest is that of an older page, and gets the file as it is now, not kept."""
    if name not in _file_contents():
        raise NotFound("file", name)
    kept = IMMUTABLE_CACHE_CONTROL if digest == assets_version() else "no-store"
    return Response(_file_contents()[name], media_type=MEDIA_TYPES[_file_suffix(name)], headers={"cache-control": kept})
