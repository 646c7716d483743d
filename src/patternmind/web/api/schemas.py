"""Request and response schemas that several API resources share."""

import datetime as dt
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from patternmind.domain.drafts import DraftAction, DraftKind, DraftState, FlagKind, RejectionReason

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


class ActorRequest(RequestModel):
    """Author of a decision that needs no other data."""

    by: str | None = Field(
        default=None, min_length=1, max_length=120, description="Name of the person; with a token, the token's name."
    )


class ThresholdsResponse(BaseModel):
    """Minimum numbers of distinct contributors and teams for publishing."""

    min_contributors: int
    min_teams: int


class EditConflictResponse(BaseModel):
    """A strong contradiction between the cases and an active decision."""

    kind: str
    edit_seq: int
    theme_ids: list[str]
    case_ids: list[str]
    text: str


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
