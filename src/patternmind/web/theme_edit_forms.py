"""A decision about themes as a form sends it: read, decided or proposed, or refused with the person's words kept."""

import datetime as dt
import re
from dataclasses import dataclass
from urllib.parse import quote

from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from patternmind.bootstrap import AppContext
from patternmind.domain.edits import Edit, EditAction
from patternmind.domain.permissions import Action
from patternmind.errors import (
    ContradictoryEdit,
    NotFound,
    PatternmindError,
    UsageError,
    VersionConflict,
)
from patternmind.ports import Store
from patternmind.services.theme_edits import ThemeEditRequest, submit_edit
from patternmind.services.theme_queries import case_display_ids
from patternmind.web.auth import Caller
from patternmind.web.templating import flash
from patternmind.web.theme_descriptions import (
    CONFIRMATIONS,
    MAX_LISTED_CASES,
    PROPOSAL_CONFIRMATION,
    describe_contradiction,
    describe_edit,
)

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MAX_CASES = 200
MAX_FIELD_LENGTH = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class ThemeEditForm:
    """What a form holds, as it was typed; ``cases`` are ids one to a line, ``chosen`` those that were ticked."""

    action: str = ""
    lens: str = ""
    theme_id: str = ""
    other_theme_id: str = ""
    chosen: tuple[str, ...] = ()
    cases: str = ""
    name: str = ""
    note: str = ""
    undoes: str = ""
    by: str = ""
    seen: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedThemeEdit:
    """Why a form was not taken: ``message``, and beside which field; ``since`` is what others decided meanwhile."""

    form: ThemeEditForm
    status: int
    message: str
    field: str = ""
    later_decisions: tuple[str, ...] = ()


def read_form(form: FormData) -> ThemeEditForm:
    """The fields of a form about themes; what is longer than any true value is cut."""
    said = {
        name: str(form.get(name, ""))[:MAX_FIELD_LENGTH]
        for name in ThemeEditForm.__dataclass_fields__
        if name != "chosen"
    }
    chosen = tuple(str(one)[:MAX_FIELD_LENGTH] for one in form.getlist("case"))[:MAX_CASES]
    said["cases"] = str(form.get("cases", ""))[: 50 * MAX_FIELD_LENGTH]
    return ThemeEditForm(**said, chosen=chosen)  # pyright: ignore[reportArgumentType] - the names are its fields


def handle_theme_edit(
    ctx: AppContext, caller: Caller, form: ThemeEditForm, *, return_path: str
) -> Response | RejectedThemeEdit:
    """Decide what was sent, or propose it where the caller may only propose; then back to where they came from."""
    proposed = not caller.may(Action.EDIT_THEMES)
    try:
        asked = _edit_request(form, actor=caller.name or form.by, is_proposal=proposed)
        edit = _repeats_last_edit(ctx.store, asked) or submit_edit(ctx.store, ctx.clock, asked).edit
    except PatternmindError as error:
        return _rejected(ctx.store, form, error)
    answer = RedirectResponse(return_path if proposed else _redirect_target(edit, return_path), status_code=303)
    flash(answer, PROPOSAL_CONFIRMATION if proposed else CONFIRMATIONS[edit.action])
    return answer


def _redirect_target(edit: Edit, return_path: str) -> str:
    """The theme that took another in, or the new one; else where the person was."""
    if edit.action in {EditAction.MERGE, EditAction.SPLIT_OFF} and edit.other_theme_id:
        return f"/themes/{quote(edit.other_theme_id)}"
    return return_path


def _edit_request(form: ThemeEditForm, *, actor: str, is_proposal: bool) -> ThemeEditRequest:
    """Raises: UsageError, for what cannot be meant."""
    if form.action not in set(EditAction) - {EditAction.ACCEPT, EditAction.DECLINE}:
        raise UsageError("Choose what to do.")
    action = EditAction(form.action)
    typed = [one.strip() for one in re.split(r"[\n,;]", form.cases) if one.strip()][:MAX_CASES]
    if action is EditAction.UNDO and not _is_number(form.undoes):
        raise UsageError("Choose the decision to take back.")
    if action is EditAction.MERGE and not form.other_theme_id:
        raise UsageError("Choose the theme that takes this one in.")
    return ThemeEditRequest(
        action=action,
        actor=actor,
        lens=form.lens or None,
        theme_id=_target_theme_id(action, form),
        other_theme_id=form.other_theme_id or None if action is EditAction.MERGE else None,
        case_ids=tuple(dict.fromkeys((*form.chosen, *typed))),
        name=form.name if action in {EditAction.RENAME, EditAction.SPLIT_OFF} else "",
        undoes=int(form.undoes) if action is EditAction.UNDO else None,
        note=form.note,
        proposed=is_proposal,
        expected_seq=int(form.seen) if _is_number(form.seen) else None,
    )


