"""What the line needs from outside, as protocols; ``adapters`` hold the real ones and their in-memory twins."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from patternmind.model.calls import Budget, Call, KeptAnswer
from patternmind.model.cases import Case, Consent, Kind, Submission
from patternmind.model.drafts import Decision, Draft, DraftKind, Outline, Reservation, ReviewedDraft, Use
from patternmind.model.edits import Edit, Proposal
from patternmind.model.fits import KeptFits
from patternmind.model.found import Found
from patternmind.model.jobs import Job, JobKind
from patternmind.model.members import Account, AuditEntry, Link, Member, Session, Token
from patternmind.model.network import Network, Person
from patternmind.model.reading import (
    CaseOrder,
    CasesWanted,
    Counts,
    DraftLine,
    DraftsWanted,
    PageOf,
    PlacedCase,
    Stamp,
    StoredDraft,
    ThemeCard,
    ThemeStory,
    VectorStamp,
)
from patternmind.model.themes import Assignment, Theme, ThemeChange, Vectors

Progress = Callable[[str, int, int], None]
"""Called with (step, done, total) as long work goes on."""


class Clock(Protocol):
    def now(self) -> datetime:
        """The time, aware, in UTC."""
        ...


class Encoder(Protocol):
    """Texts to vectors. A vector depends on its text alone: not on order, batch, threads or what came before."""

    @property
    def id(self) -> str:
        """Names weights and precision; vectors of different ids are never mixed."""
        ...

    @property
    def dimensions(self) -> int: ...

    def encode(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        """Row i is the unit-norm float32 vector of ``texts[i]``, the whole text covered.

        Raises:
            ModelUnavailable: the model could not be loaded; nothing was embedded.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedPrompt:
    """A prompt with its variables filled in. ``hash`` names the prompt file's content, not the variables.

    Attributes:
        case_ids: the cases whose words stand in it, so that erasing one removes the cached answers that saw it. None
            is not known: such an answer goes with the first case that is erased, whichever it is.
        input_hash: names what was filled in, for a prompt that is not rendered to the same text twice (a fence drawn
            at random). Empty, and the text itself is what an answer is cached by.
    """

    id: str
    hash: str
    system: str
    user: str
    answer_schema: Mapping[str, Any]
    case_ids: tuple[str, ...] | None = None
    input_hash: str = ""


class PromptBook(Protocol):
    def hash_of(self, *prompt_ids: str) -> str:
        """Names the content of these prompts together; of all, where none is named."""
        ...

    def render(self, prompt_id: str, variables: Mapping[str, object]) -> RenderedPrompt:
        """The prompt, ready to send.

        Raises:
            PromptInvalid: no such prompt, or the variables are not exactly the ones it declares.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAnswer:
    """``value`` fits the prompt's answer schema. Tokens and cost are those it was paid with, also where ``cached``."""

    value: Mapping[str, Any]
    model: str
    n_tokens: int = 0
    cost_usd: float = 0.0
    cached: bool = False


class LanguageModel(Protocol):
    @property
    def name(self) -> str: ...

    def ask(self, task: str, prompt: RenderedPrompt) -> ModelAnswer:
        """One answer that fits the prompt's schema.

        Raises:
            GatewayFailed: after its own retries and one repair attempt; the caller goes on without the answer.
            BudgetReached: the call was not sent, and none after it will be; the run stops.
            PriceUnknown: the same, until somebody sets the price.
        """
        ...


class Ledger(Protocol):
    """What calls cost and what they answered. Safe among threads and processes: the limits hold for all together."""

    def kept_answer(self, keys: Sequence[str]) -> KeptAnswer | None:
        """The paid answer under the first of these keys that has one."""
        ...

    def reserve(self, call: Call, budget: Budget, now: datetime) -> None:
        """Write the call as it stands, with ``reserved_usd`` put aside for its next request, where that fits.

        What is reserved counts as spent. A reservation past its ``reserved_until`` belongs to a process that died: its
        request may have been billed, so it stays spent, and its call is lost.

        Raises:
            BudgetReached: it does not fit; nothing is written.
        """
        ...

    def settle(self, call: Call, answer: KeptAnswer | None = None) -> None:
        """Write the call as it stands, with nothing reserved any more, and its answer, both or neither."""
        ...

    def calls(self, run_id: str | None = None) -> list[Call]:
        """The calls in the order they were begun, of a run where one is named; empty names those of no run."""
        ...


@dataclass(frozen=True, slots=True)
class Hit:
    """A case found by meaning; ``score`` is the cosine, 0..1."""

    case_id: str
    score: float


