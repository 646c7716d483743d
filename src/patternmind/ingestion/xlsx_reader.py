"""XLSX workbooks, looked over as a zip before they are opened. The one owner of openpyxl."""

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
from patternmind.ingestion.decoding import (
    CHUNK_BYTES,
    bomb_error,
    is_bomb,
    read_bytes,
)
from patternmind.ingestion.rows import Row, name_columns

if TYPE_CHECKING:
    from openpyxl.workbook.workbook import Workbook

_MAX_GZIPPED_BYTES = 100_000_000
"""A workbook inside .gz is held whole, because a zip is read from its end; the zip inside is compressed already."""
_MAX_SHEET_ROWS = 1_048_576
_MAX_COLUMNS = 1_000
"""A row may name a cell in column 16,384 and nothing else; a million of those would take hours."""

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
"""What zipfile, the XML parser (SyntaxError) and openpyxl raise on a damaged or encrypted workbook."""


def read_xlsx(path: Path) -> Iterator[Row | RejectedRow]:
    """The rows under the header of the sheet named Cases, else of the first visible sheet that holds anything.

    The header is the first row that is not blank. Dates come as ISO, formulas as the text that was typed. A row is
    named by its number in the sheet.

    Raises:
        UnreadableFile: it is no workbook, is damaged, declares XML entities, or inflates like a bomb.
    """
    try:
        with _open(path) as stream:
            _check_archive(path, stream)
            yield from _read_workbook(path, stream)
    except _WORKBOOK_ERRORS as error:
        remedy = "Open it in a spreadsheet program, save it without a password as .xlsx or .csv, and try again."
        raise UnreadableFile(path, "is not a readable XLSX workbook", remedy) from error
    except OSError as error:
        reason = f"cannot be read ({error.strerror or 'the system refused'})"
        raise UnreadableFile(path, reason, "Check the path and who may read it.") from error


def _open(path: Path) -> BinaryIO:
    if path.suffix.lower() != ".gz":
        return path.open("rb")
    return io.BytesIO(read_bytes(path, limit=_MAX_GZIPPED_BYTES, remedy="Give the workbook without .gz."))


def _check_archive(path: Path, stream: BinaryIO) -> None:
    """Refuse bombs, by what the zip declares and by what comes out, and XML that declares entities.

    openpyxl parses sheets with the standard library's expat, which expands entities; no spreadsheet program writes a
    document type, so none is let through. NULs are taken out before looking, for UTF-16 would hide it.
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
    """The last bytes seen, to be put before the next ones: the word may stand across two pieces."""
    if b"<!DOCTYPE" in window or b"<!ENTITY" in window:
        raise UnreadableFile(path, "declares an XML document type, as no spreadsheet does", "Save it as .csv instead.")
    return window[-8:]


def _read_workbook(path: Path, stream: BinaryIO) -> Iterator[Row | RejectedRow]:
    from openpyxl import load_workbook

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about styles and validations, which are not read here
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
    sheet.reset_dimensions()  # the size a sheet declares may be wrong, and rows beyond it would vanish
    header: tuple[str, ...] = ()
    for number, values in enumerate(sheet.iter_rows(values_only=True), start=1):
        cells = cast(tuple[object, ...], values)
        if number > _MAX_SHEET_ROWS:
            return
        if len(cells) <= _MAX_COLUMNS and all(cell is None or cell == "" for cell in cells):
            continue
        if not header:
            header = name_columns([_cell_text(cell) for cell in cells[:_MAX_COLUMNS]])
        else:
            yield _to_row(path, number, header, cells)


def _to_row(path: Path, number: int, header: tuple[str, ...], cells: tuple[object, ...]) -> Row | RejectedRow:
    if len(cells) > _MAX_COLUMNS or any(cell is not None and cell != "" for cell in cells[len(header) :]):
        error = f"the row has cells to the right of the header's {len(header)} columns"
        return RejectedRow(file=str(path), row=number, errors=(error,))
    values = {name: _cell_text(cell) for name, cell in zip_longest(header, cells[: len(header)])}
    return Row(file=str(path), row=number, values=values)


def _cell_text(cell: Any) -> str:
    """A cell as text: midnight is a date, an array formula its own text, a what-if table nothing."""
    if cell is None:
        return ""
    if isinstance(cell, dt.datetime) and cell.time() == dt.time():
        return cell.date().isoformat()
    if isinstance(cell, dt.date | dt.time):
        return cell.isoformat()
    if isinstance(cell, bool):
        return str(cell).lower()
    return str(getattr(cell, "text", "") if hasattr(cell, "ref") else cell)
