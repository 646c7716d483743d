"""Read rows from a file of any supported format."""

import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from patternmind.domain.cases import RejectedRow
from patternmind.errors import UnreadableFile
from patternmind.ingestion.csv_reader import read_csv
from patternmind.ingestion.decoding import read_text
from patternmind.ingestion.json_reader import read_json, read_jsonl
from patternmind.ingestion.markdown_reader import read_markdown
from patternmind.ingestion.rows import MAX_ROW_CHARS, Row
from patternmind.ingestion.xlsx_reader import read_xlsx

Reader = Callable[[Path], Iterator[Row | RejectedRow]]


def read_plain(path: Path) -> Iterator[Row]:
    """Read a text file as one item."""
    text = read_text(path, limit=MAX_ROW_CHARS, remedy="Use one file per case, or a CSV with one row per case.")
    if text.strip():
        yield Row(file=str(path), row=1, values={"text": text})


_READERS: dict[str, Reader] = {
    ".csv": read_csv,
    ".tsv": read_csv,
    ".xlsx": read_xlsx,
    ".json": read_json,
    ".jsonl": read_jsonl,
    ".ndjson": read_jsonl,
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".txt": read_plain,
}


def read_rows(path: Path) -> Iterator[Row | RejectedRow]:
    """Yield the rows of a file in order, lazily; the file name determines the format.

    Raises:
        UnreadableFile: immediately if the file is missing, not a regular file or of an unsupported format; at the
            first row if it is empty, damaged, not text, or a zip bomb.
    """
    _check_file(path)
    return _require_rows(path, _reader_for(path)(path))


def _check_file(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        reason = "does not exist" if missing else f"cannot be read ({error.strerror or 'unknown reason'})"
        raise UnreadableFile(path, reason, "Check the path.") from error
    except ValueError as error:  # a NUL in the name
        raise UnreadableFile(repr(path), "is not a valid file name", "Check the path.") from error
    if stat.S_ISDIR(mode):
        raise UnreadableFile(path, "is a folder", f"Name the files in it, for example {path}/*.csv.")
    if not stat.S_ISREG(mode):
        raise UnreadableFile(path, "is a pipe or a device", "Save its content to a file: a file is read twice.")


def _reader_for(path: Path) -> Reader:
    name = path.name.lower().removesuffix(".gz")
    ending = Path(name).suffix
    reader = _READERS.get(ending)
    if reader is None:
        endings = ", ".join(_READERS)
        remedy = "Save it as .xlsx or .csv." if ending in {".xls", ".ods", ".numbers"} else f"Use one of: {endings}."
        raise UnreadableFile(path, f'has the unsupported ending "{ending}"', remedy)
    return reader


def _require_rows(path: Path, rows: Iterator[Row | RejectedRow]) -> Iterator[Row | RejectedRow]:
    first = next(rows, None)
    if first is None:
        raise UnreadableFile(path, "contains no rows", "Use a file with at least one case.")
    yield first
    yield from rows
