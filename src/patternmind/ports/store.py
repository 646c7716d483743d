"""Protocol of a network's storage, which holds everything that cannot be derived."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from patternmind.domain.cases import Case, CaseKind, Submission
from patternmind.domain.drafts import (
    Decision,
    Draft,
    DraftKind,
    DraftReservation,
    DraftSummary,
    PatternUse,
)
from patternmind.domain.edits import Edit
from patternmind.domain.jobs import Job, JobKind
from patternmind.domain.machine_result import MachineResult
from patternmind.domain.members import ApiToken
from patternmind.domain.networks import Network, RosterEntry
from patternmind.domain.stored_fits import StoredFits
from patternmind.domain.themes import (
    Assignment,
    Theme,
    ThemeChange,
    Vectors,
)
from patternmind.ports.llm import CallLedger
from patternmind.ports.queries import QueryStore
from patternmind.ports.runs import (
    RunOutcome,
    RunParameters,
    RunRecord,
    RunRevision,
    ThemeSnapshot,
)


@dataclass(frozen=True, slots=True)
class CaseSaveCounts:
    accepted: int
    unchanged: int
    duplicates: int
    updated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RawTextCounts:
    """Number of raw texts stored, and of those encrypted.

    ``is_readable`` is True if the settings contain the right key.
    """

    n_texts: int
    n_encrypted: int
    key_id: str | None
    is_readable: bool


@dataclass(frozen=True, slots=True)
class RosterChange:
    """Numbers of roster entries added and of cases redacted again."""

    added: int
    changed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """Record of an erased case; only its id remains."""

    case_id: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """Record of a withdrawn case; its submission is kept until the case is restored or erased."""

    case_id: str
    by: str
    at: datetime


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


class Store(CallLedger, QueryStore, Protocol):
    """Repository of one network; it never reads or writes another network's rows."""

    @property
    def network(self) -> Network: ...

    def save_network(self, network: Network) -> None: ...

    # intake
    def contributor_secret(self) -> bytes:
        """Return the key of contributor hashes, which is created once and never exported."""
        ...

    def roster(self) -> list[RosterEntry]: ...

    def add_to_roster(self, entries: Iterable[tuple[str, str | None, str | None]]) -> int:
        """Add (name, email, team) entries to the roster and return the number added.

        Names that are already on it are skipped.
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

    def dismissed_names(self) -> set[str]:
        """Return the digests of possible names that the steward dismissed."""
        ...

    def dismiss_names(self, digests: Iterable[str], *, actor: str, at: datetime) -> None: ...

    def save_cases(
        self, cases: Sequence[tuple[Submission, Case]], *, dry_run: bool = False, roster_version: int | None = None
    ) -> CaseSaveCounts:
        """Store cases in one transaction; a stored case with the same content is left unchanged.

        Args:
            dry_run: only count; store nothing.
            roster_version: version of the roster used to redact the cases; None skips the check.

        Raises:
            VersionConflict: the roster has changed; nothing is stored.
            RawTextKeyInvalid: stored raw text is encrypted with another key; nothing is stored.
        """
        ...

    def submissions(self) -> list[Submission]:
        """Return the newest version of every submission, unredacted, by case id, without withdrawn cases.

        Use it only to redact again.

        Raises:
            RawTextKeyInvalid: a submission is encrypted with a key that the settings do not contain.
        """
        ...

    def submission(self, case_id: str, version: int | None = None) -> Submission:
        """Return one version (default: the newest) of a case's submission, unredacted; for stewards only.

        Submissions of withdrawn cases are included.

        Raises:
            NotFound: the case or version does not exist.
            RawTextKeyInvalid: it is encrypted with a key that the settings do not contain.
        """
        ...

    def count_versions(self, case_id: str) -> int:
        """Return the number of submitted versions of a case; 0 for an unknown case."""
        ...

    def replace_case(
        self,
        submission: Submission,
        case: Case,
        *,
        expected_version: int | None = None,
        roster_version: int | None = None,
    ) -> None:
        """Store a new version of an existing case.

        Raises:
            NotFound: the case does not exist.
            RawTextKeyInvalid: stored raw text is encrypted with another key.
            VersionConflict: the case has another number of versions than ``expected_version``, or the roster changed.
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

    def withdrawals(self) -> list[Withdrawal]:
        """Return the withdrawals, oldest first."""
        ...

    def restore_case(self, submission: Submission, case: Case, *, roster_version: int | None = None) -> None:
        """Restore a withdrawn case; it counts as new since the last run.

        Raises:
            NotFound: the case is not withdrawn.
            VersionConflict: the roster has changed.
        """
        ...

    def raw_text_counts(self) -> RawTextCounts: ...

    def reencrypt_submissions(self) -> int:
        """Re-encrypt every version of all raw text with the current key, and return their number.

        Without a key in the settings, the raw text is decrypted.

        Raises:
            RawTextKeyInvalid: neither key of the settings decrypts some of it; nothing is changed.
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

    def erasures(self) -> list[Erasure]:
        """Return the erasures, oldest first."""
        ...

    def purge_deleted(self) -> None:
        """Remove deleted data from the files too; safe to repeat.

        Raises:
            StoreUnavailable: another process is reading. The rows themselves are deleted in any case.
        """
        ...

    def cases(self, *, kind: CaseKind | None = None, since: str | None = None) -> list[Case]:
        """Return cases and recaps by id.

        Args:
            since: ISO date; excludes cases with an earlier date, but not undated ones.
        """
        ...

    def case(self, case_id: str) -> Case:
        """Return a case by its id or its external id.

        Raises:
            NotFound: the case does not exist.
        """
        ...

    # vectors
    def vectors(self, encoder_id: str, hashes: Sequence[str]) -> dict[str, Vectors]:
        """Return the stored vectors of these text hashes; each is (d,) float32."""
        ...

    def save_vectors(self, encoder_id: str, rows: Mapping[str, Vectors]) -> None: ...

    # runs and themes
    def begin_run(self, parameters: RunParameters, now: datetime) -> RunRecord:
        """Start a run, and mark unfinished runs as interrupted, because their process is dead."""
        ...

    def finish_run(self, run_id: str, outcome: RunOutcome, now: datetime) -> RunRecord:
        """Store the outcome of a run in one transaction; drafts with a decision are left unchanged.

        Raises:
            VersionConflict: a theme of this lens was edited after ``outcome.last_edit_seq``; nothing is stored.
        """
        ...

    def fail_run(self, run_id: str, reason: str, now: datetime) -> None: ...

    def last_run(self, lens: str | None = None) -> RunRecord | None:
        """Return the newest finished run, optionally of one lens."""
        ...

    def runs(self) -> list[RunRecord]: ...

    def themes(self, lens: str | None = None) -> list[Theme]:
        """Return the themes of the newest finished run, largest first, dormant themes last."""
        ...

    def theme_ids(self) -> set[str]:
        """Return every theme id ever used in this network; no id is used twice."""
        ...

    def areas(self, lens: str | None = None) -> dict[str, str]: ...

    def assignments(self, lens: str | None = None) -> list[Assignment]:
        """Return the assignments of the newest finished run of a lens, by case id."""
        ...

    def seen_case_ids(self, lens: str | None = None, *, up_to_number: int | None = None) -> set[str]:
        """Return the ids of all cases that finished runs included.

        Args:
            lens: only runs of this lens.
            up_to_number: only runs up to this number.
        """
        ...

    def theme_changes(self, run_id: str) -> list[ThemeChange]: ...

    def themes_of_run(self, run_id: str) -> list[ThemeSnapshot]:
        """Return the non-empty themes of any finished run, largest first."""
        ...

    def theme_ids_by_case(self, run_id: str) -> dict[str, str | None]:
        """Return the theme of each case of a finished run, None without a theme."""
        ...

    def machine_result(self, run_id: str) -> MachineResult | None:
        """Return a run's result before people's edits.

        It is stored for the newest finished run of each lens only.
        """
        ...

    def stored_fits(self, lens: str) -> StoredFits | None:
        """Return the fits of the newest finished run of a lens; None if it stored no fits.

        They can be computed again, so damaged fits count as missing.
        """
        ...

    # people's edits
    def edits(self, lens: str | None = None) -> list[Edit]:
        """Return the log of edits in order, including undone edits and undos."""
        ...

    def append_edit(self, edit: Edit, *, expected_seq: int, revision: RunRevision | None = None) -> None:
        """Append an edit and revise the last run of its lens in one transaction.

        Args:
            expected_seq: number of the newest edit of the network that the member has seen; 0 for an empty log.
            revision: revision of the last finished run of the lens; None without a run.

        Raises:
            VersionConflict: there is a newer edit or a newer run.
        """
        ...

    def append_edits(self, edits: Sequence[Edit], *, expected_seq: int, revision: RunRevision | None = None) -> None:
        """Append several related edits of one lens, all or nothing, like ``append_edit``.

        ``revision`` can be None if the edits do not change themes.
        """
        ...

    def cases_moved_by_run(self, run_id: str) -> list[tuple[str, str, str | None]]:
        """Return the cases that left their theme since the previous run of the lens.

        Rows are (case id, former theme, current theme or None), by case id, after people's edits of both runs.
        """
        ...

    # review
    def drafts(
        self, *, current: bool = True, kind: DraftKind | None = None
    ) -> list[tuple[Draft, tuple[Decision, ...], datetime]]:
        """Return drafts with their decision logs, oldest first.

        Args:
            current: leave out unreviewed drafts that a later run replaced.
        """
        ...

    def draft(self, draft_id: str) -> tuple[Draft, tuple[Decision, ...], datetime]: ...

    def save_drafts(self, drafts: Sequence[Draft], now: datetime) -> None:
        """Store drafts; a draft that is stored already only becomes current again.

        Raises:
            VersionConflict: a case that they quote has been erased.
        """
        ...

    def append_decision(self, decision: Decision, *, expected_version: int) -> None:
        """Append a decision to the log of a draft.

        Raises:
            VersionConflict: the draft has another number of decisions than ``expected_version``.
        """
        ...

    def draft_summaries(self) -> list[DraftSummary]:
        """Return current drafts and drafts with a decision, by id, without their texts."""
        ...

    def recent_decisions(self, actor: str, *, limit: int) -> list[Decision]:
        """Return a member's last decisions, newest first, including undone decisions and undos."""
        ...

    def reserve_draft(self, reservation: DraftReservation, now: datetime) -> DraftReservation:
        """Reserve a draft, and return the valid reservation, which may be another reviewer's."""
        ...

    def release_draft(self, draft_id: str, actor: str) -> None:
        """Release the actor's reservation of a draft; another reviewer's reservation is left unchanged."""
        ...

    def reservations(self, now: datetime) -> list[DraftReservation]:
        """Return the reservations that have not lapsed."""
        ...

    # uses of patterns
    def save_pattern_use(self, use: PatternUse) -> None:
        """Store a use; a use that is stored already is left unchanged."""
        ...

    def list_pattern_uses(self, pattern_id: str | None = None) -> list[PatternUse]:
        """Return the uses of one pattern or of all patterns, latest first."""
        ...

    # answers of the language model
    def delete_cached_answers(self, case_ids: Iterable[str]) -> int:
        """Delete cached answers that saw any of these cases, and return their number.

        Answers with unknown cases are deleted too. Storing a changed text of a case deletes its answers anyway.
        """
        ...

    # long work
    def create_job(self, job: Job) -> None:
        """Store a new job, and delete all but the last few hundred ended jobs.

        Raises:
            RunInProgress: the job is a run, and another run of this network is alive.
        """
        ...

    def update_job(self, job: Job) -> None:
        """Store the progress or the end of a job; a deleted job is ignored."""
        ...

    def record_heartbeat(self, job_ids: Sequence[str], now: datetime) -> None:
        """Record a heartbeat of these jobs."""
        ...

    def job(self, job_id: str) -> Job:
        """Return a job as last stored.

        Raises:
            NotFound: the job does not exist.
        """
        ...

    def jobs(self, *, kind: JobKind | None = None, before: str | None = None, limit: int | None = None) -> list[Job]:
        """Return jobs, newest first; ``before`` is the id of the last job of the previous page."""
        ...

    def change_counters(self) -> dict[str, int]:
        """Return counters that grow with every change of "jobs", "runs", "themes" (edits) and "reviews"."""
        ...

    # sign-in
    def save_token(self, token: ApiToken) -> None: ...

    def tokens(self) -> list[ApiToken]: ...
