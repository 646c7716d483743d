"""Render a document as Markdown with YAML front matter."""

import json
import re
from collections.abc import Mapping

from patternmind.publishing.document import (
    Block,
    BulletList,
    ContentsEntry,
    ContentsList,
    Document,
    FactTable,
    FrontMatterValue,
    Heading,
    Note,
    NumberedList,
    Paragraph,
    QuoteBlock,
    safe_link,
    to_visible_line,
)

SPECIAL_CHARS = re.compile(r"[\\`*_{}\[\]<>|~$&^]|(?<==)=|(?<=%)%|(?<=:):")
"""Characters that start markup in CommonMark and its extensions (tables, math, highlights, templates)."""

ADDRESS_PATTERN = re.compile(r"(?<=[A-Za-z]):(?=\S)|(?<=\w)\.(?=[^\W\d])|@(?=\w)")
"""Positions inside a bare address; an escape there stops readers from turning it into a link."""

LINE_START_PATTERN = re.compile(r"^(?:[#+\-=@:!%]|\d{1,9}(?=[.)](?:\s|$)))")
"""Markup that counts only at the start of a line: headings, lists, rules, formulas, directives."""


def to_markdown(document: Document) -> str:
    """Return Markdown that a reader converts back to the plain texts of the document."""
    parts = [_front_matter({"title": document.title, "kind": document.kind, **document.front_matter})]
    parts.append(f"# {escape_markdown(document.title)}")
    parts.extend(_block(block) for block in document.blocks)
    return "\n\n".join(part for part in parts if part) + "\n"


def escape_markdown(text: str) -> str:
    """Escape a text so that it appears unchanged anywhere in a Markdown line."""
    escaped = SPECIAL_CHARS.sub(r"\\\g<0>", to_visible_line(text))
    escaped = ADDRESS_PATTERN.sub(r"\\\g<0>", escaped)
    start = LINE_START_PATTERN.match(escaped)
    if start is None:
        return escaped
    position = start.end() if start.group()[0].isdigit() else 0
    return f"{escaped[:position]}\\{escaped[position:]}"


def _front_matter(values: Mapping[str, FrontMatterValue]) -> str:
    lines = [f"{name}: {_yaml_value(value)}" for name, value in values.items()]
    return "\n".join(["---", *lines, "---"])


def _yaml_value(value: FrontMatterValue) -> str:
    """Return the value as JSON, which is valid YAML; a quoted text is never read as a number or a date."""
    if isinstance(value, str):
        return json.dumps(to_visible_line(value), ensure_ascii=False)
    if isinstance(value, tuple):
        return json.dumps([to_visible_line(item) for item in value], ensure_ascii=False)
    return json.dumps(value)


def _block(block: Block) -> str:  # noqa: PLR0911 - a case for each block
    match block:
        case Heading():
            anchor = f'<a id="{block.anchor}"></a>\n\n' if block.anchor else ""
            return f"{anchor}{'#' * block.level} {escape_markdown(block.text)}"
        case Paragraph():
            return f"**{escape_markdown(block.text)}**" if block.is_lead else escape_markdown(block.text)
        case BulletList():
            return "\n".join(f"- {escape_markdown(item)}" for item in block.items)
        case NumberedList():
            return "\n".join(f"{n}. {escape_markdown(item)}" for n, item in enumerate(block.items, 1))
        case QuoteBlock():
            return f"> {escape_markdown(block.text)}" + (f"\n>\n> — {_quote_source(block)}" if block.source else "")
        case FactTable():
            return "\n".join(f"- **{escape_markdown(label)}:** {escape_markdown(value)}" for label, value in block.rows)
        case Note():
            return f"**{escape_markdown(block.label)}.** {escape_markdown(block.text)}"
        case ContentsList():
            return "\n".join(f"- {_entry(entry)}" for entry in block.entries)


def _quote_source(quote: QuoteBlock) -> str:
    link = safe_link(quote.link)
    return f"[{escape_markdown(quote.source)}](<{_link_target(link)}>)" if link else escape_markdown(quote.source)


def _link_target(link: str) -> str:
    return re.sub(r"[<>\\]", lambda match: f"%{ord(match.group()):02X}", link)


def _entry(entry: ContentsEntry) -> str:
    link = f"[{escape_markdown(entry.target)}](#{entry.anchor})"
    return f"{escape_markdown(entry.text)} → {link}" if entry.text else link
