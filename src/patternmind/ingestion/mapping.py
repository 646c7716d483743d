"""Which column is which field: the names people use, and the mapping they give."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from patternmind.domain.cases import FACT_FIELDS, CaseKind, text_fields
from patternmind.errors import UnknownColumn, UsageError

ID, LINKED_CASES = "id", "linked_cases"
FieldMap = Mapping[str, str]
"""Field to column, as the user wrote it with ``--map FIELD=COLUMN``."""

EXTRA_FIELD = "beside"
"""What a column is mapped to that is to be no field, whatever it is called; as many columns as wanted."""

_COMMON_SYNONYMS = {
    ID: "id, case id, external id",
    "title": "title, subject, summary, headline",
    "opened_on": "opened on, opened, date, created, created on, created at",
    "solved_on": "solved on, solved, closed on, closed",
    "recurrence": "recurrence, frequency",
    "team": "team, department, unit",
    "region": "region, site, location",
    "submitter": "submitter, submitted by, author, contributor",
    "links": "links, link, url",
}
_CASE_SYNONYMS = {
    "problem": "problem, problem statement, description, issue, text, body",
    "what_happened": "what happened, driving event",
    "tried": "tried, what we tried",
    "outcome": "outcome, result",
    "lesson": "lesson, lesson learned, lessons, lessons learned",
    "recommendation": "recommendation, recommendations",
}
_RECAP_SYNONYMS = {
    ID: "id, recap id, external id",
    "title": "title, subject, summary, headline, session",
    "case": "case, case bullet",
    "pattern": "pattern, pattern bullet",
    "decision": "decision, decision bullet, decision or improvement, improvement",
    "next_use": "next use, next use bullet",
    "open_question": "open question, open question bullet",
    "notes": "notes, text, body",
    LINKED_CASES: "linked cases, cases",
}
"""Names by field, the one that wins first where a row fills several. Every field also goes by its own name."""


CORRECTION_PREFIX = "patternmind: "
"""How the columns begin that we put into a file of rejected rows; they are no part of a row that comes back."""

FORMULA_PREFIXES = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "|", "%", "\t", "\r", "\n")
"""First characters that make spreadsheets evaluate a cell. A leading apostrophe makes it plain text.

Programs set to Chinese or Japanese also evaluate full-width signs; some programs drop leading spaces.
"""


@dataclass(frozen=True, slots=True)
class MappedValues:
    """A row's values by what they are; ``extra`` holds the columns that no field took. Nothing is trimmed."""

    fields: Mapping[str, str]
    extra: Mapping[str, str]
    linked_cases: tuple[str, ...] = ()


def parse_mapping(pairs: Iterable[str], kind: CaseKind) -> FieldMap:
    """``["problem=Describe it"]`` as field to column. ``date`` and ``text`` may be named as fields too.

    Raises:
        UsageError: a pair is not FIELD=COLUMN, or a field is mapped twice.
        UnknownColumn: there is no such field for this kind.
    """
    mapping: dict[str, str] = {}
    for pair in pairs:
        name, equals, column = pair.partition("=")
        if not equals or not name.strip() or not column.strip():
            raise UsageError('A mapping is written FIELD=COLUMN, for example --map "problem=Describe it".')
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
    synonyms = {"date": "opened_on", "text": "problem" if kind is CaseKind.CASE else "notes", "external id": ID}
    if plain not in synonyms:
        raise UnknownColumn(name.strip(), "field", mappable_fields(kind))
    return synonyms[plain]


def mappable_fields(kind: CaseKind) -> tuple[str, ...]:
    """Every field that a column can be."""
    return (ID, *text_fields(kind), *FACT_FIELDS, LINKED_CASES)


def find_field(name: str, kind: CaseKind) -> str | None:
    """The field that goes by this name, whatever its case, spaces, underscores or hyphens."""
    plain = _normalize_name(name)
    return next((field for field, names in _names_by_field(kind).items() if plain in names), None)


