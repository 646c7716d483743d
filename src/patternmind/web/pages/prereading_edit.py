"""Editing a pre-reading: one form, each of its fields; nothing that was typed is ever lost."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from patternmind.bootstrap import House
from patternmind.errors import ChangedMeanwhile, NotAllowed, UsageError
from patternmind.model.drafts import ReviewedDraft
from patternmind.model.rights import Action
from patternmind.review import fields_of
from patternmind.verbs import prereadings
from patternmind.web.auth import Caller
from patternmind.web.door import PageDoor, TheCaller, TheHouse
from patternmind.web.forms import TheForm
from patternmind.web.pages.prereadings import version_in
from patternmind.web.rendering import flash, render
from patternmind.web.rights import needs

router = APIRouter(route_class=PageDoor)

FieldValue = str | tuple[str, ...]

QUOTED = "One sentence a line. Take a line out to leave it out; a line you change is no longer set as a quote."

FIELDS: Mapping[str, tuple[str, str, int]] = {
    "name": ("Title", "", 0),
    "session": ("Session", "", 0),
    "date": ("Date", "Year, month and day, such as 2026-12-03.", 0),
    "leave_with": ("What we will leave with", "One sentence.", 2),
    "case_title": ("The case: its title", "", 0),
    "case": ("The case, in its own words", QUOTED, 6),
    "quotes": ("In the words of others", QUOTED, 4),
    "helped": ("What helped elsewhere", QUOTED, 4),
    "disagreement": ("Where cases disagree", QUOTED, 3),
    "unknown": ("What we do not know", "One point a line.", 3),
    "questions": ("Questions", "One a line; three are enough.", 4),
}
"""Every field in reading order: its label, its hint, and its lines on the page (0: one line alone)."""

MOST_CHARACTERS = 20_000


@router.get("/prereadings/{prereading_id}/edit", name="edit_page", dependencies=[needs(Action.APPROVE_PREREADING)])
def edit_page(request: Request, house: TheHouse, prereading_id: str) -> Response:
    return _page(request, prereadings.open_prereading(house.store, prereading_id))


def _page(
    request: Request,
    reviewed: ReviewedDraft,
    *,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    changed_by: str = "",
    status: int = 200,
) -> Response:
    """The form; with what was typed in the place of what is kept, and then what stands now beside what differs."""
    now = {name: as_text(value) for name, value in shown_fields(reviewed).items()}
    fields: list[dict[str, Any]] = []
    for name, text in now.items():
        label, hint, rows = FIELDS.get(name, (name.replace("_", " ").capitalize(), "", 3))
        value = (typed or {}).get(name, text)
        differs = changed_by != "" and value != text
        said = {"name": name, "label": label, "hint": hint, "rows": rows, "value": value}
        fields.append({**said, "error": (errors or {}).get(name, ""), "now": text if differs else ""})
    return render(
        request,
        "prereadings/edit.html",
        status,
        id=reviewed.grounded.draft.id,
        fields=fields,
        version=reviewed.version,
        error=(errors or {}).get("", ""),
        changed_by=changed_by,
        approved=prereadings.approval_of(reviewed.decisions) is not None,
    )


def shown_fields(reviewed: ReviewedDraft) -> dict[str, FieldValue]:
    """In reading order; what we know no label for comes last."""
    known = fields_of(reviewed)
    order = [name for name in FIELDS if name in known]
    return {name: known[name] for name in [*order, *(name for name in known if name not in order)]}


def as_text(value: FieldValue) -> str:
    return _folded(value) if isinstance(value, str) else "\n".join(_folded(line) for line in value)


def _folded(line: str) -> str:
    return " ".join(line.split())


def read_edits(reviewed: ReviewedDraft, typed: Mapping[str, str]) -> dict[str, FieldValue]:
    """The fields whose text is another than that on the page; lines that were left alone stay letter for letter."""
    edits: dict[str, FieldValue] = {}
    for name, value in shown_fields(reviewed).items():
        if name not in typed or typed[name] == as_text(value):
            continue
        lines = [line for line in (_folded(line) for line in typed[name].splitlines()) if line]
        if name in FIELDS and FIELDS[name][2] < 3:
            edits[name] = " ".join(lines)
            continue
        whole = {_folded(line): line for line in ((value,) if isinstance(value, str) else value)}
        edits[name] = tuple(whole.get(line, line) for line in lines)
    return edits


@router.post(
    "/prereadings/{prereading_id}/edit", name="edit_prereading", dependencies=[needs(Action.APPROVE_PREREADING)]
)
def edit_prereading(
    request: Request, house: TheHouse, caller: TheCaller, prereading_id: str, form: TheForm
) -> Response:
    typed = {name: value.replace("\r\n", "\n").strip("\n") for name, value in form.items()}
    reviewed = prereadings.open_prereading(house.store, prereading_id)
    if version_in(form) != reviewed.version:
        return _page(request, reviewed, typed=typed, changed_by=_last_hand(reviewed), status=412)
    errors = _wrong(house, reviewed, typed)
    if errors:
        return _page(request, reviewed, typed=typed, errors=errors, status=422)
    return _save(request, house, caller, reviewed, typed)


def _wrong(house: House, reviewed: ReviewedDraft, typed: Mapping[str, str]) -> dict[str, str]:
    edits = read_edits(reviewed, typed)
    errors = dict.fromkeys(
        prereadings.naming_fields(house.store, edits),
        "What you wrote here names a person or holds contact data. Say it without, please.",
    )
    errors |= {name: "That is too long." for name in edits if len(typed[name]) > MOST_CHARACTERS}
    if "name" in edits and not edits["name"]:
        errors["name"] = "It needs a title."
    date = edits.get("date", "")
    if isinstance(date, str) and date and not prereadings.is_date(date):
        errors["date"] = "Give the date as year, month and day, such as 2026-12-03."
    return errors


def _save(
    request: Request, house: House, caller: Caller, reviewed: ReviewedDraft, typed: Mapping[str, str]
) -> Response:
    id, edits = reviewed.grounded.draft.id, read_edits(reviewed, typed)
    answer = RedirectResponse(f"/prereadings/{id}", status_code=303)
    if not edits:
        flash(answer, "Nothing was changed.")
        return answer
    try:
        by = caller.signs_as(typed.get("by") or None)
        prereadings.edit_prereading(house.store, house.clock, id, edits, by=by, version=reviewed.version)
    except ChangedMeanwhile:
        now = prereadings.open_prereading(house.store, id)
        return _page(request, now, typed=typed, changed_by=_last_hand(now), status=412)
    except (NotAllowed, UsageError) as error:
        return _page(request, reviewed, typed=typed, errors={"": str(error)}, status=422)
    flash(answer, "Saved. It has to be approved as it is now.")
    return answer


def _last_hand(reviewed: ReviewedDraft) -> str:
    return reviewed.decisions[-1].by if reviewed.decisions else "Somebody"