def _target_theme_id(action: EditAction, form: ThemeEditForm) -> str | None:
    """The theme it is about; cases that are moved in go to the theme that was chosen, where one was."""
    if action in {EditAction.TOGETHER, EditAction.APART, EditAction.UNDO}:
        return None
    if action is EditAction.MOVE_IN and form.other_theme_id:
        return form.other_theme_id
    return form.theme_id or None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def _repeats_last_edit(store: Store, request: ThemeEditRequest) -> Edit | None:
    """The newest line, where it says the same of the same person: a second click, a reload, the back button."""
    log = store.edits()
    if not log or request.expected_seq is None or log[-1].seq != request.expected_seq + 1:
        return None
    last = log[-1]
    ids = {store.case(id).id for id in request.case_ids}
    same = (
        last.action is request.action
        and last.by == " ".join(request.actor.split())
        and last.proposed == request.proposed
        and last.theme_id == request.theme_id
        and last.undoes == request.undoes
        and (not request.name or last.name == " ".join(request.name.split()))
        and (not ids or set(last.case_ids) == ids)
        and (request.other_theme_id is None or last.other_theme_id == request.other_theme_id)
    )
    return last if same else None


# Refusals ------------------------------------------------------------------------------------------------------------


def _rejected(store: Store, form: ThemeEditForm, error: PatternmindError) -> RejectedThemeEdit:
    if isinstance(error, ContradictoryEdit):
        return RejectedThemeEdit(
            form=form,
            status=409,
            message=describe_contradiction(error, _describe_request(store, form), describe_log(store)),
        )
    if isinstance(error, VersionConflict):
        since = tuple(
            f"{number}: {words}" for number, words in describe_log(store).items() if number > int(form.seen or 0)
        )
        message = "Somebody decided about this meanwhile. Nothing of yours was saved; look at it, then send it again."
        return RejectedThemeEdit(form=form, status=412, message=message, later_decisions=since)
    if isinstance(error, NotFound) and error.kind != "case":
        raise error
    message = str(error) if "--by" not in str(error) else "Say who decides."
    return RejectedThemeEdit(form=form, status=422, message=message, field=_error_field(form, error, message))


def _error_field(form: ThemeEditForm, error: PatternmindError, message: str) -> str:
    """The field that the message belongs to."""
    if message == "Say who decides.":
        return "by"
    if message.startswith("The note"):
        return "note"
    if isinstance(error, NotFound):
        return "case"
    named = message.startswith(("The name", "A theme's name", "Give the theme a name"))
    return "name" if named else "other_theme_id" if form.action == EditAction.MERGE else "case"


def _describe_request(store: Store, form: ThemeEditForm) -> str:
    """What the person wanted, in words."""
    asked = _edit_request(form, actor="somebody", is_proposal=True)
    cases = [store.case(id) for id in asked.case_ids]
    names = store.theme_names(asked.lens)
    wish = Edit(
        seq=0,
        lens=asked.lens or "all",
        action=asked.action,
        by=asked.actor,
        at=EPOCH,
        theme_id=asked.theme_id,
        other_theme_id=asked.other_theme_id,
        case_ids=tuple(case.id for case in cases),
        name=asked.name,
        undoes=asked.undoes,
        proposed=True,
    )
    called = {case.id: case.external_id or case.id for case in cases}
    return describe_edit(wish, names, called).removeprefix("proposed ")


def describe_log(store: Store) -> dict[int, str]:
    """Every line in words with who and when, by number."""
    log = store.edits()
    cases = case_display_ids(store, log, MAX_LISTED_CASES)
    names = {
        id: name for lens in dict.fromkeys(line.lens for line in log) for id, name in store.theme_names(lens).items()
    }
    return {line.seq: f"{line.by} {describe_edit(line, names, cases)}, {line.at:%-d %b %Y}" for line in log}
