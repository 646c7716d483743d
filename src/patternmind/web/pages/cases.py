"""Cases: the list, one case with all around it, and for those who may, what was handed in."""

import datetime as dt
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from patternmind.errors import NotFound, RawTextLocked, UsageError
from patternmind.model.cases import SUSPICIOUS, Case, Kind, text_fields
from patternmind.model.reading import CasesWanted
from patternmind.model.rights import Action
from patternmind.verbs.browsing import find_cases
from patternmind.verbs.case_view import CaseView, cases_like, names_in, quotes_of, versions_of, view_case
from patternmind.verbs.handing_in import is_own
from patternmind.verbs.redaction import confirm_names
from patternmind.web import case_fields
from patternmind.web.auth import Caller
from patternmind.web.case_fields import STATUSES_SHOWN
from patternmind.web.door import PageDoor, TheCaller, TheHouse
from patternmind.web.paging import read_cursor, write_cursor
from patternmind.web.problems import NOT_YOURS, Declined
from patternmind.web.rendering import flash, render
from patternmind.web.rights import needs
from patternmind.web.safe_text import linked, redacted

router = APIRouter(route_class=PageDoor)

ROWS = 25
LONGEST_SAID = 400
NARROWED_BY = ("words", "kind", "theme", "team", "since", "until", "status", "flag")
NOT_IN_A_THEME = "none"

KINDS = [("", "Cases and recaps"), (Kind.CASE.value, "Cases"), (Kind.RECAP.value, "Recaps")]
FLAGS = [
    ("", "Any"),
    (SUSPICIOUS, "Odd text"),
    ("redacted", "Something taken out"),
    ("no consent given", "No word on consent"),
    ("long title", "Long title"),
]


@router.get("/cases", name="list_cases", dependencies=[needs(Action.SEARCH)])
def list_cases(
    request: Request,
    house: TheHouse,
    caller: TheCaller,
    *,
    after: Annotated[str, Query(max_length=800)] = "",
) -> Response:
    """Newest first, narrowed by what the address says; a filter that makes no sense is left out and said so."""
    sees_themes = caller.may(Action.SEE_THEMES, reading=True)
    said = {name: request.query_params.get(name, "")[:LONGEST_SAID] for name in NARROWED_BY}
    said = {name: value for name, value in said.items() if value and (sees_themes or name != "theme")}
    errors: dict[str, str] = {}
    found = find_cases(house.store, _wanted(said, errors), limit=ROWS, after=read_cursor(after or None))
    names = house.store.theme_names() if sees_themes else {}
    return render(
        request,
        "cases/list.html",
        found=found,
        names=names,
        sees_themes=sees_themes,
        said=said,
        errors=errors,
        kinds=KINDS,
        flags=FLAGS,
        statuses=[("", "Any"), *STATUSES_SHOWN],
        themes=[("", "All"), (NOT_IN_A_THEME, "Not in a theme yet"), *names.items()],
        teams=[("", "All"), *((one, one) for one in house.store.teams())],
        n_said=len(said),
        following=_address({**said, "after": write_cursor(found.following) or ""}) if found.following else "",
        first=_address(said) if after else "",
        count=_count(found.n, narrowed=bool(said)),
        words_of=case_fields.said,
        is_odd=_is_odd,
    )


def _wanted(said: dict[str, str], errors: dict[str, str]) -> CasesWanted:
    kind, theme = said.get("kind"), said.get("theme")
    return CasesWanted(
        kind=Kind(kind) if kind in set(Kind) else None,
        theme_id=theme if theme != NOT_IN_A_THEME else None,
        unplaced=theme == NOT_IN_A_THEME,
        team=said.get("team"),
        since=_day("since", said.get("since", ""), errors),
        until=_day("until", said.get("until", ""), errors),
        status=said.get("status"),
        flag=said.get("flag"),
        words=said.get("words", ""),
    )


def _address(said: dict[str, str]) -> str:
    return f"/cases?{urlencode(said)}" if said else "/cases"


def _day(name: str, text: str, errors: dict[str, str]) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text.strip()) if text.strip() else None
    except ValueError:
        errors[name] = "Write a day as 2026-11-20."
        return None


def _count(n: int, *, narrowed: bool) -> str:
    told = "1 case" if n == 1 else f"{n:,} cases"
    return f"{told} of this kind" if narrowed else told


def _is_odd(case: Case) -> bool:
    return any(flag.startswith(SUSPICIOUS) for flag in case.flags)


@router.get("/cases/{case_id}", name="read_case", dependencies=[needs(Action.SEARCH)])
def read_case(request: Request, house: TheHouse, caller: TheCaller, case_id: str) -> Response:
    """A case as others read it. One that was withdrawn is there for those alone who may put it back."""
    from patternmind.web.pages.leaving import withdrawn_page  # the two pages share an address

    try:
        view = view_case(house.store, case_id)
    except NotFound:
        return withdrawn_page(request, house, caller, case_id)
    if view.case.id != case_id:
        return RedirectResponse(f"/cases/{view.case.id}", status_code=303)
    return case_page(request, house, caller, view)


