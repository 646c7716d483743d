"""Rows as read from a file, before validation."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

MAX_ROW_CHARS = 10_000_000
"""Longest row that is read: fifty times the longest accepted field."""
INVALID_CHARS = re.compile("[\0\ud800-\udfff]")
"""NUL, and surrogates: what is left of bytes that are not text."""
_MAX_SHORTENED_CHARS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Values by column name as the format gives them: text, numbers or (JSON) nested values.

    ``row`` is the number a person would look for, counted from 1: the line in JSON Lines and CSV, the sheet row in
    XLSX, else the item.
    """

    file: str
    row: int
    values: Mapping[str, object]


def name_columns(cells: list[str]) -> tuple[str, ...]:
    """Return unique, non-empty column names, so that no cell overwrites another."""
    names: dict[str, None] = {}
    for position, cell in enumerate(cells, start=1):
        name = cell.strip() or f"column {position}"
        names[f"{name} (column {position})" if name in names else name] = None
    return tuple(names)


def shorten(text: str) -> str:
    """Return at most 40 characters of a value on one line, for messages."""
    line = " ".join(INVALID_CHARS.sub("?", text).split())
    return line if len(line) <= _MAX_SHORTENED_CHARS else f"{line[: _MAX_SHORTENED_CHARS - 1]}…"


def header_hint(header_row: int, first_name: str) -> str:
    """Return a remedy for wide rows, often caused by a title line above the header."""
    return f'check whether row {header_row} ("{shorten(first_name)}") is really the header'
