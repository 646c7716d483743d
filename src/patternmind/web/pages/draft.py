"""The page of a draft: text, evidence, log and decision."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Query
from starlette.datastructures import FormData
from starlette.responses import Response

from patternmind.domain.draft_fields import COUNTER_SEARCH, FieldValue, value_to_text
from patternmind.domain.drafts import (
    DraftAction,
    DraftKind,
    DraftState,
    RejectionReason,
    ReviewedDraft,
    active_decisions,
    fields_of,
    state_of,
)
from patternmind.domain.permissions import Action
from patternmind.errors import InvalidState, PatternmindError, RuleViolated, UsageError, VersionConflict
from patternmind.ports import Store
from patternmind.publishing.field_text import provenance_line
from patternmind.publishing.publication_rules import PublishedPattern
from patternmind.review import build_pattern, diff_words, hides_log, possible_actions, review_status
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
from patternmind.web.caller import Caller
from patternmind.web.draft_permissions import require_decision_permission
from patternmind.web.forms import FormDataDep, form_version
from patternmind.web.page_request import PageDep, PageRequest
from patternmind.web.pages.review import progress_text, redirect_to_next
from patternmind.web.routing import PageRouter
from patternmind.web.templating import redirect

router = PageRouter()

CONFIRMATIONS: Mapping[DraftAction, str] = {
    DraftAction.ACCEPT: "Accepted.",
    DraftAction.EDIT: "Your edit is saved.",
    DraftAction.REJECT: "Rejected.",
    DraftAction.NOT_SURE: "Passed to another reviewer.",
    DraftAction.FLAG: "Flagged for a jam.",
    DraftAction.RETIRE: "Retired.",
    DraftAction.UNDO: "Undone. The draft is as it was before.",
}

REASON_OPTIONS = [(reason.value, reason.value.capitalize()) for reason in RejectionReason]

ACTIONS_STAYING_ON_DRAFT = frozenset({DraftAction.EDIT, DraftAction.UNDO})
"""Actions after which the page shows the same draft, not the next."""


@router.get("/drafts/{draft_id}", "read_draft", Action.SEE_DRAFTS)
def read_draft(
    page: PageDep, draft_id: str, *, claim: Annotated[int, Query(ge=0, le=10_000)] = -1, edit: bool = False
) -> Response:
    reviewed = get_draft(page.store, draft_id)
    return _page(page, reviewed, claim=claim, edit=edit)


def _page(
    page: PageRequest, reviewed: ReviewedDraft, *, claim: int = -1, edit: bool = False, status: int = 200, **more: Any
) -> Response:
    draft = reviewed.grounded.draft
    queue = get_review_queue(page.store, page.ctx.clock, page.caller.name)
    previous_id, next_id = adjacent_drafts(queue, draft.id)
    numbers = [number for number, quoted in enumerate(draft.claims) if quoted.quotes]
    selected_claim = claim if claim in numbers else (numbers[0] if numbers else -1)
    cases = get_source_cases(page.store, draft)
    is_log_hidden = hides_log(reviewed.decisions, page.caller.name)
    actions = possible_actions(reviewed.decisions)
    undoable_id = find_undoable_draft(page.store, page.caller.name)
    values: dict[str, Any] = {
        "draft": draft,
        "reviewed": with_visible_log(reviewed, page.caller.name),
        "version": reviewed.version,
        "item": next((item for item in queue.items if item.draft_id == draft.id), None),
        "name": fields_of(reviewed)["name"],
        "state": state_of(reviewed.decisions),
        "review_status": review_status(reviewed.decisions, page.caller.name),
        "fields": draft_view.field_views(reviewed, changes=not is_log_hidden),
        "draft_flags": draft_view.draft_flags(reviewed),
        "n_refused_claims": len(reviewed.grounded.refused_claims),
        "evidence": draft_view.evidence_view(reviewed, selected_claim, cases),
        "selected_claim": selected_claim,
        "counter_search": draft.fields.get(COUNTER_SEARCH, ""),
        "is_log_hidden": is_log_hidden,
        "active_ids": {decision.id for decision in active_decisions(reviewed.decisions)},
        "provenance": provenance_line(draft.provenance),
        "publication": _publication_status(page.store, reviewed),
        "possible_actions": {
            action.value
            for action in actions
            if action is not DraftAction.RETIRE or page.caller.may(Action.RETIRE_PATTERN)
        },
        "reasons": REASON_OPTIONS,
        "has_own_last": undoable_id is not None,
        "is_own_last_here": undoable_id == draft.id,
        "has_theme_page": draft.theme_id and "/themes/{theme_id}" in page.request.app.state.pages,
        "previous_id": previous_id,
        "next_id": next_id,
        "progress": progress_text(queue),
        "is_editing": edit and DraftAction.EDIT in actions,
        "form_fields": _form_fields(reviewed),
        "error": "",
        "differences": (),
        "note": "",
        "by": "",
        **more,
    }
    return page.render("review/draft.html", status, **values)


def _form_fields(
    reviewed: ReviewedDraft, submitted: Mapping[str, str] | None = None
) -> list[tuple[str, str, str, bool]]:
    """Return (name, title, text, is_list) of the editable fields; submitted text takes precedence."""
    typed = submitted or {}
    return [
        (name, draft_view.field_title(name), typed.get(name, value_to_text(value)), not isinstance(value, str))
        for name, value in fields_of(reviewed).items()
        if name not in draft_view.HIDDEN_FIELDS
    ]


def _publication_status(store: Store, reviewed: ReviewedDraft) -> tuple[bool, str] | None:
    """Return whether the draft can be published once accepted, and the reason; None if that does not apply."""
    if reviewed.grounded.draft.kind is not DraftKind.PATTERN or state_of(reviewed.decisions) is DraftState.REJECTED:
        return None
    pattern = build_pattern(preview_decision(reviewed, DraftAction.ACCEPT)) or build_pattern(reviewed)
    if pattern is None:
        return False, "No claim of its solution has a quote, so the draft cannot become a pattern."
    result = assess_pattern_publication(store, pattern)
    if isinstance(result, PublishedPattern):
        n, n_teams, n_cases = result.n_contributors, result.n_teams, result.n_cases
        return True, f"Supported by {n} contributors and {n_teams} teams, in {n_cases} publishable cases."
    return False, result.reason


@router.post("/drafts/{draft_id}/decide", "decide", Action.REVIEW_DRAFTS)
def decide(page: PageDep, draft_id: str, form: FormDataDep) -> Response:
    reviewed = get_draft(page.store, draft_id)
    action, reason, version = _parse_action(form), _parse_reason(form), form_version(form, missing=-1)
    actor = page.caller.name or str(form.get("by", ""))
    note = str(form.get("note", ""))[:4000]
    submitted = {name[2:]: str(value) for name, value in form.items() if name.startswith("f.")}
    edits = _changed_fields(reviewed, submitted)
    if _repeats_last_decision(reviewed, action, actor, version, edits):
        return _redirect_after(page, draft_id, action)
    require_decision_permission(page.store, page.caller, draft_id, action)
    try:
        decide_draft(
            page.store,
            page.ctx.clock,
            draft_id,
            action,
            actor=actor,
            reason=reason if action is DraftAction.REJECT else None,
            note=note,
            edits=edits if action is DraftAction.EDIT else {},
            expected_version=version,
        )
    except (VersionConflict, RuleViolated, UsageError, InvalidState) as error:
        reviewed = get_draft(page.store, draft_id)
        edits = _changed_fields(reviewed, submitted)
        if _repeats_last_decision(reviewed, action, actor, version, edits):  # the other of two clicks was faster
            return _redirect_after(page, draft_id, action)
        return _render_conflict(page, draft_id, error, action=action, submitted=submitted, note=note, actor=actor)
    return _redirect_after(page, draft_id, action)


def _changed_fields(reviewed: ReviewedDraft, submitted: Mapping[str, str]) -> dict[str, FieldValue]:
    """Return the submitted fields that differ from the current ones."""
    current = fields_of(reviewed)
    return {
        name: value
        for name, text in submitted.items()
        if name in current and (value := draft_view.text_to_field(text, current[name])) != current[name]
    }


def _parse_action(form: FormData) -> DraftAction:
    """Return the action of the form.

    Raises:
        UsageError: the form names no known action.
    """
    name = "reject" if form.get("reason") else str(form.get("decision", ""))
    if name not in {action.value for action in CONFIRMATIONS}:
        raise UsageError("Choose a decision: accept, edit, reject, not sure, flag for a jam, or undo.")
    return DraftAction(name)


def _parse_reason(form: FormData) -> RejectionReason | None:
    reason = form.get("reason")
    return RejectionReason(reason) if reason in set(RejectionReason) else None


def _repeats_last_decision(
    reviewed: ReviewedDraft, action: DraftAction, actor: str, version: int, edits: Mapping[str, object]
) -> bool:
    """Return whether the last decision is the same: a second click, a reload or the back button."""
    if version != reviewed.version - 1 or not reviewed.decisions:
        return False
    last = reviewed.decisions[-1]
    return last.by == actor.strip() and last.action is action and not edits


def _redirect_after(page: PageRequest, draft_id: str, action: DraftAction) -> Response:
    """Redirect to the next draft, or to the same one after an edit or undo."""
    if action in ACTIONS_STAYING_ON_DRAFT:
        return redirect(f"/drafts/{draft_id}", CONFIRMATIONS[action])
    return redirect_to_next(page, CONFIRMATIONS[action], after=draft_id)


def _render_conflict(
    page: PageRequest,
    draft_id: str,
    error: PatternmindError,
    *,
    action: DraftAction,
    submitted: Mapping[str, str],
    note: str,
    actor: str,
) -> Response:
    """Render the page again with the submitted text and its differences from the current text."""
    reviewed = get_draft(page.store, draft_id)
    is_changed = isinstance(error, VersionConflict | InvalidState)
    may_compare = is_changed and not hides_log(reviewed.decisions, page.caller.name)
    return _page(
        page,
        reviewed,
        edit=action is DraftAction.EDIT,
        status=412 if isinstance(error, VersionConflict) else 409 if is_changed else 422,
        form_fields=_form_fields(reviewed, submitted),
        error=_changed_message(reviewed, page.caller) if is_changed else str(error),
        differences=_field_differences(reviewed, submitted) if may_compare else (),
        note=note,
        by=actor,
    )


def _changed_message(reviewed: ReviewedDraft, caller: Caller) -> str:
    if hides_log(reviewed.decisions, caller.name) or not reviewed.decisions:
        return (
            "Someone else decided on this draft in the meantime. Yours was not saved; check the draft and decide again."
        )
    last = reviewed.decisions[-1]
    action = last.action.value.replace("_", " ")
    return (
        f"{last.by} decided in the meantime: {action}. Your decision was not saved; your text is below. "
        "Check the differences, then decide again."
    )


def _field_differences(reviewed: ReviewedDraft, submitted: Mapping[str, str]) -> list[tuple[str, Any]]:
    """Return the word differences from the current to the submitted text, by field title."""
    current = fields_of(reviewed)
    differences = [
        (
            draft_view.field_title(name),
            diff_words(value_to_text(current[name]), value_to_text(draft_view.normalize_newlines(text))),
        )
        for name, text in submitted.items()
        if name in current
    ]
    return [(title, changes) for title, changes in differences if any(change.kind != "same" for change in changes)]
