"""Read XLSX workbooks after checking the zip archive. The only module that imports openpyxl."""

import datetime as dt
import io
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from patternmind.domain.cases import RejectedRow
from patternmind.errors import UnreadableFile
from patternmind.ingestion.decoding import CHUNK_BYTES, bomb_error, is_bomb, read_bytes
from patternmind.ingestion.rows import Row, header_hint, name_columns

if TYPE_CHECKING:
    from openpyxl.workbook.workbook import Workbook

_MAX_GZIPPED_BYTES = 100_000_000
"""Limit of a workbook inside .gz, which is held in memory.

A zip is read from its end. The zip inside is already compressed.
"""
_MAX_SHEET_ROWS = 1_048_576
_MAX_COLUMNS = 1_000
"""A row may contain one cell in column 16,384 and nothing else; a million of those would take hours."""

_DAMAGED_ARCHIVE_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    SyntaxError,
    LookupError,
)
_WORKBOOK_ERRORS = (*_DAMAGED_ARCHIVE_ERRORS, AttributeError, ValueError, TypeError, OverflowError)
"""Exceptions of zipfile, the XML parser (SyntaxError) and openpyxl for damaged or encrypted workbooks."""


def read_xlsx(path: Path) -> Iterator[Row | RejectedRow]:
    """Read the sheet named Cases, or the first visible sheet that is not empty.

    The header is the first row that is not blank. Dates become ISO dates, formulas the text that was typed. A row has
    its number in the sheet.

    Raises:
        UnreadableFile: the file is not a workbook, is damaged, declares XML entities, or is a zip bomb.
    """
    try:
        with _open(path) as stream:
            _check_archive(path, stream)
            yield from _read_workbook(path, stream)
    except _WORKBOOK_ERRORS as error:
        remedy = "Open it in a spreadsheet program, save it without a password as .xlsx or .csv, and try again."
        raise UnreadableFile(path, "is not a readable XLSX workbook", remedy) from error
    except OSError as error:
        reason = f"cannot be read ({error.strerror or 'unknown reason'})"
        raise UnreadableFile(path, reason, "Check the path and its permissions.") from error


def _open(path: Path) -> BinaryIO:
    if path.suffix.lower() != ".gz":
        return path.open("rb")
    return io.BytesIO(read_bytes(path, limit=_MAX_GZIPPED_BYTES, remedy="Use the workbook without .gz."))


def _check_archive(path: Path, stream: BinaryIO) -> None:
    """Refuse zip bombs, by declared and by actual size, and XML that declares entities.

    openpyxl parses sheets with the standard library's expat, which expands entities. No spreadsheet program writes a
    document type, so every document type is refused. NULs are removed before the search: UTF-16 would hide it.
    """
    packed = stream.seek(0, io.SEEK_END)
    with zipfile.ZipFile(stream) as archive:
        if is_bomb(packed, sum(member.file_size for member in archive.infolist())):
            raise bomb_error(path)
        inflated = 0
        for member in archive.infolist():
            tail = b""
            with archive.open(member) as unpacked:
                while chunk := unpacked.read(CHUNK_BYTES):
                    inflated += len(chunk)
                    if is_bomb(packed, inflated):
                        raise bomb_error(path)
                    tail = _refuse_doctype(path, tail + chunk.replace(b"\0", b""))
    stream.seek(0)


def _refuse_doctype(path: Path, window: bytes) -> bytes:
    """Return the last bytes, to prepend to the next piece: the word may be split over two pieces."""
    if b"<!DOCTYPE" in window or b"<!ENTITY" in window:
        raise UnreadableFile(
            path, "declares an XML document type, which no spreadsheet does", "Save it as .csv instead."
        )
    return window[-8:]


def _read_workbook(path: Path, stream: BinaryIO) -> Iterator[Row | RejectedRow]:
    from openpyxl import load_workbook

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about styles and validations, which this reader ignores
        workbook = load_workbook(stream, read_only=True, data_only=False, keep_links=False)
    for name in _sheets_in_order(workbook):
        rows = _read_sheet(path, cast(Any, workbook[name]))
        if (first := next(rows, None)) is not None:
            yield first
            yield from rows
            return


def _sheets_in_order(workbook: "Workbook") -> list[str]:
    visible = [sheet.title for sheet in workbook.worksheets if sheet.sheet_state == "visible"]
    cases = [sheet.title for sheet in workbook.worksheets if sheet.title.strip().lower() == "cases"]
    return cases[:1] or visible


def _read_sheet(path: Path, sheet: Any) -> Iterator[Row | RejectedRow]:
    sheet.reset_dimensions()  # a wrong declared size would hide the rows beyond it
    header: tuple[str, ...] = ()
    header_row = 0
    for number, values in enumerate(sheet.iter_rows(values_only=True), start=1):
        cells = cast(tuple[object, ...], values)
        if number > _MAX_SHEET_ROWS:
            return
        if len(cells) <= _MAX_COLUMNS and all(cell is None or cell == "" for cell in cells):
            continue
        if not header:
            header, header_row = name_columns([_cell_text(cell) for cell in cells[:_MAX_COLUMNS]]), number
        else:
            yield _to_row(path, number, header, cells, header_row=header_row)


def _to_row(
    path: Path, number: int, header: tuple[str, ...], cells: tuple[object, ...], *, header_row: int
) -> Row | RejectedRow:
    if len(cells) > _MAX_COLUMNS or any(cell is not None and cell != "" for cell in cells[len(header) :]):
        error = f"the row has more cells than the header; {header_hint(header_row, header[0])}"
        return RejectedRow(file=str(path), row=number, errors=(error,))
    values = {name: _cell_text(cell) for name, cell in zip_longest(header, cells[: len(header)])}
    return Row(file=str(path), row=number, values=values)


def _cell_text(cell: Any) -> str:
    """Return a cell as text: midnight as a date, an array formula as its text, a what-if table empty."""
    if cell is None:
        return ""
    if isinstance(cell, dt.datetime) and cell.time() == dt.time():
        return cell.date().isoformat()
    if isinstance(cell, dt.date | dt.time):
        return cell.isoformat()
    if isinstance(cell, bool):
        return str(cell).lower()
    return str(getattr(cell, "text", "") if hasattr(cell, "ref") else cell)
