"""What the API takes and answers about decisions on themes, as typed shapes."""

import datetime as dt
from typing import Literal

from pydantic import BaseModel, Field

from patternmind.domain.edits import EditAction
from patternmind.domain.themes import Lineage
from patternmind.web.api.schemas import EditConflictResponse, LensName, RequestModel

MAX_CASES = 500


class ThemeDecisionRequest(RequestModel):
    """Who says so, and why."""

    by: str | None = Field(
        default=None, min_length=1, max_length=120, description="Who decides. With a token it is the token's name."
    )
    note: str = Field(default="", max_length=400, description="A few words for the log; it may name nobody.")


class CreateCasesEditRequest(ThemeDecisionRequest):
    action: Literal["together", "apart", "split_off"]
    case_ids: list[str] = Field(min_length=1, max_length=MAX_CASES, description="Ids or external ids.")
    name: str = Field(default="", max_length=400, description="For split_off: the new theme's name, if there is one.")
    lens: LensName | None = Field(default=None, description="A lens other than that of the last run.")


class CreateThemeEditRequest(ThemeDecisionRequest):
    """Which of the other fields are needed depends on the action."""

    action: Literal["rename", "merge", "move_out", "move_in", "split_off", "pin", "lock", "retire", "own"]
    name: str = Field(default="", max_length=400, description="For rename, and for split_off where there is one.")
    other_theme_id: str | None = Field(default=None, max_length=200, description="For merge: the theme that stays.")
    case_ids: list[str] = Field(default=[], max_length=MAX_CASES, description="For move_out, move_in, split_off, pin.")
    lens: LensName | None = Field(default=None, description="A lens other than that of the last run.")


class AnswerRequest(ThemeDecisionRequest):
    answer: Literal["accept", "decline"]


class ThemeEditResponse(BaseModel):
    """One line of the append-only log. `proposed` lines bind nothing until somebody accepts them."""

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
    answers: int | None = Field(description="The proposal, or the doubted decision, that this line answers.")
    run_id: str = Field(description="Whose change of the theme this line accepts or declines.")
    because: int | None = Field(description="The line that this one was made for, and stands or falls with.")
    undone_by: int | None = None


class EditResultResponse(BaseModel):
    edit: ThemeEditResponse
    doubts: list[EditConflictResponse] = Field(
        description="What the cases firmly say against it; nothing is done about it."
    )


class ProposedEditResponse(BaseModel):
    edit: ThemeEditResponse
    answer: ThemeEditResponse | None


class ConflictReviewResponse(BaseModel):
    doubt: EditConflictResponse
    decision: ThemeEditResponse
    answer: ThemeEditResponse | None = Field(description="The line that let it stand.")


class CaseFlowResponse(BaseModel):
    theme_id: str | None = Field(description="Null stands for in no theme.")
    n_cases: int
    share: float


class ThemeChangeReviewResponse(BaseModel):
    """What a run made of a theme, with the evidence. `put_back` is what declining it would do, by theme."""

    run_id: str
    theme_id: str
    lineage: Lineage
    former_lineage: Lineage | None
    others: list[str]
    text: str = Field(description="The same in a sentence or two.")
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
    n_cases: list[int] = Field(description="One number for each of `quarters`.")


class TrendsResponse(BaseModel):
    quarters: list[str]
    n_cases: list[int] = Field(description="Of all themes together.")
    themes: list[ThemeTrendResponse]


class MapPointResponse(BaseModel):
    case_id: str
    external_id: str | None
    x: float | None
    y: float | None
    theme_id: str | None
    theme: str | None
