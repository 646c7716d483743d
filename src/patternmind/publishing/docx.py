"""Render a document as a Word file; the only module that imports python-docx."""

import io
import unicodedata
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from patternmind.publishing.document import (
    Block,
    BulletList,
    ContentsList,
    Document,
    FactTable,
    Heading,
    Note,
    NumberedList,
    Paragraph,
    QuoteBlock,
    to_visible_line,
)

if TYPE_CHECKING:
    from docx.document import Document as WordDocument
    from docx.text.paragraph import Paragraph as WordParagraph

ACCENT_RGB = (0x17, 0x60, 0x5A)
MUTED_RGB = (0x56, 0x5E, 0x66)


def to_docx(document: Document) -> bytes:
    """Return an A4 Word file; headings, lists and quotes use Word's own styles, for outline and screen readers."""
    import docx  # 0.05 s

    word = docx.Document()
    _set_up_page(word, document)
    word.add_heading(to_visible_line(document.title), 0)
    for block in document.blocks:
        _add_block(word, block)
    for paragraph in _all_paragraphs(word):
        _set_direction(paragraph)
    buffer = io.BytesIO()
    word.save(buffer)
    return buffer.getvalue()


def _set_up_page(word: "WordDocument", document: Document) -> None:
    from docx.shared import Mm, Pt, RGBColor

    properties = word.core_properties
    properties.title, properties.author, properties.language = (
        to_visible_line(document.title),
        "patternmind",
        document.lang,
    )
    properties.comments = ""
    section = word.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(20)
    section.top_margin = section.bottom_margin = Mm(18)
    for name, size, after in (("Normal", 10, 4), ("Title", 20, 6), ("Heading 2", 13, 3), ("Heading 3", 10.5, 2)):
        style: Any = word.styles[name]
        style.font.size, style.paragraph_format.space_after = Pt(size), Pt(after)
        style.font.name = "Calibri"
        if name != "Normal":
            style.font.color.rgb = RGBColor(*ACCENT_RGB)


def _add_block(word: "WordDocument", block: Block) -> None:  # noqa: C901 - a case for each block
    match block:
        case Heading():
            word.add_heading(
                to_visible_line(block.text), block.level
            ).paragraph_format.page_break_before = block.starts_page
        case Paragraph():
            word.add_paragraph().add_run(to_visible_line(block.text)).bold = block.is_lead
        case BulletList():
            for item in block.items:
                word.add_paragraph(to_visible_line(item), "List Bullet")
        case NumberedList():
            _add_numbered(word, block)
        case QuoteBlock():
            _add_quote(word, block)
        case FactTable():
            _add_facts(word, block)
        case Note():
            _add_labelled(word.add_paragraph(), f"{block.label}.", block.text)
        case ContentsList():
            for entry in block.entries:
                text = f"{entry.text} → {entry.target}" if entry.text else entry.target
                word.add_paragraph(to_visible_line(text), "List Bullet")


def _add_labelled(paragraph: "WordParagraph", label: str, text: str) -> None:
    paragraph.add_run(f"{to_visible_line(label)} ").bold = True
    paragraph.add_run(to_visible_line(text))


def _add_quote(word: "WordDocument", quote: QuoteBlock) -> None:
    from docx.shared import Mm, Pt, RGBColor

    paragraph = word.add_paragraph(to_visible_line(quote.text), "Quote")
    paragraph.paragraph_format.left_indent, paragraph.paragraph_format.space_after = Mm(6), Pt(0)
    if not quote.source:
        return
    paragraph.paragraph_format.keep_with_next = True
    source = word.add_paragraph()
    source.paragraph_format.left_indent = Mm(6)
    run = source.add_run(f"— {to_visible_line(quote.source)}")
    run.font.size, run.font.color.rgb = Pt(9), RGBColor(*MUTED_RGB)


def _add_facts(word: "WordDocument", facts: FactTable) -> None:
    from docx.shared import Mm

    table = word.add_table(rows=0, cols=2, style="Table Grid")
    table.autofit = False
    for label, value in facts.rows:
        cells = table.add_row().cells
        for cell, width, text in zip(cells, (Mm(45), Mm(125)), (label, value), strict=True):
            cell.width = width
            cell.text = to_visible_line(text)
    word.add_paragraph()


def _add_numbered(word: "WordDocument", numbered: NumberedList) -> None:
    """Add a list that restarts at 1; Word would continue the numbering of the previous list."""
    number_id = _restart_numbering(word)
    for item in numbered.items:
        paragraph = word.add_paragraph(to_visible_line(item), "List Number")
        element: Any = paragraph.paragraph_format.element
        properties = element.get_or_add_pPr().get_or_add_numPr()
        properties.get_or_add_ilvl().val = 0
        properties.get_or_add_numId().val = number_id


def _restart_numbering(word: "WordDocument") -> int:
    numbering: Any = word.part.numbering_part.element
    style: Any = word.styles["List Number"].element
    used = style.pPr.numPr.numId.val
    fresh = numbering.add_num(numbering.num_having_numId(used).abstractNumId.val)
    fresh.add_lvlOverride(ilvl=0).add_startOverride(1)
    return fresh.numId


def _all_paragraphs(word: "WordDocument") -> "Iterator[WordParagraph]":
    yield from word.paragraphs
    for table in word.tables:
        for row in table.rows:
            for cell in row.cells:
                yield from cell.paragraphs


BIDI_SUCCESSORS = tuple(
    f"w:{name}"
    for name in (
        "adjustRightInd", "snapToGrid", "spacing", "ind", "contextualSpacing", "mirrorIndents", "suppressOverlap", "jc",
        "textDirection", "textAlignment", "textboxTightWrap", "outlineLvl", "divId", "cnfStyle", "rPr", "sectPr",
    )
)  # fmt: skip
"""Elements that must follow ``bidi`` in a paragraph's properties; Word reports any other order as damage."""


def _set_direction(paragraph: "WordParagraph") -> None:
    """Set right-to-left direction by the first letter, like HTML's ``dir=auto``."""
    import docx.oxml

    directions = (unicodedata.bidirectional(char) for char in paragraph.text)
    first = next((direction for direction in directions if direction in {"L", "R", "AL"}), "L")
    if first == "L":
        return
    element: Any = paragraph.paragraph_format.element
    oxml: Any = docx.oxml
    element.get_or_add_pPr().insert_element_before(oxml.OxmlElement("w:bidi"), *BIDI_SUCCESSORS)
    for run in paragraph.runs:
        run.font.rtl = True
