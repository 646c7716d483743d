"""A document in the format that a file's name asks for."""

from collections.abc import Callable, Mapping

from patternmind.errors import UsageError
from patternmind.publish.document import Document
from patternmind.publish.docx import to_docx
from patternmind.publish.html import to_html
from patternmind.publish.markdown import to_markdown
from patternmind.publish.pdf import to_pdf

FORMATS: Mapping[str, Callable[[Document], bytes]] = {
    ".md": lambda document: to_markdown(document).encode(),
    ".html": lambda document: to_html(document).encode(),
    ".pdf": to_pdf,
    ".docx": to_docx,
}


def render(document: Document, suffix: str) -> bytes:
    """The content of a file with this suffix.

    Raises:
        UsageError: there is no such format, or the libraries for a PDF are missing.
    """
    wanted = f".{suffix.casefold().lstrip('.')}"
    if wanted not in FORMATS:
        raise UsageError(f'A document cannot be written as "{suffix}". Choose {", ".join(FORMATS)}.')
    return FORMATS[wanted](document)
