"""Render an SVG drawing as PNG; the only module that imports pypdfium2.

WeasyPrint converts the drawing to PDF, with fonts for any script, and PDFium renders the page.
"""

import io
from typing import Any

from patternmind.publishing.pdf import svg_to_pdf

PIXELS_PER_UNIT = 2
"""Pixels per unit of the drawing, sharp in print and on high-resolution screens."""

POINTS_PER_UNIT = 0.75


def to_png(svg: str, *, width: float, height: float) -> bytes:
    """Return a PNG of an SVG drawing, with twice as many pixels in each direction.

    Raises:
        UsageError: The native Pango libraries are missing.
    """
    import pypdfium2  # 0.1 s

    pdfium: Any = pypdfium2
    document = pdfium.PdfDocument(svg_to_pdf(svg, width=width, height=height))
    try:
        image = document[0].render(scale=PIXELS_PER_UNIT / POINTS_PER_UNIT).to_pil()
        buffer = io.BytesIO()
        image.save(buffer, "PNG", optimize=True)
        return buffer.getvalue()
    finally:
        document.close()
