"""What people look at, a page at a time: lines of lists, and counts, none of which takes reading everything."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Generic, TypeVar

from patternmind.domain.cases import Case, CaseKind
from patternmind.domain.drafts import (
    Decision,
    Draft,
    DraftKind,
    DraftState,
)
from patternmind.domain.edits import Edit
from patternmind.domain.networks import Network
from patternmind.domain.themes import Assignment, Theme, ThemeChange

RowT = TypeVar("RowT")


@dataclass(frozen=True, slots=True)
class Page(Generic[RowT]):
    """Some rows of a list, and the place after which it goes on; ``following`` is None where it ends."""

    rows: tuple[RowT, ...]
    next_cursor: str | None = None


class CaseOrder(StrEnum):
    ID = "id"
    NEWEST = "newest"
    """By date, the latest first, the undated last; the same date by falling id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFilter:
    """Which cases a list is of; what is left out does not narrow it.

    Attributes:
        unplaced: only those in no theme yet, those that came since the run among them.
        since: dated on or after; ``until`` on or before. Either leaves out the undated.
        flag: the beginning of one of its flags: "suspicious:" finds every suspicion.
        words: each a word of its text or its external id, or the beginning of one.
        lens: whose themes; None means that of the last run.
    """

    kind: CaseKind | None = None
    theme_id: str | None = None
    unplaced_only: bool = False
    team: str | None = None
    since: date | None = None
    until: date | None = None
    status: str | None = None
    flag: str | None = None
    search_words: str = ""
    lens: str | None = None


@dataclass(frozen=True, slots=True)
class CaseWithAssignment:
    """A case, and where the last run of a lens put it; ``placed`` is None where that run did not look at it."""

    case: Case
    assignment: Assignment | None


@dataclass(frozen=True, slots=True)
class ThemeCard:
    """A theme without its members: ``theme.case_ids``, ``centre``, ``remembered`` and ``spoke`` are empty here.

    ``size`` counts the members, near-duplicates and recaps included.
    """

    theme: Theme
    size: int


@dataclass(frozen=True, slots=True)
class SimilarTheme:
    """A theme beside another, and the cosine of their centres."""

    theme_id: str
    name: str
    similarity: float


@dataclass(frozen=True, slots=True)
class ThemeRunChange:
    """What one run made of a theme."""

    run_id: str
    label: str
    at: datetime
    change: ThemeChange


@dataclass(frozen=True, slots=True, kw_only=True)
class ThemeDetail:
    """A theme as its page shows it. ``closest`` nearest first; ``exemplars`` the central cases, the edge case last.

    ``turns`` are what runs made of it, ``edits`` what people decided about it (the undoing of that too), newest first.
    """

    card: ThemeCard
    area: str
    similar_themes: tuple[SimilarTheme, ...]
    exemplars: tuple[CaseWithAssignment, ...]
    run_changes: tuple[ThemeRunChange, ...]
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftFilter:
    """Which drafts a list is of: those that are current or were decided on, narrowed by what is named.

    ``accepted`` are those that somebody accepted, the field-tested and the retired among them.
    """

    kind: DraftKind | None = None
    state: DraftState | None = None
    theme_id: str | None = None
    accepted_only: bool = False


StoredDraft = tuple[Draft, tuple[Decision, ...], datetime]
"""A draft as it was made, not grounded, with its log and when it was made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftListItem:
    """A draft in a list. ``name`` is the machine's; ``doubts`` those of its run, one word each; ``model`` its maker."""

    id: str
    kind: DraftKind
    state: DraftState
    theme_id: str | None
    name: str
    version: int
    created_at: datetime
    model: str
    n_claims: int
    flag_kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkCounts:
    """How much there is. ``n_new`` are the cases that came since the last run, ``n_unplaced`` those in no theme in it.

    ``drafts`` counts those shown, by kind and state.
    """

    n_cases: int = 0
    n_recaps: int = 0
    n_new: int = 0
    n_unplaced: int = 0
    n_themes: int = 0
    drafts: Mapping[tuple[DraftKind, DraftState], int] = field(default_factory=dict[tuple[DraftKind, DraftState], int])


@dataclass(frozen=True, slots=True)
class VectorVersion:
    """What tells whether cases came, changed or went: the newest write's number, and how many were taken out."""

    last_write_number: int
    n_removed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DataVersion:
    """What tells whether anything was written that people read: equal stamps, equal answers.

    Uses of patterns, reservations and sign-ins are not in it: they are few, and read anew.

    Attributes:
        drafts: how many there are, how many of them are current, how many decisions are on them.
        last_run: the number of the newest finished run; what it says of near-duplicates stands with the cases.
        last_edit: the number of the newest line of people's edits of themes.
    """

    network: Network
    cases: VectorVersion
    roster_version: int
    drafts: tuple[int, int, int]
    last_run_number: int
    last_edit_seq: int
