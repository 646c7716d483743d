"""Registry of the fields of cases and recaps.

Import, checks, redaction, lenses, drafting, forms, pages and the API read it; no other module lists the fields.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from patternmind.domain.cases import CaseKind, Consent


class FieldType(StrEnum):
    """Type of a value: it decides how the value is checked, redacted and shown."""

    SENTENCES = "sentences"
    LABEL = "label"
    """A few words, such as a team; a name is redacted only if it is the whole value."""
    DATE = "date"
    CHOICE = "choice"
    LINKS = "links"
    """Redacted like a label; pages show the addresses as links."""

    @property
    def is_controlled(self) -> bool:
        """True for dates and fixed choices, which need no redaction."""
        return self in {FieldType.DATE, FieldType.CHOICE}


class SentenceRole(StrEnum):
    """Role of a sentence in a case."""

    CONTEXT = "context"
    PROBLEM = "problem"
    HAPPENED = "what happened"
    TRIED = "tried"
    HELPED = "what helped"
    WORSE = "what did not help"
    OUTCOME = "outcome"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class FieldChoice:
    value: str
    label: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class CaseField:
    """A field of a case or recap.

    Attributes:
        label: heading of the value on pages.
        columns: column names that fill the field, as its own name does; best first, separated by commas.
        role: role of its sentences; the words of a sentence may change it to ``WORSE``.
        lens: lens other than "all" that embeds it: "problem", "helped" or none.
        is_advice: its sentences are written as advice, and preferred as steps of a pattern.
        is_open_point: its text is a question that a session has to decide.
        has_column: table ``case`` has a column of its own for it, for lists that filter by it.
        is_hidden: forms and pages leave it out, except the original text; edits keep it.
    """

    name: str
    label: str
    type: FieldType = FieldType.SENTENCES
    columns: str = ""
    choices: Sequence[FieldChoice] = ()
    role: SentenceRole = SentenceRole.HAPPENED
    lens: str = ""
    is_advice: bool = False
    is_open_point: bool = False
    has_column: bool = False
    is_hidden: bool = False


CASE_TEXTS = (
    CaseField("title", "Title", columns="title, subject, summary, headline", role=SentenceRole.PROBLEM, lens="problem"),
    CaseField(
        "problem",
        "The problem",
        columns="problem, problem statement, description, issue, text, body",
        role=SentenceRole.PROBLEM,
        lens="problem",
    ),
    CaseField("context", "Context", role=SentenceRole.CONTEXT, lens="problem"),
    CaseField("expected", "What was expected", role=SentenceRole.CONTEXT, lens="problem"),
    CaseField("what_happened", "What happened", columns="what happened, driving event", lens="problem"),
    CaseField("tried", "What was tried", columns="tried, what we tried", role=SentenceRole.TRIED, lens="helped"),
    CaseField("decision_point", "Decision to make", role=SentenceRole.CONTEXT, lens="problem", is_open_point=True),
    CaseField("newcomer_miss", "What a newcomer would miss", lens="problem"),
    CaseField("outcome", "How it ended", columns="outcome, result", role=SentenceRole.OUTCOME, lens="helped"),
    CaseField(
        "lesson",
        "What was learned",
        columns="lesson, lesson learned, lessons, lessons learned",
        role=SentenceRole.HELPED,
        lens="helped",
    ),
    CaseField(
        "recommendation",
        "Recommendation",
        columns="recommendation, recommendations",
        role=SentenceRole.HELPED,
        lens="helped",
        is_advice=True,
    ),
)
"""Texts of a case in reading order; only texts are embedded, clustered, quoted and shown to language models."""

RECAP_TEXTS = (
    CaseField(
        "title",
        "Title",
        columns="title, subject, summary, headline, session",
        role=SentenceRole.PROBLEM,
        lens="problem",
    ),
    CaseField("case", "Case", columns="case, case bullet", role=SentenceRole.PROBLEM, lens="problem"),
    CaseField("pattern", "Pattern", columns="pattern, pattern bullet", role=SentenceRole.CONTEXT, lens="helped"),
    CaseField(
        "decision",
        "Decision or improvement",
        columns="decision, decision bullet, decision or improvement, improvement",
        role=SentenceRole.HELPED,
        lens="helped",
        is_advice=True,
    ),
    CaseField("next_use", "Next use", columns="next use, next use bullet", role=SentenceRole.OTHER, lens="helped"),
    CaseField(
        "open_question",
        "Open question",
        columns="open question, open question bullet",
        role=SentenceRole.OTHER,
        lens="problem",
        is_open_point=True,
    ),
    CaseField("notes", "Notes", columns="notes, text, body"),
)
"""Texts of a recap in reading order: its title, the five bullets, and notes."""

FACTS = (
    CaseField(
        "status",
        "Status",
        FieldType.CHOICE,
        choices=(
            FieldChoice("open", "Still open"),
            FieldChoice("workaround", "Workaround found"),
            FieldChoice("solved", "Solved"),
            FieldChoice("abandoned", "Abandoned"),
        ),
        has_column=True,
    ),
    CaseField(
        "opened_on", "First seen", FieldType.DATE, columns="opened on, opened, date, created, created on, created at"
    ),
    CaseField("solved_on", "Solved on", FieldType.DATE, columns="solved on, solved, closed on, closed"),
    CaseField(
        "recurrence",
        "How often",
        FieldType.CHOICE,
        columns="recurrence, frequency",
        choices=(
            FieldChoice("first", "First time"),
            FieldChoice("2-3", "Two or three times"),
            FieldChoice("monthly", "Every month"),
            FieldChoice("weekly", "Every week"),
            FieldChoice("daily", "Every day"),
        ),
    ),
    CaseField("impact", "Cost"),
    CaseField("impact_unit", "Unit of cost", FieldType.LABEL),
    CaseField("help_wanted", "Help wanted"),
    CaseField("team", "Team", FieldType.LABEL, columns="team, department, unit"),
    CaseField("region", "Region", FieldType.LABEL, columns="region, site, location"),
    CaseField("role", "Role"),
    CaseField("source_format", "Source format", FieldType.LABEL, is_hidden=True),
    CaseField("links", "Links", FieldType.LINKS, columns="links, link, url"),
    CaseField(
        "consent",
        "Visible to",
        FieldType.CHOICE,
        choices=(
            FieldChoice(
                Consent.NETWORK_ONLY.value,
                "Only this network",
                "It helps to find themes. Its text appears in no playbook, report or export.",
            ),
            FieldChoice(
                Consent.ORGANISATION.value,
                "The organisation",
                "Sentences from it may appear in playbooks and reports inside the organisation, without your name.",
            ),
            FieldChoice(
                Consent.QUOTABLE.value,
                "Everyone, without my name",
                "Sentences from it may also be quoted outside, always without your name.",
            ),
        ),
    ),
    CaseField("submitter", "Submitted by", FieldType.LABEL, columns="submitter, submitted by, author, contributor"),
)
"""Facts of cases and recaps, in the order in which they are stored and shown."""

ID_FIELD, LINKED_CASES_FIELD = "id", "linked_cases"
DATE_FIELD = "opened_on"
"""Fact that becomes the date of a case."""
CONSENT_FIELD, SUBMITTER_FIELD = "consent", "submitter"
"""Facts that follow on every form; only the contributor is derived from the submitter, and no page shows it."""
PLAIN_TEXT_FIELD = {CaseKind.CASE: "problem", CaseKind.RECAP: "notes"}
"""Field of each kind that holds the whole text if there are no others."""


@dataclass(frozen=True, slots=True)
class FieldInput:
    """Input of a field on the form: a text area of ``rows`` lines, a select of its choices, or one line."""

    name: str
    label: str
    hint: str = ""
    rows: int = 0
    max_length: int = 0


@dataclass(frozen=True, slots=True)
class InputGroup:
    title: str
    fields: Sequence[FieldInput]
    is_open: bool = False


CASE_FORM = (
    InputGroup(
        "The problem",
        (
            FieldInput(
                "problem",
                "What is the problem, in your own words?",
                "Two or three sentences, as you would explain it to a colleague. "
                "Names of people are redacted for others.",
                rows=5,
            ),
            FieldInput(
                "title", "Title", "A few words. If empty, the beginning of the problem is used.", max_length=300
            ),
        ),
        is_open=True,
    ),
    InputGroup(
        "What happened",
        (
            FieldInput("what_happened", "What happened, step by step?", rows=3),
            FieldInput("expected", "What did you expect?", rows=2),
            FieldInput("context", "Where and under which conditions?", rows=2),
            FieldInput(
                "tried", "What have you tried?", "Include what did not help: it saves others the attempt.", rows=3
            ),
            FieldInput("decision_point", "Which decision did you face?", rows=2),
            FieldInput("newcomer_miss", "What would a newcomer miss?", rows=2),
        ),
    ),
    InputGroup(
        "How it ended",
        (
            FieldInput("status", "Status"),
            FieldInput("outcome", "How did it end?", rows=2),
            FieldInput("lesson", "What did you learn?", rows=2),
            FieldInput("recommendation", "What would you recommend to others?", rows=2),
            FieldInput("opened_on", "First seen on"),
            FieldInput("solved_on", "Solved on"),
        ),
    ),
    InputGroup(
        "Details for search and statistics",
        (
            FieldInput("team", "Team", "A pattern needs cases from at least two teams.", max_length=200),
            FieldInput("recurrence", "How often does it happen?"),
            FieldInput("impact", "Cost", "A number or a few words.", max_length=300),
            FieldInput("impact_unit", "Unit of the cost", "Hours, crowns, complaints …", max_length=100),
            FieldInput("region", "Region or site", max_length=200),
            FieldInput("role", "Your role", max_length=200),
            FieldInput("help_wanted", "What help would you like?", rows=2),
            FieldInput(
                "links", "Links", "Stored as text for you and the steward. Links are never opened.", max_length=2000
            ),
        ),
    ),
)

RECAP_FORM = (
    InputGroup(
        "The session in five points",
        (
            FieldInput("title", "Session", max_length=300),
            FieldInput("opened_on", "Date"),
            FieldInput("case", "Case: what did you work on?", rows=3),
            FieldInput("pattern", "Pattern: what have you seen before?", rows=2),
            FieldInput("decision", "Decision or improvement", rows=2),
            FieldInput("next_use", "Next use", "One owner, one date.", rows=2),
            FieldInput("open_question", "Open question", rows=2),
        ),
        is_open=True,
    ),
    InputGroup(
        "Additional information",
        (
            FieldInput("linked_cases", "Cases it was about", "Case ids, separated by commas.", max_length=2000),
            FieldInput("team", "Team", max_length=200),
            FieldInput("notes", "Notes", rows=4),
        ),
    ),
)

FORMS: Mapping[CaseKind, Sequence[InputGroup]] = {CaseKind.CASE: CASE_FORM, CaseKind.RECAP: RECAP_FORM}
"""Inputs of the submission form, in order. ``consent`` and ``submitter`` follow on every form."""

QUESTIONS: Mapping[CaseKind, Mapping[str, str]] = {
    CaseKind.CASE: {
        "problem": "What is the problem, in your own words?",
        "what_happened": "What happened, the last time?",
        "tried": "What have you tried, and what was the result?",
        "outcome": "How did it end?",
        "lesson": "What would you do again, or never again?",
        "context": "Where and under which conditions does it happen?",
        "team": "Which team is it from? A pattern needs cases of at least two.",
        "recurrence": "How often does it happen?",
        "decision_point": "Who had to decide, and about what?",
    },
    CaseKind.RECAP: {
        "case": "Which case did you work on?",
        "decision": "What did you decide?",
        "next_use": "Who will try it next, and when?",
        "open_question": "What is still open?",
    },
}
"""Question about each field that is worth adding.

