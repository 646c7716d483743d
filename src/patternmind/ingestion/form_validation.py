"""A case written at the desk: the same checks as a row of a file, said beside the field that each is about."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from patternmind.domain.cases import (
    CASE_FIELDS,
    RECAP_FIELDS,
    CaseKind,
    RejectedRow,
    Submission,
    text_fields,
)
from patternmind.ingestion.mapping import LINKED_CASES, mappable_fields
from patternmind.ingestion.rows import Row
from patternmind.ingestion.validation import to_submission

MIN_RECOMMENDED_WORDS = 12
"""Fewer words place a case badly; it is taken all the same."""

_QUESTIONS: Mapping[str, str] = {
    "problem": "What is the problem, in your own words?",
    "what_happened": "What happened, the last time?",
    "tried": "What have you tried, and what came of it?",
    "outcome": "How did it end?",
    "lesson": "What would you do again, or never again?",
    "context": "Where and under which conditions does it happen?",
    "decision_point": "Where did somebody have to decide, and on what?",
    "team": "Which team is it from? A pattern needs cases of at least two.",
    "recurrence": "How often does it come back?",
    "case": "Which case did you work on?",
    "decision": "What did you decide?",
    "next_use": "Who tries it next, and when?",
    "open_question": "What stayed open?",
}
"""In the order in which they are missed: what tells two cases apart, then what others can use, then what counts it."""

_CASE_QUESTION_ORDER = (
    *("problem", "what_happened", "tried", "outcome", "lesson", "context", "team", "recurrence", "decision_point"),
)
_RECAP_QUESTION_ORDER = ("case", "decision", "next_use", "open_question")
_ONLY_WHEN_SOLVED = frozenset({"outcome", "lesson"})


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with what was written; ``field`` is empty where it is about all of it."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class MissingField:
    """The one thing that would help most, asked as a question."""

    field: str
    question: str


def validate_fields(
    fields: Mapping[str, str], *, kind: CaseKind, external_id: str | None = None
) -> Submission | tuple[FieldError, ...]:
    """What was written in a form as a submission, or all that is wrong with it; no message holds the text."""
    values: dict[str, object] = {name: value for name, value in fields.items() if name != "id"}
    if external_id is not None:
        values["id"] = external_id
    taken = to_submission(Row(file="", row=0, values=values), mapping={}, kind=kind)
    if isinstance(taken, RejectedRow):
        return tuple(FieldError(_field_in_error(error, kind), form_message(error, kind)) for error in taken.errors)
    return taken


def _field_in_error(error: str, kind: CaseKind) -> str:
    named = re.match(r'(?:column )?"?([a-z_]+)"? (?:is|holds)\b', error)
    if named and named[1] in mappable_fields(kind):
        return named[1]
    if error.startswith("an id "):
        return LINKED_CASES if kind is CaseKind.RECAP else "id"
    return text_fields(kind)[1] if error.startswith(("it has no", "its text has")) else ""


def form_message(error: str, kind: CaseKind) -> str:
    """Without the words that are for files, and without the field's name, beside which it stands."""
    if error.startswith("it has no title"):
        return (
            "Give it a title, or say in a sentence what the problem is."
            if kind is CaseKind.CASE
            else ("Give it a title, or say in a sentence what came of the session.")
        )
    told = re.sub(r"; save the file as UTF-8$", "; write it anew", error)
    told = re.sub(r'^(?:column )?"[^"]*" (?=is |holds )', "it ", told)
    told = re.sub(r'^\w+ is "[^"]*": ', "", told)
    return f"{told[:1].upper()}{told[1:]}{'' if told.endswith('.') else '.'}"


def suggest_field(fields: Mapping[str, str], *, kind: CaseKind) -> MissingField | None:
    """The one most useful thing that is not there yet; None where all of them are."""
    order = _CASE_QUESTION_ORDER if kind is CaseKind.CASE else _RECAP_QUESTION_ORDER
    text = " ".join(fields.get(name, "") for name in (*CASE_FIELDS, *RECAP_FIELDS))
    if kind is CaseKind.CASE and fields.get("problem") and len(text.split()) < MIN_RECOMMENDED_WORDS:
        return MissingField(
            "problem", "Can you say a little more? A sentence on what happened is enough to find its like."
        )
    still_open = fields.get("status", "") == "open"
    for name in order:
        if not fields.get(name, "").strip() and not (still_open and name in _ONLY_WHEN_SOLVED):
            return MissingField(name, _QUESTIONS[name])
    return None
