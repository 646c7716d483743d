"""Request and response schemas of cases and uploads."""

import datetime as dt
from typing import Literal

from pydantic import Field

from patternmind.domain.cases import CaseKind, Consent
from patternmind.web.api.schemas import CaseResponse, RequestModel, TextByField


class CaseRequest(RequestModel):
    """A case to submit; only a title or a problem is required."""

    kind: CaseKind = CaseKind.CASE
    external_id: str | None = Field(default=None, min_length=1, max_length=200, description="Your own id of the case.")
    text: dict[str, str] = Field(
        default={}, max_length=20, description="Text by field: title, problem, what_happened, tried, lesson, ..."
    )
    facts: dict[str, str] = Field(
        default={},
        max_length=20,
        description="Facts by field: status, opened_on, solved_on, recurrence, team, region, links, ...",
    )
    linked_cases: list[str] = Field(default=[], max_length=200, description="For a recap: ids of its cases.")
    consent: Consent | None = Field(default=None, description="Consent level; default: that of the network.")
    submitter: str = Field(default="", max_length=400, description="Submitter, if not you; stewards only.")


class MissingFieldResponse(RequestModel):
    field: str
    question: str


class CasePreviewResponse(RequestModel):
    """A redacted case, with hints for its author."""

    case: CaseResponse
    redacted: dict[str, int] = Field(description="Number of redactions by kind.")
    possible_names: list[str] = Field(description="Names the redaction may have missed.")
    suspicions: list[str] = Field(description="Unusual properties of the text; the case is accepted.")
    missing: MissingFieldResponse | None = Field(description="The missing field that would help most.")
    is_new: bool = Field(description="True if the case did not exist before.")


class SimilarCaseResponse(RequestModel):
    case_id: str
    title: str
    score: float = Field(description="Cosine similarity, 0..1.")


class CaseQuoteResponse(RequestModel):
    """A quote from the case in a draft."""

    draft_id: str
    kind: str
    name: str
    text: str


class RelatedResponse(RequestModel):
    """Theme, similar cases and quotes of a case that the caller may see."""

    n_versions: int
    theme_id: str | None
    theme: str | None
    strength: float | None
    second_theme_id: str | None
    nearest_theme_id: str | None
    reason: str
    repeats: str | None = Field(description="The case it is a near-duplicate of.")
    repeated_by: list[str]
    linked: list[str]
    linked_by: list[str]
    like: list[SimilarCaseResponse]
    quotes: list[CaseQuoteResponse]


class CaseVersionResponse(RequestModel):
    """A submitted version of a case, including names."""

    version: int
    at: dt.datetime | None
    by: str | None
    file: str
    row: int
    text: TextByField
    facts: TextByField
    extra: TextByField
    linked_cases: list[str]


class RawCaseResponse(RequestModel):
    case_id: str
    versions: list[CaseVersionResponse] = Field(description="Newest first.")


class CasePossibleNameResponse(RequestModel):
    name: str
    n: int
    why: list[str]
    contexts: list[str]


class NamesConfirmedResponse(RequestModel):
    people_added: int


class CaseRemovalRequest(RequestModel):
    by: str | None = Field(
        default=None, max_length=200, description="Name of the person who decides; optional with a token."
    )


class RemovedCaseResponse(RequestModel):
    """Result of withdrawing or erasing a case."""

    case_id: str
    n_quotes: int
    n_drafts: int
    same: list[str] = Field(description="Other cases with the same text; they stay.")
    linked: list[str] = Field(description="Cases and recaps that link to it; they stay.")


class ColumnResponse(RequestModel):
    name: str
    field: str | None = Field(description="Field it is read as; null if it is kept but not analysed.")
    guessed: bool
    example: str = Field(description="Redacted.")


class RowPreviewResponse(RequestModel):
    """A redacted row of the file."""

    title: str
    text: TextByField
    extra: TextByField


class UploadResponse(RequestModel):
    """An uploaded file; while its state is `ready`, the counts are those of a dry run."""

    upload_id: str
    name: str
    kind: CaseKind
    state: Literal["checking", "ready", "importing", "done", "failed"]
    n_done: int
    mapping: list[str]
    accepted: int
    unchanged: int
    updated: int
    duplicates: int
    suspicious: int
    n_rejected: int
    redacted: dict[str, int]
    failure: str
    columns: list[ColumnResponse]
    rows: list[RowPreviewResponse] = Field(description="The first valid rows.")


class MappingRequest(RequestModel):
    kind: CaseKind = CaseKind.CASE
    map: list[str] = Field(
        default=[], max_length=200, description="FIELD=COLUMN, or beside=COLUMN for a column to keep but not analyse."
    )
