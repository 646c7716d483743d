"""Validate a case from a form with the same checks as a file row."""

from collections.abc import Mapping
from dataclasses import dataclass

from patternmind.domain.case_fields import CASE_FIELDS, KNOWN_WHEN_SOLVED, PLAIN_TEXT_FIELD, QUESTIONS, RECAP_FIELDS
from patternmind.domain.cases import CaseKind, Submission
from patternmind.ingestion.rows import Row
from patternmind.ingestion.validation import RowError, RowErrorCode, validate_row

MIN_RECOMMENDED_WORDS = 12
"""Fewer words place a case badly. It is accepted anyway."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """An error in a form; ``field`` is empty if it is about the whole form."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class MissingField:
    """The missing field that would help most, as a question."""

    field: str
    question: str


def validate_fields(
    fields: Mapping[str, str], *, kind: CaseKind, external_id: str | None = None
) -> Submission | tuple[FieldError, ...]:
    """Return a form's fields as a submission, or all its errors. No message contains the text."""
    values: dict[str, object] = {name: value for name, value in fields.items() if name != "id"}
    if external_id is not None:
        values["id"] = external_id
    result = validate_row(Row(file="", row=0, values=values), mapping={}, kind=kind)
    if isinstance(result, Submission):
        return result
    return tuple(FieldError(error.field, _form_message(error, kind)) for error in result)


def _form_message(error: RowError, kind: CaseKind) -> str:
    """Return the error as a sentence to show next to its field."""
    if error.code is RowErrorCode.NO_TEXT:
        content = "what the problem is" if kind is CaseKind.CASE else "what came of the session"
        return f"Enter a title, or write in a sentence {content}."
    if error.code is RowErrorCode.NOT_TEXT:
        return f"This {error.problem}; enter it again."
    return f"This {error.problem}; {error.remedy}."


def suggest_field(fields: Mapping[str, str], *, kind: CaseKind) -> MissingField | None:
    """Return the most useful missing field as a question, or None if none is missing."""
    text = " ".join(fields.get(name, "") for name in (*CASE_FIELDS, *RECAP_FIELDS))
    main_field = PLAIN_TEXT_FIELD[kind]
    if kind is CaseKind.CASE and fields.get(main_field) and len(text.split()) < MIN_RECOMMENDED_WORDS:
        return MissingField(
            main_field, "Can you add a little more? One sentence about what happened is enough to find similar cases."
        )
    is_open = fields.get("status", "") == "open"
    for name, question in QUESTIONS[kind].items():
        if not fields.get(name, "").strip() and not (is_open and name in KNOWN_WHEN_SOLVED):
            return MissingField(name, question)
    return None
