"""What the API takes and answers, as typed shapes; the names are those of the command line's JSON."""

import datetime as dt
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt

from patternmind.domain.cases import CaseKind, Consent
from patternmind.domain.drafts import (
    DraftAction,
    DraftKind,
    DraftState,
    FlagKind,
    RejectionReason,
)
from patternmind.domain.jobs import JobKind
from patternmind.domain.themes import Lineage
from patternmind.review import ReviewStatus
from patternmind.web.problems import Problem

Item = TypeVar("Item")

TextByField = dict[str, str]
LensName = Literal["all", "problem", "helped"]
LevelName = Literal["theme", "area"]
EngineName = Literal["graph", "hdbscan"]
DraftFields = dict[str, str | list[str]]


class ListResponse(BaseModel, Generic[Item]):
    """All of a short list."""

    items: list[Item]


class PageResponse(BaseModel, Generic[Item]):
    """Part of a long list."""

    items: list[Item]
    next_cursor: str | None = Field(description="Ask again with this as `cursor` for the next page; null on the last.")


class RequestModel(BaseModel):
    """A request's body; fields nobody knows are refused by name."""

    model_config = ConfigDict(extra="forbid")


# Network, cases ------------------------------------------------------------------------------------------------------


class ThresholdsResponse(BaseModel):
    """Nothing is published that stands on fewer distinct contributors or teams."""

    min_contributors: int
    min_teams: int


class NetworkResponse(BaseModel):
    id: str
    name: str
    purpose: str
    rule: ThresholdsResponse
    default_consent: Consent = Field(description="What a row without a word on consent means.")
    n_cases: int
    n_recaps: int
    last_run_id: str | None


class CaseResponse(BaseModel):
    """A case or recap as redacted; the raw text and the submitter's name are in no answer."""

    case_id: str
    external_id: str | None
    kind: CaseKind
    title: str
    text: TextByField = Field(description="Free text by field, redacted. Quotes are offsets into it, in code points.")
    extra: TextByField = Field(description="Columns without a known name, redacted; never embedded or drafted from.")
    date: dt.date | None
    team: str | None
    consent: Consent = Field(description="How far its text may go; the API answers reviewers inside the network.")
    linked_cases: list[str]
    flags: list[str]
    near_duplicate_of: str | None
    theme_id: str | None = Field(description="In the last run; null while it is in no theme.")
    strength: float | None = Field(description="0..1, how often resampled fits agree with its theme.")


class RejectedRowResponse(BaseModel):
    file: str
    row: int
    errors: list[str]


class ImportResponse(BaseModel):
    """What became of every row: accepted + unchanged + rejected = rows read."""

    accepted: int
    unchanged: int
    duplicates: int = Field(description="Accepted rows whose text is in the network under another id.")
    updated: int = Field(description="Accepted rows that replaced an earlier text of the same id.")
    rejected: list[RejectedRowResponse]
    redacted: dict[str, int] = Field(description="How much was redacted, by kind.")
    suspicious: int = Field(
        description="Rows with a suspicious note among their flags; they are taken in all the same."
    )
    dry_run: bool


class AssignmentResponse(BaseModel):
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


class PlacementRequest(RequestModel):
    text: str = Field(min_length=1, max_length=20_000, description="What happened, in plain words; it is not stored.")
    lens: LensName | None = Field(default=None, description="A lens other than that of the last run.")


class PlacementCandidateResponse(BaseModel):
    theme_id: str
    name: str
    strength: float = Field(description="0..1, about how often the next run puts such a case there.")


class PlacementResponse(BaseModel):
    """Where a case or a text belongs, without a run: in one theme, or in none and then why."""

    case_id: str | None
    external_id: str | None
    by: Literal["run", "placing", "person"] = Field(description="Who says so; the next run decides `placing` anew.")
    theme_id: str | None
    theme: str | None = Field(description="The theme's name.")
    strength: float
    second_theme_id: str | None = Field(description="A further theme that it belongs to.")
    nearest_theme_id: str | None
    offers: list[PlacementCandidateResponse] = Field(
        description="The themes it comes near, best first, retired ones last."
    )
    reason: str
    like: list[str] = Field(description="Ids of the cases most like it.")


class SearchResultResponse(BaseModel):
    """Something found by meaning."""

    kind: Literal["case", "recap", "pattern"]
    id: str
    external_id: str | None
    score: float = Field(description="0..1, the cosine.")
    snippet: str


