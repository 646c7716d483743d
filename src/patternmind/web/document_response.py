"""Documents as file downloads and as printable pages."""

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
    """Return a document as a file; HTML sets the content security policy that allows its style sheet.

    Args:
        as_attachment: download HTML too, instead of showing it.
    """
    disposition = "inline" if format == "html" and not as_attachment else "attachment"
    filename_header = {"content-disposition": f'{disposition}; filename="{document.kind}.{format}"'}
    policy_header = (
        {"content-security-policy": f"{CONTENT_SECURITY_POLICY}; frame-ancestors 'none'"} if format == "html" else {}
    )
    body = render_document(document, f".{format}")
    all_headers = {**(headers or {}), **filename_header, **policy_header}
    return Response(body, status_code, all_headers, media_type=MEDIA_TYPES[format])
