"""What the fields of a case and a recap are called on pages, what they ask, and which words some of them take."""

# ruff: noqa: E501 - a field a line reads better than one a paragraph
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from patternmind.domain.cases import CaseKind, Consent
from patternmind.ingestion.validation import RECURRENCES, STATUSES


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """A field of the form. ``rows`` above 0 makes it a text, ``options`` a choice, ``type`` another kind of input."""

    name: str
    label: str
    hint: str = ""
    rows: int = 0
    type: str = "text"
    options: Sequence[tuple[str, str]] = ()
    max_length: int = 0


@dataclass(frozen=True, slots=True)
class FieldGroup:
    title: str
    fields: Sequence[FormField]
    is_open: bool = False


_STATUS_LABELS = {
    "open": "Still open",
    "workaround": "There is a workaround",
    "solved": "Solved",
    "abandoned": "Given up",
}
_RECURRENCE_LABELS = {"first": "The first time", "2-3": "Two or three times", "monthly": "Every month", "weekly": "Every week", "daily": "Every day"}  # fmt: skip

TITLE_FIELD = FormField(name="title", label="Title", hint="A few words. Left empty, the beginning of the problem stands for it.", max_length=300)  # fmt: skip
PROBLEM_FIELD = FormField(
    name="problem",
    label="What is the problem, in your own words?",
    hint="Two or three sentences, as you would tell a colleague. Names of people are taken out for others.",
    rows=5,
)

CASE_FIELD_GROUPS: Sequence[FieldGroup] = (
    FieldGroup("The problem", (PROBLEM_FIELD, TITLE_FIELD), is_open=True),
    FieldGroup(
        "What happened",
        (
            FormField(name="what_happened", label="What happened, step by step?", rows=3),
            FormField(name="expected", label="What did you expect?", rows=2),
            FormField(name="context", label="Where and under which conditions?", rows=2),
            FormField(name="tried", label="What have you tried?", hint="Also what did not help: it saves others the way.", rows=3),
            FormField(name="decision_point", label="Where did somebody have to decide, and on what?", rows=2),
            FormField(name="newcomer_miss", label="What would somebody new here miss?", rows=2),
        ),
    ),
    FieldGroup(
        "How it ended",
        (
            FormField(name="status", label="Where it stands", options=[("", "Not said"), *_STATUS_LABELS.items()]),
            FormField(name="outcome", label="How did it end?", rows=2),
            FormField(name="lesson", label="What did you learn?", rows=2),
            FormField(name="recommendation", label="What would you tell the next person?", rows=2),
            FormField(name="opened_on", label="When it came up", type="date"),
            FormField(name="solved_on", label="When it was solved", type="date"),
        ),
    ),
    FieldGroup(
        "What helps to find and count it",
        (
            FormField(name="team", label="Team", hint="A pattern needs cases of at least two teams.", max_length=200),
            FormField(name="recurrence", label="How often does it come back?", options=[("", "Not said"), *_RECURRENCE_LABELS.items()]),
            FormField(name="impact", label="What it costs", hint="A number, or a few words.", max_length=300),
            FormField(name="impact_unit", label="In what", hint="Hours, crowns, complaints …", max_length=100),
            FormField(name="region", label="Region or site", max_length=200),
            FormField(name="role", label="Your role", max_length=200),
            FormField(name="help_wanted", label="What help would you like?", rows=2),
            FormField(name="links", label="Links", hint="Kept as text for you and the steward. Nothing is ever fetched.", max_length=2000),
        ),
    ),
)  # fmt: skip

RECAP_FIELD_GROUPS: Sequence[FieldGroup] = (
    FieldGroup(
        "The session in five lines",
        (
            FormField(name="title", label="Session", max_length=300),
            FormField(name="opened_on", label="On", type="date"),
            FormField(name="case", label="Case: what did you work on?", rows=3),
            FormField(name="pattern", label="Pattern: what was seen before?", rows=2),
            FormField(name="decision", label="Decision or improvement", rows=2),
            FormField(name="next_use", label="Next use", hint="One owner, one date.", rows=2),
            FormField(name="open_question", label="Open question", rows=2),
        ),
        is_open=True,
    ),
    FieldGroup(
        "Beside it",
        (
            FormField(name="linked_cases", label="Cases it was about", hint="Their ids, with commas between.", max_length=2000),
            FormField(name="team", label="Team", max_length=200),
            FormField(name="notes", label="Notes", rows=4),
        ),
    ),
)  # fmt: skip

FIELD_GROUPS: Mapping[CaseKind, Sequence[FieldGroup]] = {
    CaseKind.CASE: CASE_FIELD_GROUPS,
    CaseKind.RECAP: RECAP_FIELD_GROUPS,
}

CONSENT_OPTIONS: Sequence[tuple[str, str, str]] = (
    (
        Consent.NETWORK_ONLY.value,
        "Only this network",
        "It helps to find themes here. Its words never leave: no playbook, no report, no export.",
    ),
    (
        Consent.ORGANISATION.value,
        "The organisation",
        "Sentences of it may stand in playbooks and reports inside the organisation, without your name.",
    ),
    (
        Consent.QUOTABLE.value,
        "Anybody, without my name",
        "Sentences of it may be quoted outside too, always without your name.",
    ),
)

CONSENT_LABELS = {value: label for value, label, _ in CONSENT_OPTIONS}

STATUS_OPTIONS = [(word, _STATUS_LABELS[word]) for word in STATUSES]
RECURRENCE_OPTIONS = [(word, _RECURRENCE_LABELS[word]) for word in RECURRENCES]

FIELD_LABELS: Mapping[str, str] = {
    "title": "Title",
    "problem": "The problem",
    "context": "Context",
    "expected": "What was expected",
    "what_happened": "What happened",
    "tried": "What was tried",
    "decision_point": "Where somebody had to decide",
    "newcomer_miss": "What a newcomer would miss",
    "outcome": "How it ended",
    "lesson": "What was learned",
    "recommendation": "What to tell the next person",
    "case": "Case",
    "pattern": "Pattern",
    "decision": "Decision or improvement",
    "next_use": "Next use",
    "open_question": "Open question",
    "notes": "Notes",
    "status": "Where it stands",
    "opened_on": "Came up on",
    "solved_on": "Solved on",
    "recurrence": "Comes back",
    "impact": "Cost",
    "impact_unit": "In",
    "help_wanted": "Help wanted",
    "team": "Team",
    "region": "Region",
    "role": "Role",
    "source_format": "Came as",
    "links": "Links",
    "consent": "May be read by",
    "submitter": "Handed in by",
    "linked_cases": "Cases it is about",
}


def value_label(name: str, value: str) -> str:
    """A fact in the words of the page."""
    words = {"status": _STATUS_LABELS, "recurrence": _RECURRENCE_LABELS, "consent": CONSENT_LABELS}.get(name, {})
    return words.get(value, value)


def field_label(name: str) -> str:
    return FIELD_LABELS.get(name, name)


def form_field_names(kind: CaseKind) -> tuple[str, ...]:
    """The fields that a form of this kind sends."""
    return (*(one.name for group in FIELD_GROUPS[kind] for one in group.fields), "consent")
