"""One draft on the desk: the text left, the evidence right, and the decision below."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from patternmind.errors import ChangedMeanwhile, NotAllowed, PatternmindError, UsageError, WrongState
from patternmind.model import rights
from patternmind.model.drafts import DraftAction, DraftKind, DraftState, Reason, ReviewedDraft
from patternmind.ports import Store
from patternmind.publish.fields import NOT_STATED, provenance_line
from patternmind.publish.rights import Published
from patternmind.review import diff_words, fields_of, hides_log, pattern_of, possible_actions, standing, standing_for
from patternmind.review import state_of as state_by
from patternmind.verbs.desk import cases_of, last_to_undo, log_for, neighbours, open_desk
from patternmind.verbs.publishing import judge_pattern
from patternmind.verbs.reviewing import decide_draft, open_draft, with_decision
from patternmind.web import draft_view
from patternmind.web.deciding import must_decide
from patternmind.web.door import PageDoor, TheCaller, TheHouse
from patternmind.web.pages.review import go_on, progress_text
from patternmind.web.rendering import flash, render
from patternmind.web.rights import needs

router = APIRouter(route_class=PageDoor)

SAID: Mapping[DraftAction, str] = {
    DraftAction.ACCEPT: "Accepted.",
    DraftAction.EDIT: "Your edit is saved.",
    DraftAction.REJECT: "Rejected.",
    DraftAction.NOT_SURE: "Handed to a second reviewer.",
    DraftAction.FLAG: "Kept for a jam.",
    DraftAction.RETIRE: "Retired.",
    DraftAction.UNDO: "Taken back. The draft stands as it did before.",
}

REASONS = [(reason.value, reason.value.capitalize()) for reason in Reason]

STAYS = frozenset({DraftAction.EDIT, DraftAction.UNDO})
"""After these one goes on with the same draft."""


@router.get("/drafts/{draft_id}", name="read_draft", dependencies=[needs(rights.Action.SEE_DRAFTS)])
def read_draft(
    request: Request,
    house: TheHouse,
    caller: TheCaller,
    draft_id: str,
    *,
    claim: Annotated[int, Query(ge=0, le=10_000)] = -1,
    edit: bool = False,
) -> Response:
    reviewed = open_draft(house.store, draft_id)
    return _page(request, house, caller, reviewed, claim=claim, edit=edit)


def _page(
    request: Request,
    house: TheHouse,
    caller: TheCaller,
    reviewed: ReviewedDraft,
    *,
    claim: int = -1,
    edit: bool = False,
    status: int = 200,
    **more: Any,
) -> Response:
    draft = reviewed.grounded.draft
    desk = open_desk(house.store, house.clock, caller.name)
    before, after = neighbours(desk, draft.id)
    numbers = [number for number, one in enumerate(draft.claims) if one.quotes]
    chosen = claim if claim in numbers else (numbers[0] if numbers else -1)
    cases = cases_of(house.store, draft)
    blind = hides_log(reviewed.decisions, caller.name)
    actions = possible_actions(reviewed.decisions)
    last = last_to_undo(house.store, caller.name)
    values: dict[str, Any] = {
        "draft": draft,
        "reviewed": log_for(reviewed, caller.name),
        "version": reviewed.version,
        "line": next((one for one in desk.lines if one.draft_id == draft.id), None),
        "name": fields_of(reviewed)["name"],
        "state": state_by(reviewed.decisions),
        "standing": standing_for(reviewed.decisions, caller.name),
        "fields": draft_view.field_views(reviewed, changes=not blind),
        "whole_doubts": draft_view.whole_doubts(reviewed),
        "refused": len(reviewed.grounded.refused),
        "evidence": draft_view.evidence_view(reviewed, chosen, cases),
        "chosen": chosen,
        "asked": claim in numbers,
        "counter_search": draft.fields.get("counter_search", ""),
        "blind": blind,
        "held": {one.id for one in standing(reviewed.decisions)},
        "provenance": provenance_line(draft.provenance),
        "publication": _publication(house.store, reviewed),
        "can": {action.value for action in actions if action is not DraftAction.RETIRE or _may_retire(caller)},
        "reasons": REASONS,
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


def _may_retire(caller: TheCaller) -> bool:
    return caller.may(rights.Action.RETIRE_PATTERN)


def _form_fields(reviewed: ReviewedDraft, written: Mapping[str, str] | None = None) -> list[tuple[str, str, str, bool]]:
    """(name, title, text, listed) of what a person may write, with what they wrote in place of what stands."""
    given = written or {}
    return [
        (name, draft_view.title_of(name), given.get(name, draft_view.as_text(value)), not isinstance(value, str))
        for name, value in fields_of(reviewed).items()
        if name not in draft_view.HIDDEN_FIELDS
    ]


def _publication(store: Store, reviewed: ReviewedDraft) -> tuple[bool, str] | None:
    """Whether the draft could be published were it accepted as it stands, and why or why not."""
    if reviewed.grounded.draft.kind is not DraftKind.PATTERN or state_by(reviewed.decisions) is DraftState.REJECTED:
        return None
    pattern = pattern_of(with_decision(reviewed, DraftAction.ACCEPT)) or pattern_of(reviewed)
    if pattern is None:
        return False, "No claim of its solution stands on a quote, so it cannot become a pattern."
    judged = judge_pattern(store, pattern)
    if isinstance(judged, Published):
        n, teams = judged.n_contributors, judged.n_teams
        return True, f"It stands on {n} contributors and {teams} teams, from {judged.n_cases} cases that may go out."
    return False, judged.reason


@router.post("/drafts/{draft_id}/decide", name="decide", dependencies=[needs(rights.Action.REVIEW_DRAFTS)])
async def decide(request: Request, house: TheHouse, caller: TheCaller, draft_id: str) -> Response:
    form = await request.form()
    return await run_in_threadpool(_decide, request, house, caller, draft_id, form)


def _decide(request: Request, house: TheHouse, caller: TheCaller, draft_id: str, form: FormData) -> Response:
    reviewed = open_draft(house.store, draft_id)
    action, reason, version = _action(form), _reason(form), _version(form)
    by = caller.name or str(form.get("by", ""))
    note = str(form.get("note", ""))[:4000]
    written = {name[2:]: str(value) for name, value in form.items() if name.startswith("f.")}
    edits = _edits(reviewed, written)
    if _said_already(reviewed, action, by, version, edits):
        return _after(house, caller, draft_id, action)
    must_decide(house.store, caller, draft_id, action)
    try:
        decide_draft(
            house.store,
            house.clock,
            draft_id,
            action,
            by=by,
            reason=reason if action is DraftAction.REJECT else None,
            note=note,
            edits=edits if action is DraftAction.EDIT else {},
            expected_version=version,
        )
    except (ChangedMeanwhile, NotAllowed, UsageError, WrongState) as error:
        reviewed = open_draft(house.store, draft_id)
        if _said_already(reviewed, action, by, version, _edits(reviewed, written)):  # by the other of two clicks
            return _after(house, caller, draft_id, action)
        return _again(request, house, caller, draft_id, error, action=action, written=written, note=note, by=by)
    return _after(house, caller, draft_id, action)


def _edits(reviewed: ReviewedDraft, written: Mapping[str, str]) -> dict[str, str | tuple[str, ...]]:
    """What was written that is not so already."""
    current = fields_of(reviewed)
    return {
        name: value
        for name, text in written.items()
        if name in current and (value := draft_view.as_value(text, current[name])) != current[name]
    }


def _action(form: FormData) -> DraftAction:
    """Raises:
    UsageError: none is named.
    """
    said = "reject" if form.get("reason") else str(form.get("decision", ""))
    if said not in {one.value for one in SAID}:
        raise UsageError("Choose a decision: accept, edit, reject, not sure, flag for a jam, or undo.")
    return DraftAction(said)


def _reason(form: FormData) -> Reason | None:
    said = form.get("reason")
    return Reason(said) if said in set(Reason) else None


def _version(form: FormData) -> int:
    said = str(form.get("version", ""))
    return int(said) if said.isascii() and said.isdigit() and len(said) < 10 else -1


def _said_already(
    reviewed: ReviewedDraft, action: DraftAction, by: str, version: int, edits: Mapping[str, object]
) -> bool:
    """A second click, a reload or the back button sent again what is there: nothing more is to be done."""
    if version != reviewed.version - 1 or not reviewed.decisions:
        return False
    last = reviewed.decisions[-1]
    return last.by == by.strip() and last.action is action and not edits


def _after(house: TheHouse, caller: TheCaller, draft_id: str, action: DraftAction) -> Response:
    """On to the next, or the same draft where one goes on with it."""
    answer = RedirectResponse(f"/drafts/{draft_id}", status_code=303)
    if action not in STAYS:
        answer = go_on(house, caller, after=draft_id)
    flash(answer, SAID[action])
    return answer


def _again(
    request: Request,
    house: TheHouse,
    caller: TheCaller,
    draft_id: str,
    error: PatternmindError,
    *,
    action: DraftAction,
    written: Mapping[str, str],
    note: str,
    by: str,
) -> Response:
    """The page once more, with the person's text and what stands now beside it."""
    reviewed = open_draft(house.store, draft_id)
    changed = isinstance(error, ChangedMeanwhile | WrongState)
    difference = _difference(reviewed, written) if changed and not hides_log(reviewed.decisions, caller.name) else ()
    message = _changed_message(reviewed, caller) if changed else str(error)
    return _page(
        request,
        house,
        caller,
        reviewed,
        edit=action is DraftAction.EDIT,
        status=412 if isinstance(error, ChangedMeanwhile) else 409 if changed else 422,
        form=_form_fields(reviewed, written),
        error=message,
        difference=difference,
        note=note,
        by=by,
    )


def _changed_message(reviewed: ReviewedDraft, caller: TheCaller) -> str:
    if hides_log(reviewed.decisions, caller.name) or not reviewed.decisions:
        return "Somebody decided on this draft meanwhile. Nothing of yours was saved; look again, then decide."
    last = reviewed.decisions[-1]
    did = last.action.value.replace("_", " ")
    return (
        f"Meanwhile {last.by} decided: {did}. Nothing of yours was saved yet, and your text is below. "
        "Look at the difference, then decide again."
    )


def _difference(reviewed: ReviewedDraft, written: Mapping[str, str]) -> list[tuple[str, Any]]:
    """Field by field, from what stands now to what the person wrote."""
    current = fields_of(reviewed)
    told = [
        (draft_view.title_of(name), diff_words(draft_view.as_text(current[name]), _plain(text)))
        for name, text in written.items()
        if name in current
    ]
    return [(title, changes) for title, changes in told if any(one.kind != "same" for one in changes)]


def _plain(text: str) -> str:
    given = text.replace("\r\n", "\n").strip()
    return "" if given == NOT_STATED else given
