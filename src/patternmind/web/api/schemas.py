"""Request and response schemas that several API resources share."""

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
from patternmind.web.lens import LensName
from patternmind.web.problems import Problem

Item = TypeVar("Item")

TextByField = dict[str, str]
LevelName = Literal["theme", "area"]
EngineName = Literal["graph", "hdbscan"]
DraftFields = dict[str, str | list[str]]


class ListResponse(BaseModel, Generic[Item]):
    """A complete list."""

    items: list[Item]


class PageResponse(BaseModel, Generic[Item]):
    """A page of a list."""

    items: list[Item]
    next_cursor: str | None = Field(description="Send it as `cursor` to get the next page; null on the last page.")


class RequestModel(BaseModel):
    """Base of request bodies; unknown fields are rejected by name."""

    model_config = ConfigDict(extra="forbid")


# Network, cases ------------------------------------------------------------------------------------------------------


class ThresholdsResponse(BaseModel):
    """Minimum numbers of distinct contributors and teams for publishing."""

    min_contributors: int
    min_teams: int


class NetworkResponse(BaseModel):
    id: str
    name: str
    purpose: str
    rule: ThresholdsResponse
    default_consent: Consent = Field(description="Consent level of rows that give none.")
    n_cases: int
    n_recaps: int
    last_run_id: str | None


class CaseResponse(BaseModel):
    """A redacted case or recap, without raw text and without the submitter's name."""

    case_id: str
    external_id: str | None
    kind: CaseKind
    title: str
    text: TextByField = Field(description="Redacted text by field. Quotes are offsets into it, in code points.")
    extra: TextByField = Field(description="Redacted text of unknown columns; not used for embeddings or drafts.")
    date: dt.date | None
    team: str | None
    consent: Consent = Field(description="Where its text may be used; the API always serves members of the network.")
    linked_cases: list[str]
    flags: list[str]
    near_duplicate_of: str | None
    theme_id: str | None = Field(description="Theme in the last run; null if it is in none.")
    strength: float | None = Field(description="Share of resampled fits that agree with its theme, 0..1.")


class RejectedRowResponse(BaseModel):
    file: str
    row: int
    errors: list[str]


class ImportResponse(BaseModel):
    """Result of an import: accepted + unchanged + rejected = rows read."""

    accepted: int
    unchanged: int
    duplicates: int = Field(description="Accepted rows with the same text as a case of another id.")
    updated: int = Field(description="Accepted rows that replaced an earlier version of the same id.")
    rejected: list[RejectedRowResponse]
    redacted: dict[str, int] = Field(description="Number of redactions by kind.")
    suspicious: int = Field(description="Accepted rows that are flagged as suspicious.")
    dry_run: bool


class AssignmentResponse(BaseModel):
    """Theme of a case in the last run, or the reason for none."""

    case_id: str
    external_id: str | None
    theme_id: str | None
    area_id: str | None
    strength: float
    nearest_theme_id: str | None
    second_theme_id: str | None = Field(description="A second theme that it also belongs to.")
    second_strength: float
    outlier_score: float = Field(description="0..1; 1 for the most isolated case.")
    reason: str


class PlacementRequest(RequestModel):
    text: str = Field(min_length=1, max_length=20_000, description="Description of the problem; it is not stored.")
    lens: LensName | None = Field(default=None, description="Lens; default: that of the last run.")


class PlacementCandidateResponse(BaseModel):
    theme_id: str
    name: str
    strength: float = Field(
        description="Estimated probability that the next run assigns such a case to this theme, 0..1."
    )


class PlacementResponse(BaseModel):
    """Theme of a case or text without a run, or the reason for none."""

    case_id: str | None
    external_id: str | None
    by: Literal["run", "placing", "person"] = Field(
        description="Source of the result; the next run reassigns cases with `placing`."
    )
    theme_id: str | None
    theme: str | None = Field(description="Theme name.")
    strength: float
    second_theme_id: str | None = Field(description="A second theme that it also belongs to.")
    nearest_theme_id: str | None
    offers: list[PlacementCandidateResponse] = Field(description="Nearest themes, best first, retired ones last.")
    reason: str
    like: list[str] = Field(description="Ids of the most similar cases.")


