"""What the fields of a case and a recap are called on pages, what they ask, and which words some of them take."""

# ruff: noqa: E501 - a field a line reads better than one a paragraph
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from patternmind.intake.checks import RECURRENCES, STATUSES
from patternmind.model.cases import Consent, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A field of the form. ``rows`` above 0 makes it a text, ``options`` a choice, ``type`` another kind of input."""

    name: str
    label: str
    hint: str = ""
    rows: int = 0
    type: str = "text"
    options: Sequence[tuple[str, str]] = ()
    maxlength: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    title: str
    fields: Sequence[Asked]
    open: bool = False


_STATUS_WORDS = {
    "open": "Still open",
    "workaround": "There is a workaround",
    "solved": "Solved",
    "abandoned": "Given up",
}
_OFTEN_WORDS = {"first": "The first time", "2-3": "Two or three times", "monthly": "Every month", "weekly": "Every week", "daily": "Every day"}  # fmt: skip

TITLE = Asked(name="title", label="Title", hint="A few words. Left empty, the beginning of the problem stands for it.", maxlength=300)  # fmt: skip
PROBLEM = Asked(
    name="problem",
    label="What is the problem, in your own words?",
    hint="Two or three sentences, as you would tell a colleague. Names of people are taken out for others.",
    rows=5,
)

CASE_GROUPS: Sequence[Group] = (
    Group("The problem", (PROBLEM, TITLE), open=True),
    Group(
        "What happened",
        (
            Asked(name="what_happened", label="What happened, step by step?", rows=3),
            Asked(name="expected", label="What did you expect?", rows=2),
            Asked(name="context", label="Where and under which conditions?", rows=2),
            Asked(name="tried", label="What have you tried?", hint="Also what did not help: it saves others the way.", rows=3),
            Asked(name="decision_point", label="Where did somebody have to decide, and on what?", rows=2),
            Asked(name="newcomer_miss", label="What would somebody new here miss?", rows=2),
        ),
    ),
    Group(
        "How it ended",
        (
            Asked(name="status", label="Where it stands", options=[("", "Not said"), *_STATUS_WORDS.items()]),
            Asked(name="outcome", label="How did it end?", rows=2),
            Asked(name="lesson", label="What did you learn?", rows=2),
            Asked(name="recommendation", label="What would you tell the next person?", rows=2),
            Asked(name="opened_on", label="When it came up", type="date"),
            Asked(name="solved_on", label="When it was solved", type="date"),
        ),
    ),
    Group(
        "What helps to find and count it",
        (
            Asked(name="team", label="Team", hint="A pattern needs cases of at least two teams.", maxlength=200),
            Asked(name="recurrence", label="How often does it come back?", options=[("", "Not said"), *_OFTEN_WORDS.items()]),
            Asked(name="impact", label="What it costs", hint="A number, or a few words.", maxlength=300),
            Asked(name="impact_unit", label="In what", hint="Hours, crowns, complaints …", maxlength=100),
            Asked(name="region", label="Region or site", maxlength=200),
            Asked(name="role", label="Your role", maxlength=200),
            Asked(name="help_wanted", label="What help would you like?", rows=2),
            Asked(name="links", label="Links", hint="Kept as text for you and the steward. Nothing is ever fetched.", maxlength=2000),
        ),
    ),
)  # fmt: skip

RECAP_GROUPS: Sequence[Group] = (
    Group(
        "The session in five lines",
        (
            Asked(name="title", label="Session", maxlength=300),
            Asked(name="opened_on", label="On", type="date"),
            Asked(name="case", label="Case: what did you work on?", rows=3),
            Asked(name="pattern", label="Pattern: what was seen before?", rows=2),
            Asked(name="decision", label="Decision or improvement", rows=2),
            Asked(name="next_use", label="Next use", hint="One owner, one date.", rows=2),
            Asked(name="open_question", label="Open question", rows=2),
        ),
        open=True,
    ),
    Group(
        "Beside it",
        (
            Asked(name="linked_cases", label="Cases it was about", hint="Their ids, with commas between.", maxlength=2000),
            Asked(name="team", label="Team", maxlength=200),
            Asked(name="notes", label="Notes", rows=4),
        ),
    ),
)  # fmt: skip

GROUPS: Mapping[Kind, Sequence[Group]] = {Kind.CASE: CASE_GROUPS, Kind.RECAP: RECAP_GROUPS}

CONSENTS: Sequence[tuple[str, str, str]] = (
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

CONSENT_WORDS = {value: label for value, label, _ in CONSENTS}

STATUSES_SHOWN = [(word, _STATUS_WORDS[word]) for word in STATUSES]
RECURRENCES_SHOWN = [(word, _OFTEN_WORDS[word]) for word in RECURRENCES]

LABELS: Mapping[str, str] = {
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


def said(name: str, value: str) -> str:
    """A fact in the words of the page."""
    words = {"status": _STATUS_WORDS, "recurrence": _OFTEN_WORDS, "consent": CONSENT_WORDS}.get(name, {})
    return words.get(value, value)


def label(name: str) -> str:
    return LABELS.get(name, name)


def names_of(kind: Kind) -> tuple[str, ...]:
    """The fields that a form of this kind sends."""
    return (*(one.name for group in GROUPS[kind] for one in group.fields), "consent")
