"""Read and validate all submissions of a file."""

from collections.abc import Iterator
from pathlib import Path

from patternmind.domain.cases import CaseKind, RejectedRow, Submission
from patternmind.errors import UnknownColumn
from patternmind.ingestion.cases import content_hash
from patternmind.ingestion.mapping import FieldMap, find_column
from patternmind.ingestion.readers import read_rows
from patternmind.ingestion.rows import Row, shorten
from patternmind.ingestion.validation import to_submission


def read_submissions(path: Path, *, kind: CaseKind, mapping: FieldMap) -> Iterator[Submission | RejectedRow]:
    """Yield every row of a file in order: a submission, or a rejected row with all errors.

    A repeated id is accepted with the same text and rejected with another text. To check the mapping, the file is
    first read until every mapped column was seen.

    Raises:
        UnreadableFile: see ``read_rows``.
        UnknownColumn: no row of the file has a mapped column.
    """
    _check_mapped_columns(path, mapping)
    return _validate_rows(read_rows(path), kind, mapping)


def _validate_rows(
    rows: Iterator[Row | RejectedRow], kind: CaseKind, mapping: FieldMap
) -> Iterator[Submission | RejectedRow]:
    seen_ids: dict[str, tuple[int, str]] = {}
    for row in rows:
        result = to_submission(row, mapping=mapping, kind=kind) if isinstance(row, Row) else row
        yield _reject_reused_id(result, seen_ids) if isinstance(result, Submission) else result


def _reject_reused_id(submission: Submission, seen_ids: dict[str, tuple[int, str]]) -> Submission | RejectedRow:
    external_id = submission.external_id
    if external_id is None:
        return submission
    text_hash = content_hash(submission)
    first_row, first_hash = seen_ids.setdefault(external_id, (submission.row, text_hash))
    if text_hash == first_hash:
        return submission
    error = f'id "{shorten(external_id)}" is already used by row {first_row}; use another id'
    return RejectedRow(file=submission.file, row=submission.row, errors=(error,))


def _check_mapped_columns(path: Path, mapping: FieldMap) -> None:
    missing = set(mapping.values())
    columns: dict[str, None] = {}
    rows = read_rows(path) if missing else iter(())
    for row in rows:
        if isinstance(row, Row):
            columns |= dict.fromkeys(row.values)
            missing = {column for column in missing if find_column(column, row.values) is None}
        if not missing:
            return
    if missing:
        raise UnknownColumn(min(missing), "column", [shorten(name) for name in list(columns)[:50]])
