"""The roster of redaction, and the names that may be missing on it."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query, UploadFile
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from patternmind.bootstrap import House
from patternmind.errors import NotFound, UnreadableFile, UsageError
from patternmind.model.network import KINDS
from patternmind.model.rights import Action
from patternmind.verbs import redaction, settings
from patternmind.verbs.network import add_roster
from patternmind.verbs.settings import FieldInvalid
from patternmind.web.door import PageDoor, TheCaller, TheHouse
from patternmind.web.forms import TheForm
from patternmind.web.paging import Cursor, one_page
from patternmind.web.rendering import flash, render
from patternmind.web.rights import needs
from patternmind.web.sent_file import on_disk

router = APIRouter(route_class=PageDoor)

ON_A_PAGE = 50
NAMES_ON_A_PAGE = 20


@router.get("/settings/roster", name="roster_page", dependencies=[needs(Action.ROSTER)])
def roster_page(
    request: Request, house: TheHouse, words: Annotated[str, Query(max_length=200)] = "", cursor: Cursor = None
) -> Response:
    return _roster(request, house, words=words, cursor=cursor)


def _roster(
    request: Request,
    house: House,
    *,
    words: str = "",
    cursor: str | None = None,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    everybody = settings.on_roster(house.store)
    wanted = [one for one in everybody if words.casefold().strip() in one.name.casefold()]
    page, following = one_page(wanted, key=lambda one: f"{one.number:09d}", limit=ON_A_PAGE, cursor=cursor)
    return render(
        request,
        "settings/roster.html",
        status,
        people=page,
        n=len(everybody),
        n_found=len(wanted),
        words=words,
        kinds=[(kind, kind.capitalize()) for kind in KINDS],
        typed={name: (typed or {}).get(name, "") for name in ("name", "email", "team")}
        | {"kind": (typed or {}).get("kind", "person")},
        errors=errors or {},
        may_see_names=request.state.caller.may(Action.SEE_POSSIBLE_NAMES),
        following=f"/settings/roster?cursor={following}" if following else "",
        first="/settings/roster" if cursor else "",
    )


@router.post("/settings/roster", name="add_to_roster", dependencies=[needs(Action.ROSTER)])
def add_to_roster(request: Request, house: TheHouse, form: TheForm) -> Response:
    line = tuple(form.get(name, "") for name in ("name", "kind", "email", "team"))
    try:
        changed = settings.put_on_roster(house.store, [(line[0], line[1], line[2], line[3])])
    except FieldInvalid as error:
        return _roster(request, house, typed=form, errors={error.field: str(error)}, status=422)
    said = "It was on the roster already." if not changed.added else f"Added. {_cases(changed.changed)}"
    return _back("/settings/roster", said)


def _cases(n: int) -> str:
    return f"{n} case{' has' if n == 1 else 's have'} a new redacted text for it." if n else "No case held it."


def _back(address: str, said: str) -> Response:
    answer = RedirectResponse(address, status_code=303)
    flash(answer, said)
    return answer


@router.post("/settings/roster/import", name="import_roster", dependencies=[needs(Action.ROSTER)])
def import_roster(request: Request, house: TheHouse, file: UploadFile) -> Response:
    """A CSV or workbook with a column "name", and if there are any "kind", "email", "handles", "team"."""
    try:
        with on_disk(house.settings.home, file) as path:
            changed = add_roster(house.store, path)
    except UnreadableFile as error:
        said = f"{error.reason[:1].upper()}{error.reason[1:]}. {error.remedy}"
        return _roster(request, house, errors={"file": said}, status=422)
    names = f"{changed.added} name{'' if changed.added == 1 else 's'} added."
    return _back("/settings/roster", f"{names} {_cases(changed.changed)}")


@router.post("/settings/roster/{number}/remove", name="take_off_roster", dependencies=[needs(Action.ROSTER)])
def take_off_roster(house: TheHouse, number: int) -> Response:
    if not 0 < number < 2**31:
        raise NotFound("line on the roster", str(number))
    changed = settings.take_off_roster(house.store, number).changed
    return _back("/settings/roster", f"Taken off. {_cases(changed)}")


@router.get("/settings/names", name="names_page", dependencies=[needs(Action.SEE_POSSIBLE_NAMES)])
def names_page(request: Request, house: TheHouse, *, everywhere: bool = False) -> Response:
    return _names(request, house, everywhere=everywhere)


def _names(
    request: Request,
    house: House,
    *,
    error: str = "",
    chosen: tuple[str, ...] = (),
    everywhere: bool = False,
    status: int = 200,
) -> Response:
    waiting = redaction.waiting_names(house.store, everywhere=everywhere)
    found = waiting.names
    return render(
        request,
        "settings/names.html",
        status,
        names=found[:NAMES_ON_A_PAGE],
        n=len(found),
        everywhere=waiting.everywhere,
        error=error,
        chosen=chosen,
    )


@router.post("/settings/names", name="decide_on_possible_names", dependencies=[needs(Action.ROSTER)])
async def decide_on_possible_names(request: Request, house: TheHouse, caller: TheCaller) -> Response:
    """What is ticked goes on the roster, or is offered no more."""
    form = await request.form()
    names = tuple(value for value in form.getlist("names") if isinstance(value, str))
    return await run_in_threadpool(_decide, request, house, caller.known_as, names, str(form.get("decision", "")))


def _decide(request: Request, house: House, by: str, names: tuple[str, ...], decision: str) -> Response:
    if not names:
        return _names(request, house, error="Tick at least one, then choose.", status=422)
    if decision == "dismiss":
        n = redaction.dismiss_names(house.store, house.clock, names, by=by)
        return _back("/settings/names", f"{n} {'is' if n == 1 else 'are'} offered no more.")
    try:
        n = redaction.confirm_names(house.store, names)
    except UsageError as error:
        return _names(request, house, error=str(error), chosen=names, status=422)
    return _back("/settings/names", f"{n} name{'' if n == 1 else 's'} put on the roster, and taken out of every text.")
