"""Pages to review the changes of a run, conflicts with decisions, and proposed edits."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Form, Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from patternmind.bootstrap import AppContext
from patternmind.domain.edits import EditAction
from patternmind.domain.members import require_actor
from patternmind.domain.permissions import Action
from patternmind.domain.wording import pluralize
from patternmind.edits import MAX_LISTED_CASES, describe_edit
from patternmind.errors import ContradictoryEdit, PatternmindError, UsageError
from patternmind.lineage import explain_change
from patternmind.ports import RunRecord, Store
from patternmind.services.theme_changes import (
    ChangeToReview,
    ConflictToReview,
    accept_change,
    accept_remaining_changes,
    answer_conflict,
    answer_proposed_edit,
    decline_change,
    list_changes_to_review,
    list_conflicts_to_review,
    list_proposed_edits,
)
from patternmind.services.theme_edits import submit_edit, undo_request
from patternmind.services.theme_queries import case_display_ids, list_themes
from patternmind.web.caller import Caller
from patternmind.web.dependencies import CallerDep, ContextDep
from patternmind.web.pages.themes import ShortTextQuery, common_context, parse_lens
from patternmind.web.routing import PageRouter
from patternmind.web.templating import flash, render
from patternmind.web.theme_edit_forms import describe_contradiction

router = PageRouter()

MAX_FLOWS = 6
ShortText = Annotated[str, Field(max_length=400)]


class ChangeAnswerForm(BaseModel):
    """The fields of the forms on this page."""

    answer: ShortText = ""
    theme_id: ShortText = ""
    undoes: ShortText = ""
    note: ShortText = ""
    lens: ShortText = ""
    by: ShortText = ""


ChangeAnswerFormDep = Annotated[ChangeAnswerForm, Form()]
ThemeIdQuery = Annotated[str, Query(max_length=200)]


@router.get("/themes/changes", "changes", Action.SEE_THEMES)
def changes_page(request: Request, ctx: ContextDep, lens: ShortTextQuery = "", at: ThemeIdQuery = "") -> Response:
    theme_list = list_themes(ctx.store, parse_lens(lens))
    return _page(request, ctx, theme_list.run, at, lens=theme_list.lens)


@router.get("/runs/{run_id}/changes", "changes_of_run", Action.SEE_THEMES)
def run_changes_page(request: Request, ctx: ContextDep, run_id: str, at: ThemeIdQuery = "") -> Response:
    run = ctx.store.runs.get(run_id)
    return _page(request, ctx, run, at, lens=run.parameters.lens)


def _page(
    request: Request,
    ctx: AppContext,
    run: RunRecord | None,
    theme_id: str,
    *,
    lens: str,
    error: PatternmindError | None = None,
    form: ChangeAnswerForm | None = None,
) -> Response:
    store = ctx.store
    theme_list = list_themes(store, lens)
    changes = list_changes_to_review(store, run.id) if run else []
    names = store.themes.names(lens)
    selected = _selected_change(changes, theme_id)
    index = changes.index(selected) if selected else -1
    conflicts, proposals = list_conflicts_to_review(store, lens), list_proposed_edits(store, lens)
    edits = [*(review.edit for review in conflicts), *(proposal.edit for proposal in proposals)]
    cases = case_display_ids(store, edits, MAX_LISTED_CASES)
    address = f"/runs/{run.id}/changes" if run else ""
    return render(
        request,
        "themes/changes.html",
        _status_code(error),
        **common_context(ctx, theme_list, "/themes/changes"),
        run=run,
        is_last=bool(run and theme_list.run and run.id == theme_list.run.id),
        changes=[(review, names.get(review.change.theme_id, review.change.theme_id)) for review in changes],
        n_open=sum(review.answer is None for review in changes),
        selected=selected,
        explanation=explain_change(selected.change, names) if selected else "",
        theme_names=names,
        evidence=_evidence(ctx, selected, names) if selected else {},
        address=address,
        previous_url=f"{address}?at={quote(changes[index - 1].change.theme_id)}" if index > 0 else "",
        next_url=f"{address}?at={quote(changes[index + 1].change.theme_id)}" if -1 < index < len(changes) - 1 else "",
        conflicts=[
            (review, describe_edit(review.edit, names, cases), _conflict_text(review, names, cases))
            for review in conflicts
        ],
        proposals=[(proposal, describe_edit(proposal.edit, names, cases)) for proposal in proposals],
        error=_error_text(store, error) if error else "",
        note=form.note if form else "",
        by=form.by if form else "",
    )


def _conflict_text(conflict: ConflictToReview, names: Mapping[str, str], cases: Mapping[str, str]) -> str:
    """Return the reason of a conflict with names instead of ids."""
    text = conflict.conflict.text
    for theme_id in conflict.conflict.theme_ids:
        text = text.replace(theme_id, f"“{names[theme_id]}”" if theme_id in names else theme_id)
    for case_id in conflict.conflict.case_ids:
        text = text.replace(case_id, cases.get(case_id, case_id))
    return text


def _status_code(error: PatternmindError | None) -> int:
    return 200 if error is None else 409 if isinstance(error, ContradictoryEdit) else 422


def _selected_change(changes: list[ChangeToReview], theme_id: str) -> ChangeToReview | None:
    """Return the requested change, else the first undecided change, else the first."""
    requested = next((review for review in changes if review.change.theme_id == theme_id), None)
    return requested or next((review for review in changes if review.answer is None), changes[0] if changes else None)


def _evidence(ctx: AppContext, change: ChangeToReview, names: Mapping[str, str]) -> dict[str, Any]:
    """Return where cases went and came from, and the cases that declining would move."""
    moved_cases = {
        names.get(theme_id, theme_id): [
            (case.id, case.external_id or case.id, case.title)
            for case in ctx.store.cases.get_many(case_ids[:MAX_FLOWS]).values()
        ]
        for theme_id, case_ids in change.former_case_ids.items()
    }
    return {
        "went": [(names.get(flow.theme_id or "", "no theme"), flow) for flow in change.change.went[:MAX_FLOWS]],
        "came": [(names.get(flow.theme_id or "", "no theme"), flow) for flow in change.change.came[:MAX_FLOWS]],
        "moved_cases": moved_cases,
        "n_moved": sum(len(case_ids) for case_ids in change.former_case_ids.values()),
    }


@router.post("/runs/{run_id}/changes", "answer_change", Action.EDIT_THEMES)
def answer_change(
    request: Request, ctx: ContextDep, caller: CallerDep, run_id: str, form: ChangeAnswerFormDep
) -> Response:
    """Accept or decline a change, accept all remaining changes, or undo an answer."""
    run = ctx.store.runs.get(run_id)
    lens = run.parameters.lens
    try:
        actor = _actor_name(caller, form)
        is_repeated = _is_already_answered(ctx.store, run, form, actor)
        message = ALREADY_ANSWERED if is_repeated else _apply_answer(ctx, run, form, actor)
    except (UsageError, ContradictoryEdit) as error:
        return _page(request, ctx, run, form.theme_id, lens=lens, error=error, form=form)
    query = f"?at={quote(form.theme_id)}" if form.answer == "undo" else ""
    response = RedirectResponse(f"/runs/{run_id}/changes{query}", status_code=303)
    flash(response, message)
    return response


def _actor_name(caller: Caller, form: ChangeAnswerForm) -> str:
    """Return the name to log the answer under.

    Raises:
        UsageError: the caller has no name and entered none.
    """
    return require_actor(caller.name or form.by)


ALREADY_ANSWERED = "You have already decided this."


def _is_already_answered(store: Store, run: RunRecord, form: ChangeAnswerForm, actor: str) -> bool:
    """Return whether the same person gave the same answer: a second click, a reload or the back button."""
    if form.answer not in {"accept", "decline"}:
        return False
    changes = list_changes_to_review(store, run.id)
    answer = next((review.answer for review in changes if review.change.theme_id == form.theme_id), None)
    return answer is not None and (answer.by, answer.action.value) == (actor, form.answer)


def _apply_answer(ctx: AppContext, run: RunRecord, form: ChangeAnswerForm, actor: str) -> str:
    """Apply the answer and return a confirmation message."""
    store, clock = ctx.store, ctx.clock
    match form.answer:
        case "accept":
            accept_change(store, clock, run.id, form.theme_id, actor=actor, note=form.note)
            return "Accepted."
        case "decline":
            results = decline_change(store, clock, run.id, form.theme_id, actor=actor, note=form.note)
            n = sum(len(result.edit.case_ids) for result in results[1:])
            return f"Declined: {pluralize(n, 'case')} moved to {'its' if n == 1 else 'their'} former theme."
        case "accept_rest":
            n = accept_remaining_changes(store, clock, run.id, actor=actor)
            return f"Accepted {pluralize(n, 'change')}."
        case "undo" if form.undoes.isascii() and form.undoes.isdigit():
            submit_edit(store, clock, undo_request(int(form.undoes), actor=actor, lens=run.parameters.lens))
            return "Undone. The change needs a decision again."
        case _:
            raise UsageError("Choose Accept or Decline.")


def _error_text(store: Store, error: PatternmindError) -> str:
    """Return the message for a page, without terminal commands."""
    if isinstance(error, ContradictoryEdit):
        return describe_contradiction(store, error, "that")
    return str(error)


@router.post("/themes/proposals/{seq}", "answer_proposal", Action.EDIT_THEMES)
def answer_proposal(
    request: Request, ctx: ContextDep, caller: CallerDep, seq: int, form: ChangeAnswerFormDep
) -> Response:
    """Accept and apply a proposed edit, or decline it."""

    def apply(actor: str) -> str:
        is_accepted = _is_accepted(form)
        proposals = list_proposed_edits(ctx.store)
        answer = next((proposal.answer for proposal in proposals if proposal.edit.seq == seq), None)
        if answer is not None and answer.by == actor and (answer.action is not EditAction.DECLINE) == is_accepted:
            return ALREADY_ANSWERED
        answer_proposed_edit(ctx.store, ctx.clock, seq, is_accepted=is_accepted, actor=actor)
        return "Accepted and applied." if is_accepted else "Declined. Nothing was changed."

    return _apply_and_redirect(request, ctx, caller, form, apply)


@router.post("/themes/doubts/{seq}", "answer_one_doubt", Action.EDIT_THEMES)
def decide_conflict(
    request: Request, ctx: ContextDep, caller: CallerDep, seq: int, form: ChangeAnswerFormDep
) -> Response:
    """Undo a decision that the cases contradict, or keep it."""
    lens = parse_lens(form.lens)

    def apply(actor: str) -> str:
        is_accepted = _is_accepted(form)
        conflicts = list_conflicts_to_review(ctx.store, lens)
        answer = next((review.answer for review in conflicts if review.conflict.edit_seq == seq), None)
        is_undone = any(
            edit.undoes == seq and edit.by == actor and not edit.proposed for edit in ctx.store.edits.list_all()
        )
        if (is_undone and is_accepted) or (answer is not None and answer.by == actor and not is_accepted):
            return ALREADY_ANSWERED
        answer_conflict(ctx.store, ctx.clock, seq, is_accepted=is_accepted, actor=actor, lens=lens)
        return "Undone." if is_accepted else "Kept. You will not be asked about this decision again."

    return _apply_and_redirect(request, ctx, caller, form, apply)


def _is_accepted(form: ChangeAnswerForm) -> bool:
    if form.answer not in {"accept", "decline"}:
        raise UsageError("Choose Accept or Decline.")
    return form.answer == "accept"


def _apply_and_redirect(
    request: Request, ctx: AppContext, caller: Caller, form: ChangeAnswerForm, apply: Callable[[str], str]
) -> Response:
    lens = parse_lens(form.lens)
    try:
        message = apply(_actor_name(caller, form))
    except (UsageError, ContradictoryEdit) as error:
        run = ctx.store.runs.latest(lens)
        return _page(request, ctx, run, "", lens=run.parameters.lens if run else "all", error=error, form=form)
    response = RedirectResponse(f"/themes/changes{f'?lens={lens}' if lens else ''}", status_code=303)
    flash(response, message)
    return response
