"""What a run changed, one by one, like a pull request; where its cases doubt a decision; and what others proposed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from patternmind.bootstrap import AppContext
from patternmind.domain.edits import EditAction
from patternmind.domain.permissions import Action
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
from patternmind.services.theme_edits import ThemeEditRequest, submit_edit
from patternmind.services.theme_queries import case_display_ids, list_themes
from patternmind.web.caller import Caller
from patternmind.web.dependencies import CallerDep, ContextDep
from patternmind.web.pages.themes import ShortTextQuery, common_context, parse_lens
from patternmind.web.permissions import requires
from patternmind.web.routing import PageRoute
from patternmind.web.templating import flash, render
from patternmind.web.theme_descriptions import (
    LINEAGE_LABELS,
    MAX_LISTED_CASES,
    describe_contradiction,
    describe_edit,
)
from patternmind.web.theme_edit_forms import describe_log

router = APIRouter(route_class=PageRoute)

MAX_FLOWS = 6
ShortFormText = Annotated[str, Form(max_length=400)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeAnswerForm:
    """What a form of this page holds."""

    answer: str = ""
    theme_id: str = ""
    undoes: str = ""
    note: str = ""
    lens: str = ""
    by: str = ""


def _change_answer_form(
    answer: ShortFormText = "",
    theme_id: ShortFormText = "",
    undoes: ShortFormText = "",
    note: ShortFormText = "",
    lens: ShortFormText = "",
    by: ShortFormText = "",
) -> ChangeAnswerForm:
    return ChangeAnswerForm(answer=answer, theme_id=theme_id, undoes=undoes, note=note, lens=lens, by=by)


ChangeAnswerFormDep = Annotated[ChangeAnswerForm, Depends(_change_answer_form)]
ThemeIdQuery = Annotated[str, Query(max_length=200)]


@router.get("/themes/changes", name="changes", dependencies=[requires(Action.SEE_THEMES)])
def changes_page(request: Request, ctx: ContextDep, lens: ShortTextQuery = "", at: ThemeIdQuery = "") -> Response:
    shown = list_themes(ctx.store, parse_lens(lens))
    return _page(request, ctx, shown.run, at, lens=shown.lens)


@router.get("/runs/{run_id}/changes", name="changes_of_run", dependencies=[requires(Action.SEE_THEMES)])
def run_changes_page(request: Request, ctx: ContextDep, run_id: str, at: ThemeIdQuery = "") -> Response:
    run = ctx.store.get_run(run_id)
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
    shown = list_themes(store, lens)
    lines = list_changes_to_review(store, run.id) if run else []
    names = store.theme_names(lens)
    chosen = _selected_change(lines, theme_id)
    place = lines.index(chosen) if chosen else -1
    doubts, proposed = list_conflicts_to_review(store, lens), list_proposed_edits(store, lens)
    cases = case_display_ids(store, [*(one.edit for one in doubts), *(one.edit for one in proposed)], MAX_LISTED_CASES)
    address = f"/runs/{run.id}/changes" if run else ""
    return render(
        request,
        "themes/changes.html",
        _status_code(error),
        **common_context(ctx, shown, "/themes/changes"),
        run=run,
        is_last=bool(run and shown.run and run.id == shown.run.id),
        lines=[(one, names.get(one.change.theme_id, one.change.theme_id)) for one in lines],
        n_open=sum(one.answer is None for one in lines),
        chosen=chosen,
        told=explain_change(chosen.change, names) if chosen else "",
        names=names,
        words=LINEAGE_LABELS,
        evidence=_evidence(ctx, chosen, names) if chosen else {},
        address=address,
        before=f"{address}?at={quote(lines[place - 1].change.theme_id)}" if place > 0 else "",
        after=f"{address}?at={quote(lines[place + 1].change.theme_id)}" if -1 < place < len(lines) - 1 else "",
        doubts=[(one, describe_edit(one.edit, names, cases), _conflict_text(one, names, cases)) for one in doubts],
        proposed=[(one, describe_edit(one.edit, names, cases)) for one in proposed],
        error=_error_text(store, error) if error else "",
        note=form.note if form else "",
        by=form.by if form else "",
    )


def _conflict_text(conflict: ConflictToReview, names: Mapping[str, str], cases: Mapping[str, str]) -> str:
    """What the cases say against a decision, with names in the place of ids."""
    told = conflict.conflict.text
    for theme_id in conflict.conflict.theme_ids:
        told = told.replace(theme_id, f"“{names[theme_id]}”" if theme_id in names else theme_id)
    for case_id in conflict.conflict.case_ids:
        told = told.replace(case_id, cases.get(case_id, case_id))
    return told


def _status_code(error: PatternmindError | None) -> int:
    return 200 if error is None else 409 if isinstance(error, ContradictoryEdit) else 422


def _selected_change(changes: list[ChangeToReview], theme_id: str) -> ChangeToReview | None:
    """The change that was asked for; else the first without an answer; else the first."""
    asked = next((one for one in changes if one.change.theme_id == theme_id), None)
    return asked or next((one for one in changes if one.answer is None), changes[0] if changes else None)


def _evidence(ctx: AppContext, change: ChangeToReview, names: Mapping[str, str]) -> dict[str, Any]:
    """Where its cases went and came from, and which of them declining would put back."""
    back = {
        names.get(theme_id, theme_id): [
            (case.id, case.external_id or case.id, case.title)
            for case in ctx.store.cases_by_id(case_ids[:MAX_FLOWS]).values()
        ]
        for theme_id, case_ids in change.former_case_ids.items()
    }
    return {
        "went": [(names.get(flow.theme_id or "", "no theme"), flow) for flow in change.change.went[:MAX_FLOWS]],
        "came": [(names.get(flow.theme_id or "", "no theme"), flow) for flow in change.change.came[:MAX_FLOWS]],
        "back": back,
        "n_back": sum(len(case_ids) for case_ids in change.former_case_ids.values()),
    }


@router.post("/runs/{run_id}/changes", name="answer_change", dependencies=[requires(Action.EDIT_THEMES)])
def answer_change(
    request: Request, ctx: ContextDep, caller: CallerDep, run_id: str, form: ChangeAnswerFormDep
) -> Response:
    """Accept or decline one change, accept all that are left, or take an answer back."""
    run = ctx.store.get_run(run_id)
    lens = run.parameters.lens
    try:
        by = _actor_name(caller, form)
        said = ALREADY_ANSWERED if _is_already_answered(ctx.store, run, form, by) else _apply_answer(ctx, run, form, by)
    except (UsageError, ContradictoryEdit) as error:
        return _page(request, ctx, run, form.theme_id, lens=lens, error=error, form=form)
    stay = f"?at={quote(form.theme_id)}" if form.answer == "undo" else ""
    to = RedirectResponse(f"/runs/{run_id}/changes{stay}", status_code=303)
    flash(to, said)
    return to


def _actor_name(caller: Caller, form: ChangeAnswerForm) -> str:
    """The name it is logged under.

    Raises:
        UsageError: there is none.
    """
    name = caller.name or form.by
    if not name.strip():
        raise UsageError("Say who decides.")
    return name


ALREADY_ANSWERED = "That is your answer already."


def _is_already_answered(store: Store, run: RunRecord, form: ChangeAnswerForm, actor: str) -> bool:
    """A second click, a reload or the back button sent again what is there."""
    if form.answer not in {"accept", "decline"}:
        return False
    lines = list_changes_to_review(store, run.id)
    answer = next((one.answer for one in lines if one.change.theme_id == form.theme_id), None)
    return answer is not None and (answer.by, answer.action.value) == (actor, form.answer)


def _apply_answer(ctx: AppContext, run: RunRecord, form: ChangeAnswerForm, actor: str) -> str:
    """Do it, and what to say about it."""
    store, clock = ctx.store, ctx.clock
    match form.answer:
        case "accept":
            accept_change(store, clock, run.id, form.theme_id, actor=actor, note=form.note)
            return "Accepted."
        case "decline":
            lines = decline_change(store, clock, run.id, form.theme_id, actor=actor, note=form.note)
            n = sum(len(one.edit.case_ids) for one in lines[1:])
            return f"Declined: {n} {'case is back where it' if n == 1 else 'cases are back where they'} stood."
        case "accept_rest":
            n = accept_remaining_changes(store, clock, run.id, actor=actor)
            return f"Accepted: {n} {'change' if n == 1 else 'changes'}."
        case "undo" if form.undoes.isascii() and form.undoes.isdigit():
            lens, seq = run.parameters.lens, int(form.undoes)
            submit_edit(store, clock, ThemeEditRequest(action=EditAction.UNDO, actor=actor, undoes=seq, lens=lens))
            return "Taken back. It waits for an answer again."
        case _:
            raise UsageError("Choose to accept or to decline.")


def _error_text(store: Store, error: PatternmindError) -> str:
    """The message for somebody at a page: without the commands for a terminal."""
    if isinstance(error, ContradictoryEdit):
        return describe_contradiction(error, "that", describe_log(store))
    return str(error)


@router.post("/themes/proposals/{seq}", name="answer_proposal", dependencies=[requires(Action.EDIT_THEMES)])
def answer_proposal(
    request: Request, ctx: ContextDep, caller: CallerDep, seq: int, form: ChangeAnswerFormDep
) -> Response:
    """Do what a data partner proposed, or decline it."""

    def do(by: str) -> str:
        accept = _is_accepted(form)
        known = next((one.answer for one in list_proposed_edits(ctx.store) if one.edit.seq == seq), None)
        if known is not None and known.by == by and (known.action is not EditAction.DECLINE) == accept:
            return ALREADY_ANSWERED
        answer_proposed_edit(ctx.store, ctx.clock, seq, is_accepted=accept, actor=by)
        return "Accepted, and done." if accept else "Declined. Nothing was changed."

    return _apply_and_redirect(request, ctx, caller, form, do)


@router.post("/themes/doubts/{seq}", name="answer_one_doubt", dependencies=[requires(Action.EDIT_THEMES)])
def decide_conflict(
    request: Request, ctx: ContextDep, caller: CallerDep, seq: int, form: ChangeAnswerFormDep
) -> Response:
    """Take a decision back that the cases speak against, or let it stand."""
    lens = parse_lens(form.lens)

    def do(by: str) -> str:
        accept = _is_accepted(form)
        kept = next(
            (one.answer for one in list_conflicts_to_review(ctx.store, lens) if one.conflict.edit_seq == seq), None
        )
        undone = any(one.undoes == seq and one.by == by and not one.proposed for one in ctx.store.edits())
        if (undone and accept) or (kept is not None and kept.by == by and not accept):
            return ALREADY_ANSWERED
        answer_conflict(ctx.store, ctx.clock, seq, is_accepted=accept, actor=by, lens=lens)
        return "Taken back." if accept else "It stands, and is not asked about again."

    return _apply_and_redirect(request, ctx, caller, form, do)


def _is_accepted(form: ChangeAnswerForm) -> bool:
    if form.answer not in {"accept", "decline"}:
        raise UsageError("Choose to accept or to decline.")
    return form.answer == "accept"


def _apply_and_redirect(
    request: Request, ctx: AppContext, caller: Caller, form: ChangeAnswerForm, apply: Callable[[str], str]
) -> Response:
    lens = parse_lens(form.lens)
    try:
        said = apply(_actor_name(caller, form))
    except (UsageError, ContradictoryEdit) as error:
        run = ctx.store.last_run(lens)
        return _page(request, ctx, run, "", lens=run.parameters.lens if run else "all", error=error, form=form)
    to = RedirectResponse(f"/themes/changes{f'?lens={lens}' if lens else ''}", status_code=303)
    flash(to, said)
    return to
