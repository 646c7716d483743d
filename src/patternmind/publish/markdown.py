"""A document as Markdown with YAML front matter."""

import json
import re
from collections.abc import Mapping

from patternmind.publish.document import (
    Block,
    Bullets,
    Contents,
    Document,
    Entry,
    Facts,
    FrontValue,
    Heading,
    Note,
    Numbered,
    Paragraph,
    Quote,
    plain,
    safe_link,
)

SPECIAL = re.compile(r"[\\`*_{}\[\]<>|~$&^]|(?<==)=|(?<=%)%|(?<=:):")
"""Characters that begin markup in CommonMark or in its usual extensions (tables, math, highlights, templates)."""

ADDRESS = re.compile(r"(?<=[A-Za-z]):(?=\S)|(?<=\w)\.(?=[^\W\d])|@(?=\w)")
"""Where readers make a link of a bare address: an escape in its middle keeps it text."""

LINE_START = re.compile(r"^(?:[#+\-=@:!%]|\d{1,9}(?=[.)](?:\s|$)))")
"""What begins a heading, a list, a rule, a formula or a directive, and only at the beginning of a line."""


def to_markdown(document: Document) -> str:
    """UTF-8 text; read back by a Markdown reader, every text is the plain text it was made from."""
    parts = [_front_matter({"title": document.title, "kind": document.kind, **document.front})]
    parts.append(f"# {escape(document.title)}")
    parts.extend(_block(block) for block in document.blocks)
    return "\n\n".join(part for part in parts if part) + "\n"


def escape(text: str) -> str:
    """Text that shows as itself wherever it stands in a Markdown line."""
    shown = SPECIAL.sub(r"\\\g<0>", plain(text))
    shown = ADDRESS.sub(r"\\\g<0>", shown)
    start = LINE_START.match(shown)
    if start is None:
        return shown
    at = start.end() if start.group()[0].isdigit() else 0
    return f"{shown[:at]}\\{shown[at:]}"


def _front_matter(values: Mapping[str, FrontValue]) -> str:
    lines = [f"{name}: {_yaml(value)}" for name, value in values.items()]
    return "\n".join(["---", *lines, "---"])


def _yaml(value: FrontValue) -> str:
    """JSON is YAML; quoted, a text is never taken for a number, a date or a key."""
    if isinstance(value, str):
        return json.dumps(plain(value), ensure_ascii=False)
    if isinstance(value, tuple):
        return json.dumps([plain(one) for one in value], ensure_ascii=False)
    return json.dumps(value)


def _block(block: Block) -> str:  # noqa: PLR0911 - a case for each block
    match block:
        case Heading():
            anchor = f'<a id="{block.anchor}"></a>\n\n' if block.anchor else ""
            return f"{anchor}{'#' * block.level} {escape(block.text)}"
        case Paragraph():
            return f"**{escape(block.text)}**" if block.lead else escape(block.text)
        case Bullets():
            return "\n".join(f"- {escape(item)}" for item in block.items)
        case Numbered():
            return "\n".join(f"{n}. {escape(item)}" for n, item in enumerate(block.items, 1))
        case Quote():
            return f"> {escape(block.text)}" + (f"\n>\n> — {_source(block)}" if block.source else "")
        case Facts():
            return "\n".join(f"- **{escape(label)}:** {escape(value)}" for label, value in block.rows)
        case Note():
            return f"**{escape(block.label)}.** {escape(block.text)}"
        case Contents():
            return "\n".join(f"- {_entry(entry)}" for entry in block.entries)


def _source(quote: Quote) -> str:
    link = safe_link(quote.link)
    return f"[{escape(quote.source)}](<{_target(link)}>)" if link else escape(quote.source)


def _target(link: str) -> str:
    return re.sub(r"[<>\\]", lambda found: f"%{ord(found.group()):02X}", link)


def _entry(entry: Entry) -> str:
    link = f"[{escape(entry.target)}](#{entry.anchor})"
    return f"{escape(entry.text)} → {link}" if entry.text else link