class VectorIndex(Protocol):
    """Nearest cases to a vector. Derived from the store and disposable: ids and vectors, never text."""

    def search(self, vector: Vectors, k: int, *, kind: Kind | None = None) -> list[Hit]:
        """The k nearest cases to a (d,) vector, best first, of a kind where one is named."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RunParameters:
    """The modelling choices of a run, stored with it; ``afresh`` makes all fits anew, whatever the last run left."""

    label: str = ""
    lens: str = "all"
    level: str = "theme"
    engine: str = "graph"
    seed: int = 0
    since: str | None = None
    draft: bool = True
    afresh: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """A run as the store knows it; ``state`` is running, finished, failed or interrupted."""

    id: str
    number: int
    parameters: RunParameters
    state: str
    started_at: datetime
    finished_at: datetime | None = None
    n_cases: int = 0
    n_themes: int = 0
    n_outliers: int = 0
    n_drafts: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict[str, float])
    notes: tuple[str, ...] = ()
    fingerprint: str = ""
    proposals: tuple[Proposal, ...] = ()


@dataclass(frozen=True, slots=True)
class ThemeThen:
    """A theme as a run left it, in short."""

    id: str
    name: str
    n_cases: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """Everything a run found, handed over whole so that it can be stored in one transaction or not at all.

    ``themes`` include the dormant; ``areas`` map area id to its name; ``duplicate_of`` maps a near-duplicate to the
    case it repeats; ``found`` is what was there before people's decisions; ``decided`` the number of the last one of
    this lens that was reckoned with, None where nobody asked; ``fits`` what the next run of the lens may continue.
    """

    themes: Sequence[Theme]
    areas: Mapping[str, str]
    changes: Sequence[ThemeChange]
    assignments: Sequence[Assignment]
    duplicate_of: Mapping[str, str]
    drafts: Sequence[Draft]
    n_refused_claims: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict[str, float])
    notes: Sequence[str] = ()
    fingerprint: str = ""
    proposals: Sequence[Proposal] = ()
    found: Found | None = None
    decided: int | None = None
    fits: KeptFits | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Amended:
    """The last run of a lens as one more decision leaves it: what people see at once, without a run."""

    run_id: str
    themes: Sequence[Theme]
    areas: Mapping[str, str]
    assignments: Sequence[Assignment]
    drafts: Sequence[Draft]
    proposals: Sequence[Proposal] = ()


@dataclass(frozen=True, slots=True)
class StoredCounts:
    accepted: int
    unchanged: int
    duplicates: int
    updated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RawCounts:
    """How much raw text is kept, and how much of it sealed; ``opens`` where the settings hold the right key."""

    n: int
    n_sealed: int
    key_name: str | None
    opens: bool


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
class Retelling:
    """How all that is stored in words is told anew; each function gives back what it was given where nothing changes.

    ``name`` is for names of themes and areas, ``words`` for notes, of runs and of people; ``draft`` takes a draft with
    its log and gives as many decisions back. ``vectors`` are hashes of texts whose vectors go.
    """

    theme: Callable[[Theme], Theme]
    name: Callable[[str], str]
    words: Callable[[str], str]
    draft: Callable[[Draft, tuple[Decision, ...]], tuple[Draft, tuple[Decision, ...]]]
    vectors: frozenset[str] = frozenset()


CaseWords = tuple[str, Consent, tuple[str, ...]]
"""The id of a case, how far its text may go, and all its texts, those of unknown columns too."""

VectorRow = tuple[str, Vectors | None]
"""The id of a case and the vector of its whole text; None where it has none yet."""


class Reads(Protocol):
    """What lists and pages are made of. Each takes about as long in a network of 100,000 cases as in one of 100.

    A list answers in pages: ``after`` is ``following`` of the page before, with all else as it was.
    """

    # cases
    def list_cases(
        self, wanted: CasesWanted, *, limit: int, after: str | None = None, order: CaseOrder = CaseOrder.ID
    ) -> PageOf[PlacedCase]:
        """Cases and recaps, each with its place in the last run of ``wanted.lens``."""
        ...

    def count_cases(self, wanted: CasesWanted) -> int:
        """How many cases a list has in all: an index is read through for it, a tenth of a second at 100,000."""
        ...

    def cases_by_id(self, case_ids: Sequence[str]) -> dict[str, Case]:
        """Those of these cases that are there, in no order; by their own ids, not by external ones."""
        ...

    def cases_beside(self, one: Case) -> list[Case]:
        """The cases that it nearly repeats or names, and those that nearly repeat or name it; by id, itself left out.

        Near: a recap is among them too whose text holds its id; who needs to know looks at ``linked_cases``.
        """
        ...

    def case_words(self, *, since: int = 0) -> Iterator[CaseWords]:
        """What each case says, of those written after the write numbered ``since``, by that number."""
        ...

    def place_of(self, case_id: str, lens: str | None = None) -> Assignment | None:
        """Where the last run of a lens put a case; None where it did not look at it."""
        ...

    def teams(self) -> list[str]:
        """The teams that cases name, in order: what a filter offers."""
        ...

    def list_assignments(
        self, lens: str | None = None, *, limit: int, after: str | None = None
    ) -> PageOf[tuple[str | None, Assignment]]:
        """Where the last run put each case, by case id, each with the external id of its case."""
        ...

    # themes and runs
    def theme_cards(self, lens: str | None = None, *, every: bool = False) -> list[ThemeCard]:
        """The themes of ``themes`` without their members; those with none any more only where ``every``."""
        ...

    def theme_card(self, theme_id: str, lens: str | None = None) -> ThemeCard:
        """Raises: NotFound."""
        ...

    def theme_story(self, theme_id: str, lens: str | None = None) -> ThemeStory:
        """A theme with all that its page shows but its members, which ``list_cases`` gives.

        Raises:
            NotFound
        """
        ...

    def theme_members(self, theme_id: str, lens: str | None = None) -> tuple[str, ...]:
        """The ids of all its cases by falling strength.

        Raises:
            NotFound
        """
        ...

    def theme_names(self, lens: str | None = None) -> dict[str, str]: ...

    def theme_encoder(self, lens: str | None = None) -> str | None:
        """The id of the encoder whose vectors the themes were found in; None where there are none."""
        ...

    def find_run(self, run_id: str) -> RunRecord:
        """Raises: NotFound."""
        ...

    # drafts
    def list_drafts(self, wanted: DraftsWanted, *, limit: int, after: str | None = None) -> PageOf[StoredDraft]:
        """Every current draft and every one that was ever decided on, oldest first, as made: to be grounded."""
        ...

    def drafts_quoting(self, case_id: str) -> list[Draft]:
        """The current drafts that quote a case, oldest first, as made."""
        ...

    def draft_lines(self, wanted: DraftsWanted, *, limit: int, after: str | None = None) -> PageOf[DraftLine]:
        """The same without their texts: for a queue, which orders all of them."""
        ...

    def counts(self, lens: str | None = None) -> Counts: ...

    def stamp(self) -> Stamp:
        """What an answer is kept by, in a millisecond or two; it changes with every write that people read."""
        ...

    # vectors
    def vector_stamp(self) -> VectorStamp: ...

    def vector_rows(self, encoder_id: str, *, since: int = 0) -> Iterator[VectorRow]:
        """The cases written after the write numbered ``since``, by that number: the newest last."""
        ...


class Store(Ledger, Reads, Protocol):
    """The truth of one network: every method sees that network's rows and no other's."""

    @property
    def network(self) -> Network: ...

    def save_network(self, network: Network) -> None: ...

    # intake
    def secret(self) -> bytes:
        """The key that turns submitters' names into contributor hashes; made once, never exported."""
        ...

    def roster(self) -> list[Person]: ...

    def add_people(self, people: Iterable[tuple[str, str | None, str | None]]) -> int:
        """Add (name, e-mail, team) to the roster; people already on it are left. The number added."""
        ...

    def change_roster(
        self,
        people: Iterable[tuple[str, str | None, str | None]],
        redact: Callable[[list[Person]], tuple[Sequence[tuple[Submission, Case]], Retelling]],
    ) -> RosterChange:
        """Add people, and put all that is stored as it is redacted by the roster as it then is: in one transaction.

        Args:
            redact: from that roster, the cases as they then are, and how everything else is told. It may read the
                store, which shows it what was there before.
        """
        ...

    def take_off_roster(
        self, number: int, redact: Callable[[list[Person]], tuple[Sequence[tuple[Submission, Case]], Retelling]]
    ) -> RosterChange:
        """Take a name off the roster, and put all that is stored as it is redacted without it: in one transaction.

        Raises:
            NotFound: nobody has that number, or whoever had it was taken off.
        """
        ...

    def dismissed_names(self) -> set[str]:
        """The digests of possible names that the steward said are none."""
        ...

    def dismiss_names(self, digests: Iterable[str], *, by: str, at: datetime) -> None: ...

    def save_cases(
        self, cases: Sequence[tuple[Submission, Case]], *, dry_run: bool = False, n_people: int | None = None
    ) -> StoredCounts:
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
        self, submission: Submission, case: Case, *, expected_version: int | None = None, n_people: int | None = None
    ) -> None:
        """Keep a new version of a case that is here.

        Raises:
            NotFound, RawTextLocked
            ChangedMeanwhile: it has another number of versions than ``expected_version``, or the roster other people.
        """
        ...

    def withdraw_case(
        self, case_id: str, retelling: Retelling, *, kept_vectors: Collection[str], by: str, at: datetime
    ) -> None:
        """As ``forget_case``, but what was handed in is kept, unseen, so that the case can be put back.

        Raises:
            NotFound
        """
        ...

    def withdrawals(self) -> list[Withdrawal]:
        """Oldest first."""
        ...

    def put_back(self, submission: Submission, case: Case, *, n_people: int | None = None) -> None:
        """Take a withdrawn case in again, as a case that came since the last run.

        Raises:
            NotFound: it is not withdrawn.
            ChangedMeanwhile: the roster has another number of people by now.
        """
        ...

    def raw_counts(self) -> RawCounts: ...

    def reseal(self) -> int:
        """Seal all raw text, every version, by the key in the settings, or open it where there is none. The number.

        Raises:
            RawTextLocked: some of it opens by neither key of the settings; nothing was changed.
        """
        ...

    def forget_case(
        self, case_id: str, retelling: Retelling, *, kept_vectors: Collection[str], by: str, at: datetime
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

    def scrub(self) -> None:
        """Take what was deleted out of the files too; safe to do again.

        Raises:
            StoreUnavailable: it cannot be done while another process reads; the rows are gone whatever becomes of it.
        """
        ...

    def cases(self, *, kind: Kind | None = None, since: str | None = None) -> list[Case]:
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

    def cases_seen(self, lens: str | None = None, *, through: int | None = None) -> set[str]:
        """The ids of all cases that finished runs looked at, of a lens where one is named, up to a run's number."""
        ...

    def changes(self, run_id: str) -> list[ThemeChange]: ...

    def themes_of_run(self, run_id: str) -> list[ThemeThen]:
        """The themes with cases of any finished run, by falling size."""
        ...

    def places_of_run(self, run_id: str) -> dict[str, str | None]:
        """The theme of each case that a finished run looked at, None for one in no theme."""
        ...

    def found(self, run_id: str) -> Found | None:
        """What a run found before people's decisions; kept of the newest finished run of each lens."""
        ...

    def fits(self, lens: str) -> KeptFits | None:
        """What the fits of the newest finished run of a lens said; None where it kept none.

        Numbers that can be made again: where they are damaged, there are none.
        """
        ...

    # people's edits
    def edits(self, lens: str | None = None) -> list[Edit]:
        """The log, in order, of a lens where one is named; what was taken back and the undo of it are in it."""
        ...

    def append_edit(self, edit: Edit, *, expected_seq: int, amended: Amended | None = None) -> None:
        """Add one line to the log, and put the last run of its lens as it then stands, in one transaction.

        Args:
            expected_seq: the number of the newest line of the network that the person had seen, 0 for none.
            amended: of the last finished run of the lens; None where there is none.

        Raises:
            ChangedMeanwhile: there is a newer line or a newer run.
        """
        ...

    def append_edits(self, edits: Sequence[Edit], *, expected_seq: int, amended: Amended | None = None) -> None:
        """The same for several lines of one lens that belong together: all of them are added, or none.

        Lines of which none changes themes need nothing amended.
        """
        ...

    def moved_by(self, run_id: str) -> list[tuple[str, str, str | None]]:
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

    def outlines(self) -> list[Outline]:
        """Every current draft and every one that was ever decided on, by id, without their texts."""
        ...

    def decisions_of(self, by: str, *, limit: int) -> list[Decision]:
        """The last decisions of a person, newest first, those that were taken back and the undoing too."""
        ...

    def hold_draft(self, wanted: Reservation, now: datetime) -> Reservation:
        """Keep a draft for somebody, unless another has it still: then the answer is that one's reservation."""
        ...

    def release_draft(self, draft_id: str, by: str) -> None:
        """Give a draft back; nothing happens where somebody else has it."""
        ...

    def reservations(self, now: datetime) -> list[Reservation]:
        """Those that have not lapsed."""
        ...

    # uses of patterns
    def save_use(self, use: Use) -> None:
        """Keep a use; one that is there already is left as it is."""
        ...

    def uses(self, pattern_id: str | None = None) -> list[Use]:
        """Of a pattern, or all of them; the latest first."""
        ...

    # answers of the language model
    def forget_answers(self, case_ids: Iterable[str]) -> int:
        """Remove the cached answers that saw any of these cases, and those of which nobody knows what they saw.

        A case that is stored with another text loses its answers without being asked. The number removed.
        """
        ...

    # long work
    def begin_job(self, job: Job) -> None:
        """Write down that work began. Of the jobs that ended, the last few hundred are kept.

        Raises:
            RunInProgress: it is a run, and another one of this network shows signs of life.
        """
        ...

    def put_job(self, job: Job) -> None:
        """Write down how far a job is, or how it ended; nothing where there is no such job any more."""
        ...

    def beat(self, job_ids: Sequence[str], now: datetime) -> None:
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
    def save_token(self, token: Token) -> None: ...

    def tokens(self) -> list[Token]: ...


class Passwords(Protocol):
    def hash(self, password: str) -> str: ...

    def fits(self, password: str, password_hash: str | None) -> bool:
        """Whether it is that password; without a hash never, after the same work."""
        ...


MemberChange = Callable[[Sequence[Member]], Sequence[Member]]
"""Takes the members of a network and gives them as they should be; raises where that may not be."""


class Accounts(Protocol):
    """Who may sign in to this installation and to which of its networks, and the log of what was done."""

    # networks
    def networks(self) -> list[Network]: ...

    def add_network(self, network: Network) -> None:
        """Make an empty network.

        Raises:
            UsageError: there is one of that id.
        """
        ...

    # members
    def has_accounts(self) -> bool: ...

    def account(self, account_id: str) -> Account | None: ...

    def members(self, network_id: str) -> list[Member]:
        """By name."""
        ...

    def memberships(self, account_id: str) -> list[Member]:
        """One for each network that the account is in, by the network's id."""
        ...

    def change_members(
        self, network_id: str, change: MemberChange, *, account: Account | None = None
    ) -> tuple[Member, ...]:
        """Change who is in a network, in one transaction; an account without a network is removed with its sessions.

        Args:
            account: made first, for a member who is new to the installation.
        """
        ...

    def save_password(self, account_id: str, password_hash: str) -> None: ...

    # sign-in
    def save_link(self, link: Link) -> None: ...

    def link(self, sha256: str) -> Link | None: ...

    def take_link(self, sha256: str) -> Link | None:
        """The link, which is gone then: of two who take it at once only one gets it. With the first link of an
        installation all its others of that kind are gone too."""
        ...

    def save_session(self, session: Session) -> None:
        """Make it, or change what it shows and when it was seen."""
        ...

    def session(self, sha256: str) -> Session | None: ...

    def sessions(self, account_id: str) -> list[Session]:
        """The newest first."""
        ...

    def end_sessions(self, sha256s: Sequence[str]) -> None: ...

    def forget_expired(self, *, links: datetime, sessions: datetime, unseen: datetime) -> None:
        """Remove links that expired before, sessions made before, and sessions not seen since."""
        ...

    # tokens
    def find_token(self, sha256: str) -> tuple[str, Token] | None:
        """A token by its hash, with the id of its network."""
        ...

    def has_tokens(self) -> bool: ...

    def revoke_token(self, network_id: str, token_id: str, at: datetime) -> None:
        """Make it open nothing any more.

        Raises:
            NotFound: no such token in this network.
        """
        ...

    # audit
    def append_audit(self, network_id: str, entry: AuditEntry) -> None:
        """Write one line; its number is given here."""
        ...

    def audit(self, network_id: str, *, before: int | None = None, limit: int = 50) -> list[AuditEntry]:
        """The newest first, those with smaller numbers than ``before``."""
        ...


__all__ = [
    "Accounts",
    "Amended",
    "CaseWords",
    "Clock",
    "Decision",
    "Encoder",
    "Erasure",
    "Hit",
    "LanguageModel",
    "Ledger",
    "MemberChange",
    "ModelAnswer",
    "Passwords",
    "Progress",
    "PromptBook",
    "RawCounts",
    "Reads",
    "RenderedPrompt",
    "Retelling",
    "ReviewedDraft",
    "RosterChange",
    "RunOutcome",
    "RunParameters",
    "RunRecord",
    "Store",
    "StoredCounts",
    "ThemeThen",
    "Token",
    "VectorIndex",
    "VectorRow",
    "Withdrawal",
]
