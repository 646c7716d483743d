"""Validate a row and report all its errors at once."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from patternmind.domain.case_fields import (
    FACT_FIELDS,
    FACTS,
    ID_FIELD,
    LINKED_CASES_FIELD,
    PLAIN_TEXT_FIELD,
    CaseField,
    FieldType,
    text_fields,
)
from patternmind.domain.cases import CaseKind, RejectedRow, Submission
from patternmind.ingestion.dates import DATE_FORMAT_HINT, parse_date
from patternmind.ingestion.mapping import FieldMap, MappedValues, map_values
from patternmind.ingestion.rows import INVALID_CHARS, Row, shorten

MAX_FIELD_CHARS = 200_000
MAX_ID_CHARS = 200
MIN_LETTERS = 3
"""Fewer letters are an ellipsis or a stray key, which an encoder cannot place."""


class RowErrorCode(StrEnum):
    """Kinds of errors in a row."""

    NUL_CHARACTER = "nul character"
    NOT_TEXT = "not text"
    TOO_LONG = "too long"
    NESTED_TOO_DEEPLY = "nested too deeply"
    INVALID_DATE = "invalid date"
    INVALID_CHOICE = "invalid choice"
    INVALID_ID = "invalid id"
    NO_TEXT = "no text"
    TOO_FEW_LETTERS = "too few letters"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowError:
    """An error in a row. No error contains the text of a case.

    Attributes:
        field: field that the error is about; empty for the whole row or a column without a field.
        problem: predicate of a sentence, such as "contains a NUL character".
        column: column that fills the field; equal to the field for values that come from a form.
        value: the wrong value, shortened, if a reader needs to see it.
    """

    field: str
    code: RowErrorCode
    problem: str
    remedy: str
    column: str = ""
    value: str = ""

    @property
    def message(self) -> str:
        """The error as a clause in a list of rejected rows, without a full stop."""
        if self.value:
            return f'"{self.value}" {self.problem} (column "{shorten(self.column)}"); {self.remedy}'
        subject = f'column "{shorten(self.column)}"' if self.column else "it"
        return f"{subject} {self.problem}; {self.remedy}"


def to_submission(row: Row, *, mapping: FieldMap, kind: CaseKind) -> Submission | RejectedRow:
    """Return the row as a submission, or rejected with all its errors as text; see ``validate_row``."""
    result = validate_row(row, mapping=mapping, kind=kind)
    if isinstance(result, Submission):
        return result
    return RejectedRow(file=row.file, row=row.row, errors=tuple(error.message for error in result))


def validate_row(row: Row, *, mapping: FieldMap, kind: CaseKind) -> Submission | tuple[RowError, ...]:
    """Return the row as a submission, or all its errors.

    Text is trimmed and put into Unicode's composed form (NFC), since Macs write é as two characters and the same
    sentence must give the same hash and quotes. Nothing else in it is changed.
    """
    try:
        mapped = map_values(row.values, mapping=mapping, kind=kind)
    except RecursionError:
        problem, remedy = "contains a value that is nested too deeply", "use plain values"
        return (RowError(field="", code=RowErrorCode.NESTED_TOO_DEEPLY, problem=problem, remedy=remedy),)
    errors: list[RowError] = []
    fields = _normalize_values(mapped.fields, errors, columns=mapped.columns)
    extra = _normalize_values(mapped.extra, errors, columns=None)
    linked = tuple(_normalize_text(linked_id) for linked_id in mapped.linked_cases)
    text = {name: fields[name] for name in text_fields(kind) if name in fields}
    facts = _check_facts({name: fields[name] for name in FACT_FIELDS if name in fields}, mapped, errors)
    errors += _check_ids(fields.get(ID_FIELD, ""), linked)
    if not errors:  # a text that was rejected above is not also missing
        errors += _check_text(text, kind)
    if errors:
        return tuple(errors)
    return Submission(
        kind=kind,
        external_id=fields.get(ID_FIELD),
        text=text,
        facts=facts,
        extra=extra,
        linked_cases=linked,
        file=row.file,
        row=row.row,
    )


def _normalize_text(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip())


def _normalize_values(
    values: Mapping[str, str], errors: list[RowError], *, columns: Mapping[str, str] | None
) -> dict[str, str]:
    """Return the valid values, and add errors for the others. ``columns`` is None for columns without a field."""
    normalized: dict[str, str] = {}
    for name, value in values.items():
        field, column = ("", name) if columns is None else (name, columns[name])
        error = _characters_error(field, column, name + value) or _length_error(field, column, value)
        if error:
            errors.append(error)
        elif composed := _normalize_text(value):
            normalized[_normalize_text(name)] = composed
    return normalized


def _characters_error(field: str, column: str, text: str) -> RowError | None:
    match = INVALID_CHARS.search(text)
    if match is None:
        return None
    if match[0] == "\0":
        code, problem, remedy = RowErrorCode.NUL_CHARACTER, "contains a NUL character", "remove it"
    else:
        code = RowErrorCode.NOT_TEXT
        problem, remedy = "contains bytes or half characters that are not text", "save the file as UTF-8"
    return RowError(field=field, code=code, problem=problem, remedy=remedy, column=column)


def _length_error(field: str, column: str, text: str) -> RowError | None:
    if len(text) <= MAX_FIELD_CHARS:
        return None
    problem = f"is longer than {MAX_FIELD_CHARS:,} characters"
    return RowError(
        field=field, code=RowErrorCode.TOO_LONG, problem=problem, remedy="shorten or split it", column=column
    )


def _check_ids(id: str, linked: Iterable[str]) -> list[RowError]:
    problem = f"has an id that is longer than {MAX_ID_CHARS} characters or not text"
    return [
        RowError(field=field, code=RowErrorCode.INVALID_ID, problem=problem, remedy="use a shorter id")
        for field, ids in ((ID_FIELD, (id,)), (LINKED_CASES_FIELD, linked))
        if any(len(value) > MAX_ID_CHARS or INVALID_CHARS.search(value) for value in ids)
    ]


def _check_text(text: Mapping[str, str], kind: CaseKind) -> list[RowError]:
    main_field = text_fields(kind)[1]
    if not text:
        field = PLAIN_TEXT_FIELD[kind]
        remedy = f'fill in "title" or "{field}", or choose the column for "{field}"'
        problem = "has no title and no text"
        return [RowError(field=main_field, code=RowErrorCode.NO_TEXT, problem=problem, remedy=remedy)]
    letters = (c for value in text.values() for c in value if c.isalpha())
    if len(list(islice(letters, MIN_LETTERS))) < MIN_LETTERS:
        problem, remedy = f"has fewer than {MIN_LETTERS} letters of text", "describe in a sentence what happened"
        return [RowError(field=main_field, code=RowErrorCode.TOO_FEW_LETTERS, problem=problem, remedy=remedy)]
    return []


def _check_facts(facts: Mapping[str, str], mapped: MappedValues, errors: list[RowError]) -> dict[str, str]:
    checked: dict[str, str] = {}
    for name, value in facts.items():
        code, remedy, check = _CHECKS[name]
        try:
            checked[name] = check(value)
        except ValueError as error:
            column, wrong = mapped.columns[name], shorten(value)
            errors.append(
                RowError(field=name, code=code, problem=str(error), remedy=remedy, column=column, value=wrong)
            )
    return checked


def _choice_check(choices: Sequence[str]) -> Callable[[str], str]:
    choice_by_word = {_normalize_word(word): word for word in choices}

    def check(value: str) -> str:
        if _normalize_word(value) not in choice_by_word:
            raise ValueError(f"is not one of {', '.join(choices)}")
        return choice_by_word[_normalize_word(value)]

    return check


def _normalize_word(word: str) -> str:
    """Return a word without case and with plain dashes and spaces, which spreadsheets change."""
    return re.sub(r"[\s_‐‑‒–—-]+", " ", word).strip().casefold()


def _iso_date(text: str) -> str:
    return parse_date(text).isoformat()


_CHOICE_REMEDY = "use one of these, or no value"
_Check = tuple[RowErrorCode, str, Callable[[str], str]]


def _fact_check(field: CaseField) -> _Check:
    match field.type:
        case FieldType.DATE:
            return RowErrorCode.INVALID_DATE, DATE_FORMAT_HINT, _iso_date
        case FieldType.CHOICE:
            return RowErrorCode.INVALID_CHOICE, _CHOICE_REMEDY, _choice_check([c.value for c in field.choices])
        case _:
            return RowErrorCode.INVALID_CHOICE, "", str


_CHECKS: Mapping[str, _Check] = {field.name: _fact_check(field) for field in FACTS}
"""Error code, remedy and check of each fact. A check raises ValueError with the problem."""
