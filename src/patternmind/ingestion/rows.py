"""One row of a file before anybody asked what it means."""

from collections.abc import Mapping
from dataclasses import dataclass

MAX_ROW_CHARS = 10_000_000
"""A row longer than this is rejected unread: fifty times the longest field that is accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Column names to values as the format gives them: text, numbers, or (JSON) nested values.

    ``row`` is where a person finds it: the line of JSONL and CSV, the sheet row of XLSX, else the item, all from 1.
    """

    file: str
    row: int
    values: Mapping[str, object]


def name_columns(cells: list[str]) -> tuple[str, ...]:
    """Column names that are never empty and never alike, so that no cell of a row can overwrite another."""
    names: dict[str, None] = {}
    for position, cell in enumerate(cells, start=1):
        name = cell.strip() or f"column {position}"
        names[f"{name} (column {position})" if name in names else name] = None
    return tuple(names)
