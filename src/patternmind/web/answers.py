"""What the API takes and answers, as typed shapes; the names are those of the command line's JSON."""

import datetime as dt
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt

from patternmind.model.cases import Consent, Kind
from patternmind.model.drafts import Doubt, DraftAction, DraftKind, DraftState, Reason
from patternmind.model.jobs import JobKind
from patternmind.model.themes import Lineage
from patternmind.review import Standing
from patternmind.web.problems import Problem

Item = TypeVar("Item")

Text = dict[str, str]
LensName = Literal["all", "problem", "helped"]
LevelName = Literal["theme", "area"]
EngineName = Literal["graph", "hdbscan"]
DraftFields = dict[str, str | list[str]]


class Listing(BaseModel, Generic[Item]):
    """All of a short list."""

    items: list[Item]


class Page(BaseModel, Generic[Item]):
    """Part of a long list."""

    items: list[Item]
    next_cursor: str | None = Field(description="Ask again with this as `cursor` for the next page; null on the last.")


class Asked(BaseModel):
    """A request's body; fields nobody knows are refused by name."""

    model_config = ConfigDict(extra="forbid")


# Network, cases ------------------------------------------------------------------------------------------------------


class RuleAnswer(BaseModel):
    """Nothing is published that stands on fewer distinct contributors or teams."""

    min_contributors: int
    min_teams: int


class NetworkAnswer(BaseModel):
    id: str
    name: str
    purpose: str
    rule: RuleAnswer
    default_consent: Consent = Field(description="What a row without a word on consent means.")
    n_cases: int
    n_recaps: int
    last_run_id: str | None


class CaseAnswer(BaseModel):
    """A case or recap as redacted; the raw text and the submitter's name are in no answer."""

    case_id: str
    external_id: str | None
    kind: Kind
    title: str
    text: Text = Field(description="Free text by field, redacted. Quotes are offsets into it, in code points.")
    extra: Text = Field(description="Columns without a known name, redacted; never embedded or drafted from.")
    date: dt.date | None
    team: str | None
    consent: Consent = Field(description="How far its text may go; the API answers reviewers inside the network.")
    linked_cases: list[str]
    flags: list[str]
    near_duplicate_of: str | None
    theme_id: str | None = Field(description="In the last run; null while it is in no theme.")
    strength: float | None = Field(description="0..1, how often resampled fits agree with its theme.")


class RejectedRowAnswer(BaseModel):
    file: str
    row: int
    errors: list[str]


class IntakeAnswer(BaseModel):
    """What became of every row: accepted + unchanged + rejected = rows read."""

    accepted: int
    unchanged: int
    duplicates: int = Field(description="Accepted rows whose text is in the network under another id.")
    updated: int = Field(description="Accepted rows that replaced an earlier text of the same id.")
    rejected: list[RejectedRowAnswer]
    redacted: dict[str, int] = Field(description="How much was redacted, by kind.")
    suspicious: int = Field(
        description="Rows with a suspicious note among their flags; they are taken in all the same."
    )
    dry_run: bool


class AssignmentAnswer(BaseModel):
    """Where the last run put a case: in one theme, or in none and then why."""

    case_id: str
    external_id: str | None
    theme_id: str | None
    area_id: str | None
    strength: float
    nearest_theme_id: str | None
    second_theme_id: str | None = Field(description="A further theme it also belongs to.")
    second_strength: float
    outlier_score: float = Field(description="1 for the case that stands most alone.")
    reason: str


class TextAsked(Asked):
    text: str = Field(min_length=1, max_length=20_000, description="What happened, in plain words; it is not stored.")
    lens: LensName | None = Field(default=None, description="A lens other than that of the last run.")


class OfferAnswer(BaseModel):
    theme_id: str
    name: str
    strength: float = Field(description="0..1, about how often the next run puts such a case there.")


class PlacementAnswer(BaseModel):
    """Where a case or a text belongs, without a run: in one theme, or in none and then why."""

    case_id: str | None
    external_id: str | None
    by: Literal["run", "placing", "person"] = Field(description="Who says so; the next run decides `placing` anew.")
    theme_id: str | None
    theme: str | None = Field(description="The theme's name.")
    strength: float
    second_theme_id: str | None = Field(description="A further theme that it belongs to.")
    nearest_theme_id: str | None
    offers: list[OfferAnswer] = Field(description="The themes it comes near, best first, retired ones last.")
    reason: str
    like: list[str] = Field(description="Ids of the cases most like it.")


class ResultAnswer(BaseModel):
    """Something found by meaning."""

    kind: Literal["case", "recap", "pattern"]
    id: str
    external_id: str | None
    score: float = Field(description="0..1, the cosine.")
    snippet: str


# Runs, themes --------------------------------------------------------------------------------------------------------


