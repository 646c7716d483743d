"""Read Markdown: one item per file, or one per heading."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from patternmind.domain.case_fields import PLAIN_TEXT_FIELD, text_fields
from patternmind.domain.cases import CaseKind, RejectedRow
from patternmind.ingestion.decoding import read_text
from patternmind.ingestion.mapping import find_field
from patternmind.ingestion.rows import MAX_ROW_CHARS, Row

_MAX_FRONT_MATTER_CHARS = 64_000
_FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n(.*?)^(?:---|\.\.\.)[ \t]*\r?$\n?", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*?)[ \t#]*$")
_FENCE = re.compile(r" {0,3}(```|~~~)")
_BOLD_FIELD = re.compile(
    r"[ \t]*(?:[-*+][ \t]+)?(?:\*\*|__)([^*_:]{1,60}?)[ \t]*(?::[ \t]*(?:\*\*|__)|(?:\*\*|__)[ \t]*:)(.*)$"
)


@dataclass(slots=True)
class _Section:
    """A heading and the lines under it; level 0 for the lines before the first heading."""

    level: int
    name: str
    lines: list[str] = field(default_factory=list[str])


def read_markdown(path: Path) -> Iterator[Row | RejectedRow]:
    """Read the items of a Markdown file, counted from 1.

    Each section of a heading level is an item if all of them have fields: ``### Problem`` headings one level down, or
    lines ``**Problem:** ...``, with any known name. Level 2 is tried first, then level 1. Otherwise the whole file is
    one item: the first heading (or the file name) is its title, the rest its text.

    Front matter (YAML) adds fields to every item, but its id only to a single item. Text outside all fields becomes
    the item's ``text``, or its ``context`` if the item has a problem field. Text before the first item becomes the
    field ``introduction`` of each item.
    """
    text = read_text(path, limit=MAX_ROW_CHARS, remedy="Use one file per case, or a CSV with one row per case.")
    text = text.replace("\r\n", "\n")
    matter, body = _split_front_matter(text)
    if isinstance(matter, str):
        yield RejectedRow(file=str(path), row=1, errors=(matter,))
        return
    if not body.strip() and not matter:
        return
    items = _find_items(body) or [_whole_file_item(body, path)]
    if len(items) > 1:
        matter.pop("id", None)
    for number, item in enumerate(items, start=1):
        yield Row(file=str(path), row=number, values={**item, **matter} if len(items) == 1 else {**matter, **item})


def _split_front_matter(text: str) -> tuple[dict[str, object] | str, str]:
    """Return the front matter, or its error, and the text below it."""
    match = _FRONT_MATTER.match(text)
    if match is None:
        return {}, text
    if len(match[1]) > _MAX_FRONT_MATTER_CHARS:
        return "the front matter is longer than 64,000 characters", text
    return _parse_yaml(match[1]), text[match.end() :]


def _parse_yaml(text: str) -> dict[str, object] | str:
    import yaml

    try:
        document = _plain_loader()(text).get_single_data()
    except (yaml.YAMLError, RecursionError):
        return "the front matter is not plain YAML of the form name: value"
    if not isinstance(document, dict):
        return "the front matter is not plain YAML of the form name: value"
    return {str(name): value for name, value in cast(dict[object, object], document).items()}


@lru_cache(maxsize=1)
def _plain_loader() -> Any:
    """Return a YAML loader that reads every scalar as text.

    safe_load would turn the region NO into false. Aliases are refused, because they can expand to any size.
    """
    import yaml

    class PlainLoader(yaml.BaseLoader):
        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                raise yaml.YAMLError("aliases are not allowed")
            return super().compose_node(parent, index)

    return PlainLoader


def _find_items(body: str) -> list[dict[str, object]]:
    for level in (2, 1):
        before, sections = _split_at(body, level)
        is_one_of_title = level == 2 and len(sections) == 1 and _split_at(body, 1)[1]
        items = [item for section in sections if (item := _read_fields(section, level + 1))]
        named_by_field = any(_is_text_field(section.name) for section in sections)
        if items and len(items) == len(sections) and not named_by_field and not is_one_of_title:
            introduction = {"introduction": before.strip()} if before.strip() else {}
            return [{**introduction, **item} for item in items]
    return []


def _split_at(body: str, level: int) -> tuple[str, list[_Section]]:
    """Return the text before the first heading of a level, and its sections."""
    sections = [_Section(0, "")]
    fence = ""
    for line in body.split("\n"):
        mark = _FENCE.match(line)
        if mark and fence in {"", mark[1]}:
            fence = "" if fence else mark[1]
        heading = None if fence else _HEADING.match(line)
        if heading and len(heading[1]) == level:
            sections.append(_Section(level, heading[2].strip()))
        else:
            sections[-1].lines.append(line)
    return "\n".join(sections[0].lines), sections[1:]


def _read_fields(section: _Section, level: int) -> dict[str, object] | None:
    """Return a section as an item, its heading as title; None if it has no known field."""
    loose, parts = _split_at("\n".join(section.lines), level)
    fields: dict[str, list[str]] = {}
    rest = _read_bold_fields(loose, fields)
    for part in parts:
        text = "\n".join(part.lines)
        if _is_text_field(part.name):
            fields.setdefault(part.name, []).append(text)
        else:
            rest += f"\n{'#' * level} {part.name}\n" + _read_bold_fields(text, fields)
    if not fields:
        return None
    item: dict[str, object] = {name: "\n".join(texts).strip() for name, texts in fields.items()}
    spare = (
        "context"
        if any(find_field(name, CaseKind.CASE) == PLAIN_TEXT_FIELD[CaseKind.CASE] for name in item)
        else "text"
    )
    if rest.strip() and spare not in item:
        item[spare] = rest.strip()
    elif rest.strip():
        item["other text"] = rest.strip()
    return {"title": section.name, **item}


def _read_bold_fields(text: str, fields: dict[str, list[str]]) -> str:
    """Move the ``**Name:** value`` parts into ``fields``, and return the text before the first."""
    rest: list[str] = []
    target = rest
    for line in text.split("\n"):
        bold = _BOLD_FIELD.match(line)
        if bold and _is_known_field(bold[1]):
            target = fields.setdefault(bold[1].strip(), [])
            target.append(bold[2].strip())
        else:
            target.append(line)
    return "\n".join(rest)


def _is_known_field(name: str) -> bool:
    return any(find_field(name, kind) for kind in CaseKind)


def _is_text_field(name: str) -> bool:
    """Return whether a heading names a text field. Facts and titles do not count: "Impact" may be pages long."""
    return any(find_field(name, kind) in text_fields(kind)[1:] for kind in CaseKind)


def _whole_file_item(body: str, path: Path) -> dict[str, object]:
    lines = body.split("\n")
    first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    heading = _HEADING.match(lines[first])
    if heading:
        return {"title": heading[2].strip(), "text": "\n".join(lines[first + 1 :]).strip()}
    inside = next((match for line in lines if (match := _HEADING.match(line))), None)
    name = path.name.removesuffix(".gz").rsplit(".", 1)[0]
    return {"title": inside[2].strip() if inside else name, "text": body.strip()}
