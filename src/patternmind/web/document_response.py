"""Documents as files to download, and as a page to print."""

from typing import Any, Literal

from fastapi import Response

from patternmind.publishing.document import Document
from patternmind.publishing.html import CONTENT_SECURITY_POLICY
from patternmind.publishing.render import render_document

DocumentFormat = Literal["json", "md", "html", "pdf", "docx"]
DownloadFormat = Literal["md", "html", "pdf", "docx"]

MEDIA_TYPES = {
    "md": "text/markdown; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}

FILE_CONTENT: dict[str, Any] = {
    media.partition(";")[0]: {"schema": {"type": "string"}} for media in MEDIA_TYPES.values()
}


def document_response(
    document: Document,
    format: str,
    *,
    status_code: int = 200,
    headers: dict[str, str] | None = None,
    as_attachment: bool = False,
) -> Response:
    """The document as a file; the HTML brings the policy that lets its one style sheet apply.

    Args:
        kept: HTML too is saved as a file and not shown.
    """
    shown = "inline" if format == "html" and not as_attachment else "attachment"
    named = {"content-disposition": f'{shown}; filename="{document.kind}.{format}"'}
    policy = (
        {"content-security-policy": f"{CONTENT_SECURITY_POLICY}; frame-ancestors 'none'"} if format == "html" else {}
    )
    body = render_document(document, f".{format}")
    return Response(body, status_code, {**(headers or {}), **named, **policy}, media_type=MEDIA_TYPES[format])
