"""Protocol of paged queries that are fast in networks of any size."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from patternmind.domain.cases import Case, Consent
from patternmind.domain.drafts import Draft
from patternmind.domain.read_models import (
    CaseFilter,
    CaseOrder,
    CaseWithAssignment,
    DataVersion,
    DraftFilter,
    DraftListItem,
    NetworkCounts,
    Page,
    StoredDraft,
    ThemeCard,
    ThemeDetail,
    VectorVersion,
)
from patternmind.domain.themes import Assignment, Vectors
from patternmind.ports.runs import RunRecord

CaseTexts = tuple[str, Consent, tuple[str, ...]]
"""Id, consent and all texts of a case, including those of unknown columns."""

VectorRow = tuple[str, Vectors | None]
"""Id of a case and the vector of its whole text.

The vector is None if the case is not embedded yet.
"""


class QueryStore(Protocol):
    """Queries for lists and pages; each takes about as long with 100,000 cases as with 100.

    Lists are paged: ``cursor`` is ``next_cursor`` of the previous page, with all other arguments unchanged.
    """

    # cases
    def list_cases(
        self, case_filter: CaseFilter, *, limit: int, cursor: str | None = None, order: CaseOrder = CaseOrder.ID
    ) -> Page[CaseWithAssignment]:
        """Return cases and recaps with their assignments in the last run of ``case_filter.lens``."""
        ...

    def count_cases(self, case_filter: CaseFilter) -> int:
        """Count the cases of a list.

        This scans an index, which takes 0.1 s at 100,000 cases.
        """
        ...

    def cases_by_id(self, case_ids: Sequence[str]) -> dict[str, Case]:
        """Return the existing cases with these ids (not external ids), unordered."""
        ...

    def related_cases(self, case: Case) -> list[Case]:
        """Return near-duplicates and linked cases, in both directions, by id.

        The case itself is left out. The result is approximate: it includes recaps whose text contains the case's id.
        Check ``linked_cases`` for an actual link.
        """
        ...

    def iter_case_texts(self, *, after_number: int = 0) -> Iterator[CaseTexts]:
        """Yield the texts of cases written after write ``after_number``, in the order of their writes."""
        ...

    def find_assignment(self, case_id: str, lens: str | None = None) -> Assignment | None:
        """Return a case's assignment in the last run of a lens; None if that run did not include it."""
        ...

    def list_teams(self) -> list[str]:
        """Return the teams of all cases, sorted, as choices for a filter."""
        ...

    def list_assignments(
        self, lens: str | None = None, *, limit: int, cursor: str | None = None
    ) -> Page[tuple[str | None, Assignment]]:
        """Return the last run's assignments by case id, with the cases' external ids."""
        ...

    # themes and runs
    def list_theme_cards(self, lens: str | None = None, *, include_dormant: bool = False) -> list[ThemeCard]:
        """Return the themes of the last run without their members.

        Themes without members are left out unless ``include_dormant`` is set.
        """
        ...

    def theme_card(self, theme_id: str, lens: str | None = None) -> ThemeCard:
        """Return one theme without its members.

        Raises:
            NotFound: the last run has no such theme.
        """
        ...

    def theme_detail(self, theme_id: str, lens: str | None = None) -> ThemeDetail:
        """Return all that a theme's page shows, except its members, which ``list_cases`` returns.

        Raises:
            NotFound: the last run has no such theme.
        """
        ...

    def theme_case_ids(self, theme_id: str, lens: str | None = None) -> tuple[str, ...]:
        """Return the ids of a theme's cases by descending strength.

        Raises:
            NotFound: the last run has no such theme.
        """
        ...

    def theme_names(self, lens: str | None = None) -> dict[str, str]: ...

    def theme_encoder_id(self, lens: str | None = None) -> str | None:
        """Return the id of the encoder used for the themes; None without themes."""
        ...

    def get_run(self, run_id: str) -> RunRecord:
        """Return one run.

        Raises:
            NotFound: the run does not exist.
        """
        ...

    # drafts
    def list_drafts(self, draft_filter: DraftFilter, *, limit: int, cursor: str | None = None) -> Page[StoredDraft]:
        """Return current drafts and drafts with a decision, oldest first, as created (not grounded)."""
        ...

    def drafts_quoting(self, case_id: str) -> list[Draft]:
        """Return the current drafts that quote a case, oldest first, as created (not grounded)."""
        ...

    def list_draft_items(
        self, draft_filter: DraftFilter, *, limit: int, cursor: str | None = None
    ) -> Page[DraftListItem]:
        """Return the same drafts as ``list_drafts``, without their texts."""
        ...

    def network_counts(self, lens: str | None = None) -> NetworkCounts: ...

    def data_version(self) -> DataVersion:
        """Return the version of the network's data, in 1 to 2 ms, for cached responses.

        It changes with every write that people can see.
        """
        ...

    # vectors
    def vector_version(self) -> VectorVersion: ...

    def iter_vectors(self, encoder_id: str, *, after_number: int = 0) -> Iterator[VectorRow]:
        """Yield the vectors of cases written after write ``after_number``, in the order of their writes."""
        ...