class RunAsked(Asked):
    """The modelling choices of a run; leave all of them out for the usual one."""

    label: str = Field(default="", max_length=40, description="The period, such as 2026Q4.")
    lens: LensName = Field(default="all", description="Which part of a case is compared.")
    level: LevelName = "theme"
    engine: EngineName = "graph"
    seed: StrictInt = Field(default=0, ge=0, le=2**31 - 1, description="Same cases and seed, same themes.")
    since: dt.date | None = Field(default=None, description="Only cases dated on or after it, and the undated.")
    draft: StrictBool = Field(default=True, description="Whether candidate patterns are drafted.")
    afresh: StrictBool = Field(default=False, description="Continue no fit of the last run, however few cases are new.")


class DoubtAnswer(BaseModel):
    """Where the cases and a standing decision disagree strongly."""

    kind: str
    edit_seq: int
    theme_ids: list[str]
    case_ids: list[str]
    text: str


class RunAnswer(BaseModel):
    run_id: str
    state: str = Field(description="running, finished, failed or interrupted.")
    label: str
    lens: str
    level: str
    engine: str
    seed: int
    since: str | None
    started_at: dt.datetime
    finished_at: dt.datetime | None
    cases: int
    themes: int
    outliers: int
    drafts: int
    seconds: dict[str, float]
    notes: list[str]
    doubts: list[DoubtAnswer] = Field(description="Decisions that its cases firmly speak against; they stand.")


class ProgressAnswer(BaseModel):
    step: str
    done: int
    total: int


class JobAnswer(BaseModel):
    """Long work: ask again until `state` is no longer running, or listen to its events."""

    job_id: str
    kind: JobKind
    state: Literal["running", "finished", "failed"]
    by: str = Field(description="Who asked for it.")
    started_at: dt.datetime
    finished_at: dt.datetime | None
    progress: ProgressAnswer
    run: RunAnswer | None = Field(description="What the run found, once finished.")
    prereading_id: str | None = Field(description="The pre-reading, once finished.")
    notes: list[str] = Field(description="What to know of how it was made.")
    problem: Problem | None = Field(description="Why it failed; of type `lost` where its process died.")


class TaskCost(BaseModel):
    """What a run asked of the language model for one task."""

    task: str
    asked: int
    cached: int
    failed: int
    requests: int
    tokens_in: int
    tokens_out: int
    cost_usd: float


class FailedCall(BaseModel):
    """A call that brought no usable answer; the run went on without it."""

    call_id: str
    task: str
    model: str
    outcome: str
    at: dt.datetime
    requests: int
    cost_usd: float


class RunCosts(BaseModel):
    cost_usd: float
    tasks: list[TaskCost]
    failures: list[FailedCall]


class ThemeOfRun(BaseModel):
    theme_id: str
    name: str
    n_cases: int


class KeptTheme(BaseModel):
    theme_id: str
    name_before: str
    name_after: str
    n_before: int
    n_after: int


class MovedCase(BaseModel):
    """In another theme than before; null is in no theme."""

    case_id: str
    before: str | None
    after: str | None


class ComparisonAnswer(BaseModel):
    """One run beside another."""

    before: RunAnswer
    after: RunAnswer
    same_lens: bool = Field(description="Themes of two lenses have nothing to do with each other.")
    kept: list[KeptTheme]
    new: list[ThemeOfRun]
    gone: list[ThemeOfRun]
    moved: list[MovedCase]
    n_stayed: int
    n_only_before: int
    n_only_after: int


class ThemeAnswer(BaseModel):
    theme_id: str
    name: str
    gist: str = Field(description="A sentence of one of its cases, word for word.")
    size: int = Field(description="Every member, near-duplicates and recaps included.")
    n_cases: int = Field(description="Each story once.")
    n_teams: int
    n_contributors: int
    one_contributor: bool = Field(
        description="All cases come from one known person of several; no pattern is drafted from it."
    )
    keywords: list[str]
    exemplars: list[str] = Field(description="Ids of its most central cases.")
    edge_case: str | None
    lineage: Lineage
    area_id: str
    lens: str
    new_cases: int
    share: float
    stability: float
    tentative: bool = Field(description="Less steady than a theme should be, or no more than chance would make.")
    steadiness: str = Field(description="Stability in words.")
    cohesion: float
    nearest_theme_id: str | None
    differs_by: list[str]
    trend: dict[str, int] = Field(description="Cases by quarter.")


class ThemeWithCases(ThemeAnswer):
    case_ids: list[str] = Field(description="By falling strength.")


class AreaAnswer(BaseModel):
    """A broad area: themes that belong together."""

    area_id: str
    name: str
    theme_ids: list[str]
    n_cases: int


