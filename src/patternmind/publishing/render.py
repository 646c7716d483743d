"""Render a document in the format of a file suffix."""

from collections.abc import Callable, Mapping

from patternmind.errors import UsageError
from patternmind.publishing.document import Document
from patternmind.publishing.docx import to_docx
from patternmind.publishing.html import to_html
from patternmind.publishing.markdown import to_markdown
from patternmind.publishing.pdf import to_pdf

RENDERERS: Mapping[str, Callable[[Document], bytes]] = {
    ".md": lambda document: to_markdown(document).encode(),
    ".html": lambda document: to_html(document).encode(),
    ".pdf": to_pdf,
    ".docx": to_docx,
}


def render_document(document: Document, suffix: str) -> bytes:
    """Return the content of a file with this suffix.

    Raises:
        UsageError: The format is not supported, or the libraries for a PDF are missing.
    """
    normalized = f".{suffix.casefold().lstrip('.')}"
    if normalized not in RENDERERS:
        raise UsageError(f'A document cannot be written as "{suffix}". Choose {", ".join(RENDERERS)}.')
    return RENDERERS[normalized](document)
