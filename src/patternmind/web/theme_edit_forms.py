"""Theme edits from page forms: parse, submit or propose, and return rejected forms with their values."""

import datetime as dt
import re
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from patternmind.bootstrap import AppContext
from patternmind.domain.edits import Edit
from patternmind.domain.permissions import Action
from patternmind.edits import ACTIONS, MAX_LISTED_CASES, ThemeAction, describe_edit
from patternmind.errors import ContradictoryEdit, NotFound, PatternmindError, UsageError, VersionConflict
from patternmind.ports import Store
from patternmind.services.theme_edits import ThemeEditRequest, submit_edit
from patternmind.services.theme_queries import case_display_ids
from patternmind.web.caller import Caller
from patternmind.web.templating import flash

PROPOSAL_CONFIRMATION = "Proposed. A facilitator or a steward decides."
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MAX_CASES = 200
MAX_FIELD_LENGTH = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class ThemeEditForm:
    """The values of a form as typed; ``cases`` has one id per line, ``chosen`` the ticked ids."""

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
    """A rejected form with the reason; ``field`` is the field to show it at.

    Attributes:
        later_decisions: decisions that others made after the form was opened.
    """

    form: ThemeEditForm
    status: int
    message: str
    field: str = ""
    later_decisions: tuple[str, ...] = ()


def read_form(form: FormData) -> ThemeEditForm:
    """Read the fields of a theme form; values longer than any valid one are cut."""
    values = {
        name: str(form.get(name, ""))[:MAX_FIELD_LENGTH]
        for name in ThemeEditForm.__dataclass_fields__
        if name != "chosen"
    }
    chosen = tuple(str(case_id)[:MAX_FIELD_LENGTH] for case_id in form.getlist("case"))[:MAX_CASES]
    values["cases"] = str(form.get("cases", ""))[: 50 * MAX_FIELD_LENGTH]
    return ThemeEditForm(**values, chosen=chosen)  # pyright: ignore[reportArgumentType] - the names are its fields


def handle_theme_edit(
    ctx: AppContext, caller: Caller, form: ThemeEditForm, *, return_path: str
) -> Response | RejectedThemeEdit:
    """Submit the edit, or propose it if the caller may only propose; then redirect."""
    is_proposal = not caller.may(Action.EDIT_THEMES)
    try:
        edit_request = _edit_request(form, actor=caller.name or form.by, is_proposal=is_proposal)
        edit = _repeats_last_edit(ctx.store, edit_request) or submit_edit(ctx.store, ctx.clock, edit_request).edit
    except PatternmindError as error:
        return _rejected(ctx.store, form, error)
    response = RedirectResponse(return_path if is_proposal else _redirect_target(edit, return_path), status_code=303)
    flash(response, PROPOSAL_CONFIRMATION if is_proposal else ACTIONS[edit.action].confirmation)
    return response


def _redirect_target(edit: Edit, return_path: str) -> str:
    """Return the page of the theme that got the cases, else the return path."""
    return f"/themes/{quote(edit.other_theme_id)}" if edit.other_theme_id else return_path


def _edit_request(form: ThemeEditForm, *, actor: str, is_proposal: bool) -> ThemeEditRequest:
    """Build the edit request of a form.

    Raises:
        UsageError: a required choice is missing.
    """
    action = _form_action(form)
    if action is None:
        raise UsageError("Choose what to do.")
    values = _edit_values(form, action)
    if action.choice and values[action.choice[0]] is None:
        raise UsageError(action.choice[1])
    return ThemeEditRequest(
        action=action.action,
        actor=actor,
        lens=form.lens or None,
        note=form.note,
        proposed=is_proposal,
        expected_seq=int(form.seen) if _is_number(form.seen) else None,
        **values,
    )


def _form_action(form: ThemeEditForm) -> ThemeAction | None:
    """Return the action of a form, if forms may submit it."""
    return next((action for name, action in ACTIONS.items() if name == form.action and action.confirmation), None)


def _edit_values(form: ThemeEditForm, action: ThemeAction) -> dict[str, Any]:
    """Return the values of the fields that the action has.

    A form on a page without a theme offers the theme to edit as a choice.
    """
    needs_theme = "theme_id" in action.required_fields
    typed = [part.strip() for part in re.split(r"[\n,;]", form.cases) if part.strip()][:MAX_CASES]
    values = {
        "theme_id": form.theme_id or (needs_theme and form.other_theme_id) or None,
        "other_theme_id": form.other_theme_id or None,
        "case_ids": tuple(dict.fromkeys((*form.chosen, *typed))),
        "name": form.name,
        "undoes": int(form.undoes) if _is_number(form.undoes) else None,
    }
    return {name: values[name] for name in action.fields}


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def _repeats_last_edit(store: Store, request: ThemeEditRequest) -> Edit | None:
    """Return the newest edit if it equals the request: a second click, a reload or the back button."""
    log = store.edits.list_all()
    if not log or request.expected_seq is None or log[-1].seq != request.expected_seq + 1:
        return None
    last = log[-1]
    ids = {store.cases.get(id).id for id in request.case_ids}
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
        message = describe_contradiction(store, error, _describe_request(store, form))
        return RejectedThemeEdit(form=form, status=409, message=message)
    if isinstance(error, VersionConflict):
        later = tuple(
            f"{number}: {text}" for number, text in describe_log(store).items() if number > int(form.seen or 0)
        )
        message = "Someone else changed the themes in the meantime. Your edit was not saved; check it and submit again."
        return RejectedThemeEdit(form=form, status=412, message=message, later_decisions=later)
    if isinstance(error, NotFound) and error.kind != "case":
        raise error
    return RejectedThemeEdit(form=form, status=422, message=str(error), field=_error_field(form, error))


def _error_field(form: ThemeEditForm, error: PatternmindError) -> str:
    """Return the name of the field that the error belongs to."""
    if isinstance(error, UsageError) and error.field in {"by", "name", "note"}:
        return error.field
    action = _form_action(form)
    has_choice = action is not None and action.choice is not None
    return "other_theme_id" if has_choice and not isinstance(error, NotFound) else "case"


def _describe_request(store: Store, form: ThemeEditForm) -> str:
    """Describe the requested edit, as in "to keep C-1, C-2 apart"."""
    request = _edit_request(form, actor="-", is_proposal=True)
    cases = [store.cases.get(id) for id in request.case_ids]
    edit = replace(request.to_edit(seq=0, lens="", at=EPOCH), case_ids=tuple(case.id for case in cases))
    display_ids = {case.id: case.external_id or case.id for case in cases}
    return describe_edit(edit, store.themes.names(request.lens), display_ids).removeprefix("proposed ")


def describe_contradiction(store: Store, error: ContradictoryEdit, request_text: str) -> str:
    """Describe a contradictory edit, such as "to keep C-1 apart", with what it contradicts."""
    log = describe_log(store)
    earlier = " and ".join(f"decision {number} ({log[number]})" for number in error.edit_numbers if number in log)
    return (
        f"{request_text[:1].upper()}{request_text[1:]} contradicts {earlier}. "
        "Undo that decision first, or cancel. Nothing was changed."
    )


def describe_log(store: Store) -> dict[int, str]:
    """Describe all edits with author and date, by number."""
    log = store.edits.list_all()
    cases = case_display_ids(store, log, MAX_LISTED_CASES)
    names = {
        id: name for lens in dict.fromkeys(edit.lens for edit in log) for id, name in store.themes.names(lens).items()
    }
    return {edit.seq: f"{edit.by} {describe_edit(edit, names, cases)}, {edit.at:%-d %b %Y}" for edit in log}
