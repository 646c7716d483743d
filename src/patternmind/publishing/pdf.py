"""Render HTML as PDF with WeasyPrint; the only module that imports weasyprint."""

from typing import Any, Never

from patternmind.errors import UsageError
from patternmind.publishing.document import Document
from patternmind.publishing.html import to_html

PANGO_MISSING = (
    "A PDF needs the Pango library: install libpango (Debian, Ubuntu: libpango-1.0-0 and libpangoft2-1.0-0), "
    "or write .html or .svg and print it from a browser."
)


def to_pdf(document: Document) -> bytes:
    """Return a tagged PDF (PDF/UA-1).

    Raises:
        UsageError: The native Pango libraries, or weasyprint itself, are missing.
    """
    return _load_weasyprint().HTML(string=to_html(document), url_fetcher=refuse_fetch).write_pdf(pdf_variant="pdf/ua-1")


def svg_to_pdf(svg: str, *, width: float, height: float) -> bytes:
    """Return a PDF with the drawing on one page of this size, in CSS pixels.

    Raises:
        UsageError: The native Pango libraries, or weasyprint itself, are missing.
    """
    page = f"@page {{ size: {width}px {height}px; margin: 0 }} body {{ margin: 0 }} svg {{ display: block }}"
    return _load_weasyprint().HTML(string=f"<style>{page}</style>{svg}", url_fetcher=refuse_fetch).write_pdf()


def _load_weasyprint() -> Any:
    try:
        import weasyprint  # 0.6 s, and it loads Pango
    except (ImportError, OSError) as error:
        raise UsageError(PANGO_MISSING) from error
    return weasyprint


def refuse_fetch(url: str, *_: object, **__: object) -> Never:
    """Refuse every request for an external resource."""
    raise ValueError(f"A document loads nothing: {url[:80]}")
