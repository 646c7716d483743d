"""Handing in a case: the short form and the full one, how others will read it, and where it belongs once saved."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from patternmind.errors import ChangedMeanwhile, NotAllowed, PatternmindError, RawTextLocked, UsageError
from patternmind.intake.handed_in import Wrong, most_missing
from patternmind.model.cases import Kind
from patternmind.model.rights import Action
from patternmind.verbs.case_view import view_case
from patternmind.verbs.handing_in import (
    NotFilledIn,
    Seen,
    Written,
    edit_case,
    fields_handed_in,
    hand_in,
    is_own,
    look_over,
)
from patternmind.verbs.placing import Place
from patternmind.web import case_fields
from patternmind.web.audit import nothing_changed, touched
from patternmind.web.auth import Caller
from patternmind.web.case_fields import CONSENTS, GROUPS, names_of
from patternmind.web.door import PageDoor, TheCaller, TheHouse
from patternmind.web.pages.cases import case_page
from patternmind.web.problems import STORE, Declined
from patternmind.web.rendering import flash, render
from patternmind.web.rights import needs
from patternmind.web.safe_text import redacted

router = APIRouter(route_class=PageDoor)

LONGEST_KEY = 40


async def _form(request: Request) -> FormData:
    return await request.form()


TheForm = Annotated[FormData, Depends(_form)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A form as it is shown. ``key`` becomes the id of a new case; ``version`` is the one that is edited."""

    kind: Kind
    form: Mapping[str, str]
    full: bool = True
    key: str = ""
    case_id: str = ""
    version: int | None = None


@router.get("/cases/new", name="new_case", dependencies=[needs(Action.SUBMIT_CASE)])
def new_case(request: Request, house: TheHouse, caller: TheCaller, kind: str = "", full: str = "") -> Response:
    chosen = Kind.RECAP if kind == Kind.RECAP.value else Kind.CASE
    form = {"consent": house.store.network.default_consent.value}
    return _page(request, caller, Shown(kind=chosen, form=form, full=bool(full), key=secrets.token_hex(8)))


@router.post("/cases/new", name="send_case", dependencies=[needs(Action.SUBMIT_CASE)])
def send_case(request: Request, house: TheHouse, caller: TheCaller, sent: TheForm) -> Response:
    """Show how others will read it, or save it. The form's key becomes its id: sent twice, it is one case."""
    kind = Kind.RECAP if _text(sent, "kind") == Kind.RECAP.value else Kind.CASE
    form = _fields(sent, kind)
    key = "".join(char for char in _text(sent, "key") if char.isalnum())[:LONGEST_KEY] or secrets.token_hex(8)
    page = Shown(kind=kind, form=form, full=bool(_text(sent, "full")), key=key)
    if _text(sent, "do") != "save":
        nothing_changed(request)
    if _text(sent, "do") == "more":
        return _page(request, caller, replace(page, full=True), more=True)
    written = _written(caller, sent, form, kind, external_id=f"desk-{key}")
    try:
        if _text(sent, "do") != "save":
            return _page(request, caller, page, seen=look_over(house.store, written))
        seen = hand_in(house.store, house.clock, written)
    except NotFilledIn as error:
        return _page(request, caller, page, wrong=error.wrong, status=422)
    except NotAllowed as error:
        return _page(request, caller, page, wrong=(Wrong("", str(error)),), status=409)
    touched(request, "case", seen.case.id)
    answer = RedirectResponse(f"/cases/{seen.case.id}/saved", status_code=303)
    flash(answer, "Saved. Thank you." if seen.is_new else "This was saved already; it is one case.")
    return answer


@router.get("/cases/{case_id}/saved", name="saved_case", dependencies=[needs(Action.SEARCH)])
def saved_case(request: Request, house: TheHouse, caller: TheCaller, case_id: str) -> Response:
    """The case as it was saved, with where it belongs, found at once and without a run."""
    view = view_case(house.store, case_id)
    place, why_not = _place(house, view.case.id, caller)
    missing = None
    if caller.may(Action.EDIT_CASE, is_own(house.store, view.case, caller.member)):
        missing = most_missing({**view.case.text, **view.case.facts}, kind=view.case.kind)
    return case_page(request, house, caller, view, just_saved=True, place=place, why_not=why_not, missing=missing)


def _place(house: TheHouse, case_id: str, caller: Caller) -> tuple[Place | None, str]:
    """Where it belongs, for those who may see themes; or why that cannot be said."""
    if not caller.may(Action.SEE_THEMES, reading=True):
        return None, "The next run looks at it beside all other cases."
    try:
        return house.placer().place_cases([case_id])[0], ""
    except UsageError as error:
        return None, str(error)
    except PatternmindError:
        return None, "Where it belongs cannot be found just now. It is saved, and the next run places it."