# Runs, themes --------------------------------------------------------------------------------------------------------


class RunRequest(RequestModel):
    """The modelling choices of a run; leave all of them out for the usual one."""

    label: str = Field(default="", max_length=40, description="The period, such as 2026Q4.")
    lens: LensName = Field(default="all", description="Which part of a case is compared.")
    level: LevelName = "theme"
    engine: EngineName = "graph"
    seed: StrictInt = Field(default=0, ge=0, le=2**31 - 1, description="Same cases and seed, same themes.")
    since: dt.date | None = Field(default=None, description="Only cases dated on or after it, and the undated.")
    draft: StrictBool = Field(default=True, description="Whether candidate patterns are drafted.")
    from_scratch: StrictBool = Field(
        default=False, description="Continue no fit of the last run, however few cases are new."
    )


class EditConflictResponse(BaseModel):
    """Where the cases and a standing decision disagree strongly."""

    kind: str
    edit_seq: int
    theme_ids: list[str]
    case_ids: list[str]
    text: str


class RunResponse(BaseModel):
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
    doubts: list[EditConflictResponse] = Field(description="Decisions that its cases firmly speak against; they stand.")


class JobProgressResponse(BaseModel):
    step: str
    done: int
    total: int


class JobResponse(BaseModel):
    """Long work: ask again until `state` is no longer running, or listen to its events."""

    job_id: str
    kind: JobKind
    state: Literal["running", "finished", "failed"]
    by: str = Field(description="Who asked for it.")
    started_at: dt.datetime
    finished_at: dt.datetime | None
    progress: JobProgressResponse
    run: RunResponse | None = Field(description="What the run found, once finished.")
    prereading_id: str | None = Field(description="The pre-reading, once finished.")
    notes: list[str] = Field(description="What to know of how it was made.")
    problem: Problem | None = Field(description="Why it failed; of type `lost` where its process died.")


class TaskCostResponse(BaseModel):
    """What a run asked of the language model for one task."""

    task: str
    asked: int
    cached: int
    failed: int
    requests: int
    tokens_in: int
    tokens_out: int
    cost_usd: float


class FailedCallResponse(BaseModel):
    """A call that brought no usable answer; the run went on without it."""

    call_id: str
    task: str
    model: str
    outcome: str
    at: dt.datetime
    requests: int
    cost_usd: float


class RunCostsResponse(BaseModel):
    cost_usd: float
    tasks: list[TaskCostResponse]
    failures: list[FailedCallResponse]


class RunThemeResponse(BaseModel):
    theme_id: str
    name: str
    n_cases: int


class SharedThemeResponse(BaseModel):
    theme_id: str
    name_before: str
    name_after: str
    n_before: int
    n_after: int


class MovedCaseResponse(BaseModel):
    """In another theme than before; null is in no theme."""

    case_id: str
    before: str | None
    after: str | None


class RunComparisonResponse(BaseModel):
    """One run beside another."""

    before: RunResponse
    after: RunResponse
    same_lens: bool = Field(description="Themes of two lenses have nothing to do with each other.")
    kept: list[SharedThemeResponse]
    new: list[RunThemeResponse]
    gone: list[RunThemeResponse]
    moved: list[MovedCaseResponse]
    n_stayed: int
    n_only_before: int
    n_only_after: int


class ThemeResponse(BaseModel):
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


class ThemeDetailResponse(ThemeResponse):
    case_ids: list[str] = Field(description="By falling strength.")


class AreaResponse(BaseModel):
    """A broad area: themes that belong together."""

    area_id: str
    name: str
    theme_ids: list[str]
    n_cases: int


class ThemeChangeResponse(BaseModel):
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


class QuoteResponse(BaseModel):
    """`text` is the case's redacted `field` from `start` to `end`, in code points."""

    case_id: str
    field: str
    start: int
    end: int
    text: str


class ClaimResponse(BaseModel):
    text: str
    field: str
    quotes: list[QuoteResponse]


class ProvenanceResponse(BaseModel):
    run_id: str
    model: str
    prompt: str
    prompt_hash: str
    inputs: list[str]
    n_tokens: int = 0
    cost_usd: float = 0.0


