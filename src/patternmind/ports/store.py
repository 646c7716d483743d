"""Protocol of a network's storage, which holds everything that cannot be derived."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from patternmind.domain.cases import Case, Submission
from patternmind.domain.drafts import Decision, Draft
from patternmind.domain.edits import Edit
from patternmind.domain.networks import RosterEntry
from patternmind.domain.read_models import DataVersion, NetworkCounts
from patternmind.domain.themes import Theme
from patternmind.ports.accounts import TokenRepository
from patternmind.ports.cases import CaseRepository, SubmissionRepository, VectorRepository
from patternmind.ports.drafts import DraftRepository
from patternmind.ports.idempotency import IdempotencyKeyRepository
from patternmind.ports.jobs import JobRepository
from patternmind.ports.llm import CallLedger
from patternmind.ports.networks import NetworkRepository, RosterChange
from patternmind.ports.runs import RunOutcome, RunRecord, RunRepository, RunRevision
from patternmind.ports.themes import EditRepository, ThemeRepository


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRewrite:
    """Callbacks that rewrite stored text; each returns its argument unchanged if there is nothing to rewrite.

    Attributes:
        rewrite_name: for names of themes and areas.
        rewrite_text: for notes of runs and of people.
        rewrite_draft: for a draft with its decision log; it returns as many decisions.
        dropped_text_hashes: hashes of texts whose vectors are deleted.
    """

    rewrite_theme: Callable[[Theme], Theme]
    rewrite_name: Callable[[str], str]
    rewrite_text: Callable[[str], str]
    rewrite_draft: Callable[[Draft, tuple[Decision, ...]], tuple[Draft, tuple[Decision, ...]]]
    dropped_text_hashes: frozenset[str] = frozenset()


class Store(Protocol):
    """Repositories of one network, and the operations on several of them.

    It never reads or writes another network's rows. Queries take about as long with 100,000 cases as with 100.
    Lists are paged: ``cursor`` is ``next_cursor`` of the previous page, with all other arguments unchanged.
    """

    @property
    def network(self) -> NetworkRepository: ...

    @property
    def submissions(self) -> SubmissionRepository: ...

    @property
    def cases(self) -> CaseRepository: ...

    @property
    def vectors(self) -> VectorRepository: ...

    @property
    def runs(self) -> RunRepository: ...

    @property
    def themes(self) -> ThemeRepository: ...

    @property
    def edits(self) -> EditRepository: ...

    @property
    def drafts(self) -> DraftRepository: ...

    @property
    def jobs(self) -> JobRepository: ...

    @property
    def calls(self) -> CallLedger: ...

    @property
    def tokens(self) -> TokenRepository: ...

    @property
    def idempotency_keys(self) -> IdempotencyKeyRepository: ...

    def finish_run(self, run_id: str, outcome: RunOutcome, now: datetime) -> RunRecord:
        """Store the outcome of a run in one transaction; drafts with a decision are left unchanged.

        Raises:
            VersionConflict: a theme of this lens was edited after ``outcome.last_edit_seq``; nothing is stored.
        """
        ...

    def append_edits(self, edits: Sequence[Edit], *, expected_seq: int, revision: RunRevision | None = None) -> None:
        """Append related edits of one lens and revise its last run, all or nothing.

        Args:
            expected_seq: number of the newest edit of the network that the member has seen; 0 for an empty log.
            revision: revision of the last finished run of the lens; None without a run, or if no theme changes.

        Raises:
            VersionConflict: there is a newer edit or a newer run.
        """
        ...

    def extend_roster(
        self,
        entries: Iterable[tuple[str, str | None, str | None]],
        redact: Callable[[list[RosterEntry]], tuple[Sequence[tuple[Submission, Case]], TextRewrite]],
    ) -> RosterChange:
        """Add entries to the roster and redact all stored text again, in one transaction.

        Args:
            redact: called with the extended roster; returns the redacted cases and the rewrite of all other text.
                It may read the store, which then shows the state before the change.
        """
        ...

    def remove_from_roster(
        self, number: int, redact: Callable[[list[RosterEntry]], tuple[Sequence[tuple[Submission, Case]], TextRewrite]]
    ) -> RosterChange:
        """Remove an entry from the roster and redact all stored text again, in one transaction.

        Raises:
            NotFound: no entry has that number, or it was removed before.
        """
        ...

    def erase_case(
        self, case_id: str, rewrite: TextRewrite, *, kept_text_hashes: Collection[str], actor: str, at: datetime
    ) -> None:
        """Delete a case from every table in one transaction, and record the erasure.

        The case may be a withdrawn one.

        Args:
            kept_text_hashes: hashes of the texts that keep their vectors; all other vectors are deleted.

        Raises:
            NotFound: the case does not exist.
        """
        ...

    def withdraw_case(
        self, case_id: str, rewrite: TextRewrite, *, kept_text_hashes: Collection[str], actor: str, at: datetime
    ) -> None:
        """Remove a case like ``erase_case``, but keep its submission.

        The submission is hidden and allows the case to be restored.

        Raises:
            NotFound: the case does not exist.
        """
        ...

    def purge_deleted(self) -> None:
        """Remove deleted data from the files too; safe to repeat.

        Raises:
            StoreUnavailable: another process is reading. The rows themselves are deleted in any case.
        """
        ...

    def network_counts(self, lens: str | None = None) -> NetworkCounts: ...

    def data_version(self) -> DataVersion:
        """Return the version of the network's data, in 1 to 2 ms, for cached responses.

        It changes with every write that people can see.
        """
        ...

    def change_counters(self) -> dict[str, int]:
        """Return counters that grow with every change of "jobs", "runs", "themes" (edits) and "reviews"."""
        ...