class ThemeChangeAnswer(BaseModel):
    """One line of a theme's history, with its evidence."""

    theme_id: str
    lineage: Lineage
    others: list[str] = Field(description="The themes it came from, where it was split or merged.")
    n_before: int
    n_after: int
    n_shared: int
    overlap: float
    similarity: float


# Drafts, patterns ----------------------------------------------------------------------------------------------------


class QuoteAnswer(BaseModel):
    """`text` is the case's redacted `field` from `start` to `end`, in code points."""

    case_id: str
    field: str
    start: int
    end: int
    text: str


class ClaimAnswer(BaseModel):
    text: str
    field: str
    quotes: list[QuoteAnswer]


class ProvenanceAnswer(BaseModel):
    run_id: str
    model: str
    prompt: str
    prompt_hash: str
    inputs: list[str]
    n_tokens: int = 0
    cost_usd: float = 0.0


class DraftedAnswer(BaseModel):
    """What a draft, a pattern and a pre-reading have in common."""

    id: str
    kind: DraftKind
    state: DraftState
    theme_id: str | None
    name: str
    fields: DraftFields
    claims: list[ClaimAnswer]
    provenance: ProvenanceAnswer


class FlagAnswer(BaseModel):
    """A doubt about what was let through, for the reviewer to weigh."""

    doubt: Doubt
    reason: str = Field(description="In our words; no word of a case.")
    field: str = Field(description="The draft's field; empty where the doubt is about the whole draft.")
    text: str = Field(description="The claim or line it is about.")


class DecisionAnswer(BaseModel):
    """One line of the append-only decision log."""

    id: str
    action: DraftAction
    by: str
    at: dt.datetime
    before: DraftState
    after: DraftState
    reason: Reason | None
    note: str
    fields: DraftFields = Field(description="The fields the person wrote, whole.")
    undoes: str | None


class DraftAnswer(DraftedAnswer):
    """A draft as it stands after its decisions. `version` counts them, and is its ETag."""

    version: int
    flags: list[FlagAnswer]
    refused_claims: int = Field(description="Claims that their cases do not bear out; they are not shown.")
    created_at: dt.datetime | None
    decisions: list[DecisionAnswer]
    possible_actions: list[DraftAction]


class DecisionAsked(Asked):
    """What a person decides about a draft."""

    action: DraftAction
    by: str | None = Field(
        default=None, min_length=1, max_length=120, description="Who decides. With a token it is the token's name."
    )
    reason: Reason | None = Field(default=None, description="Needed to reject.")
    note: str = Field(default="", max_length=4000)
    fields: dict[str, str | list[str]] = Field(
        default={}, max_length=40, description="For edit: the fields as they should read, whole; `name` among them."
    )


class QueueLineAnswer(BaseModel):
    """A draft on the review desk, in the order of the day."""

    draft_id: str
    kind: DraftKind
    name: str
    theme_id: str | None
    state: DraftState
    standing: Standing = Field(description="For this reviewer; `asked` is one of which they were not sure.")
    version: int
    uncertainty: float = Field(description="0..1; the most uncertain come first.")
    why: list[str] = Field(description="What is uncertain about it, the weightiest first.")
    at_random: bool = Field(description="One in ten is drawn at random by draft and day, whatever its uncertainty.")
    reserved_by: str | None = Field(description="Who else has it open just now.")
    differs: bool = Field(description="People see it differently.")


class QueueAnswer(Page[QueueLineAnswer]):
    n_drafts: int
    n_decided: int
    n_second: int = Field(description="Drafts that need a second view.")


class ReservedAnswer(BaseModel):
    draft_id: str
    by: str
    until: dt.datetime
    mine: bool = Field(description="False where somebody else has it; it lapses at `until`.")


class ViewAnswer(BaseModel):
    by: str
    action: DraftAction


class DiscussAnswer(BaseModel):
    draft_id: str
    kind: DraftKind
    name: str
    views: list[ViewAnswer] = Field(description="The last view of each, where they differ.")
    for_jam: bool


class OwnDecisionAnswer(BaseModel):
    """One of the caller's last ten decisions."""

    draft_id: str
    name: str
    decision: DecisionAnswer
    stands: bool
    last: bool = Field(description="Nobody decided after it, so that it can be undone at once.")


class UndoAsked(Asked):
    by: str | None = Field(default=None, min_length=1, max_length=120, description="As in a decision.")


class UseAsked(Asked):
    """That a team worked by a pattern."""

    on: dt.date = Field(description="The day; not one to come.")
    team: str = Field(min_length=1, max_length=100)
    note: str = Field(default="", max_length=1000, description="What came of it.")
    by: str | None = Field(default=None, min_length=1, max_length=120, description="As in a decision.")


class UseAnswer(BaseModel):
    """Who told it is not answered: uses are counted by team, never by person."""

    id: str
    pattern_id: str
    on: dt.date
    team: str
    note: str


