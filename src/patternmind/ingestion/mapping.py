"""Map columns to fields, by common column names and by the user's mapping."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from patternmind.domain.case_fields import DATE_FIELD, ID_FIELD, IMPORTED_FIELDS, LINKED_CASES_FIELD, PLAIN_TEXT_FIELD
from patternmind.domain.cases import CaseKind
from patternmind.domain.spreadsheet import escape_formula
from patternmind.errors import ErrorCode, UnknownColumn, UsageError

FieldMap = Mapping[str, str]
"""Column by field, as written with ``--map FIELD=COLUMN``."""

EXTRA_FIELD = "beside"
"""Mapping target for columns that should fill no field, whatever their names; may be repeated."""

CORRECTION_PREFIX = "patternmind: "
"""Prefix of the columns added to a file of rejected rows; they are ignored when the file is imported again."""


@dataclass(frozen=True, slots=True)
class MappedValues:
    """A row's values by field, untrimmed.

    ``extra`` contains the columns that filled no field; ``columns`` is the column by field.
    """

    fields: Mapping[str, str]
    extra: Mapping[str, str]
    linked_cases: tuple[str, ...]
    columns: Mapping[str, str]


def parse_mapping(pairs: Iterable[str], kind: CaseKind) -> FieldMap:
    """Parse pairs such as ``problem=Describe it``; ``date`` and ``text`` are accepted as fields too.

    Raises:
        UsageError: a pair is not FIELD=COLUMN, or a field is mapped twice.
        UnknownColumn: the field does not exist for this kind.
    """
    mapping: dict[str, str] = {}
    for pair in pairs:
        name, equals, column = pair.partition("=")
        if not equals or not name.strip() or not column.strip():
            raise UsageError(
                'Write a mapping as FIELD=COLUMN, for example "problem=Describe it".', code=ErrorCode.INVALID_MAPPING
            )
        field = (
            f"{EXTRA_FIELD} {column.strip()}" if _normalize_name(name) == EXTRA_FIELD else _resolve_field(name, kind)
        )
        if field in mapping:
            raise UsageError(f'The field "{field}" is mapped twice. Give each field one column.')
        mapping[field] = column.strip()
    return mapping


def _resolve_field(name: str, kind: CaseKind) -> str:
    plain = _normalize_name(name)
    for field in mappable_fields(kind):
        if plain == _normalize_name(field):
            return field
    synonyms = {"date": DATE_FIELD, "text": PLAIN_TEXT_FIELD[kind], "external id": ID_FIELD}
    if plain not in synonyms:
        raise UnknownColumn(name.strip(), "field", mappable_fields(kind))
    return synonyms[plain]


def mappable_fields(kind: CaseKind) -> tuple[str, ...]:
    """Return every field that a column can fill."""
    return tuple(IMPORTED_FIELDS[kind])


def find_field(name: str, kind: CaseKind) -> str | None:
    """Return the field with this name, ignoring case, spaces, underscores and hyphens."""
    plain = _normalize_name(name)
    return next((field for field, names in _names_by_field(kind).items() if plain in names), None)


def find_column(column_name: str, columns: Iterable[str]) -> str | None:
    """Return the column with this name, ignoring case, spaces and hyphens if necessary."""
    names = list(columns)
    if column_name in names:
        return column_name
    return next((name for name in names if _normalize_name(name) == _normalize_name(column_name)), None)


def map_values(values: Mapping[str, object], *, mapping: FieldMap, kind: CaseKind) -> MappedValues:
    """Split a row's values into fields, linked cases and extra.

    A mapped column wins over a column with a known name. Of several columns for a field, the first filled one wins, in
    the order of the registry. The others stay in ``extra``, as do nested values, which no field can contain.
    """
    values = _restore_corrected_row(values)
    fields: dict[str, str] = {}
    linked: tuple[str, ...] = ()
    used: dict[str, str] = {}
    for field, columns in _columns_by_field(tuple(values), tuple(mapping.items()), kind):
        column = next((c for c in columns if is_filled(values[c]) and (not _is_nested(values[c]))), None)
        if column is None:
            continue
        used[field] = column
        if field == LINKED_CASES_FIELD:
            linked = _split_ids(values[column])
        else:
            fields[field] = as_text(values[column])
    extra = {c: as_text(v) for c, v in values.items() if c not in used.values() and is_filled(v)}
    return MappedValues(fields, extra, linked, used)


def unescape_formula(cell: str) -> str:
    """Remove the apostrophe that ``escape_formula`` added."""
    return cell[1:] if cell[:1] == "'" and escape_formula(cell[1:]) == cell else cell


def _restore_corrected_row(values: Mapping[str, object]) -> Mapping[str, object]:
    """Undo the changes to a file of rejected rows: drop the added columns and unescape formulas."""
    if not any(name.startswith(CORRECTION_PREFIX) for name in values):
        return values
    return {
        name: unescape_formula(value) if isinstance(value, str) else value
        for name, value in values.items()
        if not name.startswith(CORRECTION_PREFIX)
    }


@lru_cache(maxsize=64)
def _columns_by_field(
    columns: tuple[str, ...], mapping: tuple[tuple[str, str], ...], kind: CaseKind
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the columns that can fill each field, best first. A mapped column fills only its own field."""
    mapped = {field: find_column(column, columns) for field, column in mapping}
    free = [column for column in columns if column not in mapped.values()]
    plain = {column: _normalize_name(column) for column in free}
    candidates: list[tuple[str, tuple[str, ...]]] = []
    for field, names in _names_by_field(kind).items():
        column = mapped.get(field)
        if field in mapped:
            candidates.append((field, (column,) if column is not None else ()))
        else:
            candidates.append((field, tuple(c for name in names for c in free if plain[c] == name)))
    return tuple(candidates)


@lru_cache(maxsize=2)
def _names_by_field(kind: CaseKind) -> Mapping[str, tuple[str, ...]]:
    return {
        name: tuple(dict.fromkeys((*field.columns.split(", "), _normalize_name(name))))
        for name, field in IMPORTED_FIELDS[kind].items()
    }


def _normalize_name(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", name).strip().casefold()


def is_filled(value: object) -> bool:
    """Return whether a value has content; 0 and false do."""
    return value is not None and value not in ([], {}) and not (isinstance(value, str) and not value.strip())


def _is_nested(value: object) -> bool:
    if isinstance(value, list):
        return any(isinstance(item, list | dict) for item in cast(list[object], value))
    return isinstance(value, dict)


def as_text(value: object) -> str:
    """Return a value as text: lists of plain values joined with ``; ``, nested values as compact JSON."""
    if isinstance(value, str):
        return value
    if _is_nested(value):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if isinstance(value, list):
        return "; ".join(as_text(item) for item in cast(list[object], value) if is_filled(item))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _split_ids(value: object) -> tuple[str, ...]:
    parts = (
        _filled_texts(cast(list[object], value))
        if isinstance(value, list)
        else iter(re.split(r"[,;\n]", as_text(value)))
    )
    return tuple(part.strip() for part in parts if part.strip())


def _filled_texts(values: Sequence[object]) -> Iterator[str]:
    return (as_text(value) for value in values if is_filled(value))
