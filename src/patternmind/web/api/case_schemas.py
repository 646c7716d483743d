"""What the API takes and answers about handing in a case and taking in a file."""

import datetime as dt
from typing import Literal

from pydantic import Field

from patternmind.domain.cases import CaseKind, Consent
from patternmind.web.api.schemas import CaseResponse, RequestModel, TextByField

MAX_FIELD_LENGTH = 200_000


class CaseRequest(RequestModel):
    """A case as a person writes it. Give it a title or a problem; everything else may come later."""

    kind: CaseKind = CaseKind.CASE
    external_id: str | None = Field(default=None, min_length=1, max_length=200, description="An id of your own for it.")
    text: dict[str, str] = Field(
        default={}, max_length=20, description="Free text by field: title, problem, what_happened, tried, lesson, ..."
    )
    facts: dict[str, str] = Field(
        default={}, max_length=20, description="status, opened_on, solved_on, recurrence, team, region, links, ..."
    )
    linked_cases: list[str] = Field(default=[], max_length=200, description="Of a recap: ids of the cases it is about.")
    consent: Consent | None = Field(default=None, description="How far its words may go; else what the network says.")
    submitter: str = Field(default="", max_length=400, description="Whose case it is, where not yours; stewards only.")


class MissingFieldResponse(RequestModel):
    field: str
    question: str


class CasePreviewResponse(RequestModel):
    """A case as others read it, and what the person who wrote it should know."""

    case: CaseResponse
    redacted: dict[str, int] = Field(description="How much was taken out, by kind.")
    possible_names: list[str] = Field(description="What may be names that the network does not know.")
    suspicions: list[str] = Field(description="What is odd about the text; it counts all the same.")
    missing: MissingFieldResponse | None = Field(description="The one thing that would help most.")
    is_new: bool = Field(description="Whether it was not here before.")


class SimilarCaseResponse(RequestModel):
    case_id: str
    title: str
    score: float = Field(description="0..1, the cosine.")


class CaseQuoteResponse(RequestModel):
    """A sentence of the case in a draft."""

    draft_id: str
    kind: str
    name: str
    text: str


class RelatedResponse(RequestModel):
    """What is around a case. Themes and drafts are there for those alone who may see them."""

    n_versions: int
    theme_id: str | None
    theme: str | None
    strength: float | None
    second_theme_id: str | None
    nearest_theme_id: str | None
    reason: str
    repeats: str | None = Field(description="The case it nearly repeats.")
    repeated_by: list[str]
    linked: list[str]
    linked_by: list[str]
    like: list[SimilarCaseResponse]
    quotes: list[CaseQuoteResponse]


class CaseVersionResponse(RequestModel):
    """A version as it was handed in, names included."""

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
    by: str | None = Field(default=None, max_length=200, description="Who decides; left out where a token says so.")


class RemovedCaseResponse(RequestModel):
    """What went with a case."""

    case_id: str
    n_quotes: int
    n_drafts: int
    same: list[str] = Field(description="Other cases with its text, which stay.")
    linked: list[str] = Field(description="Cases and recaps that name it, which stay.")


class ColumnResponse(RequestModel):
    name: str
    field: str | None = Field(description="What it is read as; null where it is kept beside and never compared.")
    guessed: bool
    example: str = Field(description="Redacted.")


class RowPreviewResponse(RequestModel):
    """A row as it would be taken in: redacted."""

    title: str
    text: TextByField
    extra: TextByField


class UploadResponse(RequestModel):
    """A file that waits. While it is ready the numbers are what they would be."""

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
    rows: list[RowPreviewResponse] = Field(description="The first good rows.")


class MappingRequest(RequestModel):
    kind: CaseKind = CaseKind.CASE
    map: list[str] = Field(
        default=[], max_length=200, description="FIELD=COLUMN, or beside=COLUMN for one that is to be no field."
    )