Ordered by value: fields that distinguish two cases, then those others can use, then those for counts.
"""

KNOWN_WHEN_SOLVED = frozenset({"outcome", "lesson"})
"""Fields that an open case cannot have yet."""


def _names(fields: Sequence[CaseField]) -> tuple[str, ...]:
    return tuple(field.name for field in fields)


CASE_FIELDS, RECAP_FIELDS, FACT_FIELDS = _names(CASE_TEXTS), _names(RECAP_TEXTS), _names(FACTS)
COLUMN_FACTS = _names([field for field in FACTS if field.has_column])

_ID = {
    CaseKind.CASE: CaseField(ID_FIELD, "id", columns="id, case id, external id"),
    CaseKind.RECAP: CaseField(ID_FIELD, "id", columns="id, recap id, external id"),
}
_LINKED_CASES = {
    CaseKind.CASE: CaseField(LINKED_CASES_FIELD, "Cases it is about"),
    CaseKind.RECAP: CaseField(LINKED_CASES_FIELD, "Cases it is about", columns="linked cases, cases"),
}

IMPORTED_FIELDS: Mapping[CaseKind, Mapping[str, CaseField]] = {
    kind: {field.name: field for field in (_ID[kind], *texts, *FACTS, _LINKED_CASES[kind])}
    for kind, texts in ((CaseKind.CASE, CASE_TEXTS), (CaseKind.RECAP, RECAP_TEXTS))
}
"""Every field that a column can fill, by name, for each kind."""

FIELDS: Mapping[str, CaseField] = {**IMPORTED_FIELDS[CaseKind.RECAP], **IMPORTED_FIELDS[CaseKind.CASE]}
"""Fields of both kinds by name. Where both kinds have a field, they share all but its columns."""


def field_named(name: str) -> CaseField:
    """Return a field; a name outside the registry, as in stored facts of a removed field, is a label."""
    return FIELDS.get(name) or CaseField(name, name, FieldType.LABEL)


def text_fields(kind: CaseKind) -> tuple[str, ...]:
    """Return the free-text fields of a kind, in reading order."""
    return CASE_FIELDS if kind is CaseKind.CASE else RECAP_FIELDS
