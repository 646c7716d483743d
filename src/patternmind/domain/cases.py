"""Submissions as people write them, and the redacted cases and recaps made from them."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

MAX_TITLE_CHARS = 80

SUSPICIOUS_FLAG_PREFIX = "suspicious:"
"""Prefix of flags that describe, in our own words, something odd about a text.

A flagged case counts like any other.
"""


class CaseKind(StrEnum):
    CASE = "case"
    RECAP = "recap"


def kind_from_id(case_id: str) -> CaseKind:
    """Return the kind of a case from the first letters of its id."""
    return CaseKind.RECAP if case_id.startswith("r-") else CaseKind.CASE


class Consent(StrEnum):
    """Consent of a submitter: how far a text may be shared. Without one, the network's default applies."""

    NETWORK_ONLY = "network only"
    ORGANISATION = "organisation"
    QUOTABLE = "quotable without name"

    @property
    def is_publishable(self) -> bool:
        """True if exports and published documents may contain the text; a language model reads every text.

        How far a published text is passed on is up to its readers: "organisation" and "quotable" are equal here.
        """
        return self is not Consent.NETWORK_ONLY


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A submitted row, validated but not redacted. Only stewards may read it.

    Attributes:
        text: non-empty free-text fields in reading order.
        facts: non-empty facts as written (dates as ISO).
        extra: all unknown columns.
        member: id of the member who submitted it in the web form; None for a row of a file.
        by: name of the member who wrote this version in the web form.
        at: time at which this version was written in the web form (ISO, UTC).
        known_as: id that the case keeps after an edit of its text, if the submission has no external id.
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
    """A redacted case or recap with a stable id, as every later step sees it.

    Attributes:
        contributor: keyed hash of the submitter, to count distinct people without their names. None if no submitter
            is named; all unknown contributors together count as one.
        owner: keyed hash of the member who submitted it in the web form and may edit, withdraw and erase it.
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
        """The case's title, or the beginning of its first text.

        The text is cut between words if it has spaces.
        """
        return self.text.get("title") or _truncate_title(next(iter(self.text.values()), ""))

    @property
    def is_publishable(self) -> bool:
        """True if exports and published documents may contain the text."""
        return self.consent.is_publishable

    @property
    def suspicions(self) -> tuple[str, ...]:
        """Signs of prompt injection in the text, such as "contains hidden characters"."""
        return tuple(
            flag.removeprefix(SUSPICIOUS_FLAG_PREFIX).strip()
            for flag in self.flags
            if flag.startswith(SUSPICIOUS_FLAG_PREFIX)
        )


def is_publishable(case: Case | None) -> bool:
    """Return True if the case exists and exports and publications may contain its text.

    The text of a withdrawn or erased case may not: its consent is gone with it.
    """
    return case is not None and case.is_publishable


def _truncate_title(text: str) -> str:
    if len(text) <= MAX_TITLE_CHARS or text[MAX_TITLE_CHARS].isspace():
        return text[:MAX_TITLE_CHARS]
    space = max((index for index, char in enumerate(text[:MAX_TITLE_CHARS]) if char.isspace()), default=MAX_TITLE_CHARS)
    return text[:space]


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRow:
    """A row that could not be imported, with all its errors."""

    file: str
    row: int
    errors: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """Counts of an ingest; accepted + unchanged + rejected = rows read.

    Attributes:
        updated: number of accepted rows that replaced an earlier text of the same id.
        duplicates: number of accepted rows whose text is in the network under another id.
        suspicious: number of rows read that got a "suspicious" flag.
    """

    accepted: int
    unchanged: int
    duplicates: int
    updated: int
    rejected: tuple[RejectedRow, ...]
    redacted: Mapping[str, int]
    suspicious: int = 0