class SearchResultResponse(BaseModel):
    """A match of a search by meaning."""

    kind: Literal["case", "recap", "pattern"]
    id: str
    external_id: str | None
    score: float = Field(description="Cosine similarity, 0..1.")
    snippet: str


# Runs, themes --------------------------------------------------------------------------------------------------------


class RunRequest(RequestModel):
    """Settings of a run; all are optional."""

    label: str = Field(default="", max_length=40, description="Label of the period, such as 2026Q4.")
    lens: LensName = Field(default="all", description="Part of a case to compare.")
    level: LevelName = "theme"
    engine: EngineName = "graph"
    seed: StrictInt = Field(default=0, ge=0, le=2**31 - 1, description="Same cases and seed give the same themes.")
    since: dt.date | None = Field(
        default=None, description="Only cases dated on or after this day, and cases without a date."
    )
    draft: StrictBool = Field(default=True, description="Draft candidate patterns.")
    from_scratch: StrictBool = Field(
        default=False, description="Recompute all clusters instead of updating those of the last run."
    )


class EditConflictResponse(BaseModel):
    """A strong contradiction between the cases and an active decision."""

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
    doubts: list[EditConflictResponse] = Field(
        description="Decisions that the cases of the run contradict; they stay in effect."
    )


class JobProgressResponse(BaseModel):
    step: str
    done: int
    total: int


class JobResponse(BaseModel):
    """A background job: poll it until `state` is no longer running, or listen to its events."""

    job_id: str
    kind: JobKind
    state: Literal["running", "finished", "failed"]
    by: str = Field(description="Name of the requester.")
    started_at: dt.datetime
    finished_at: dt.datetime | None
    progress: JobProgressResponse
    run: RunResponse | None = Field(description="The run, once finished.")
    prereading_id: str | None = Field(description="Id of the pre-reading, once finished.")
    notes: list[str] = Field(description="Notes on how it was created.")
    problem: Problem | None = Field(description="Reason of the failure; type `lost` if its process died.")


class TaskCostResponse(BaseModel):
    """Language model use of a run for one task."""

    task: str
    asked: int
    cached: int
    failed: int
    requests: int
    tokens_in: int
    tokens_out: int
    cost_usd: float


class FailedCallResponse(BaseModel):
    """A language model call without a usable result; the run continued without it."""

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
    """A case that changed its theme; null means no theme."""

    case_id: str
    before: str | None
    after: str | None


