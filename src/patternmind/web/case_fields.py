"""Form fields of cases and recaps: labels, hints, options and grouping."""

# ruff: noqa: E501 - a field a line reads better than one a paragraph
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from patternmind.domain.cases import CaseKind, Consent
from patternmind.ingestion.validation import RECURRENCES, STATUSES


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """A form field: a text area if ``rows`` > 0, a select if it has ``options``, else an input of ``type``."""

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
    "workaround": "Workaround found",
    "solved": "Solved",
    "abandoned": "Abandoned",
}
_RECURRENCE_LABELS = {"first": "First time", "2-3": "Two or three times", "monthly": "Every month", "weekly": "Every week", "daily": "Every day"}  # fmt: skip

TITLE_FIELD = FormField(name="title", label="Title", hint="A few words. If empty, the beginning of the problem is used.", max_length=300)  # fmt: skip
PROBLEM_FIELD = FormField(
    name="problem",
    label="What is the problem, in your own words?",
    hint="Two or three sentences, as you would explain it to a colleague. Names of people are redacted for others.",
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
            FormField(name="tried", label="What have you tried?", hint="Include what did not help: it saves others the attempt.", rows=3),
            FormField(name="decision_point", label="Which decision did you face?", rows=2),
            FormField(name="newcomer_miss", label="What would a newcomer miss?", rows=2),
        ),
    ),
    FieldGroup(
        "How it ended",
        (
            FormField(name="status", label="Status", options=[("", "Not stated"), *_STATUS_LABELS.items()]),
            FormField(name="outcome", label="How did it end?", rows=2),
            FormField(name="lesson", label="What did you learn?", rows=2),
            FormField(name="recommendation", label="What would you recommend to others?", rows=2),
            FormField(name="opened_on", label="First seen on", type="date"),
            FormField(name="solved_on", label="Solved on", type="date"),
        ),
    ),
    FieldGroup(
        "Details for search and statistics",
        (
            FormField(name="team", label="Team", hint="A pattern needs cases from at least two teams.", max_length=200),
            FormField(name="recurrence", label="How often does it happen?", options=[("", "Not stated"), *_RECURRENCE_LABELS.items()]),
            FormField(name="impact", label="Cost", hint="A number or a few words.", max_length=300),
            FormField(name="impact_unit", label="Unit of the cost", hint="Hours, crowns, complaints …", max_length=100),
            FormField(name="region", label="Region or site", max_length=200),
            FormField(name="role", label="Your role", max_length=200),
            FormField(name="help_wanted", label="What help would you like?", rows=2),
            FormField(name="links", label="Links", hint="Stored as text for you and the steward. Links are never opened.", max_length=2000),
        ),
    ),
)  # fmt: skip

RECAP_FIELD_GROUPS: Sequence[FieldGroup] = (
    FieldGroup(
        "The session in five points",
        (
            FormField(name="title", label="Session", max_length=300),
            FormField(name="opened_on", label="Date", type="date"),
            FormField(name="case", label="Case: what did you work on?", rows=3),
            FormField(name="pattern", label="Pattern: what have you seen before?", rows=2),
            FormField(name="decision", label="Decision or improvement", rows=2),
            FormField(name="next_use", label="Next use", hint="One owner, one date.", rows=2),
            FormField(name="open_question", label="Open question", rows=2),
        ),
        is_open=True,
    ),
    FieldGroup(
        "Additional information",
        (
            FormField(name="linked_cases", label="Cases it was about", hint="Case ids, separated by commas.", max_length=2000),
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
        "It helps to find themes. Its text appears in no playbook, report or export.",
    ),
    (
        Consent.ORGANISATION.value,
        "The organisation",
        "Sentences from it may appear in playbooks and reports inside the organisation, without your name.",
    ),
    (
        Consent.QUOTABLE.value,
        "Everyone, without my name",
        "Sentences from it may also be quoted outside, always without your name.",
    ),
)

CONSENT_LABELS = {value: label for value, label, _ in CONSENT_OPTIONS}

STATUS_OPTIONS = [(status, _STATUS_LABELS[status]) for status in STATUSES]
RECURRENCE_OPTIONS = [(recurrence, _RECURRENCE_LABELS[recurrence]) for recurrence in RECURRENCES]

FIELD_LABELS: Mapping[str, str] = {
    "title": "Title",
    "problem": "The problem",
    "context": "Context",
    "expected": "What was expected",
    "what_happened": "What happened",
    "tried": "What was tried",
    "decision_point": "Decision to make",
    "newcomer_miss": "What a newcomer would miss",
    "outcome": "How it ended",
    "lesson": "What was learned",
    "recommendation": "Recommendation",
    "case": "Case",
    "pattern": "Pattern",
    "decision": "Decision or improvement",
    "next_use": "Next use",
    "open_question": "Open question",
    "notes": "Notes",
    "status": "Status",
    "opened_on": "First seen",
    "solved_on": "Solved on",
    "recurrence": "How often",
    "impact": "Cost",
    "impact_unit": "Unit of cost",
    "help_wanted": "Help wanted",
    "team": "Team",
    "region": "Region",
    "role": "Role",
    "source_format": "Source format",
    "links": "Links",
    "consent": "Visible to",
    "submitter": "Submitted by",
    "linked_cases": "Cases it is about",
}


def value_label(name: str, value: str) -> str:
    """Return the label of a fact's value."""
    labels = {"status": _STATUS_LABELS, "recurrence": _RECURRENCE_LABELS, "consent": CONSENT_LABELS}.get(name, {})
    return labels.get(value, value)


def field_label(name: str) -> str:
    return FIELD_LABELS.get(name, name)


def form_field_names(kind: CaseKind) -> tuple[str, ...]:
    """Return the names of the fields that a form of this kind submits."""
    return (*(field.name for group in FIELD_GROUPS[kind] for field in group.fields), "consent")