class PatternAnswer(DraftedAnswer):
    """A pattern that a named person accepted, without the quotes that may not leave the network."""

    reviewers: list[str]
    accepted_at: dt.datetime
    version: int
    share_edited: float
    withheld_claims: int


# Publishing ----------------------------------------------------------------------------------------------------------


class PrereadingAsked(Asked):
    """Exactly one of theme, topic and case."""

    theme: str | None = Field(default=None, max_length=200, description="Theme id.")
    topic: str | None = Field(default=None, max_length=2000, description="What the session is about.")
    case: str | None = Field(default=None, max_length=500, description="Case id or external id.")
    session: str = Field(default="", max_length=200, description="The session's name.")
    date: dt.date | None = Field(default=None, description="The session's date.")
    leave_with: str = Field(default="", max_length=400, description="What the session will leave with, a sentence.")


class PrereadingRow(BaseModel):
    """A pre-reading in the list. `approved_by` is null while it prints "Draft, not reviewed"."""

    id: str
    name: str
    session: str
    date: str
    theme_id: str | None
    state: DraftState
    version: int
    created_at: dt.datetime
    approved_by: str | None
    approved_at: dt.datetime | None


class PrereadingAnswer(DraftedAnswer):
    """A pre-reading as it stands. `version` counts its decisions, and is its ETag."""

    version: int
    approved_by: str | None
    approved_at: dt.datetime | None
    decisions: list[DecisionAnswer]


class PrereadingEdit(Asked):
    """The fields as they should read, whole; `name` among them. What was approved has to be approved again."""

    fields: dict[str, str | list[str]] = Field(min_length=1, max_length=40)
    by: str | None = Field(default=None, min_length=1, max_length=120, description="As for a decision.")


class Signed(Asked):
    by: str | None = Field(
        default=None, min_length=1, max_length=120, description="Who decides. With a token it is the token's name."
    )


class PublishedAnswer(BaseModel):
    """A pattern cut to what may be read by others."""

    id: str
    name: str
    state: DraftState
    theme_id: str | None
    fields: DraftFields
    claims: list[ClaimAnswer]
    reviewers: list[str]
    accepted_at: dt.datetime
    n_cases: int
    n_contributors: int
    n_teams: int
    n_cut_quotes: int = Field(description="Quotes that consent took away.")


class WithheldAnswer(BaseModel):
    """A pattern that stays with its reviewers, and why."""

    pattern_id: str
    name: str
    reason: str


class RetiredAnswer(BaseModel):
    id: str
    name: str


class PlaybookAnswer(BaseModel):
    network: str
    patterns: list[PublishedAnswer]
    withheld: list[WithheldAnswer]
    retired: list[RetiredAnswer]


class Health(BaseModel):
    status: Literal["ok"]


# Settings ------------------------------------------------------------------------------------------------------------


class NetworkSettings(Asked):
    name: str = Field(min_length=1, max_length=120)
    purpose: str = Field(default="", max_length=2000)
    default_consent: Consent = Field(description="What a row without a word on consent means.")


class Thresholds(Asked):
    """Nothing is published that stands on fewer distinct contributors or teams."""

    min_contributors: StrictInt = Field(ge=2, le=10)
    min_teams: StrictInt = Field(ge=2, le=10)


class BudgetAnswer(BaseModel):
    """In USD; null is no limit. What is spent includes what is reserved."""

    run_usd: float | None
    month_usd: float | None
    network_usd: float | None
    spent_month_usd: float
    spent_network_usd: float


class LimitsAnswer(BaseModel):
    thresholds: Thresholds
    budgets: BudgetAnswer


class RosterLine(BaseModel):
    """Somebody or something whose name is taken out of every text."""

    number: int
    name: str
    kind: str = Field(description="person, customer, site or region.")
    email: str | None = Field(description="Addresses and handles.")
    team: str | None


class PersonAsked(Asked):
    name: str = Field(min_length=1, max_length=200)
    kind: Literal["person", "customer", "site", "region"] = "person"
    email: str = Field(default="", max_length=400, description="Addresses and handles, with spaces between.")
    team: str = Field(default="", max_length=200)


class RosterAsked(Asked):
    people: list[PersonAsked] = Field(min_length=1, max_length=5000)


class RosterAnswer(BaseModel):
    added: int
    changed_cases: int | None = Field(description="Cases with another redacted text for it; null where not counted.")


class PossibleNameAnswer(BaseModel):
    name: str
    n: int
    n_texts: int
    why: list[str]
    contexts: list[str] = Field(description="Where it stands, other possible names left out.")


class NamesAsked(Asked):
    names: list[str] = Field(min_length=1, max_length=500, description="Those of the possible names that are meant.")


class DismissedAnswer(BaseModel):
    dismissed: int


class FindingAnswer(BaseModel):
    what: str
    ok: bool
    says: str
