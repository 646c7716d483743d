"""What is kept of a network: everything that is not derived from it."""

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
    """How much raw text is kept, and how much of it sealed; ``opens`` where the settings hold the right key."""

    n: int
    n_encrypted: int
    key_id: str | None
    is_readable: bool


@dataclass(frozen=True, slots=True)
class RosterChange:
    """``added`` people, ``changed`` cases that have a new redacted text for it."""

    added: int
    changed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """That a case was erased, by whom and when; its id is all that is left of it."""

    case_id: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """That a case was withdrawn, by whom and when; what was handed in is kept until it is put back or erased."""

    case_id: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRewrite:
    """How all that is stored in words is told anew; each function gives back what it was given where nothing changes.

    ``name`` is for names of themes and areas, ``words`` for notes, of runs and of people; ``draft`` takes a draft with
    its log and gives as many decisions back. ``vectors`` are hashes of texts whose vectors go.
    """

    theme: Callable[[Theme], Theme]
    name: Callable[[str], str]
    words: Callable[[str], str]
    draft: Callable[[Draft, tuple[Decision, ...]], tuple[Draft, tuple[Decision, ...]]]
    vectors: frozenset[str] = frozenset()


class Store(CallLedger, QueryStore, Protocol):
    """The truth of one network: every method sees that network's rows and no other's."""

    @property
    def network(self) -> Network: ...

    def save_network(self, network: Network) -> None: ...

    # intake
    def secret(self) -> bytes:
        """The key that turns submitters' names into contributor hashes; made once, never exported."""
        ...

    def roster(self) -> list[RosterEntry]: ...

    def add_to_roster(self, entries: Iterable[tuple[str, str | None, str | None]]) -> int:
        """Add (name, e-mail, team) to the roster; people already on it are left. The number added."""
        ...

    def extend_roster(
        self,
        entries: Iterable[tuple[str, str | None, str | None]],
        redact: Callable[[list[RosterEntry]], tuple[Sequence[tuple[Submission, Case]], TextRewrite]],
    ) -> RosterChange:
        """Add people, and put all that is stored as it is redacted by the roster as it then is: in one transaction.

        Args:
            redact: from that roster, the cases as they then are, and how everything else is told. It may read the
                store, which shows it what was there before.
        """
        ...

    def remove_from_roster(
        self, number: int, redact: Callable[[list[RosterEntry]], tuple[Sequence[tuple[Submission, Case]], TextRewrite]]
    ) -> RosterChange:
        """Take a name off the roster, and put all that is stored as it is redacted without it: in one transaction.

        Raises:
            NotFound: nobody has that number, or whoever had it was taken off.
        """
        ...

    def dismissed_names(self) -> set[str]:
        """The digests of possible names that the steward said are none."""
        ...

    def dismiss_names(self, digests: Iterable[str], *, actor: str, at: datetime) -> None: ...

    def save_cases(
        self, cases: Sequence[tuple[Submission, Case]], *, dry_run: bool = False, roster_version: int | None = None
    ) -> CaseSaveCounts:
        """Take in cases in one transaction; a case already there with the same content is left as it is.

        With ``dry_run`` the counts are what they would be, and nothing is stored.

        Args:
            n_people: on the roster that the cases were redacted by; None where that does not matter.

        Raises:
            ChangedMeanwhile: the roster has another number of people by now; nothing is stored.
            RawTextLocked: raw text is sealed here, and not by the key in the settings; nothing is stored.
        """
        ...

    def submissions(self) -> list[Submission]:
        """The newest version of every submission, raw, by case id; withdrawn ones are left out.

        For redacting again; nothing else may read it.

        Raises:
            RawTextLocked
        """
        ...

    def submission(self, case_id: str, version: int | None = None) -> Submission:
        """One version of one, the newest where none is named, raw, by the id of its case: for the steward's eyes alone.

        That of a withdrawn case is there too.

        Raises:
            NotFound, RawTextLocked
        """
        ...

    def n_versions(self, case_id: str) -> int:
        """How many versions of a case were handed in, counted from 1; 0 where there is no such case."""
        ...

    def replace_case(
        self,
        submission: Submission,
        case: Case,
        *,
        expected_version: int | None = None,
        roster_version: int | None = None,
    ) -> None:
        """Keep a new version of a case that is here.

        Raises:
            NotFound, RawTextLocked
            ChangedMeanwhile: it has another number of versions than ``expected_version``, or the roster other people.
        """
        ...

    def withdraw_case(
        self, case_id: str, rewrite: TextRewrite, *, kept_text_hashes: Collection[str], actor: str, at: datetime
    ) -> None:
        """As ``forget_case``, but what was handed in is kept, unseen, so that the case can be put back.

        Raises:
            NotFound
        """
        ...

    def withdrawals(self) -> list[Withdrawal]:
        """Oldest first."""
        ...

    def put_back(self, submission: Submission, case: Case, *, roster_version: int | None = None) -> None:
        """Take a withdrawn case in again, as a case that came since the last run.

        Raises:
            NotFound: it is not withdrawn.
            ChangedMeanwhile: the roster has another number of people by now.
        """
        ...

    def raw_text_counts(self) -> RawTextCounts: ...

    def reencrypt_submissions(self) -> int:
        """Seal all raw text, every version, by the key in the settings, or open it where there is none. The number.

        Raises:
            RawTextLocked: some of it opens by neither key of the settings; nothing was changed.
        """
        ...

    def erase_case(
        self, case_id: str, rewrite: TextRewrite, *, kept_text_hashes: Collection[str], actor: str, at: datetime
    ) -> None:
        """Take a case, a withdrawn one too, out of every table, in one transaction, and note that it was erased.

        Args:
            kept_vectors: the hashes of the texts that have a vector still; every other vector goes.

        Raises:
            NotFound
        """
        ...

    def erasures(self) -> list[Erasure]:
        """Oldest first."""
        ...

    def purge_deleted(self) -> None:
        """Take what was deleted out of the files too; safe to do again.

        Raises:
            StoreUnavailable: it cannot be done while another process reads; the rows are gone whatever becomes of it.
        """
        ...

    def cases(self, *, kind: CaseKind | None = None, since: str | None = None) -> list[Case]:
        """All cases and recaps, by id; ``since`` keeps those dated on or after an ISO date, and the undated."""
        ...

    def case(self, case_id: str) -> Case:
        """One case, by its id or its external id.

        Raises:
            NotFound
        """
        ...

    # vectors
    def vectors(self, encoder_id: str, hashes: Sequence[str]) -> dict[str, Vectors]:
        """The known vectors among text hashes; each (d,) float32."""
        ...

    def save_vectors(self, encoder_id: str, rows: Mapping[str, Vectors]) -> None: ...

    # runs and themes
    def begin_run(self, parameters: RunParameters, now: datetime) -> RunRecord:
        """Open a run, marking any unfinished one of a dead process as interrupted."""
        ...

    def finish_run(self, run_id: str, outcome: RunOutcome, now: datetime) -> RunRecord:
        """Store all that a run found, in one transaction. Drafts that people decided on are left as they are.

        Raises:
            ChangedMeanwhile: somebody decided about themes of this lens after ``outcome.decided``; nothing is stored.
        """
        ...

    def fail_run(self, run_id: str, reason: str, now: datetime) -> None: ...

    def last_run(self, lens: str | None = None) -> RunRecord | None:
        """The newest finished run, of a lens where one is named."""
        ...

    def runs(self) -> list[RunRecord]: ...

    def themes(self, lens: str | None = None) -> list[Theme]:
        """The themes of the newest finished run of the lens, by falling size, the dormant last."""
        ...

    def theme_ids(self) -> set[str]:
        """Every theme id ever given in this network; none is given twice."""
        ...

    def areas(self, lens: str | None = None) -> dict[str, str]: ...

    def assignments(self, lens: str | None = None) -> list[Assignment]:
        """By case id."""
        ...

    def seen_case_ids(self, lens: str | None = None, *, up_to_number: int | None = None) -> set[str]:
        """The ids of all cases that finished runs looked at, of a lens where one is named, up to a run's number."""
        ...

    def changes(self, run_id: str) -> list[ThemeChange]: ...

    def themes_of_run(self, run_id: str) -> list[ThemeSnapshot]:
        """The themes with cases of any finished run, by falling size."""
        ...

    def theme_ids_by_case(self, run_id: str) -> dict[str, str | None]:
        """The theme of each case that a finished run looked at, None for one in no theme."""
        ...

    def found(self, run_id: str) -> MachineResult | None:
        """What a run found before people's decisions; kept of the newest finished run of each lens."""
        ...

    def fits(self, lens: str) -> StoredFits | None:
        """What the fits of the newest finished run of a lens said; None where it kept none.

        Numbers that can be made again: where they are damaged, there are none.
        """
        ...

    # people's edits
    def edits(self, lens: str | None = None) -> list[Edit]:
        """The log, in order, of a lens where one is named; what was taken back and the undo of it are in it."""
        ...

    def append_edit(self, edit: Edit, *, expected_seq: int, revision: RunRevision | None = None) -> None:
        """Add one line to the log, and put the last run of its lens as it then stands, in one transaction.

        Args:
            expected_seq: the number of the newest line of the network that the person had seen, 0 for none.
            amended: of the last finished run of the lens; None where there is none.

        Raises:
            ChangedMeanwhile: there is a newer line or a newer run.
        """
        ...

    def append_edits(self, edits: Sequence[Edit], *, expected_seq: int, revision: RunRevision | None = None) -> None:
        """The same for several lines of one lens that belong together: all of them are added, or none.

        Lines of which none changes themes need nothing amended.
        """
        ...

    def cases_moved_by_run(self, run_id: str) -> list[tuple[str, str, str | None]]:
        """The cases that were in a theme after the run of its lens before this one, and are elsewhere now.

        By case id, each with that theme and the one it is in, None for none; as people left both runs.
        """
        ...

    # review
    def drafts(
        self, *, current: bool = True, kind: DraftKind | None = None
    ) -> list[tuple[Draft, tuple[Decision, ...], datetime]]:
        """Drafts with their decision logs, by id; ``current`` leaves out those a later run replaced unreviewed."""
        ...

    def draft(self, draft_id: str) -> tuple[Draft, tuple[Decision, ...], datetime]: ...

    def save_drafts(self, drafts: Sequence[Draft], now: datetime) -> None:
        """Keep drafts; one that is there already is current again, and else as it was.

        Raises:
            ChangedMeanwhile: a case that they quote was erased since.
        """
        ...

    def append_decision(self, decision: Decision, *, expected_version: int) -> None:
        """Add one line to the log of a draft.

        Raises:
            ChangedMeanwhile: the draft has more decisions than ``expected_version``.
        """
        ...

    def draft_summaries(self) -> list[DraftSummary]:
        """Every current draft and every one that was ever decided on, by id, without their texts."""
        ...

    def recent_decisions(self, actor: str, *, limit: int) -> list[Decision]:
        """The last decisions of a person, newest first, those that were taken back and the undoing too."""
        ...

    def reserve_draft(self, reservation: DraftReservation, now: datetime) -> DraftReservation:
        """Keep a draft for somebody, unless another has it still: then the answer is that one's reservation."""
        ...

    def release_draft(self, draft_id: str, actor: str) -> None:
        """Give a draft back; nothing happens where somebody else has it."""
        ...

    def reservations(self, now: datetime) -> list[DraftReservation]:
        """Those that have not lapsed."""
        ...

    # uses of patterns
    def save_pattern_use(self, use: PatternUse) -> None:
        """Keep a use; one that is there already is left as it is."""
        ...

    def list_pattern_uses(self, pattern_id: str | None = None) -> list[PatternUse]:
        """Of a pattern, or all of them; the latest first."""
        ...

    # answers of the language model
    def forget_answers(self, case_ids: Iterable[str]) -> int:
        """Remove the cached answers that saw any of these cases, and those of which nobody knows what they saw.

        A case that is stored with another text loses its answers without being asked. The number removed.
        """
        ...

    # long work
    def create_job(self, job: Job) -> None:
        """Write down that work began. Of the jobs that ended, the last few hundred are kept.

        Raises:
            RunInProgress: it is a run, and another one of this network shows signs of life.
        """
        ...

    def update_job(self, job: Job) -> None:
        """Write down how far a job is, or how it ended; nothing where there is no such job any more."""
        ...

    def record_heartbeat(self, job_ids: Sequence[str], now: datetime) -> None:
        """A sign of life for these jobs."""
        ...

    def job(self, job_id: str) -> Job:
        """One job as it was written down last.

        Raises:
            NotFound
        """
        ...

    def jobs(self, *, kind: JobKind | None = None, before: str | None = None, limit: int | None = None) -> list[Job]:
        """Newest first; ``before`` is the id of the last one seen."""
        ...

    def marks(self) -> dict[str, int]:
        """Numbers that grow with every change of ``jobs``, ``runs``, ``themes`` (decisions on them) and ``reviews``."""
        ...

    # sign-in
    def save_token(self, token: ApiToken) -> None: ...

    def tokens(self) -> list[ApiToken]: ...
