"""Read CSV and TSV: detect the delimiter, and reject broken records one by one."""

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice, zip_longest
from pathlib import Path

from patternmind.domain.cases import RejectedRow
from patternmind.ingestion.decoding import read_lines
from patternmind.ingestion.rows import MAX_ROW_CHARS, Row, header_hint, name_columns

_DELIMITERS = ",;\t|"
_NO_DELIMITER = "\x1f"
"""For a file of one column, in which commas belong to the text. No text contains the ASCII unit separator."""
_SAMPLE_LINES = 20
_MAX_REREADS = 50
"""Number of times a file is re-read after a quote that never closes; each costs up to one row's length."""

_TOO_LONG = f"the row is longer than {MAX_ROW_CHARS // 1_000_000} million characters"
_UNCLOSED_QUOTES = 'a quoted cell is not closed; double every " inside a quoted cell'


class _LineBuffer:
    """Feeds lines to the csv reader and keeps those of the current record for re-reading."""

    def __init__(self, lines: Iterator[str | None], *, limit: int) -> None:
        self._pushed_back: deque[tuple[int, str | None]] = deque()
        self._lines = enumerate(lines, start=1)
        self._limit = limit
        self._length = 0
        self.record_lines: list[tuple[int, str | None]] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        numbered = self._pushed_back.popleft() if self._pushed_back else next(self._lines)
        self.record_lines.append(numbered)
        line = numbered[1]
        self._length += len(line or "")
        if line is None or self._length > self._limit:
            raise _RecordTooLong
        return line

    def begin_record(self) -> None:
        self.record_lines = []
        self._length = 0

    def push_back_all_but_first(self) -> None:
        self._pushed_back.extendleft(reversed(self.record_lines[1:]))

    def peek(self, n: int) -> list[str]:
        """Return up to n of the next lines, at most one row's length, unconsumed."""
        length = 0
        for numbered in islice(self._lines, n):
            self._pushed_back.append(numbered)
            length += len(numbered[1] or "")
            if length > self._limit:
                break
        return [line or "" for _, line in self._pushed_back]

    def skip(self) -> None:
        self._pushed_back.popleft()


class _RecordTooLong(Exception):
    pass


def read_csv(path: Path, *, limit: int = MAX_ROW_CHARS) -> Iterator[Row | RejectedRow]:
    """Read the records of a CSV file by its header; a record has the number of its first line.

    The delimiter is the one of ``, ; tab |`` on which the header and the next lines agree; a header of one column has
    none. A quote that never closes rejects only its own line: the lines after it are read again.
    """
    lines = _LineBuffer(read_lines(path, limit=limit), limit=limit)
    delimiter = "\t" if path.name.lower().removesuffix(".gz").endswith(".tsv") else _find_delimiter(lines)
    # The csv module's own field limit (131,072) is global and below the longest field accepted here.
    csv.field_size_limit(max(csv.field_size_limit(), limit))
    header: tuple[str, ...] = ()
    header_row = 0
    for line, record in _read_records(lines, delimiter):
        if isinstance(record, str):
            yield RejectedRow(file=str(path), row=line, errors=(record,))
        elif not any(cell.strip() for cell in record):
            continue
        elif not header:
            header, header_row = name_columns(record), line
        else:
            yield _to_row(path, line, header, record, header_row=header_row)


def _to_row(path: Path, line: int, header: Sequence[str], cells: list[str], *, header_row: int) -> Row | RejectedRow:
    if any(cell.strip() for cell in cells[len(header) :]):
        error = (
            f"the row has {len(cells)} cells but the header has {len(header)}; quote cells that contain the "
            f"delimiter, or {header_hint(header_row, header[0])}"
        )
        return RejectedRow(file=str(path), row=line, errors=(error,))
    return Row(file=str(path), row=line, values=dict(zip_longest(header, cells[: len(header)], fillvalue="")))


def _read_records(lines: _LineBuffer, delimiter: str) -> Iterator[tuple[int, list[str] | str]]:
    """Yield the first line of each record with its cells, or with its error."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    n_rereads = 0
    while True:
        lines.begin_record()
        record = _next_record(reader)
        if record is None:
            return
        if record == _UNCLOSED_QUOTES and len(lines.record_lines) > 1 and n_rereads < _MAX_REREADS:
            lines.push_back_all_but_first()
            n_rereads += 1
        yield lines.record_lines[0][0], record


def _next_record(reader: Iterator[list[str]]) -> list[str] | str | None:
    try:
        return next(reader, None)
    except _RecordTooLong:
        return _TOO_LONG
    except csv.Error:
        return _UNCLOSED_QUOTES


def _find_delimiter(lines: _LineBuffer) -> str:
    sample = lines.peek(_SAMPLE_LINES)
    if sample and sample[0].lower().startswith("sep=") and len(sample[0].strip()) == len("sep=") + 1:
        lines.skip()  # Excel's own line that names the delimiter
        return sample[0].strip()[-1]
    return max(_DELIMITERS + _NO_DELIMITER, key=lambda delimiter: _delimiter_score(sample, delimiter))


def _delimiter_score(sample: list[str], delimiter: str) -> tuple[bool, int, int]:
    """Rate a delimiter on the first lines: several header columns, records of equal width, more columns."""
    widths: list[int] = []
    try:
        widths.extend(len(cells) for cells in csv.reader(sample, delimiter=delimiter) if any(cells))
    except csv.Error:
        return (False, 0, 0)
    width = widths[0] if widths else 0
    if width < 2:
        return (delimiter == _NO_DELIMITER and width == 1, 0, 0)
    return (True, sum(w == width for w in widths), width)