class RunComparisonResponse(BaseModel):
    """Comparison of two runs."""

    before: RunResponse
    after: RunResponse
    same_lens: bool = Field(description="If false, the themes cannot be compared.")
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
    gist: str = Field(description="Verbatim sentence from one of its cases.")
    size: int = Field(description="Number of members, including near-duplicates and recaps.")
    n_cases: int = Field(description="Number of cases without near-duplicates and linked recaps.")
    n_teams: int
    n_contributors: int
    one_contributor: bool = Field(
        description="All its cases come from one contributor, although the network has several; no pattern is drafted."
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
    tentative: bool = Field(description="Unstable, or no larger than chance would explain.")
    steadiness: str = Field(description="Stability in words.")
    cohesion: float
    nearest_theme_id: str | None
    differs_by: list[str]
    trend: dict[str, int] = Field(description="Cases by quarter.")


class ThemeDetailResponse(ThemeResponse):
    case_ids: list[str] = Field(description="Strongest first.")


class AreaResponse(BaseModel):
    """A broad area of related themes."""

    area_id: str
    name: str
    theme_ids: list[str]
    n_cases: int


class ThemeChangeResponse(BaseModel):
    """A change of a theme in a run, with its evidence."""

    theme_id: str
    lineage: Lineage
    others: list[str] = Field(description="Other themes of a split or merge.")
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
    """Common fields of drafts, patterns and pre-readings."""

    id: str
    kind: DraftKind
    state: DraftState
    theme_id: str | None
    name: str
    fields: DraftFields
    claims: list[ClaimResponse]
    provenance: ProvenanceResponse


class FlagResponse(BaseModel):
    """A reason for the reviewer to check a claim or draft."""

    doubt: FlagKind
    reason: str = Field(description="Fixed text without case text.")
    field: str = Field(description="Field of the draft; empty if the flag concerns the whole draft.")
    text: str = Field(description="The flagged claim or line.")


class DecisionResponse(BaseModel):
    """An entry of the append-only decision log."""

    id: str
    action: DraftAction
    by: str
    at: dt.datetime
    before: DraftState
    after: DraftState
    reason: RejectionReason | None
    note: str
    fields: DraftFields = Field(description="Full text of the edited fields.")
    undoes: str | None


class DraftResponse(DraftContentResponse):
    """A draft with its decisions applied. `version` counts them and is its ETag."""

    version: int
    flags: list[FlagResponse]
    refused_claims: int = Field(description="Claims without valid evidence; they are left out.")
    created_at: dt.datetime | None
    decisions: list[DecisionResponse]
    possible_actions: list[DraftAction]


class DecisionRequest(RequestModel):
    """A decision on a draft."""

    action: DraftAction
    by: str | None = Field(
        default=None,
        min_length=1,
        max_length=120,
        description="Name of the person who decides; with a token, the token's name.",
    )
    reason: RejectionReason | None = Field(default=None, description="Required for reject.")
    note: str = Field(default="", max_length=4000)
    fields: dict[str, str | list[str]] = Field(
        default={}, max_length=40, description="For edit: full new text by field; `name` is one of them."
    )


class QueueItemResponse(BaseModel):
    """A draft in the review queue."""

    draft_id: str
    kind: DraftKind
    name: str
    theme_id: str | None
    state: DraftState
    standing: ReviewStatus = Field(description="Status for this reviewer; `asked` means that they were not sure.")
    version: int
    uncertainty: float = Field(description="0..1; the most uncertain drafts come first.")
    why: list[str] = Field(description="Reasons for the uncertainty, most important first.")
    at_random: bool = Field(description="True for the one in ten drafts that is drawn at random by draft and day.")
    reserved_by: str | None = Field(description="Name of another reviewer who has it open now.")
    differs: bool = Field(description="Reviewers disagree.")


class ReviewQueueResponse(PageResponse[QueueItemResponse]):
    n_drafts: int
    n_decided: int
    n_second: int = Field(description="Number of drafts that need a second view.")


class ReservationResponse(BaseModel):
    draft_id: str
    by: str
    until: dt.datetime
    mine: bool = Field(description="False if another reviewer holds it; the reservation expires at `until`.")


class ReviewerViewResponse(BaseModel):
    by: str
    action: DraftAction


class DiscussionResponse(BaseModel):
    draft_id: str
    kind: DraftKind
    name: str
    views: list[ReviewerViewResponse] = Field(description="Latest view of each reviewer, if they differ.")
    for_jam: bool


class OwnDecisionResponse(BaseModel):
    """A recent decision of the caller."""

    draft_id: str
    name: str
    decision: DecisionResponse
    stands: bool
    last: bool = Field(description="It is the latest decision on the draft and can be undone.")


class ReviewerRequest(RequestModel):
    by: str | None = Field(
        default=None, min_length=1, max_length=120, description="Name of the person; with a token, the token's name."
    )


class PatternUseRequest(RequestModel):
    """Use of a pattern by a team."""

    on: dt.date = Field(description="Day of use; not in the future.")
    team: str = Field(min_length=1, max_length=100)
    note: str = Field(default="", max_length=1000, description="Result.")
    by: str | None = Field(
        default=None, min_length=1, max_length=120, description="Name of the person; with a token, the token's name."
    )


class PatternUseResponse(BaseModel):
    """A recorded use, without the person: uses count per team."""

    id: str
    pattern_id: str
    on: dt.date
    team: str
    note: str


class PatternResponse(DraftContentResponse):
    """An accepted pattern, without quotes that may not leave the network."""

    reviewers: list[str]
    accepted_at: dt.datetime
    version: int
    share_edited: float
    withheld_claims: int


# Publishing ----------------------------------------------------------------------------------------------------------


class CreatePrereadingRequest(RequestModel):
    """Request for a pre-reading; give exactly one of theme, topic and case."""

    theme: str | None = Field(default=None, max_length=200, description="Theme id.")
    topic: str | None = Field(default=None, max_length=2000, description="Topic of the session.")
    case: str | None = Field(default=None, max_length=500, description="Case id or external id.")
    session: str = Field(default="", max_length=200, description="Name of the session.")
    date: dt.date | None = Field(default=None, description="Date of the session.")
    leave_with: str = Field(default="", max_length=400, description="Intended result of the session, in a sentence.")


class PrereadingSummaryResponse(BaseModel):
    """A pre-reading in a list; `approved_by` is null while it prints "Draft, not reviewed"."""

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
    """A pre-reading with its decisions applied. `version` counts them and is its ETag."""

    version: int
    approved_by: str | None
    approved_at: dt.datetime | None
    decisions: list[DecisionResponse]


class PrereadingEditRequest(RequestModel):
    """Full new text by field; `name` is one of them. An approved pre-reading needs approval again."""

    fields: dict[str, str | list[str]] = Field(min_length=1, max_length=40)
    by: str | None = Field(
        default=None, min_length=1, max_length=120, description="Name of the person; with a token, the token's name."
    )


class PrereadingDecisionRequest(RequestModel):
    by: str | None = Field(
        default=None,
        min_length=1,
        max_length=120,
        description="Name of the person who decides; with a token, the token's name.",
    )


class PublishedPatternResponse(BaseModel):
    """A published pattern, without text that may not be published."""

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
    n_cut_quotes: int = Field(description="Number of quotes removed because of consent.")


class WithheldPatternResponse(BaseModel):
    """A pattern that is not published, with the reason."""

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
    default_consent: Consent = Field(description="Consent level of rows that give none.")


class ThresholdsRequest(RequestModel):
    """Minimum numbers of distinct contributors and teams for publishing."""

    min_contributors: StrictInt = Field(ge=2, le=10)
    min_teams: StrictInt = Field(ge=2, le=10)


class BudgetResponse(BaseModel):
    """Budgets in USD; null means no limit. Spending includes reservations of running calls."""

    run_usd: float | None
    month_usd: float | None
    network_usd: float | None
    spent_month_usd: float
    spent_network_usd: float


class LimitsResponse(BaseModel):
    thresholds: ThresholdsRequest
    budgets: BudgetResponse


class RosterEntryResponse(BaseModel):
    """A person, customer, site or region whose name is redacted."""

    number: int
    name: str
    kind: str = Field(description="person, customer, site or region.")
    email: str | None = Field(description="E-mail addresses and handles.")
    team: str | None


class RosterEntryRequest(RequestModel):
    name: str = Field(min_length=1, max_length=200)
    kind: Literal["person", "customer", "site", "region"] = "person"
    email: str = Field(default="", max_length=400, description="E-mail addresses and handles, separated by spaces.")
    team: str = Field(default="", max_length=200)


class RosterRequest(RequestModel):
    people: list[RosterEntryRequest] = Field(min_length=1, max_length=5000)


class RosterChangeResponse(BaseModel):
    added: int
    changed_cases: int | None = Field(description="Number of cases whose redacted text changed; null if not counted.")


class PossibleNameResponse(BaseModel):
    name: str
    n: int
    n_texts: int
    why: list[str]
    contexts: list[str] = Field(description="Text around it, without other possible names.")


class PossibleNamesRequest(RequestModel):
    names: list[str] = Field(min_length=1, max_length=500, description="The possible names to confirm or dismiss.")


class DismissedNamesResponse(BaseModel):
    dismissed: int


class CheckResultResponse(BaseModel):
    what: str
    ok: bool
    says: str
