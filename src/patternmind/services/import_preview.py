"""Preview of a file before its import: columns with their fields, first rows, and rejected rows as CSV."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from patternmind.domain.cases import Case, CaseKind, RejectedRow, Submission
from patternmind.domain.spreadsheet import escape_formula
from patternmind.errors import UnknownColumn
from patternmind.ingestion.mapping import (
    CORRECTION_PREFIX,
    EXTRA_FIELD,
    FieldMap,
    as_text,
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
from patternmind.services.roster import redact_submissions

N_PREVIEW_ROWS = 8
N_SAMPLED_ROWS = 200
"""Rows read for columns and examples. The check before the import reads every row."""
MAX_COLUMNS = 200
MAX_EXAMPLE_CHARS = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnPreview:
    """A column of the file and its field; None for a column that is kept but not analysed.

    ``example`` is redacted. ``guessed`` is True if the column's name decided, not a person.
    """

    name: str
    field: str | None
    guessed: bool
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePreview:
    """Preview of a file: columns, the first valid rows (redacted), and the fields a column can have."""

    columns: tuple[ColumnPreview, ...]
    cases: tuple[Case, ...]
    fields: tuple[str, ...]


def preview_file(store: Store, path: Path, *, kind: CaseKind, mapping: Sequence[str] = ()) -> FilePreview:
    """Read the columns and first rows of a file, without storing anything.

    Raises:
        UnreadableFile, UnknownColumn, UsageError
    """
    fields = parse_mapping(mapping, kind)
    roster = Roster.of(store.network.roster())
    first = [row for row in islice(read_rows(path), N_SAMPLED_ROWS) if isinstance(row, Row)]
    if len(first) < N_SAMPLED_ROWS:  # The file was read to its end; in a longer file the full check reports this.
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
    mapped_fields = {column: field for field, column in mapping.items()}
    examples: dict[str, str] = {}
    for row in rows:
        for name, value in row.values.items():
            if not examples.get(name) and not name.startswith(CORRECTION_PREFIX):
                examples[name] = as_text(value)[: 4 * MAX_EXAMPLE_CHARS] if value is not None else ""
    for name, example in islice(examples.items(), MAX_COLUMNS):
        guess = find_field(name, kind)
        field = mapped_fields.get(name) or (guess if guess not in mapping else None)
        text = "" if field == "submitter" else " ".join(redact(example, roster).text.split())
        yield ColumnPreview(
            name=name,
            field=field,
            guessed=name not in mapped_fields,
            example=text if len(text) <= MAX_EXAMPLE_CHARS else f"{text[: MAX_EXAMPLE_CHARS - 2]} …",
        )


def _preview_cases(
    store: Store, rows: Sequence[Row], mapping: FieldMap, kind: CaseKind, roster: Roster
) -> Iterator[Case]:
    for row in rows:
        submission = to_submission(row, mapping=mapping, kind=kind)
        if isinstance(submission, Submission):
            yield redact_submissions(store, [submission], roster)[0][1]


def mapping_from_choices(chosen: Mapping[str, str], kind: CaseKind) -> tuple[str, ...]:
    """Return FIELD=COLUMN pairs for columns whose chosen field differs from the guess."""
    return tuple(
        f"{field or EXTRA_FIELD}={column}"
        for column, field in chosen.items()
        if field != (find_field(column, kind) or "")
    )


def rejected_as_csv(path: Path, rejected: Sequence[RejectedRow]) -> str:
    """Return the rejected rows as CSV to fix and upload again: row number, errors, and all columns.

    Cells that a spreadsheet would evaluate as a formula start with an apostrophe.
    """
    errors_by_row = {row.row: row.errors for row in rejected}
    rows = [row for row in read_rows(path) if isinstance(row, Row) and row.row in errors_by_row]
    columns = [
        name for name in dict.fromkeys(n for row in rows for n in row.values) if not name.startswith(CORRECTION_PREFIX)
    ]
    output = io.StringIO()
    writer = csv.writer(output, lineterminator="\r\n")
    writer.writerow(
        [escape_formula(name) for name in (f"{CORRECTION_PREFIX}row", f"{CORRECTION_PREFIX}what is wrong", *columns)]
    )
    values_by_row = {row.row: row.values for row in rows}
    for number, errors in sorted(errors_by_row.items()):
        values = values_by_row.get(number, {})
        cells = [str(number), "; ".join(errors), *(as_text(values.get(name) or "") for name in columns)]
        writer.writerow([escape_formula(cell) for cell in cells])
    return output.getvalue()