class DraftContentResponse(BaseModel):
    """What a draft, a pattern and a pre-reading have in common."""

    id: str
    kind: DraftKind
    state: DraftState
    theme_id: str | None
    name: str
    fields: DraftFields
    claims: list[ClaimResponse]
    provenance: ProvenanceResponse


class FlagResponse(BaseModel):
    """A doubt about what was let through, for the reviewer to weigh."""

    doubt: FlagKind
    reason: str = Field(description="In our words; no word of a case.")
    field: str = Field(description="The draft's field; empty where the doubt is about the whole draft.")
    text: str = Field(description="The claim or line it is about.")


class DecisionResponse(BaseModel):
    """One line of the append-only decision log."""

    id: str
    action: DraftAction
    by: str
    at: dt.datetime
    before: DraftState
    after: DraftState
    reason: RejectionReason | None
    note: str
    fields: DraftFields = Field(description="The fields the person wrote, whole.")
    undoes: str | None


class DraftResponse(DraftContentResponse):
    """A draft as it stands after its decisions. `version` counts them, and is its ETag."""

    version: int
    flags: list[FlagResponse]
    refused_claims: int = Field(description="Claims that their cases do not bear out; they are not shown.")
    created_at: dt.datetime | None
    decisions: list[DecisionResponse]
    possible_actions: list[DraftAction]


class DecisionRequest(RequestModel):
    """What a person decides about a draft."""

    action: DraftAction
    by: str | None = Field(
        default=None, min_length=1, max_length=120, description="Who decides. With a token it is the token's name."
    )
    reason: RejectionReason | None = Field(default=None, description="Needed to reject.")
    note: str = Field(default="", max_length=4000)
    fields: dict[str, str | list[str]] = Field(
        default={}, max_length=40, description="For edit: the fields as they should read, whole; `name` among them."
    )


class QueueItemResponse(BaseModel):
    """A draft on the review desk, in the order of the day."""

    draft_id: str
    kind: DraftKind
    name: str
    theme_id: str | None
    state: DraftState
    standing: ReviewStatus = Field(description="For this reviewer; `asked` is one of which they were not sure.")
    version: int
    uncertainty: float = Field(description="0..1; the most uncertain come first.")
    why: list[str] = Field(description="What is uncertain about it, the weightiest first.")
    at_random: bool = Field(description="One in ten is drawn at random by draft and day, whatever its uncertainty.")
    reserved_by: str | None = Field(description="Who else has it open just now.")
    differs: bool = Field(description="People see it differently.")


class ReviewQueueResponse(PageResponse[QueueItemResponse]):
    n_drafts: int
    n_decided: int
    n_second: int = Field(description="Drafts that need a second view.")


class ReservationResponse(BaseModel):
    draft_id: str
    by: str
    until: dt.datetime
    mine: bool = Field(description="False where somebody else has it; it lapses at `until`.")


class ReviewerViewResponse(BaseModel):
    by: str
    action: DraftAction


class DiscussionResponse(BaseModel):
    draft_id: str
    kind: DraftKind
    name: str
    views: list[ReviewerViewResponse] = Field(description="The last view of each, where they differ.")
    for_jam: bool


class OwnDecisionResponse(BaseModel):
    """One of the caller's last ten decisions."""

    draft_id: str
    name: str
    decision: DecisionResponse
    stands: bool
    last: bool = Field(description="Nobody decided after it, so that it can be undone at once.")


class ReviewerRequest(RequestModel):
    by: str | None = Field(default=None, min_length=1, max_length=120, description="As in a decision.")


class PatternUseRequest(RequestModel):
    """That a team worked by a pattern."""

    on: dt.date = Field(description="The day; not one to come.")
    team: str = Field(min_length=1, max_length=100)
    note: str = Field(default="", max_length=1000, description="What came of it.")
    by: str | None = Field(default=None, min_length=1, max_length=120, description="As in a decision.")


class PatternUseResponse(BaseModel):
    """Who told it is not answered: uses are counted by team, never by person."""

    id: str
    pattern_id: str
    on: dt.date
    team: str
    note: str


class PatternResponse(DraftContentResponse):
    """A pattern that a named person accepted, without the quotes that may not leave the network."""

    reviewers: list[str]
    accepted_at: dt.datetime
    version: int
    share_edited: float
    withheld_claims: int


# Publishing ----------------------------------------------------------------------------------------------------------


