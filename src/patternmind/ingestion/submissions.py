"""A whole file as submissions."""

from collections.abc import Iterator
from pathlib import Path

from patternmind.domain.cases import CaseKind, RejectedRow, Submission
from patternmind.errors import UnknownColumn
from patternmind.ingestion.cases import content_hash
from patternmind.ingestion.mapping import FieldMap, find_column
from patternmind.ingestion.readers import read_rows
from patternmind.ingestion.rows import Row
from patternmind.ingestion.validation import shorten, to_submission


def read_submissions(path: Path, *, kind: CaseKind, mapping: FieldMap) -> Iterator[Submission | RejectedRow]:
    """Every row of a file, in its order, as a submission or rejected with all its errors.

    An id used again in the file passes with the same text and is rejected with another. A file is read through once
    more beforehand only where a mapped column is nowhere in it.

    Raises:
        UnreadableFile: see ``read_rows``.
        UnknownColumn: no row of the file has a column that is mapped.
    """
    _check_mapped_columns(path, mapping)
    return _validate_rows(read_rows(path), kind, mapping)


def _validate_rows(
    rows: Iterator[Row | RejectedRow], kind: CaseKind, mapping: FieldMap
) -> Iterator[Submission | RejectedRow]:
    used: dict[str, tuple[int, str]] = {}
    for row in rows:
        taken = to_submission(row, mapping=mapping, kind=kind) if isinstance(row, Row) else row
        yield _reject_reused_id(taken, used) if isinstance(taken, Submission) else taken


def _reject_reused_id(submission: Submission, seen_ids: dict[str, tuple[int, str]]) -> Submission | RejectedRow:
    external_id = submission.external_id
    if external_id is None:
        return submission
    text_hash = content_hash(submission)
    first_row, first_hash = seen_ids.setdefault(external_id, (submission.row, text_hash))
    if text_hash == first_hash:
        return submission
    error = f'id "{shorten(external_id)}" is used by row {first_row} already; give it another id'
    return RejectedRow(file=submission.file, row=submission.row, errors=(error,))


def _check_mapped_columns(path: Path, mapping: FieldMap) -> None:
    missing = set(mapping.values())
    seen: dict[str, None] = {}
    rows = read_rows(path) if missing else iter(())
    for row in rows:
        if isinstance(row, Row):
            seen |= dict.fromkeys(row.values)
            missing = {column for column in missing if find_column(column, row.values) is None}
        if not missing:
            return
    if missing:
        raise UnknownColumn(min(missing), "column", [shorten(name) for name in list(seen)[:50]])
