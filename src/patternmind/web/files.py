"""Documents as files to download, and as a page to print."""

from typing import Any, Literal

from fastapi import Response

from patternmind.publish.document import Document
from patternmind.publish.html import POLICY
from patternmind.publish.render import render

Format = Literal["json", "md", "html", "pdf", "docx"]
FileFormat = Literal["md", "html", "pdf", "docx"]

MEDIA_TYPES = {
    "md": "text/markdown; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}

FILES: dict[str, Any] = {media.partition(";")[0]: {"schema": {"type": "string"}} for media in MEDIA_TYPES.values()}


def as_file(
    document: Document,
    format: str,
    *,
    status_code: int = 200,
    headers: dict[str, str] | None = None,
    kept: bool = False,
) -> Response:
    """The document as a file; the HTML brings the policy that lets its one style sheet apply.

    Args:
        kept: HTML too is saved as a file and not shown.
    """
    shown = "inline" if format == "html" and not kept else "attachment"
    named = {"content-disposition": f'{shown}; filename="{document.kind}.{format}"'}
    policy = {"content-security-policy": f"{POLICY}; frame-ancestors 'none'"} if format == "html" else {}
    body = render(document, f".{format}")
    return Response(body, status_code, {**(headers or {}), **named, **policy}, media_type=MEDIA_TYPES[format])