class CreatePrereadingRequest(RequestModel):
    """Exactly one of theme, topic and case."""

    theme: str | None = Field(default=None, max_length=200, description="Theme id.")
    topic: str | None = Field(default=None, max_length=2000, description="What the session is about.")
    case: str | None = Field(default=None, max_length=500, description="Case id or external id.")
    session: str = Field(default="", max_length=200, description="The session's name.")
    date: dt.date | None = Field(default=None, description="The session's date.")
    leave_with: str = Field(default="", max_length=400, description="What the session will leave with, a sentence.")


class PrereadingSummaryResponse(BaseModel):
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


class PrereadingResponse(DraftContentResponse):
    """A pre-reading as it stands. `version` counts its decisions, and is its ETag."""

    version: int
    approved_by: str | None
    approved_at: dt.datetime | None
    decisions: list[DecisionResponse]


class PrereadingEditRequest(RequestModel):
    """The fields as they should read, whole; `name` among them. What was approved has to be approved again."""

    fields: dict[str, str | list[str]] = Field(min_length=1, max_length=40)
    by: str | None = Field(default=None, min_length=1, max_length=120, description="As for a decision.")


class PrereadingDecisionRequest(RequestModel):
    by: str | None = Field(
        default=None, min_length=1, max_length=120, description="Who decides. With a token it is the token's name."
    )


class PublishedPatternResponse(BaseModel):
    """A pattern cut to what may be read by others."""

    id: str
    name: str
    state: DraftState
    theme_id: str | None
    fields: DraftFields
    claims: list[ClaimResponse]
    reviewers: list[str]
    accepted_at: dt.datetime
    n_cases: int
    n_contributors: int
    n_teams: int
    n_cut_quotes: int = Field(description="Quotes that consent took away.")


class WithheldPatternResponse(BaseModel):
    """A pattern that stays with its reviewers, and why."""

    pattern_id: str
    name: str
    reason: str


class RetiredPatternResponse(BaseModel):
    id: str
    name: str


class PlaybookResponse(BaseModel):
    network: str
    patterns: list[PublishedPatternResponse]
    withheld: list[WithheldPatternResponse]
    retired: list[RetiredPatternResponse]


class HealthResponse(BaseModel):
    status: Literal["ok"]


# Settings ------------------------------------------------------------------------------------------------------------


class NetworkSettingsRequest(RequestModel):
    name: str = Field(min_length=1, max_length=120)
    purpose: str = Field(default="", max_length=2000)
    default_consent: Consent = Field(description="What a row without a word on consent means.")


class ThresholdsRequest(RequestModel):
    """Nothing is published that stands on fewer distinct contributors or teams."""

    min_contributors: StrictInt = Field(ge=2, le=10)
    min_teams: StrictInt = Field(ge=2, le=10)


class BudgetResponse(BaseModel):
    """In USD; null is no limit. What is spent includes what is reserved."""

    run_usd: float | None
    month_usd: float | None
    network_usd: float | None
    spent_month_usd: float
    spent_network_usd: float


class LimitsResponse(BaseModel):
    thresholds: ThresholdsRequest
    budgets: BudgetResponse


class RosterEntryResponse(BaseModel):
    """Somebody or something whose name is taken out of every text."""

    number: int
    name: str
    kind: str = Field(description="person, customer, site or region.")
    email: str | None = Field(description="Addresses and handles.")
    team: str | None


class RosterEntryRequest(RequestModel):
    name: str = Field(min_length=1, max_length=200)
    kind: Literal["person", "customer", "site", "region"] = "person"
    email: str = Field(default="", max_length=400, description="Addresses and handles, with spaces between.")
    team: str = Field(default="", max_length=200)


class RosterRequest(RequestModel):
    people: list[RosterEntryRequest] = Field(min_length=1, max_length=5000)


class RosterChangeResponse(BaseModel):
    added: int
    changed_cases: int | None = Field(description="Cases with another redacted text for it; null where not counted.")


class PossibleNameResponse(BaseModel):
    name: str
    n: int
    n_texts: int
    why: list[str]
    contexts: list[str] = Field(description="Where it stands, other possible names left out.")


class PossibleNamesRequest(RequestModel):
    names: list[str] = Field(min_length=1, max_length=500, description="Those of the possible names that are meant.")


class DismissedNamesResponse(BaseModel):
    dismissed: int


class CheckResultResponse(BaseModel):
    what: str
    ok: bool
    says: str
