"""Read JSON and JSON Lines."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from patternmind.domain.cases import RejectedRow
from patternmind.errors import UnreadableFile
from patternmind.ingestion.decoding import read_lines, read_text
from patternmind.ingestion.rows import MAX_ROW_CHARS, Row

_MAX_JSON_CHARS = 200_000_000
"""Parsing holds JSON in memory at several times its length. JSON Lines has no such limit."""

_TOO_LONG = f"the line is longer than {MAX_ROW_CHARS // 1_000_000} million characters"
_NOT_AN_OBJECT = "it is not a JSON object with named fields"


def read_jsonl(path: Path, *, limit: int = MAX_ROW_CHARS) -> Iterator[Row | RejectedRow]:
    """Read one object per line; reject broken lines and lines longer than ``limit`` characters."""
    for number, line in enumerate(read_lines(path, limit=limit), start=1):
        if line is None:
            yield RejectedRow(file=str(path), row=number, errors=(_TOO_LONG,))
        elif line.strip("\ufeff \t\r\n"):
            yield _parse_line(path, number, line)


def _parse_line(path: Path, number: int, line: str) -> Row | RejectedRow:
    try:
        return _to_row(path, number, json.loads(line.rstrip("\r\n")))
    except json.JSONDecodeError as error:
        problem = f"the line is not valid JSON ({_decoder_message(error)} at character {error.pos + 1})"
    except (RecursionError, ValueError):  # nesting beyond Python's stack; a number with thousands of digits
        problem = "the line is nested too deeply or contains a number too long to read"
    return RejectedRow(file=str(path), row=number, errors=(problem,))


def read_json(path: Path) -> Iterator[Row | RejectedRow]:
    """Read an array of objects, the only array inside an object, or a single object.

    Objects are counted from 1.

    Raises:
        UnreadableFile: the file is not valid JSON, or contains several arrays.
    """
    text = read_text(path, limit=_MAX_JSON_CHARS, remedy="Save it as JSON Lines (.jsonl), one object per line.")
    if not text.strip():
        return
    for number, item in enumerate(_find_items(path, _parse(path, text)), start=1):
        yield _to_row(path, number, item)


def _parse(path: Path, text: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        reason = f"is not valid JSON ({_decoder_message(error)} at line {error.lineno}, column {error.colno})"
        remedy = "Correct it there. A file with one object per line needs the ending .jsonl."
        raise UnreadableFile(path, reason, remedy) from error
    except (RecursionError, ValueError) as error:
        reason = "is nested too deeply or contains a number too long to read"
        raise UnreadableFile(path, reason, "Save it as JSON Lines (.jsonl), one object per line.") from error


def _decoder_message(error: json.JSONDecodeError) -> str:
    return error.msg.removesuffix(" at").removesuffix(" starting")


def _find_items(path: Path, document: object) -> list[object]:
    if isinstance(document, list):
        return cast(list[object], document)
    if not isinstance(document, dict):
        raise UnreadableFile(
            path, "contains no objects", 'Use an array of objects: [{"title": "...", "problem": "..."}].'
        )
    arrays = [value for value in cast(dict[str, Any], document).values() if _is_array_of_objects(value)]
    if len(arrays) > 1:
        raise UnreadableFile(path, "contains several arrays of objects", "Use a file with only the array of cases.")
    return arrays[0] if arrays else [cast(object, document)]


def _is_array_of_objects(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(item, dict) for item in cast(list[object], value))


def _to_row(path: Path, number: int, item: object) -> Row | RejectedRow:
    if not isinstance(item, dict):
        return RejectedRow(file=str(path), row=number, errors=(_NOT_AN_OBJECT,))
    return Row(file=str(path), row=number, values=cast(dict[str, object], item))
