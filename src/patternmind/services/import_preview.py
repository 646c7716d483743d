"""A file looked at before it is taken in: its columns and what they are taken for, its rows as they would be read."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from patternmind.domain.cases import (
    Case,
    CaseKind,
    RejectedRow,
    Submission,
)
from patternmind.errors import UnknownColumn
from patternmind.ingestion.cases import make_case
from patternmind.ingestion.mapping import (
    CORRECTION_PREFIX,
    EXTRA_FIELD,
    FieldMap,
    as_text,
    escape_formula,
    find_column,
    find_field,
    mappable_fields,
    parse_mapping,
)
from patternmind.ingestion.readers import read_rows
from patternmind.ingestion.redaction.redactor import redact
from patternmind.ingestion.redaction.roster import Roster
from patternmind.ingestion.rows import Row
from patternmind.ingestion.validation import to_submission
from patternmind.ports import Store

N_PREVIEW_ROWS = 8
N_SAMPLED_ROWS = 200
"""Columns and examples are read off the first rows; every row is checked all the same."""
MAX_COLUMNS = 200
MAX_EXAMPLE_CHARS = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnPreview:
    """A column of the file: the field it is taken for, None where it is kept beside and never compared.

    ``example`` is redacted; ``guessed`` says that the name of the column decided, not a person.
    """

    name: str
    field: str | None
    guessed: bool
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePreview:
    """A file as it would be taken in. ``rows`` are its first good ones, redacted; ``fields`` what columns can be."""

    columns: tuple[ColumnPreview, ...]
    cases: tuple[Case, ...]
    fields: tuple[str, ...]


def preview_file(store: Store, path: Path, *, kind: CaseKind, mapping: Sequence[str] = ()) -> FilePreview:
    """The columns of a file and its first rows; nothing is stored.

    Raises:
        UnreadableFile, UnknownColumn, UsageError
    """
    fields = parse_mapping(mapping, kind)
    roster = Roster.of(store.roster())
    first = [row for row in islice(read_rows(path), N_SAMPLED_ROWS) if isinstance(row, Row)]
    if len(first) < N_SAMPLED_ROWS:  # all of it was seen; else the check of the whole file says so
        _check_columns(first, fields)
    return FilePreview(
        columns=tuple(_preview_columns(first, fields, kind, roster)),
        cases=tuple(islice(_preview_cases(store, first, fields, kind, roster), N_PREVIEW_ROWS)),
        fields=mappable_fields(kind),
    )


def _check_columns(rows: Sequence[Row], mapping: FieldMap) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row.values))
    missing = [column for column in mapping.values() if find_column(column, names) is None]
    if missing:
        raise UnknownColumn(missing[0], "column", names[:MAX_COLUMNS])


def _preview_columns(rows: Sequence[Row], mapping: FieldMap, kind: CaseKind, roster: Roster) -> Iterator[ColumnPreview]:
    named = {column: field for field, column in mapping.items()}
    examples: dict[str, str] = {}
    for row in rows:
        for name, value in row.values.items():
            if not examples.get(name) and not name.startswith(CORRECTION_PREFIX):
                examples[name] = as_text(value)[: 4 * MAX_EXAMPLE_CHARS] if value is not None else ""
    for name, example in islice(examples.items(), MAX_COLUMNS):
        guess = find_field(name, kind)
        field = named.get(name) or (guess if guess not in mapping else None)
        shown = "" if field == "submitter" else " ".join(redact(example, roster).text.split())
        yield ColumnPreview(
            name=name,
            field=field,
            guessed=name not in named,
            example=shown if len(shown) <= MAX_EXAMPLE_CHARS else f"{shown[: MAX_EXAMPLE_CHARS - 2]} …",
        )


def _preview_cases(
    store: Store, rows: Sequence[Row], mapping: FieldMap, kind: CaseKind, roster: Roster
) -> Iterator[Case]:
    network, secret = store.network, store.secret()
    for row in rows:
        taken = to_submission(row, mapping=mapping, kind=kind)
        if isinstance(taken, Submission):
            yield make_case(taken, roster=roster, network_id=network.id, secret=secret)[0]


def mapping_from_choices(chosen: Mapping[str, str], kind: CaseKind) -> tuple[str, ...]:
    """FIELD=COLUMN pairs of what was chosen for each column; one that its name says already is in none."""
    return tuple(
        f"{field or EXTRA_FIELD}={column}"
        for column, field in chosen.items()
        if field != (find_field(column, kind) or "")
    )


def rejected_as_csv(path: Path, rejected: Sequence[RejectedRow]) -> str:
    """The rejected rows as a file to mend and hand in again: their number, what is wrong, and all their columns.

    A cell that a spreadsheet would calculate begins with an apostrophe.
    """
    wrong = {row.row: row.errors for row in rejected}
    rows = [row for row in read_rows(path) if isinstance(row, Row) and row.row in wrong]
    columns = [
        name for name in dict.fromkeys(n for row in rows for n in row.values) if not name.startswith(CORRECTION_PREFIX)
    ]
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(
        [escape_formula(name) for name in (f"{CORRECTION_PREFIX}row", f"{CORRECTION_PREFIX}what is wrong", *columns)]
    )
    by_number = {row.row: row.values for row in rows}
    for number, errors in sorted(wrong.items()):
        values = by_number.get(number, {})
        cells = [str(number), "; ".join(errors), *(as_text(values.get(name) or "") for name in columns)]
        writer.writerow([escape_formula(cell) for cell in cells])
    return written.getvalue()
