"""Document blocks as plain dictionaries for templates."""

from collections.abc import Mapping
from typing import Any

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

KINDS: Mapping[type[Block], str] = {
    Heading: "heading",
    Paragraph: "paragraph",
    BulletList: "bullets",
    NumberedList: "numbered",
    QuoteBlock: "quote",
    FactTable: "facts",
    Note: "note",
    ContentsList: "contents",
}
"""The ``kind`` of each block class in templates."""


def block_views(document: Document) -> list[dict[str, Any]]:
    return [{"kind": KINDS[type(block)], **_block_view(block)} for block in document.blocks]


def _block_view(block: Block) -> dict[str, Any]:
    if isinstance(block, FactTable):
        return {"rows": [(to_visible_line(name), to_visible_line(value)) for name, value in block.rows]}
    if isinstance(block, BulletList | NumberedList):
        return {"points": [to_visible_line(item) for item in block.items]}
    if isinstance(block, ContentsList):
        return {"label": block.label}
    values = {name: getattr(block, name) for name in block.__slots__}
    return {name: to_visible_line(value) if isinstance(value, str) else value for name, value in values.items()}
