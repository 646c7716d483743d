"""A row checked, with everything that is wrong with it said at once."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from itertools import islice

from patternmind.domain.cases import (
    FACT_FIELDS,
    CaseKind,
    Consent,
    RejectedRow,
    Submission,
    text_fields,
)
from patternmind.ingestion.dates import parse_date
from patternmind.ingestion.mapping import ID, FieldMap, map_values
from patternmind.ingestion.rows import Row

MAX_FIELD_CHARS = 200_000
MAX_ID_CHARS = 200
MIN_LETTERS = 3
"""Fewer letters are an ellipsis or a stray key, and nothing an encoder could place."""

STATUSES = ("open", "workaround", "solved", "abandoned")
RECURRENCES = ("first", "2-3", "monthly", "weekly", "daily")
CONSENTS = tuple(str(consent) for consent in Consent)

_INVALID_CHARS = re.compile("[\0\ud800-\udfff]")
_MAX_SHORTENED_CHARS = 40


def to_submission(row: Row, *, mapping: FieldMap, kind: CaseKind) -> Submission | RejectedRow:
    """The row as a submission, or all its errors. No error holds the text of a case.

    Text is trimmed at its ends and put into Unicode's composed form (NFC), since Macs write é as two characters and
    the same sentence must hash and quote alike; nothing else in it is changed.
    """
    try:
        sorted_values = map_values(row.values, mapping=mapping, kind=kind)
    except RecursionError:
        return RejectedRow(file=row.file, row=row.row, errors=("a value is nested too deeply",))
    errors: list[str] = []
    fields = _normalize_values(sorted_values.fields, errors, prefix="")
    extra = _normalize_values(sorted_values.extra, errors, prefix="column ")
    linked = tuple(_normalize_text(linked_id) for linked_id in sorted_values.linked_cases)
    text = {name: fields[name] for name in text_fields(kind) if name in fields}
    facts = _check_facts({name: fields[name] for name in FACT_FIELDS if name in fields}, errors)
    errors += _check_id(fields.get(ID, ""), linked)
    if not errors:  # a text that was refused above is not also missing
        errors += _check_text(text, kind)
    if errors:
        return RejectedRow(file=row.file, row=row.row, errors=tuple(errors))
    return Submission(
        kind=kind,
        external_id=fields.get(ID),
        text=text,
        facts=facts,
        extra=extra,
        linked_cases=linked,
        file=row.file,
        row=row.row,
    )


def _normalize_text(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip())


def _normalize_values(values: Mapping[str, str], errors: list[str], *, prefix: str) -> dict[str, str]:
    cleaned: dict[str, str] = {}
    for name, value in values.items():
        wrong = _invalid_chars_error(name + value) or _length_error(value)
        if wrong:
            errors.append(f'{prefix}"{shorten(name)}" {wrong}')
        elif composed := _normalize_text(value):
            cleaned[_normalize_text(name)] = composed
    return cleaned


def _invalid_chars_error(text: str) -> str:
    found = _INVALID_CHARS.search(text)
    if found is None:
        return ""
    if found[0] == "\0":
        return "holds a NUL character; take it out"
    return "holds bytes or half characters that are no text; save the file as UTF-8"


def _length_error(text: str) -> str:
    return f"is longer than {MAX_FIELD_CHARS:,} characters; shorten or split it" if len(text) > MAX_FIELD_CHARS else ""


def _check_id(id: str, linked: Iterable[str]) -> list[str]:
    if any(len(one) > MAX_ID_CHARS or _INVALID_CHARS.search(one) for one in (id, *linked)):
        return [f"an id is longer than {MAX_ID_CHARS} characters or is no text; shorten it"]
    return []


def _check_text(text: Mapping[str, str], kind: CaseKind) -> list[str]:
    if not text:
        asked = "problem" if kind is CaseKind.CASE else "notes"
        return [f'it has no title and no text: fill "title" or "{asked}", or map a column with --map {asked}=COLUMN']
    letters = (c for value in text.values() for c in value if c.isalpha())
    if len(list(islice(letters, MIN_LETTERS))) < MIN_LETTERS:
        return [f"its text has fewer than {MIN_LETTERS} letters: say in a sentence what happened"]
    return []


def _check_facts(facts: Mapping[str, str], errors: list[str]) -> dict[str, str]:
    checked: dict[str, str] = {}
    for name, value in facts.items():
        try:
            checked[name] = _CHECKS[name](value) if name in _CHECKS else value
        except ValueError as error:
            errors.append(f'{name} is "{shorten(value)}": {error}')
    return checked


def _choice_check(choices: tuple[str, ...]) -> Callable[[str], str]:
    known = {_normalize_word(word): word for word in choices}

    def check(value: str) -> str:
        if _normalize_word(value) not in known:
            raise ValueError(f"write one of {', '.join(choices)}, or leave it empty")
        return known[_normalize_word(value)]

    return check


def _normalize_word(word: str) -> str:
    """A word without case and without the kind of its dashes and spaces, which spreadsheets change."""
    return re.sub(r"[\s_‐‑‒–—-]+", " ", word).strip().casefold()


def shorten(text: str) -> str:
    """Enough of a short value to know it again in a message; line breaks become spaces."""
    line = " ".join(_INVALID_CHARS.sub("?", text).split())
    return line if len(line) <= _MAX_SHORTENED_CHARS else f"{line[: _MAX_SHORTENED_CHARS - 1]}…"


_CHECKS: Mapping[str, Callable[[str], str]] = {
    "opened_on": lambda text: parse_date(text).isoformat(),
    "solved_on": lambda text: parse_date(text).isoformat(),
    "status": _choice_check(STATUSES),
    "recurrence": _choice_check(RECURRENCES),
    "consent": _choice_check(CONSENTS),
}
