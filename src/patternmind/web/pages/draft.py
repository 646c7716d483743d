"""One draft on the desk: the text left, the evidence right, and the decision below."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from patternmind.domain import permissions
from patternmind.domain.drafts import (
    DraftAction,
    DraftKind,
    DraftState,
    RejectionReason,
    ReviewedDraft,
)
from patternmind.errors import (
    InvalidState,
    PatternmindError,
    RuleViolated,
    UsageError,
    VersionConflict,
)
from patternmind.ports import Store
from patternmind.publishing.field_text import NOT_STATED, provenance_line
from patternmind.publishing.publication_rules import PublishedPattern
from patternmind.review import (
    active_decisions,
    build_pattern,
    diff_words,
    fields_of,
    hides_log,
    possible_actions,
    review_status,
)
from patternmind.review import state_of as state_by
from patternmind.services.playbook import assess_pattern_publication
from patternmind.services.review_queue import (
    adjacent_drafts,
    find_undoable_draft,
    get_review_queue,
    get_source_cases,
    with_visible_log,
)
from patternmind.services.reviews import decide_draft, get_draft, preview_decision
from patternmind.web import draft_view
from patternmind.web.dependencies import CallerDep, ContextDep
from patternmind.web.draft_permissions import require_decision_permission
from patternmind.web.pages.review import progress_text, redirect_to_next
from patternmind.web.permissions import requires
from patternmind.web.routing import PageRoute
from patternmind.web.templating import flash, render

router = APIRouter(route_class=PageRoute)

CONFIRMATIONS: Mapping[DraftAction, str] = {
    DraftAction.ACCEPT: "Accepted.",
    DraftAction.EDIT: "Your edit is saved.",
    DraftAction.REJECT: "Rejected.",
    DraftAction.NOT_SURE: "Handed to a second reviewer.",
    DraftAction.FLAG: "Kept for a jam.",
    DraftAction.RETIRE: "Retired.",
    DraftAction.UNDO: "Taken back. The draft stands as it did before.",
}

REASON_OPTIONS = [(reason.value, reason.value.capitalize()) for reason in RejectionReason]

ACTIONS_STAYING_ON_DRAFT = frozenset({DraftAction.EDIT, DraftAction.UNDO})
"""After these one goes on with the same draft."""


@router.get("/drafts/{draft_id}", name="read_draft", dependencies=[requires(permissions.Action.SEE_DRAFTS)])
def read_draft(
    request: Request,
    ctx: ContextDep,
    caller: CallerDep,
    draft_id: str,
    *,
    claim: Annotated[int, Query(ge=0, le=10_000)] = -1,
    edit: bool = False,
) -> Response:
    reviewed = get_draft(ctx.store, draft_id)
    return _page(request, ctx, caller, reviewed, claim=claim, edit=edit)


def _page(
    request: Request,
    ctx: ContextDep,
    caller: CallerDep,
    reviewed: ReviewedDraft,
    *,
    claim: int = -1,
    edit: bool = False,
    status: int = 200,
    **more: Any,
) -> Response:
    draft = reviewed.grounded.draft
    desk = get_review_queue(ctx.store, ctx.clock, caller.name)
    before, after = adjacent_drafts(desk, draft.id)
    numbers = [number for number, one in enumerate(draft.claims) if one.quotes]
    chosen = claim if claim in numbers else (numbers[0] if numbers else -1)
    cases = get_source_cases(ctx.store, draft)
    blind = hides_log(reviewed.decisions, caller.name)
    actions = possible_actions(reviewed.decisions)
    last = find_undoable_draft(ctx.store, caller.name)
    values: dict[str, Any] = {
        "draft": draft,
        "reviewed": with_visible_log(reviewed, caller.name),
        "version": reviewed.version,
        "line": next((one for one in desk.items if one.draft_id == draft.id), None),
        "name": fields_of(reviewed)["name"],
        "state": state_by(reviewed.decisions),
        "standing": review_status(reviewed.decisions, caller.name),
        "fields": draft_view.field_views(reviewed, changes=not blind),
        "whole_doubts": draft_view.draft_flags(reviewed),
        "refused": len(reviewed.grounded.refused_claims),
        "evidence": draft_view.evidence_view(reviewed, chosen, cases),
        "chosen": chosen,
        "asked": claim in numbers,
        "counter_search": draft.fields.get("counter_search", ""),
        "blind": blind,
        "held": {one.id for one in active_decisions(reviewed.decisions)},
        "provenance": provenance_line(draft.provenance),
        "publication": _publication_status(ctx.store, reviewed),
        "can": {action.value for action in actions if action is not DraftAction.RETIRE or _may_retire(caller)},
        "reasons": REASON_OPTIONS,
        "mine_last": last is not None,
        "mine_here": last == draft.id,
        "theme_page": draft.theme_id and "/themes/{theme_id}" in request.app.state.pages,
        "before": before,
        "after": after,
        "progress": progress_text(desk),
        "edit": edit and DraftAction.EDIT in actions,
        "form": _form_fields(reviewed),
        "error": "",
        "difference": (),
        "note": "",
        "by": "",
        **more,
    }
    return render(request, "review/draft.html", status, **values)


def _may_retire(caller: CallerDep) -> bool:
    return caller.may(permissions.Action.RETIRE_PATTERN)


def _form_fields(
    reviewed: ReviewedDraft, submitted: Mapping[str, str] | None = None
) -> list[tuple[str, str, str, bool]]:
    """(name, title, text, listed) of what a person may write, with what they wrote in place of what stands."""
    given = submitted or {}
    return [
        (
            name,
            draft_view.field_title(name),
            given.get(name, draft_view.field_to_text(value)),
            not isinstance(value, str),
        )
        for name, value in fields_of(reviewed).items()
        if name not in draft_view.HIDDEN_FIELDS
    ]


def _publication_status(store: Store, reviewed: ReviewedDraft) -> tuple[bool, str] | None:
    """Whether the draft could be published were it accepted as it stands, and why or why not."""
    if reviewed.grounded.draft.kind is not DraftKind.PATTERN or state_by(reviewed.decisions) is DraftState.REJECTED:
        return None
    pattern = build_pattern(preview_decision(reviewed, DraftAction.ACCEPT)) or build_pattern(reviewed)
    if pattern is None:
        return False, "No claim of its solution stands on a quote, so it cannot become a pattern."
    judged = assess_pattern_publication(store, pattern)
    if isinstance(judged, PublishedPattern):
        n, teams = judged.n_contributors, judged.n_teams
        return True, f"It stands on {n} contributors and {teams} teams, from {judged.n_cases} cases that may go out."
    return False, judged.reason


@router.post("/drafts/{draft_id}/decide", name="decide", dependencies=[requires(permissions.Action.REVIEW_DRAFTS)])
async def decide(request: Request, ctx: ContextDep, caller: CallerDep, draft_id: str) -> Response:
    form = await request.form()
    return await run_in_threadpool(_decide, request, ctx, caller, draft_id, form)


def _decide(request: Request, ctx: ContextDep, caller: CallerDep, draft_id: str, form: FormData) -> Response:
    reviewed = get_draft(ctx.store, draft_id)
    action, reason, version = _parse_action(form), _parse_reason(form), _parse_version(form)
    by = caller.name or str(form.get("by", ""))
    note = str(form.get("note", ""))[:4000]
    written = {name[2:]: str(value) for name, value in form.items() if name.startswith("f.")}
    edits = _changed_fields(reviewed, written)
    if _repeats_last_decision(reviewed, action, by, version, edits):
        return _redirect_after(ctx, caller, draft_id, action)
    require_decision_permission(ctx.store, caller, draft_id, action)
    try:
        decide_draft(
            ctx.store,
            ctx.clock,
            draft_id,
            action,
            actor=by,
            reason=reason if action is DraftAction.REJECT else None,
            note=note,
            edits=edits if action is DraftAction.EDIT else {},
            expected_version=version,
        )
    except (VersionConflict, RuleViolated, UsageError, InvalidState) as error:
        reviewed = get_draft(ctx.store, draft_id)
        if _repeats_last_decision(
            reviewed, action, by, version, _changed_fields(reviewed, written)
        ):  # by the other of two clicks
            return _redirect_after(ctx, caller, draft_id, action)
        return _render_conflict(
            request, ctx, caller, draft_id, error, action=action, submitted=written, note=note, actor=by
        )
    return _redirect_after(ctx, caller, draft_id, action)


def _changed_fields(reviewed: ReviewedDraft, submitted: Mapping[str, str]) -> dict[str, str | tuple[str, ...]]:
    """What was written that is not so already."""
    current = fields_of(reviewed)
    return {
        name: value
        for name, text in submitted.items()
        if name in current and (value := draft_view.text_to_field(text, current[name])) != current[name]
    }


def _parse_action(form: FormData) -> DraftAction:
    """Raises:
    UsageError: none is named.
    """
    said = "reject" if form.get("reason") else str(form.get("decision", ""))
    if said not in {one.value for one in CONFIRMATIONS}:
        raise UsageError("Choose a decision: accept, edit, reject, not sure, flag for a jam, or undo.")
    return DraftAction(said)


def _parse_reason(form: FormData) -> RejectionReason | None:
    said = form.get("reason")
    return RejectionReason(said) if said in set(RejectionReason) else None


def _parse_version(form: FormData) -> int:
    said = str(form.get("version", ""))
    return int(said) if said.isascii() and said.isdigit() and len(said) < 10 else -1


def _repeats_last_decision(
    reviewed: ReviewedDraft, action: DraftAction, actor: str, version: int, edits: Mapping[str, object]
) -> bool:
    """A second click, a reload or the back button sent again what is there: nothing more is to be done."""
    if version != reviewed.version - 1 or not reviewed.decisions:
        return False
    last = reviewed.decisions[-1]
    return last.by == actor.strip() and last.action is action and not edits


def _redirect_after(ctx: ContextDep, caller: CallerDep, draft_id: str, action: DraftAction) -> Response:
    """On to the next, or the same draft where one goes on with it."""
    answer = RedirectResponse(f"/drafts/{draft_id}", status_code=303)
    if action not in ACTIONS_STAYING_ON_DRAFT:
        answer = redirect_to_next(ctx, caller, after=draft_id)
    flash(answer, CONFIRMATIONS[action])
    return answer


def _render_conflict(
    request: Request,
    ctx: ContextDep,
    caller: CallerDep,
    draft_id: str,
    error: PatternmindError,
    *,
    action: DraftAction,
    submitted: Mapping[str, str],
    note: str,
    actor: str,
) -> Response:
    """The page once more, with the person's text and what stands now beside it."""
    reviewed = get_draft(ctx.store, draft_id)
    changed = isinstance(error, VersionConflict | InvalidState)
    difference = (
        _field_differences(reviewed, submitted) if changed and not hides_log(reviewed.decisions, caller.name) else ()
    )
    message = _changed_message(reviewed, caller) if changed else str(error)
    return _page(
        request,
        ctx,
        caller,
        reviewed,
        edit=action is DraftAction.EDIT,
        status=412 if isinstance(error, VersionConflict) else 409 if changed else 422,
        form=_form_fields(reviewed, submitted),
        error=message,
        difference=difference,
        note=note,
        by=actor,
    )


def _changed_message(reviewed: ReviewedDraft, caller: CallerDep) -> str:
    if hides_log(reviewed.decisions, caller.name) or not reviewed.decisions:
        return "Somebody decided on this draft meanwhile. Nothing of yours was saved; look again, then decide."
    last = reviewed.decisions[-1]
    did = last.action.value.replace("_", " ")
    return (
        f"Meanwhile {last.by} decided: {did}. Nothing of yours was saved yet, and your text is below. "
        "Look at the difference, then decide again."
    )


def _field_differences(reviewed: ReviewedDraft, submitted: Mapping[str, str]) -> list[tuple[str, Any]]:
    """Field by field, from what stands now to what the person wrote."""
    current = fields_of(reviewed)
    told = [
        (draft_view.field_title(name), diff_words(draft_view.field_to_text(current[name]), _normalize_text(text)))
        for name, text in submitted.items()
        if name in current
    ]
    return [(title, changes) for title, changes in told if any(one.kind != "same" for one in changes)]


def _normalize_text(text: str) -> str:
    given = text.replace("\r\n", "\n").strip()
    return "" if given == NOT_STATED else given
