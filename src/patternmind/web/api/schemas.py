"""Request and response schemas that several API resources share."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Generic, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from patternmind.domain.drafts import DraftAction, DraftKind, DraftState, FlagKind, RejectionReason
from patternmind.domain.read_models import Page
from patternmind.web.pagination import encode_cursor

Item = TypeVar("Item")


TextByField = dict[str, str]


LevelName = Literal["theme", "area"]


EngineName = Literal["graph", "hdbscan"]


DraftFields = dict[str, str | list[str]]


class ResponseModel(BaseModel):
    """Base of responses; the fields of a record are read by name, or by `validation_alias` where names differ."""

    model_config = ConfigDict(from_attributes=True, validate_by_name=True, validate_by_alias=True)

    @classmethod
    def of(cls, record: object, **values: object) -> Self:
        """Return the response for a record; ``values`` are what the record lacks, by the names the fields are read."""
        return cls.model_validate(_ExtendedRecord(record, values) if values else record, from_attributes=True)


class _ExtendedRecord:
    """A record with further attributes."""

    def __init__(self, record: object, values: Mapping[str, object]) -> None:
        self.__dict__.update(values)
        self._record = record

    def __getattr__(self, name: str) -> object:
        return getattr(self._record, name)


class ListResponse(ResponseModel, Generic[Item]):
    """A complete list."""

    items: list[Item]

    @classmethod
    def of_records(cls, records: Iterable[object]) -> Self:
        """Return the response for the records of a list."""
        rows = (record for record in records)  # a generator: the map of 100,000 cases is not held twice
        return cls.model_validate({"items": rows}, from_attributes=True)


class PageResponse(ResponseModel, Generic[Item]):
    """A page of a list."""

    items: list[Item]
    next_cursor: str | None = Field(description="Send it as `cursor` to get the next page; null on the last page.")

    @classmethod
    def of_page(cls, page: Page[Any], **values: object) -> Self:
        """Return the response for a page of records."""
        next_cursor = encode_cursor(page.next_cursor)
        return cls.model_validate({"items": page.rows, "next_cursor": next_cursor, **values}, from_attributes=True)


class RequestModel(BaseModel):
    """Base of request bodies; unknown fields are rejected by name."""

    model_config = ConfigDict(extra="forbid")


ActorName = Annotated[
    str | None, Field(min_length=1, max_length=120, description="Name of the person; with a token, the token's name.")
]


class ActorRequest(RequestModel):
    """Author of a decision that needs no other data."""

    by: ActorName = None


class ThresholdsResponse(ResponseModel):
    """Minimum numbers of distinct contributors and teams for publishing."""

    min_contributors: int
    min_teams: int


class EditConflictResponse(ResponseModel):
    """A strong contradiction between the cases and an active decision."""

    kind: str
    edit_seq: int
    theme_ids: list[str]
    case_ids: list[str]
    text: str


class QuoteResponse(ResponseModel):
    """`text` is the case's redacted `field` from `start` to `end`, in code points."""

    case_id: str
    field: str
    start: int
    end: int
    text: str


class ClaimResponse(ResponseModel):
    text: str
    field: str
    quotes: list[QuoteResponse]


class ProvenanceResponse(ResponseModel):
    run_id: str
    model: str
    prompt: str
    prompt_hash: str
    inputs: list[str]
    n_tokens: int = 0
    cost_usd: float = 0.0


class DraftContentResponse(ResponseModel):
    """Common fields of drafts, patterns and pre-readings."""

    id: str
    kind: DraftKind
    state: DraftState
    theme_id: str | None
    name: str
    fields: DraftFields
    claims: list[ClaimResponse]
    provenance: ProvenanceResponse


class FlagResponse(ResponseModel):
    """A reason for the reviewer to check a claim or draft."""

    doubt: FlagKind
    reason: str = Field(description="Fixed text without case text.")
    field: str = Field(description="Field of the draft; empty if the flag concerns the whole draft.")
    text: str = Field(description="The flagged claim or line.")


class DecisionResponse(ResponseModel):
    """An entry of the append-only decision log."""

    id: str
    action: DraftAction
    by: str
    at: dt.datetime
    before: DraftState
    after: DraftState
    reason: RejectionReason | None
    note: str
    fields: DraftFields = Field(description="Full text of the edited fields.", validation_alias="edits")
    undoes: str | None
