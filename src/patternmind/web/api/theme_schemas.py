"""Request and response schemas of theme edits, reviews and the map."""

import datetime as dt
from typing import Literal

from pydantic import BaseModel, Field

from patternmind.domain.edits import EditAction
from patternmind.domain.themes import Lineage
from patternmind.web.api.schemas import EditConflictResponse, RequestModel
from patternmind.web.lens import LensName

MAX_CASES = 500


class ThemeDecisionRequest(RequestModel):
    """Author and note of a decision on a theme."""

    by: str | None = Field(
        default=None,
        min_length=1,
        max_length=120,
        description="Name of the person who decides; with a token, the token's name.",
    )
    note: str = Field(default="", max_length=400, description="Note for the log; it must not name anyone.")


class CreateCasesEditRequest(ThemeDecisionRequest):
    action: Literal["together", "apart", "split_off"]
    case_ids: list[str] = Field(min_length=1, max_length=MAX_CASES, description="Ids or external ids.")
    name: str = Field(default="", max_length=400, description="For split_off: name of the new theme, optional.")
    lens: LensName | None = Field(default=None, description="Lens; default: that of the last run.")


class CreateThemeEditRequest(ThemeDecisionRequest):
    """An edit of a theme; the required fields depend on the action."""

    action: Literal["rename", "merge", "move_out", "move_in", "split_off", "pin", "lock", "retire", "own"]
    name: str = Field(default="", max_length=400, description="For rename, and optional for split_off.")
    other_theme_id: str | None = Field(default=None, max_length=200, description="For merge: the theme that remains.")
    case_ids: list[str] = Field(default=[], max_length=MAX_CASES, description="For move_out, move_in, split_off, pin.")
    lens: LensName | None = Field(default=None, description="Lens; default: that of the last run.")


class AnswerRequest(ThemeDecisionRequest):
    answer: Literal["accept", "decline"]


class ThemeEditResponse(BaseModel):
    """An entry of the append-only log; `proposed` entries have no effect until they are accepted."""

    seq: int
    lens: str
    action: EditAction
    by: str
    at: dt.datetime
    theme_id: str | None
    other_theme_id: str | None
    case_ids: list[str]
    name: str
    former_name: str
    undoes: int | None
    note: str
    proposed: bool
    answers: int | None = Field(description="The proposal or conflicting decision that this entry answers.")
    run_id: str = Field(description="Run whose change of the theme this entry accepts or declines.")
    because: int | None = Field(description="The entry that caused this one; undoing it undoes both.")
    undone_by: int | None = None


class EditResultResponse(BaseModel):
    edit: ThemeEditResponse
    doubts: list[EditConflictResponse] = Field(
        description="Contradictions with the cases; they do not change the decision."
    )


class ProposedEditResponse(BaseModel):
    edit: ThemeEditResponse
    answer: ThemeEditResponse | None


class ConflictReviewResponse(BaseModel):
    doubt: EditConflictResponse
    decision: ThemeEditResponse
    answer: ThemeEditResponse | None = Field(description="The entry that kept the decision.")


class CaseFlowResponse(BaseModel):
    theme_id: str | None = Field(description="Null means no theme.")
    n_cases: int
    share: float


class ThemeChangeReviewResponse(BaseModel):
    """A change of a theme in a run, with the evidence; declining it pins the cases of `put_back` by theme."""

    run_id: str
    theme_id: str
    lineage: Lineage
    former_lineage: Lineage | None
    others: list[str]
    text: str = Field(description="The change in one or two sentences.")
    n_before: int
    n_known: int
    n_after: int
    n_shared: int
    n_new: int
    overlap: float
    similarity: float
    shared_exemplars: list[str]
    went: list[CaseFlowResponse]
    came: list[CaseFlowResponse]
    put_back: dict[str, list[str]]
    answer: ThemeEditResponse | None


class ThemeTrendResponse(BaseModel):
    theme_id: str
    name: str
    n_cases: list[int] = Field(description="Number of cases for each of `quarters`.")


class TrendsResponse(BaseModel):
    quarters: list[str]
    n_cases: list[int] = Field(description="Number of cases of all themes.")
    themes: list[ThemeTrendResponse]


class MapPointResponse(BaseModel):
    case_id: str
    external_id: str | None
    x: float | None
    y: float | None
    theme_id: str | None
    theme: str | None
