"""The roster of redaction, and the names that may be missing on it."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query, UploadFile
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from patternmind.bootstrap import AppContext
from patternmind.domain.networks import ROSTER_KINDS
from patternmind.domain.permissions import Action
from patternmind.errors import NotFound, UnreadableFile, UsageError
from patternmind.services import network_settings, possible_names
from patternmind.services.network import import_roster
from patternmind.services.network_settings import InvalidField
from patternmind.web.dependencies import CallerDep, ContextDep
from patternmind.web.forms import FormValuesDep
from patternmind.web.pagination import CursorQuery, paginate
from patternmind.web.permissions import requires
from patternmind.web.routing import PageRoute
from patternmind.web.spooled_file import spooled_file
from patternmind.web.templating import flash, render

router = APIRouter(route_class=PageRoute)

PAGE_SIZE = 50
NAMES_PAGE_SIZE = 20


@router.get("/settings/roster", name="roster_page", dependencies=[requires(Action.ROSTER)])
def roster_page(
    request: Request, ctx: ContextDep, words: Annotated[str, Query(max_length=200)] = "", cursor: CursorQuery = None
) -> Response:
    return _render_roster(request, ctx, words=words, cursor=cursor)


def _render_roster(
    request: Request,
    ctx: AppContext,
    *,
    words: str = "",
    cursor: str | None = None,
    submitted: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    everybody = network_settings.list_roster(ctx.store)
    wanted = [one for one in everybody if words.casefold().strip() in one.name.casefold()]
    page, following = paginate(wanted, key=lambda one: f"{one.number:09d}", limit=PAGE_SIZE, cursor=cursor)
    return render(
        request,
        "settings/roster.html",
        status,
        people=page,
        n=len(everybody),
        n_found=len(wanted),
        words=words,
        kinds=[(kind, kind.capitalize()) for kind in ROSTER_KINDS],
        typed={name: (submitted or {}).get(name, "") for name in ("name", "email", "team")}
        | {"kind": (submitted or {}).get("kind", "person")},
        errors=errors or {},
        may_see_names=request.state.caller.may(Action.SEE_POSSIBLE_NAMES),
        following=f"/settings/roster?cursor={following}" if following else "",
        first="/settings/roster" if cursor else "",
    )


@router.post("/settings/roster", name="add_to_roster", dependencies=[requires(Action.ROSTER)])
def add_to_roster(request: Request, ctx: ContextDep, form: FormValuesDep) -> Response:
    line = tuple(form.get(name, "") for name in ("name", "kind", "email", "team"))
    try:
        changed = network_settings.add_to_roster(ctx.store, [(line[0], line[1], line[2], line[3])])
    except InvalidField as error:
        return _render_roster(request, ctx, submitted=form, errors={error.field: str(error)}, status=422)
    said = "It was on the roster already." if not changed.added else f"Added. {_changed_cases_text(changed.changed)}"
    return _redirect_with_message("/settings/roster", said)


def _changed_cases_text(n: int) -> str:
    return f"{n} case{' has' if n == 1 else 's have'} a new redacted text for it." if n else "No case held it."


def _redirect_with_message(path: str, message: str) -> Response:
    answer = RedirectResponse(path, status_code=303)
    flash(answer, message)
    return answer


@router.post("/settings/roster/import", name="import_roster", dependencies=[requires(Action.ROSTER)])
def upload_roster(request: Request, ctx: ContextDep, file: UploadFile) -> Response:
    """A CSV or workbook with a column "name", and if there are any "kind", "email", "handles", "team"."""
    try:
        with spooled_file(ctx.settings.home, file) as path:
            changed = import_roster(ctx.store, path)
    except UnreadableFile as error:
        said = f"{error.reason[:1].upper()}{error.reason[1:]}. {error.remedy}"
        return _render_roster(request, ctx, errors={"file": said}, status=422)
    names = f"{changed.added} name{'' if changed.added == 1 else 's'} added."
    return _redirect_with_message("/settings/roster", f"{names} {_changed_cases_text(changed.changed)}")


@router.post("/settings/roster/{number}/remove", name="take_off_roster", dependencies=[requires(Action.ROSTER)])
def remove_from_roster(ctx: ContextDep, number: int) -> Response:
    if not 0 < number < 2**31:
        raise NotFound("line on the roster", str(number))
    changed = network_settings.remove_from_roster(ctx.store, number).changed
    return _redirect_with_message("/settings/roster", f"Taken off. {_changed_cases_text(changed)}")


@router.get("/settings/names", name="names_page", dependencies=[requires(Action.SEE_POSSIBLE_NAMES)])
def names_page(request: Request, ctx: ContextDep, *, everywhere: bool = False) -> Response:
    return _render_names(request, ctx, everywhere=everywhere)


def _render_names(
    request: Request,
    ctx: AppContext,
    *,
    error: str = "",
    chosen: tuple[str, ...] = (),
    everywhere: bool = False,
    status: int = 200,
) -> Response:
    waiting = possible_names.list_pending_names(ctx.store, all_texts=everywhere)
    found = waiting.names
    return render(
        request,
        "settings/names.html",
        status,
        names=found[:NAMES_PAGE_SIZE],
        n=len(found),
        everywhere=waiting.is_complete,
        error=error,
        chosen=chosen,
    )


@router.post("/settings/names", name="decide_on_possible_names", dependencies=[requires(Action.ROSTER)])
async def decide_on_possible_names(request: Request, ctx: ContextDep, caller: CallerDep) -> Response:
    """What is ticked goes on the roster, or is offered no more."""
    form = await request.form()
    names = tuple(value for value in form.getlist("names") if isinstance(value, str))
    return await run_in_threadpool(
        _apply_decision, request, ctx, caller.audit_name, names, str(form.get("decision", ""))
    )


def _apply_decision(request: Request, ctx: AppContext, actor: str, names: tuple[str, ...], decision: str) -> Response:
    if not names:
        return _render_names(request, ctx, error="Tick at least one, then choose.", status=422)
    if decision == "dismiss":
        n = possible_names.dismiss_names(ctx.store, ctx.clock, names, actor=actor)
        return _redirect_with_message("/settings/names", f"{n} {'is' if n == 1 else 'are'} offered no more.")
    try:
        n = possible_names.confirm_names(ctx.store, names)
    except UsageError as error:
        return _render_names(request, ctx, error=str(error), chosen=names, status=422)
    return _redirect_with_message(
        "/settings/names", f"{n} name{'' if n == 1 else 's'} put on the roster, and taken out of every text."
    )
