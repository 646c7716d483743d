"""Fields of drafts: their names, values and lines.

A value is one text or a list of lines. Names and the two marks are stored with every draft and never change.
"""

from collections.abc import Callable, Mapping, Sequence

FieldValue = str | tuple[str, ...]
DraftFields = Mapping[str, FieldValue]

NOT_STATED = "not stated in these cases"
"""Value of a field that no claim covers."""

WITHDRAWN = "[withdrawn]"
"""Text in place of a refused claim, or of a quote whose case is gone."""

COUNTER_EVIDENCE = "counter_evidence"
"""Field whose quotes contradict the draft; they do not count as its evidence."""

COUNTER_SEARCH = "counter_search"
"""Sentence about the search for counter-evidence."""

PATTERN_FIELDS = (
    "context",
    "problem",
    "forces",
    "solution",
    "signs_it_applies",
    "do_not_use_when",
    "consequences",
    COUNTER_EVIDENCE,
)
"""Fields of a pattern with claims, in reading order; the patlet, which sums them up, comes first."""

COMPUTED_FIELDS = frozenset(
    {"coverage", COUNTER_SEARCH, "related", "session", "date", "leave_with", "unknown", "reason", "known_uses"}
)
"""Fields that the program computes or a person fills in; their text needs no quote."""


def value_items(value: FieldValue) -> tuple[str, ...]:
    """Return the texts of a value: the text itself, or the lines of a list."""
    return (value,) if isinstance(value, str) else value


def value_lines(value: FieldValue) -> list[str]:
    """Return the lines of a value that state something, withdrawn ones included."""
    lines = value.splitlines() if isinstance(value, str) else value
    return [line for line in lines if line.strip() and line.strip() != NOT_STATED]


def stated_lines(fields: DraftFields, name: str) -> tuple[str, ...]:
    """Return the lines of a field without empty, withdrawn and not-stated ones."""
    return tuple(line.strip() for line in value_lines(fields.get(name, "")) if WITHDRAWN not in line)


def joined_lines(fields: DraftFields, name: str) -> str:
    """Return the stated lines of a field as one text."""
    return " ".join(stated_lines(fields, name))


def value_to_text(value: FieldValue) -> str:
    """Return a value as form text: list items on lines of their own, "not stated" as empty text."""
    text = "\n".join(value_items(value))
    return "" if text.strip() == NOT_STATED else text


def value_to_line(value: FieldValue) -> str:
    """Return a value on one line."""
    return " ".join(value_items(value))


def map_lines(fields: DraftFields, change: Callable[[str], str]) -> dict[str, FieldValue]:
    """Apply a function to each text and each line of a list."""
    return {
        name: change(value) if isinstance(value, str) else tuple(map(change, value)) for name, value in fields.items()
    }


def fields_record(fields: DraftFields) -> dict[str, str | list[str]]:
    """Return fields as JSON values; ``parse_fields`` reads them."""
    return {name: value if isinstance(value, str) else list(value) for name, value in fields.items()}


def parse_fields(record: Mapping[str, str | Sequence[str]]) -> dict[str, FieldValue]:
    """Return the fields of a JSON object."""
    return {name: value if isinstance(value, str) else tuple(value) for name, value in record.items()}
