"""A file looked at before it is taken in: its columns and what they are taken for, its rows as they would be read."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from patternmind.errors import UnknownColumn
from patternmind.intake.cases import make_case
from patternmind.intake.checks import to_submission
from patternmind.intake.fields import (
    BESIDE,
    TO_MEND,
    FieldMap,
    as_text,
    find_column,
    harmless,
    known_field,
    mappable_fields,
    parse_mapping,
)
from patternmind.intake.readers import read_rows
from patternmind.intake.redaction import Roster, redact
from patternmind.intake.rows import Row
from patternmind.model.cases import Case, Kind, RejectedRow, Submission
from patternmind.ports import Store

ROWS_SHOWN = 8
ROWS_LOOKED_AT = 200
"""Columns and examples are read off the first rows; every row is checked all the same."""
MOST_COLUMNS = 200
LONGEST_EXAMPLE = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnSeen:
    """A column of the file: the field it is taken for, None where it is kept beside and never compared.

    ``example`` is redacted; ``guessed`` says that the name of the column decided, not a person.
    """

    name: str
    field: str | None
    guessed: bool
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSeen:
    """A file as it would be taken in. ``rows`` are its first good ones, redacted; ``fields`` what columns can be."""

    columns: tuple[ColumnSeen, ...]
    rows: tuple[Case, ...]
    fields: tuple[str, ...]


def look_into(store: Store, path: Path, *, kind: Kind, mapping: Sequence[str] = ()) -> FileSeen:
    """The columns of a file and its first rows; nothing is stored.

    Raises:
        UnreadableFile, UnknownColumn, UsageError
    """
    fields = parse_mapping(mapping, kind)
    roster = Roster.of(store.roster())
    first = [row for row in islice(read_rows(path), ROWS_LOOKED_AT) if isinstance(row, Row)]
    if len(first) < ROWS_LOOKED_AT:  # all of it was seen; else the check of the whole file says so
        _check_columns(first, fields)
    return FileSeen(
        columns=tuple(_columns(first, fields, kind, roster)),
        rows=tuple(islice(_as_read(store, first, fields, kind, roster), ROWS_SHOWN)),
        fields=mappable_fields(kind),
    )


def _check_columns(rows: Sequence[Row], mapping: FieldMap) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row.values))
    missing = [column for column in mapping.values() if find_column(column, names) is None]
    if missing:
        raise UnknownColumn(missing[0], "column", names[:MOST_COLUMNS])


def _columns(rows: Sequence[Row], mapping: FieldMap, kind: Kind, roster: Roster) -> Iterator[ColumnSeen]:
    named = {column: field for field, column in mapping.items()}
    examples: dict[str, str] = {}
    for row in rows:
        for name, value in row.values.items():
            if not examples.get(name) and not name.startswith(TO_MEND):
                examples[name] = as_text(value)[: 4 * LONGEST_EXAMPLE] if value is not None else ""
    for name, example in islice(examples.items(), MOST_COLUMNS):
        guess = known_field(name, kind)
        field = named.get(name) or (guess if guess not in mapping else None)
        shown = "" if field == "submitter" else " ".join(redact(example, roster).text.split())
        yield ColumnSeen(
            name=name,
            field=field,
            guessed=name not in named,
            example=shown if len(shown) <= LONGEST_EXAMPLE else f"{shown[: LONGEST_EXAMPLE - 2]} …",
        )


def _as_read(store: Store, rows: Sequence[Row], mapping: FieldMap, kind: Kind, roster: Roster) -> Iterator[Case]:
    network, secret = store.network, store.secret()
    for row in rows:
        taken = to_submission(row, mapping=mapping, kind=kind)
        if isinstance(taken, Submission):
            yield make_case(taken, roster=roster, network_id=network.id, secret=secret)[0]


def mapping_of(chosen: Mapping[str, str], kind: Kind) -> tuple[str, ...]:
    """FIELD=COLUMN pairs of what was chosen for each column; one that its name says already is in none."""
    return tuple(
        f"{field or BESIDE}={column}" for column, field in chosen.items() if field != (known_field(column, kind) or "")
    )


def rejected_as_csv(path: Path, rejected: Sequence[RejectedRow]) -> str:
    """The rejected rows as a file to mend and hand in again: their number, what is wrong, and all their columns.

    A cell that a spreadsheet would calculate begins with an apostrophe.
    """
    wrong = {row.row: row.errors for row in rejected}
    rows = [row for row in read_rows(path) if isinstance(row, Row) and row.row in wrong]
    columns = [name for name in dict.fromkeys(n for row in rows for n in row.values) if not name.startswith(TO_MEND)]
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow([harmless(name) for name in (f"{TO_MEND}row", f"{TO_MEND}what is wrong", *columns)])
    by_number = {row.row: row.values for row in rows}
    for number, errors in sorted(wrong.items()):
        values = by_number.get(number, {})
        cells = [str(number), "; ".join(errors), *(as_text(values.get(name) or "") for name in columns)]
        writer.writerow([harmless(cell) for cell in cells])
    return written.getvalue()
