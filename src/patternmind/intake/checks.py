"""A row checked, with everything that is wrong with it said at once."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from itertools import islice

from patternmind.intake.dates import parse_date
from patternmind.intake.fields import ID, FieldMap, sort_values
from patternmind.intake.rows import Row
from patternmind.model.cases import FACT_FIELDS, Consent, Kind, RejectedRow, Submission, text_fields

MAX_FIELD_CHARS = 200_000
MAX_ID_CHARS = 200
MIN_LETTERS = 3
"""Fewer letters are an ellipsis or a stray key, and nothing an encoder could place."""

STATUSES = ("open", "workaround", "solved", "abandoned")
RECURRENCES = ("first", "2-3", "monthly", "weekly", "daily")
CONSENTS = tuple(str(consent) for consent in Consent)

_UNWRITABLE = re.compile("[\0\ud800-\udfff]")
_SHOWN_CHARS = 40


def to_submission(row: Row, *, mapping: FieldMap, kind: Kind) -> Submission | RejectedRow:
    """The row as a submission, or all its errors. No error holds the text of a case.

    Text is trimmed at its ends and put into Unicode's composed form (NFC), since Macs write é as two characters and
    the same sentence must hash and quote alike; nothing else in it is changed.
    """
    try:
        sorted_values = sort_values(row.values, mapping=mapping, kind=kind)
    except RecursionError:
        return RejectedRow(file=row.file, row=row.row, errors=("a value is nested too deeply",))
    errors: list[str] = []
    fields = _clean(sorted_values.fields, errors, prefix="")
    extra = _clean(sorted_values.extra, errors, prefix="column ")
    linked = tuple(_compose(linked_id) for linked_id in sorted_values.linked_cases)
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


def _compose(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip())


def _clean(values: Mapping[str, str], errors: list[str], *, prefix: str) -> dict[str, str]:
    cleaned: dict[str, str] = {}
    for name, value in values.items():
        wrong = _unwritable(name + value) or _too_long(value)
        if wrong:
            errors.append(f'{prefix}"{shorten(name)}" {wrong}')
        elif composed := _compose(value):
            cleaned[_compose(name)] = composed
    return cleaned


def _unwritable(text: str) -> str:
    found = _UNWRITABLE.search(text)
    if found is None:
        return ""
    if found[0] == "\0":
        return "holds a NUL character; take it out"
    return "holds bytes or half characters that are no text; save the file as UTF-8"


def _too_long(text: str) -> str:
    return f"is longer than {MAX_FIELD_CHARS:,} characters; shorten or split it" if len(text) > MAX_FIELD_CHARS else ""


def _check_id(id: str, linked: Iterable[str]) -> list[str]:
    if any(len(one) > MAX_ID_CHARS or _UNWRITABLE.search(one) for one in (id, *linked)):
        return [f"an id is longer than {MAX_ID_CHARS} characters or is no text; shorten it"]
    return []


def _check_text(text: Mapping[str, str], kind: Kind) -> list[str]:
    if not text:
        asked = "problem" if kind is Kind.CASE else "notes"
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


def _one_of(words: tuple[str, ...]) -> Callable[[str], str]:
    known = {_plain(word): word for word in words}

    def check(value: str) -> str:
        if _plain(value) not in known:
            raise ValueError(f"write one of {', '.join(words)}, or leave it empty")
        return known[_plain(value)]

    return check


def _plain(word: str) -> str:
    """A word without case and without the kind of its dashes and spaces, which spreadsheets change."""
    return re.sub(r"[\s_‐‑‒–—-]+", " ", word).strip().casefold()


def shorten(text: str) -> str:
    """Enough of a short value to know it again in a message; line breaks become spaces."""
    line = " ".join(_UNWRITABLE.sub("?", text).split())
    return line if len(line) <= _SHOWN_CHARS else f"{line[: _SHOWN_CHARS - 1]}…"


_CHECKS: Mapping[str, Callable[[str], str]] = {
    "opened_on": lambda text: parse_date(text).isoformat(),
    "solved_on": lambda text: parse_date(text).isoformat(),
    "status": _one_of(STATUSES),
    "recurrence": _one_of(RECURRENCES),
    "consent": _one_of(CONSENTS),
}