@router.get("/cases/{case_id}/edit", name="edit_form", dependencies=[needs(Action.EDIT_CASE, own=True)])
def edit_form(request: Request, house: TheHouse, caller: TheCaller, case_id: str) -> Response:
    view = view_case(house.store, case_id)
    case = view.case
    caller.must(Action.EDIT_CASE, is_own(house.store, case, caller.member))
    try:
        before = fields_handed_in(house.store, case.id)
    except RawTextLocked as error:
        raise Declined(STORE, "The raw text is sealed, and this server was started without its key.") from error
    form = {**before, "consent": case.consent.value}
    return _page(request, caller, Shown(kind=case.kind, form=form, case_id=case.id, version=view.n_versions))


@router.post("/cases/{case_id}/edit", name="send_edit", dependencies=[needs(Action.EDIT_CASE, own=True)])
def send_edit(request: Request, house: TheHouse, caller: TheCaller, case_id: str, sent: TheForm) -> Response:
    """Save another version. Where somebody else was quicker, both are shown and no word is lost."""
    view = view_case(house.store, case_id)
    case = view.case
    caller.must(Action.EDIT_CASE, is_own(house.store, case, caller.member))
    form = _fields(sent, case.kind)
    version = _number(_text(sent, "version"))
    page = Shown(kind=case.kind, form=form, case_id=case.id, version=version)
    written = _written(caller, sent, form, case.kind, external_id=case.external_id)
    try:
        if _text(sent, "do") != "save":
            nothing_changed(request)
            return _page(request, caller, page, seen=look_over(house.store, written))
        edit_case(house.store, house.clock, case.id, written, expected_version=version)
    except NotFilledIn as error:
        return _page(request, caller, page, wrong=error.wrong, status=422)
    except ChangedMeanwhile:
        theirs = fields_handed_in(house.store, case.id)
        other = [
            (case_fields.label(name), redacted(theirs.get(name, "")))
            for name in names_of(case.kind)
            if theirs.get(name, "").strip() != form.get(name, "").strip()
        ]
        page = replace(page, version=house.store.n_versions(case.id))
        return _page(request, caller, page, other=other, status=412)
    answer = RedirectResponse(f"/cases/{case.id}/saved", status_code=303)
    flash(answer, "Saved. What it was before is kept.")
    return answer


def _written(caller: Caller, sent: FormData, form: dict[str, str], kind: Kind, *, external_id: str | None) -> Written:
    may_name = caller.may(Action.SEE_RAW_TEXT)
    return Written(
        kind=kind,
        fields=form,
        external_id=external_id,
        member=caller.member,
        submitter=_text(sent, "submitter") if may_name else "",
        by=caller.name,
    )


def _fields(sent: FormData, kind: Kind) -> dict[str, str]:
    names = [*names_of(kind), "submitter"]
    return {name: value for name in names if (value := _text(sent, name)).strip()}


def _text(sent: FormData, name: str) -> str:
    value = sent.get(name, "")
    return "" if isinstance(value, UploadFile) else value.replace("\r\n", "\n")


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 9 else None


def _page(
    request: Request,
    caller: Caller,
    shown: "Shown",
    *,
    seen: Seen | None = None,
    wrong: Sequence[Wrong] = (),
    **more: Any,
) -> Response:
    names = {one.name for group in GROUPS[shown.kind] for one in group.fields} | {"consent", "submitter"}
    told = names - {"problem", "consent", "title", "submitter"}
    values: dict[str, Any] = {
        "kind": shown.kind,
        "form": shown.form,
        "full": shown.full or any(shown.form.get(name) for name in told),
        "key": shown.key,
        "case_id": shown.case_id,
        "version": shown.version,
        "seen": seen,
        "texts": _read(seen),
        "errors": {one.field: one.message for one in reversed(wrong) if one.field in names},
        "wrong": [one.message for one in wrong if one.field not in names],
        "other": [],
        "more": False,
        "groups": GROUPS[shown.kind],
        "consents": CONSENTS,
        "may_name": caller.may(Action.SEE_RAW_TEXT),
        **more,
    }
    return render(request, "cases/form.html", **values)


def _read(seen: Seen | None) -> list[tuple[str, Any]]:
    """A case as others will read it."""
    if seen is None:
        return []
    facts = {name: value for name, value in seen.case.facts.items() if name not in {"links", "source_format"}}
    return [
        (case_fields.label(name), redacted(case_fields.said(name, value)))
        for name, value in {**seen.case.text, **facts}.items()
    ]
