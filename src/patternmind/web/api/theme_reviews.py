"""Theme reviews: proposals, conflicts with the cases, and changes by runs."""

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import Query
from pydantic import Field

from patternmind.domain.permissions import Action
from patternmind.domain.themes import Lineage
from patternmind.lineage import explain_change
from patternmind.ports import RunRecord, Store
from patternmind.services.theme_changes import (
    accept_change,
    answer_conflict,
    answer_proposed_edit,
    decline_change,
    list_changes_to_review,
    list_conflicts_to_review,
    list_proposed_edits,
)
from patternmind.services.theme_edits import EditResult
from patternmind.web.api.schemas import EditConflictResponse, ListResponse, ResponseModel
from patternmind.web.api.theme_edits import (
    EditResultResponse,
    ThemeDecisionRequest,
    ThemeEditResponse,
    edit_result_response,
)
from patternmind.web.dependencies import CallerDep, ContextDep
from patternmind.web.lens import LensQuery
from patternmind.web.permissions import requires
from patternmind.web.routing import ApiRouter

router = ApiRouter("themes")


class AnswerRequest(ThemeDecisionRequest):
    answer: Literal["accept", "decline"]


class ProposedEditResponse(ResponseModel):
    edit: ThemeEditResponse
    answer: ThemeEditResponse | None


class ConflictReviewResponse(ResponseModel):
    doubt: EditConflictResponse = Field(validation_alias="conflict")
    decision: ThemeEditResponse = Field(validation_alias="edit")
    answer: ThemeEditResponse | None = Field(description="The entry that kept the decision.")


class CaseFlowResponse(ResponseModel):
    theme_id: str | None = Field(description="Null means no theme.")
    n_cases: int
    share: float


class ThemeChangeReviewResponse(ResponseModel):
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


MAY_EDIT_THEMES = requires(Action.EDIT_THEMES)


@router.get("/themes/proposals", "list_proposals", Action.SEE_THEMES)
def list_proposals(
    ctx: ContextDep,
    lens: LensQuery = None,
    include_answered: Annotated[bool, Query(alias="all", description="Also list answered proposals.")] = False,
) -> ListResponse[ProposedEditResponse]:
    """List edits proposed by members who may not decide, oldest first."""
    proposals = list_proposed_edits(ctx.store, lens)
    return ListResponse[ProposedEditResponse].of_records(
        proposal for proposal in proposals if include_answered or proposal.answer is None
    )


@router.post("/themes/proposals/{seq}", "answer_proposal", Action.EDIT_THEMES, problems=[409])
def answer_proposal(ctx: ContextDep, caller: CallerDep, seq: int, body: AnswerRequest) -> EditResultResponse:
    """Accept a proposal, which applies the edit under your name, or decline it."""
    by = caller.actor_name(body.by)
    accept = body.answer == "accept"
    return edit_result_response(
        answer_proposed_edit(ctx.store, ctx.clock, seq, is_accepted=accept, actor=by, note=body.note)
    )


@router.get("/themes/doubts", "list_doubts", Action.SEE_THEMES)
def list_conflicts(ctx: ContextDep, lens: LensQuery = None) -> ListResponse[ConflictReviewResponse]:
    """List decisions that the cases of the last run contradict. They stay in effect."""
    return ListResponse[ConflictReviewResponse].of_records(list_conflicts_to_review(ctx.store, lens))


@router.post("/themes/doubts/{seq}", "answer_one_doubt", Action.EDIT_THEMES, problems=[409])
def decide_conflict(
    ctx: ContextDep, caller: CallerDep, seq: int, body: AnswerRequest, lens: LensQuery = None
) -> EditResultResponse:
    """Accept a conflict, which undoes the decision, or decline it, which keeps the decision."""
    by = caller.actor_name(body.by)
    return edit_result_response(
        answer_conflict(ctx.store, ctx.clock, seq, is_accepted=body.answer == "accept", actor=by, lens=lens)
    )


@router.get("/themes/changes", "list_changes_to_review", Action.SEE_THEMES, problems=[404])
def list_theme_changes(
    ctx: ContextDep,
    lens: LensQuery = None,
    run: Annotated[str | None, Query(max_length=100, description="Run id; default: the last run.")] = None,
) -> ListResponse[ThemeChangeReviewResponse]:
    """List how a run changed each theme, with the evidence and the answer."""
    record = ctx.store.runs.get(run) if run else ctx.store.runs.latest(lens)
    return ListResponse(items=_change_responses(ctx.store, record) if record else [])


def _change_responses(store: Store, run: RunRecord) -> list[ThemeChangeReviewResponse]:
    names = store.themes.names(run.parameters.lens)
    return [
        ThemeChangeReviewResponse.of(
            review.change,
            run_id=run.id,
            text=explain_change(review.change, names),
            put_back=review.former_case_ids,
            answer=review.answer,
        )
        for review in list_changes_to_review(store, run.id)
    ]


@router.post("/themes/changes/{run_id}/{theme_id}", "answer_change", Action.EDIT_THEMES, problems=[409])
def answer_change(
    ctx: ContextDep, caller: CallerDep, run_id: str, theme_id: str, body: AnswerRequest
) -> ListResponse[EditResultResponse]:
    """Accept a run's change of a theme, or decline it, which pins its cases. Returns the new log entries."""
    by, store, clock = caller.actor_name(body.by), ctx.store, ctx.clock
    results: Sequence[EditResult]
    if body.answer == "accept":
        results = [accept_change(store, clock, run_id, theme_id, actor=by, note=body.note)]
    else:
        results = decline_change(store, clock, run_id, theme_id, actor=by, note=body.note)
    return ListResponse(items=[edit_result_response(result) for result in results])
