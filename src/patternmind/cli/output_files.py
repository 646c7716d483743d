"""Write output files completely or not at all; make CSV cells safe for spreadsheets."""

import csv
import io
import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from patternmind.domain.spreadsheet import escape_formula
from patternmind.errors import PatternmindError, UsageError
from patternmind.publishing.document import Document
from patternmind.publishing.render import render_document


def check_suffix(out: Path | None, allowed: Sequence[str]) -> None:
    """Reject a file name before the work starts."""
    if out is not None and out.suffix.casefold() not in allowed:
        raise UsageError(f"{out} should end in one of: {', '.join(allowed)}.")


def write_file(out: Path, content: Document | str | bytes | Mapping[str, Any]) -> None:
    """Write through a temporary file in the same folder: a full disk leaves the old file unchanged."""
    if isinstance(content, bytes):
        data = content
    elif isinstance(content, str):
        data = content.encode("utf-8", "surrogatepass")
    elif isinstance(content, Mapping):
        data = json.dumps(content, ensure_ascii=False, indent=2).encode("utf-8", "surrogatepass") + b"\n"
    else:
        data = render_document(content, out.suffix.casefold())
    temporary: Path | None = None
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=out.parent, prefix=".patternmind-", delete=False) as file:
            temporary = Path(file.name)
            file.write(data)
        temporary.chmod(0o644)  # a document to share, not a secret
        temporary.replace(out)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise PatternmindError(
            f"{out} cannot be written ({error.strerror}). Choose another file with --out."
        ) from error


def format_rows(rows: Iterable[Mapping[str, Any]], format: str) -> str:
    """Format rows as JSON Lines or CSV. CSV escapes formulas and writes nested values as JSON."""
    if format == "jsonl":
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    if format != "csv":
        raise UsageError(f'Unknown format "{format}". Choose jsonl or csv.')
    all_rows = list(rows)
    columns = list(dict.fromkeys(name for row in all_rows for name in row))
    if not columns:
        return ""
    lines = [columns, *([_csv_cell(row.get(name)) for name in columns] for row in all_rows)]
    return "".join(_csv_line(cells) for cells in lines)


def _csv_line(cells: Sequence[str]) -> str:
    """Return one line of CSV that ends in a line feed."""
    line = io.StringIO()
    # The writer quotes the characters of its line terminator only. An unquoted carriage return would start a new row.
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue().removesuffix("\r\n") + "\n"


def _csv_cell(value: Any) -> str:
    if value is None:
        return ""
    return escape_formula(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
