"""A decision about themes as a form sends it: read, decided or proposed, or refused with the person's words kept."""

import datetime as dt
import re
from dataclasses import dataclass
from urllib.parse import quote

from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from patternmind.bootstrap import House
from patternmind.errors import ChangedMeanwhile, Contradiction, NotFound, PatternmindError, UsageError
from patternmind.model.edits import Edit, EditAction
from patternmind.model.rights import Action
from patternmind.ports import Store
from patternmind.verbs.editing import Asked, decide_themes
from patternmind.verbs.theme_reading import names_of_cases
from patternmind.web.auth import Caller
from patternmind.web.rendering import flash
from patternmind.web.theme_words import MOST_CASES, PROPOSED, SAID, contradiction_words, edit_words

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MOST_CASES_SENT = 200
LONGEST = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
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
class Refused:
    """Why a form was not taken: ``message``, and beside which field; ``since`` is what others decided meanwhile."""

    sent: Sent
    status: int
    message: str
    field: str = ""
    since: tuple[str, ...] = ()


def read_form(form: FormData) -> Sent:
    """The fields of a form about themes; what is longer than any true value is cut."""
    said = {name: str(form.get(name, ""))[:LONGEST] for name in Sent.__dataclass_fields__ if name != "chosen"}
    chosen = tuple(str(one)[:LONGEST] for one in form.getlist("case"))[:MOST_CASES_SENT]
    said["cases"] = str(form.get("cases", ""))[: 50 * LONGEST]
    return Sent(**said, chosen=chosen)  # pyright: ignore[reportArgumentType] - the names are its fields


def answer_edit(house: House, caller: Caller, sent: Sent, *, back: str) -> Response | Refused:
    """Decide what was sent, or propose it where the caller may only propose; then back to where they came from."""
    proposed = not caller.may(Action.EDIT_THEMES)
    try:
        asked = _asked(sent, by=caller.name or sent.by, proposed=proposed)
        edit = _said_already(house.store, asked) or decide_themes(house.store, house.clock, asked).edit
    except PatternmindError as error:
        return _refused(house.store, sent, error)
    answer = RedirectResponse(back if proposed else _where_to(edit, back), status_code=303)
    flash(answer, PROPOSED if proposed else SAID[edit.action])
    return answer


def _where_to(edit: Edit, back: str) -> str:
    """The theme that took another in, or the new one; else where the person was."""
    if edit.action in {EditAction.MERGE, EditAction.SPLIT_OFF} and edit.other_theme_id:
        return f"/themes/{quote(edit.other_theme_id)}"
    return back


def _asked(sent: Sent, *, by: str, proposed: bool) -> Asked:
    """Raises: UsageError, for what cannot be meant."""
    if sent.action not in set(EditAction) - {EditAction.ACCEPT, EditAction.DECLINE}:
        raise UsageError("Choose what to do.")
    action = EditAction(sent.action)
    typed = [one.strip() for one in re.split(r"[\n,;]", sent.cases) if one.strip()][:MOST_CASES_SENT]
    if action is EditAction.UNDO and not _is_number(sent.undoes):
        raise UsageError("Choose the decision to take back.")
    if action is EditAction.MERGE and not sent.other_theme_id:
        raise UsageError("Choose the theme that takes this one in.")
    return Asked(
        action=action,
        by=by,
        lens=sent.lens or None,
        theme_id=_home(action, sent),
        other_theme_id=sent.other_theme_id or None if action is EditAction.MERGE else None,
        case_ids=tuple(dict.fromkeys((*sent.chosen, *typed))),
        name=sent.name if action in {EditAction.RENAME, EditAction.SPLIT_OFF} else "",
        undoes=int(sent.undoes) if action is EditAction.UNDO else None,
        note=sent.note,
        proposed=proposed,
        seen=int(sent.seen) if _is_number(sent.seen) else None,
    )


def _home(action: EditAction, sent: Sent) -> str | None:
    """The theme it is about; cases that are moved in go to the theme that was chosen, where one was."""
    if action in {EditAction.TOGETHER, EditAction.APART, EditAction.UNDO}:
        return None
    if action is EditAction.MOVE_IN and sent.other_theme_id:
        return sent.other_theme_id
    return sent.theme_id or None


def _is_number(said: str) -> bool:
    return said.isascii() and said.isdigit() and len(said) < 10


def _said_already(store: Store, asked: Asked) -> Edit | None:
    """The newest line, where it says the same of the same person: a second click, a reload, the back button."""
    log = store.edits()
    if not log or asked.seen is None or log[-1].seq != asked.seen + 1:
        return None
    last = log[-1]
    ids = {store.case(id).id for id in asked.case_ids}
    same = (
        last.action is asked.action
        and last.by == " ".join(asked.by.split())
        and last.proposed == asked.proposed
        and last.theme_id == asked.theme_id
        and last.undoes == asked.undoes
        and (not asked.name or last.name == " ".join(asked.name.split()))
        and (not ids or set(last.case_ids) == ids)
        and (asked.other_theme_id is None or last.other_theme_id == asked.other_theme_id)
    )
    return last if same else None


# Refusals ------------------------------------------------------------------------------------------------------------


def _refused(store: Store, sent: Sent, error: PatternmindError) -> Refused:
    if isinstance(error, Contradiction):
        return Refused(sent=sent, status=409, message=contradiction_words(error, _wish(store, sent), log_words(store)))
    if isinstance(error, ChangedMeanwhile):
        since = tuple(
            f"{number}: {words}" for number, words in log_words(store).items() if number > int(sent.seen or 0)
        )
        message = "Somebody decided about this meanwhile. Nothing of yours was saved; look at it, then send it again."
        return Refused(sent=sent, status=412, message=message, since=since)
    if isinstance(error, NotFound) and error.kind != "case":
        raise error
    message = str(error) if "--by" not in str(error) else "Say who decides."
    return Refused(sent=sent, status=422, message=message, field=_field_of(sent, error, message))


def _field_of(sent: Sent, error: PatternmindError, message: str) -> str:
    """The field that the message belongs to."""
    if message == "Say who decides.":
        return "by"
    if message.startswith("The note"):
        return "note"
    if isinstance(error, NotFound):
        return "case"
    named = message.startswith(("The name", "A theme's name", "Give the theme a name"))
    return "name" if named else "other_theme_id" if sent.action == EditAction.MERGE else "case"


def _wish(store: Store, sent: Sent) -> str:
    """What the person wanted, in words."""
    asked = _asked(sent, by="somebody", proposed=True)
    cases = [store.case(id) for id in asked.case_ids]
    names = store.theme_names(asked.lens)
    wish = Edit(
        seq=0,
        lens=asked.lens or "all",
        action=asked.action,
        by=asked.by,
        at=EPOCH,
        theme_id=asked.theme_id,
        other_theme_id=asked.other_theme_id,
        case_ids=tuple(case.id for case in cases),
        name=asked.name,
        undoes=asked.undoes,
        proposed=True,
    )
    called = {case.id: case.external_id or case.id for case in cases}
    return edit_words(wish, names, called).removeprefix("proposed ")


def log_words(store: Store) -> dict[int, str]:
    """Every line in words with who and when, by number."""
    log = store.edits()
    cases = names_of_cases(store, log, MOST_CASES)
    names = {
        id: name for lens in dict.fromkeys(line.lens for line in log) for id, name in store.theme_names(lens).items()
    }
    return {line.seq: f"{line.by} {edit_words(line, names, cases)}, {line.at:%-d %b %Y}" for line in log}
