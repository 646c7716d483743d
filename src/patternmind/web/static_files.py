"""Static files under a path that changes with their content, for caching."""

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
    """Return all files by name, read once; a requested name is never looked up on disk."""
    folder = files("patternmind.web").joinpath("static")
    by_name = {file.name: file for file in folder.iterdir() if file.is_file()} if folder.is_dir() else {}
    return {name: file.read_bytes() for name, file in sorted(by_name.items()) if _file_suffix(name) in MEDIA_TYPES}


def _file_suffix(name: str) -> str:
    return f".{name.rpartition('.')[2]}"


@cache
def assets_version() -> str:
    """Return a hash of all files."""
    digest = hashlib.sha256()
    for name, content in _file_contents().items():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]


def asset_url(name: str) -> str:
    """Return the URL path of a static file; templates call it as ``{{ asset("app.css") }}``."""
    return f"/static/{assets_version()}/{name}"


@router.get("/static/{digest}/{name}", name="read_static", dependencies=[allows_anonymous()])
async def read_static(digest: str, name: str) -> Response:
    """Return a static file.

    A path with another digest comes from an older page: it gets the current file, without caching.
    """
    if name not in _file_contents():
        raise NotFound("file", name)
    cache_control = IMMUTABLE_CACHE_CONTROL if digest == assets_version() else "no-store"
    media_type = MEDIA_TYPES[_file_suffix(name)]
    return Response(_file_contents()[name], media_type=media_type, headers={"cache-control": cache_control})
