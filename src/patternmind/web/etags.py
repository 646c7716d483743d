"""ETags of versions, and the ``If-Match`` header that compares them (RFC 9110)."""

import re
from typing import Annotated, Any, TypeVar

from fastapi import Header

from patternmind.errors import VersionConflict

Version = TypeVar("Version", int, str)

IfMatchHeader = Annotated[
    str | None,
    Header(max_length=200, description="ETag of the version you have read; without it, the current version is used."),
]

_ENTITY_TAG = re.compile(r'(W/)?("[^"]*")')


def format_etag(version: int | str) -> str:
    """Return a version as a strong ETag."""
    return f'"{version}"'


def expected_version(if_match: str | None, version: Version, *, kind: str, id: str) -> Version | None:
    """Return the version that the caller has read, None if the request accepts any version.

    Weak tags never match: ``If-Match`` uses the strong comparison.

    Args:
        if_match: the header of the request.
        version: the current version.
        kind: the kind of the changed object, for the error message.
        id: the id of the changed object, for the error message.

    Raises:
        VersionConflict: the header does not name the current version.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    strong_tags = [tag for weak_prefix, tag in _ENTITY_TAG.findall(if_match) if not weak_prefix]
    if format_etag(version) not in strong_tags:
        raise VersionConflict(kind, id)
    return version


def etag_headers(description: str) -> dict[str, Any]:
    """Return the OpenAPI description of a response's ETag."""
    return {"headers": {"ETag": {"description": description, "schema": {"type": "string"}}}}


def etag_responses(description: str, *, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI description of a response with an ETag."""
    return {status: etag_headers(description)}