def case_page(request: Request, house: TheHouse, caller: Caller, view: CaseView, **more: Any) -> Response:
    case = view.case
    own = is_own(house.store, case, caller.member)
    sees_themes = caller.may(Action.SEE_THEMES, reading=True)
    sees_drafts = caller.may(Action.SEE_DRAFTS, reading=True)
    sees_names = caller.may(Action.SEE_POSSIBLE_NAMES, own)
    values: dict[str, Any] = {
        "view": view,
        "case": case,
        "own": own,
        "may_edit": caller.may(Action.EDIT_CASE, own),
        "may_erase": caller.may(Action.ERASE_CASE, own),
        "sees_raw": caller.may(Action.SEE_RAW_TEXT, own),
        "sees_themes": sees_themes,
        "sees_drafts": sees_drafts,
        "may_confirm": caller.may(Action.ROSTER),
        "texts": [(name, case_fields.label(name), redacted(value)) for name, value in _in_order(case)],
        "facts": _facts(case),
        "extra": [(redacted(name), redacted(value)) for name, value in case.extra.items()],
        "odd": [flag.removeprefix(SUSPICIOUS).strip() for flag in case.flags if flag.startswith(SUSPICIOUS)],
        "flags": [flag for flag in case.flags if not flag.startswith(SUSPICIOUS)],
        "like": cases_like(house.store, house.live_index.neighbours, case),
        "quotes": quotes_of(house.store, case.id) if sees_drafts else [],
        "possible": names_in(case) if sees_names else (),
        "label": case_fields.label,
        "just_saved": False,
        **more,
    }
    return render(request, "cases/case.html", **values)


def _in_order(case: Case) -> list[tuple[str, str]]:
    return [(name, case.text[name]) for name in text_fields(case.kind) if name in case.text and name != "title"]


def _facts(case: Case) -> list[tuple[str, Any]]:
    told: list[tuple[str, Any]] = [
        (case_fields.label(name), linked(value) if name == "links" else redacted(case_fields.said(name, value)))
        for name, value in case.facts.items()
        if name not in {"opened_on", "solved_on", "source_format"}
    ]
    told += [
        (case_fields.label(name), f"{dt.date.fromisoformat(case.facts[name]):%-d %b %Y}")
        for name in ("opened_on", "solved_on")
        if name in case.facts
    ]
    return [*told, (case_fields.label("consent"), case_fields.said("consent", case.consent.value))]


@router.get("/cases/{case_id}/raw", name="read_raw", dependencies=[needs(Action.SEE_RAW_TEXT, own=True)])
def read_raw(
    request: Request, house: TheHouse, caller: TheCaller, case_id: str, version: int | None = None
) -> Response:
    """A case as it was handed in, names included, every version of it."""
    case = house.store.case(case_id)
    caller.must(Action.SEE_RAW_TEXT, is_own(house.store, case, caller.member))
    try:
        versions = versions_of(house.store, case.id)
    except RawTextLocked as error:
        raise Declined(NOT_YOURS, "The raw text is sealed, and this server was started without its key.") from error
    chosen = next((one for one in versions if one.number == (version or versions[0].number)), None)
    if chosen is None:
        raise NotFound("version", str(version))
    raw = chosen.submission
    fields = [(case_fields.label(name), linked(value)) for name, value in raw.text.items()]
    facts = [(case_fields.label(name), linked(case_fields.said(name, value))) for name, value in raw.facts.items()]
    return render(
        request,
        "cases/raw.html",
        case=case,
        versions=versions,
        chosen=chosen,
        fields=fields,
        facts=facts,
        extra=[(name, linked(value)) for name, value in raw.extra.items()],
    )


@router.post("/cases/{case_id}/names", name="confirm", dependencies=[needs(Action.ROSTER)])
def confirm(house: TheHouse, case_id: str, names: Annotated[list[str], Form()] = []) -> Response:  # noqa: B006
    """Put possible names on the roster, which takes them out of everything that is stored."""
    case = house.store.case(case_id)
    offered = {one.name for one in names_in(case)}
    chosen = [name for name in names if name in offered]
    answer = RedirectResponse(f"/cases/{case.id}", status_code=303)
    if not chosen:
        flash(answer, "Choose the names first.")
        return answer
    try:
        n = confirm_names(house.store, chosen)
    except UsageError as error:
        flash(answer, str(error))
        return answer
    flash(answer, f"{'1 name is' if n == 1 else f'{n} names are'} on the roster now and taken out of all texts.")
    return answer
