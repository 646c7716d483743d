"""Read models of lists and pages: rows, filters, counts and versions.

None of them requires reading the whole network.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Generic, TypeVar

from patternmind.domain.cases import Case, CaseKind
from patternmind.domain.drafts import Decision, Draft, DraftKind, DraftState
from patternmind.domain.edits import Edit
from patternmind.domain.networks import Network
from patternmind.domain.themes import Assignment, Theme, ThemeChange

RowT = TypeVar("RowT")


@dataclass(frozen=True, slots=True)
class Page(Generic[RowT]):
    """One page of a list; ``next_cursor`` is None on the last page."""

    rows: tuple[RowT, ...]
    next_cursor: str | None = None


class CaseOrder(StrEnum):
    ID = "id"
    NEWEST = "newest"
    """Latest date first, undated cases last; equal dates by descending id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFilter:
    """Filter of a list of cases; a default value does not restrict the list.

    Attributes:
        unplaced_only: only cases without a theme, including those newer than the last run.
        since: earliest date; excludes undated cases.
        until: latest date; excludes undated cases.
        flag: prefix of one of the case's flags: "suspicious:" matches every suspicion.
        search_words: words, or beginnings of words, that all occur in its text or its external id.
        lens: lens of the themes; None for that of the last run.
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
    """A case with its assignment in the last run of a lens.

    ``assignment`` is None if that run did not include the case.
    """

    case: Case
    assignment: Assignment | None


@dataclass(frozen=True, slots=True)
class ThemeCard:
    """A theme without the fields that grow with the network, which are empty here.

    These are ``case_ids``, ``centre``, ``unseen_case_ids``, ``former_exemplars`` and ``new_by_period`` of ``theme``.
    ``size`` counts the members, including near-duplicates and recaps.
    """

    theme: Theme
    size: int


@dataclass(frozen=True, slots=True)
class SimilarTheme:
    """A theme similar to another theme, with the cosine of their centres."""

    theme_id: str
    name: str
    similarity: float


@dataclass(frozen=True, slots=True)
class ThemeRunChange:
    """Change that one run made to a theme."""

    run_id: str
    label: str
    at: datetime
    change: ThemeChange


@dataclass(frozen=True, slots=True, kw_only=True)
class ThemeDetail:
    """All that a theme's page shows.

    Attributes:
        similar_themes: most similar first.
        exemplars: central cases, then the edge case.
        run_changes: changes by runs, newest first.
        edits: people's edits including undos, newest first.
    """

    card: ThemeCard
    area: str
    similar_themes: tuple[SimilarTheme, ...]
    exemplars: tuple[CaseWithAssignment, ...]
    run_changes: tuple[ThemeRunChange, ...]
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftFilter:
    """Filter of a list of drafts that are current or have a decision; None does not restrict the list.

    ``accepted_only`` keeps accepted drafts, including the field-tested and the retired.
    """

    kind: DraftKind | None = None
    state: DraftState | None = None
    theme_id: str | None = None
    accepted_only: bool = False


StoredDraft = tuple[Draft, tuple[Decision, ...], datetime]
"""A draft as created (not grounded), its decision log, and its creation time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftListItem:
    """A draft in a list.

    Attributes:
        name: name given by the machine.
        model: model that wrote it.
        flag_kinds: kinds of the flags set by its run.
    """

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
    """Numbers of cases, themes and drafts in a network.

    Attributes:
        n_new: number of cases newer than the last run.
        n_unplaced: number of cases without a theme in the last run.
        drafts: number of listed drafts by kind and state.
    """

    n_cases: int = 0
    n_recaps: int = 0
    n_new: int = 0
    n_unplaced: int = 0
    n_themes: int = 0
    drafts: Mapping[tuple[DraftKind, DraftState], int] = field(default_factory=dict[tuple[DraftKind, DraftState], int])


@dataclass(frozen=True, slots=True)
class VectorVersion:
    """Version of the cases; it changes when a case is added, changed or removed.

    ``last_write_number`` is the number of the newest write, ``n_removed`` counts erasures and withdrawals.
    """

    last_write_number: int
    n_removed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DataVersion:
    """Version of everything people read: equal versions mean equal responses.

    It excludes pattern uses, reservations and sign-ins, which are few and always read again.

    Attributes:
        drafts: number of drafts, number of current ones, number of decisions.
        last_run_number: number of the newest finished run; its near-duplicates are stored with the cases.
        last_edit_seq: number of the newest edit of a theme.
    """

    network: Network
    cases: VectorVersion
    roster_version: int
    drafts: tuple[int, int, int]
    last_run_number: int
    last_edit_seq: int
