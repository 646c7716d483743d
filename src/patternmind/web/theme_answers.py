"""What the API takes and answers about decisions on themes, as typed shapes."""

import datetime as dt
from typing import Literal

from pydantic import BaseModel, Field

from patternmind.model.edits import EditAction
from patternmind.model.themes import Lineage
from patternmind.web.answers import Asked, DoubtAnswer, LensName

MOST_CASES = 500


class SignedAsked(Asked):
    """Who says so, and why."""

    by: str | None = Field(
        default=None, min_length=1, max_length=120, description="Who decides. With a token it is the token's name."
    )
    note: str = Field(default="", max_length=400, description="A few words for the log; it may name nobody.")


class CasesEditAsked(SignedAsked):
    action: Literal["together", "apart", "split_off"]
    case_ids: list[str] = Field(min_length=1, max_length=MOST_CASES, description="Ids or external ids.")
    name: str = Field(default="", max_length=400, description="For split_off: the new theme's name, if there is one.")
    lens: LensName | None = Field(default=None, description="A lens other than that of the last run.")


class ThemeEditAsked(SignedAsked):
    """Which of the other fields are needed depends on the action."""

    action: Literal["rename", "merge", "move_out", "move_in", "split_off", "pin", "lock", "retire", "own"]
    name: str = Field(default="", max_length=400, description="For rename, and for split_off where there is one.")
    other_theme_id: str | None = Field(default=None, max_length=200, description="For merge: the theme that stays.")
    case_ids: list[str] = Field(default=[], max_length=MOST_CASES, description="For move_out, move_in, split_off, pin.")
    lens: LensName | None = Field(default=None, description="A lens other than that of the last run.")


class AnswerAsked(SignedAsked):
    answer: Literal["accept", "decline"]


class EditAnswer(BaseModel):
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


class DecidedAnswer(BaseModel):
    edit: EditAnswer
    doubts: list[DoubtAnswer] = Field(description="What the cases firmly say against it; nothing is done about it.")


class ProposedAnswer(BaseModel):
    edit: EditAnswer
    answer: EditAnswer | None


class DoubtedAnswer(BaseModel):
    doubt: DoubtAnswer
    decision: EditAnswer
    answer: EditAnswer | None = Field(description="The line that let it stand.")


class FlowAnswer(BaseModel):
    theme_id: str | None = Field(description="Null stands for in no theme.")
    n_cases: int
    share: float


class ChangeAnswer(BaseModel):
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
    went: list[FlowAnswer]
    came: list[FlowAnswer]
    put_back: dict[str, list[str]]
    answer: EditAnswer | None


class TrendAnswer(BaseModel):
    theme_id: str
    name: str
    n_cases: list[int] = Field(description="One number for each of `quarters`.")


class TrendsAnswer(BaseModel):
    quarters: list[str]
    n_cases: list[int] = Field(description="Of all themes together.")
    themes: list[TrendAnswer]


class MapRowAnswer(BaseModel):
    case_id: str
    external_id: str | None
    x: float | None
    y: float | None
    theme_id: str | None
    theme: str | None
