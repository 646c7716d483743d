"""What is read of a network a page at a time, whatever its size."""

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
"""The id of a case, how far its text may go, and all its texts, those of unknown columns too."""

VectorRow = tuple[str, Vectors | None]
"""The id of a case and the vector of its whole text; None where it has none yet."""


class QueryStore(Protocol):
    """What lists and pages are made of. Each takes about as long in a network of 100,000 cases as in one of 100.

    A list answers in pages: ``after`` is ``following`` of the page before, with all else as it was.
    """

    # cases
    def list_cases(
        self, case_filter: CaseFilter, *, limit: int, cursor: str | None = None, order: CaseOrder = CaseOrder.ID
    ) -> Page[CaseWithAssignment]:
        """Cases and recaps, each with its place in the last run of ``wanted.lens``."""
        ...

    def count_cases(self, case_filter: CaseFilter) -> int:
        """How many cases a list has in all: an index is read through for it, a tenth of a second at 100,000."""
        ...

    def cases_by_id(self, case_ids: Sequence[str]) -> dict[str, Case]:
        """Those of these cases that are there, in no order; by their own ids, not by external ones."""
        ...

    def related_cases(self, case: Case) -> list[Case]:
        """The cases that it nearly repeats or names, and those that nearly repeat or name it; by id, itself left out.

        Near: a recap is among them too whose text holds its id; who needs to know looks at ``linked_cases``.
        """
        ...

    def iter_case_texts(self, *, after_number: int = 0) -> Iterator[CaseTexts]:
        """What each case says, of those written after the write numbered ``since``, by that number."""
        ...

    def place_of(self, case_id: str, lens: str | None = None) -> Assignment | None:
        """Where the last run of a lens put a case; None where it did not look at it."""
        ...

    def list_teams(self) -> list[str]:
        """The teams that cases name, in order: what a filter offers."""
        ...

    def list_assignments(
        self, lens: str | None = None, *, limit: int, cursor: str | None = None
    ) -> Page[tuple[str | None, Assignment]]:
        """Where the last run put each case, by case id, each with the external id of its case."""
        ...

    # themes and runs
    def list_theme_cards(self, lens: str | None = None, *, include_dormant: bool = False) -> list[ThemeCard]:
        """The themes of ``themes`` without their members; those with none any more only where ``every``."""
        ...

    def theme_card(self, theme_id: str, lens: str | None = None) -> ThemeCard:
        """Raises: NotFound."""
        ...

    def theme_detail(self, theme_id: str, lens: str | None = None) -> ThemeDetail:
        """A theme with all that its page shows but its members, which ``list_cases`` gives.

        Raises:
            NotFound
        """
        ...

    def theme_case_ids(self, theme_id: str, lens: str | None = None) -> tuple[str, ...]:
        """The ids of all its cases by falling strength.

        Raises:
            NotFound
        """
        ...

    def theme_names(self, lens: str | None = None) -> dict[str, str]: ...

    def theme_encoder_id(self, lens: str | None = None) -> str | None:
        """The id of the encoder whose vectors the themes were found in; None where there are none."""
        ...

    def get_run(self, run_id: str) -> RunRecord:
        """Raises: NotFound."""
        ...

    # drafts
    def list_drafts(self, draft_filter: DraftFilter, *, limit: int, cursor: str | None = None) -> Page[StoredDraft]:
        """Every current draft and every one that was ever decided on, oldest first, as made: to be grounded."""
        ...

    def drafts_quoting(self, case_id: str) -> list[Draft]:
        """The current drafts that quote a case, oldest first, as made."""
        ...

    def list_draft_items(
        self, draft_filter: DraftFilter, *, limit: int, cursor: str | None = None
    ) -> Page[DraftListItem]:
        """The same without their texts: for a queue, which orders all of them."""
        ...

    def counts(self, lens: str | None = None) -> NetworkCounts: ...

    def stamp(self) -> DataVersion:
        """What an answer is kept by, in a millisecond or two; it changes with every write that people read."""
        ...

    # vectors
    def vector_version(self) -> VectorVersion: ...

    def iter_vectors(self, encoder_id: str, *, after_number: int = 0) -> Iterator[VectorRow]:
        """The cases written after the write numbered ``since``, by that number: the newest last."""
        ...
