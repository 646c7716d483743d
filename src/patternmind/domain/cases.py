"""Submission, case and recap: what people hand in, and what the rest of the line may see of it."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

CASE_FIELDS = (
    "title",
    "problem",
    "context",
    "expected",
    "what_happened",
    "tried",
    "decision_point",
    "newcomer_miss",
    "outcome",
    "lesson",
    "recommendation",
)
"""Free text of a case, in reading order. Only these are embedded, clustered and drafted from."""

RECAP_FIELDS = ("title", "case", "pattern", "decision", "next_use", "open_question", "notes")
"""Free text of a recap: its title, the five bullets, and notes."""

FACT_FIELDS = (
    "status",
    "opened_on",
    "solved_on",
    "recurrence",
    "impact",
    "impact_unit",
    "help_wanted",
    "team",
    "region",
    "role",
    "source_format",
    "links",
    "consent",
    "submitter",
)
"""What is known about a case beside its text; ``date`` in a file is taken as ``opened_on``."""


MAX_TITLE_CHARS = 80

SUSPICIOUS_FLAG_PREFIX = "suspicious:"
"""A flag that begins so says in our words what is odd about a text; the case counts like any other."""


class CaseKind(StrEnum):
    CASE = "case"
    RECAP = "recap"


def kind_from_id(case_id: str) -> CaseKind:
    """What is known by this id: it says so with its first letter."""
    return CaseKind.RECAP if case_id.startswith("r-") else CaseKind.CASE


class Consent(StrEnum):
    """How far a text may go. Unknown means the network alone."""

    NETWORK_ONLY = "network only"
    ORGANISATION = "organisation"
    QUOTABLE = "quotable without name"


def text_fields(kind: CaseKind) -> tuple[str, ...]:
    """The free-text fields of a kind, in reading order."""
    return CASE_FIELDS if kind is CaseKind.CASE else RECAP_FIELDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """One row as it was handed in, checked but not redacted. Only the steward may read it.

    ``text`` holds the non-empty free-text fields in reading order, ``facts`` the non-empty facts as written (dates as
    ISO), ``extra`` every unknown column.

    Attributes:
        member: the id of the member who handed it in at the desk; None for a row of a file.
        by: the name of who wrote this version at the desk, ``at`` when (ISO, UTC).
        known_as: the id its case keeps, where it had no id of its own and its text was edited since.
    """

    kind: CaseKind
    external_id: str | None
    text: Mapping[str, str]
    facts: Mapping[str, str]
    extra: Mapping[str, str]
    linked_cases: tuple[str, ...] = ()
    file: str = ""
    row: int = 0
    member: str | None = None
    by: str | None = None
    at: str | None = None
    known_as: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case or recap as every later step sees it: redacted, with a stable id.

    ``contributor`` is a keyed hash of the submitter, so that distinct people can be counted without their names;
    ``None`` where nobody is named (all unknown contributors together count as one). ``owner`` is a keyed hash of the
    member who handed it in at the desk: it is theirs to edit, withdraw and erase.
    """

    id: str
    kind: CaseKind
    external_id: str | None
    text: Mapping[str, str]
    extra: Mapping[str, str] = field(default_factory=dict[str, str])
    facts: Mapping[str, str] = field(default_factory=dict[str, str])
    date: dt.date | None = None
    team: str | None = None
    contributor: str | None = None
    owner: str | None = None
    consent: Consent = Consent.NETWORK_ONLY
    linked_cases: tuple[str, ...] = ()
    content_hash: str = ""
    text_version: str = ""
    flags: tuple[str, ...] = ()
    duplicate_of: str | None = None

    @property
    def title(self) -> str:
        """The title, or the beginning of the first text where there is none, in whole words where it has spaces."""
        return self.text.get("title") or _truncate_title(next(iter(self.text.values()), ""))


def _truncate_title(text: str) -> str:
    if len(text) <= MAX_TITLE_CHARS or text[MAX_TITLE_CHARS].isspace():
        return text[:MAX_TITLE_CHARS]
    space = max((at for at, char in enumerate(text[:MAX_TITLE_CHARS]) if char.isspace()), default=MAX_TITLE_CHARS)
    return text[:space]


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRow:
    """A row that could not be taken, with everything that is wrong with it."""

    file: str
    row: int
    errors: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """What became of every row of an ingest: accepted + unchanged + rejected = rows read.

    ``updated`` counts the accepted rows that replaced an earlier text of the same id; ``duplicates`` the accepted rows
    whose text is in the network under another id; ``suspicious`` the rows read that got such a note.
    """

    accepted: int
    unchanged: int
    duplicates: int
    updated: int
    rejected: tuple[RejectedRow, ...]
    redacted: Mapping[str, int]
    suspicious: int = 0
