"""A drawing as PNG: WeasyPrint lays it on a page, so that any script finds its letters, and PDFium paints the page.

The one owner of pypdfium2.
"""

import io
from typing import Any

from patternmind.publishing.pdf import svg_to_pdf

PIXELS_PER_UNIT = 2
"""Pixels for a unit of the drawing: sharp on paper and on fine screens."""

POINTS_PER_UNIT = 0.75


def to_png(svg: str, *, width: float, height: float) -> bytes:
    """The picture of an SVG drawing of this size, twice as many pixels each way.

    Raises:
        UsageError: the native Pango libraries are missing.
    """
    import pypdfium2  # 0.1 s

    painter: Any = pypdfium2
    document = painter.PdfDocument(svg_to_pdf(svg, width=width, height=height))
    try:
        picture = document[0].render(scale=PIXELS_PER_UNIT / POINTS_PER_UNIT).to_pil()
        written = io.BytesIO()
        picture.save(written, "PNG", optimize=True)
        return written.getvalue()
    finally:
        document.close()
