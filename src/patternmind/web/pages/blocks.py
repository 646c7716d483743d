"""A document's blocks as a template reads them: plain words, and which kind of block each is."""

from typing import Any

from patternmind.publish.document import Block, Bullets, Contents, Document, Facts, Numbered, plain


def shown_blocks(document: Document) -> list[dict[str, Any]]:
    return [{"kind": type(block).__name__.casefold(), **_shown(block)} for block in document.blocks]


def _shown(block: Block) -> dict[str, Any]:
    if isinstance(block, Facts):
        return {"rows": [(plain(name), plain(value)) for name, value in block.rows]}
    if isinstance(block, Bullets | Numbered):
        return {"points": [plain(item) for item in block.items]}
    if isinstance(block, Contents):
        return {"label": block.label}
    values = {name: getattr(block, name) for name in block.__slots__}
    return {name: plain(value) if isinstance(value, str) else value for name, value in values.items()}