def find_column(column_name: str, columns: Iterable[str]) -> str | None:
    """The column a person means: the very name, else the one that differs in case, spaces or hyphens only."""
    names = list(columns)
    if column_name in names:
        return column_name
    return next((name for name in names if _normalize_name(name) == _normalize_name(column_name)), None)


def map_values(values: Mapping[str, object], *, mapping: FieldMap, kind: CaseKind) -> MappedValues:
    """A row's values as fields, linked cases and extra. A mapped column wins over a known name.

    Of several columns for a field the first that is filled is taken, in the order of the names above; the others stay
    in ``extra``, as do nested values, which no field can hold.
    """
    values = _restore_corrected_row(values)
    fields: dict[str, str] = {}
    linked: tuple[str, ...] = ()
    taken: set[str] = set()
    for field, columns in _columns_by_field(tuple(values), tuple(mapping.items()), kind):
        column = next((c for c in columns if is_filled(values[c]) and (not _is_nested(values[c]))), None)
        if column is None:
            continue
        taken.add(column)
        if field == LINKED_CASES:
            linked = _split_ids(values[column])
        else:
            fields[field] = as_text(values[column])
    extra = {c: as_text(v) for c, v in values.items() if c not in taken and is_filled(v)}
    return MappedValues(fields, extra, linked)


def escape_formula(cell: str) -> str:
    """Put an apostrophe before a cell that a spreadsheet would evaluate as a formula."""
    is_formula = cell.startswith(FORMULA_PREFIXES) or cell.lstrip().startswith(FORMULA_PREFIXES)
    return f"'{cell}" if is_formula else cell


def _restore_corrected_row(values: Mapping[str, object]) -> Mapping[str, object]:
    """A row of a file of ours, mended: without our columns, and cells as they were before they were made harmless."""
    if not any(name.startswith(CORRECTION_PREFIX) for name in values):
        return values
    return {
        name: value[1:] if isinstance(value, str) and value[:1] == "'" and escape_formula(value[1:]) == value else value
        for name, value in values.items()
        if not name.startswith(CORRECTION_PREFIX)
    }


@lru_cache(maxsize=64)
def _columns_by_field(
    columns: tuple[str, ...], mapping: tuple[tuple[str, str], ...], kind: CaseKind
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The columns that can fill each field, best first; a mapped column fills only what it is mapped to."""
    mapped = {field: find_column(column, columns) for field, column in mapping}
    free = [column for column in columns if column not in mapped.values()]
    plain = {column: _normalize_name(column) for column in free}
    found: list[tuple[str, tuple[str, ...]]] = []
    for field, names in _names_by_field(kind).items():
        column = mapped.get(field)
        if field in mapped:
            found.append((field, (column,) if column is not None else ()))
        else:
            found.append((field, tuple(c for name in names for c in free if plain[c] == name)))
    return tuple(found)


@lru_cache(maxsize=2)
def _names_by_field(kind: CaseKind) -> Mapping[str, tuple[str, ...]]:
    listed = {**_COMMON_SYNONYMS, **(_CASE_SYNONYMS if kind is CaseKind.CASE else _RECAP_SYNONYMS)}
    return {
        field: tuple(dict.fromkeys((*listed.get(field, "").split(", "), _normalize_name(field))))
        for field in mappable_fields(kind)
    }


def _normalize_name(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", name).strip().casefold()


def is_filled(value: object) -> bool:
    """Whether a value says anything; 0 and false do."""
    return value is not None and value not in ([], {}) and not (isinstance(value, str) and not value.strip())


def _is_nested(value: object) -> bool:
    if isinstance(value, list):
        return any(isinstance(item, list | dict) for item in cast(list[object], value))
    return isinstance(value, dict)


def as_text(value: object) -> str:
    """A value as a person would write it: lists of plain values joined with ``; ``, nested ones as compact JSON."""
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
