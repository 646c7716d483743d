"""Settings pages of the roster and of possible names that are missing on it."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query, UploadFile
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from patternmind.bootstrap import AppContext
from patternmind.domain.networks import ROSTER_KINDS
from patternmind.domain.permissions import Action
from patternmind.domain.wording import pluralize
from patternmind.errors import InvalidField, NotFound, UnreadableFile, UsageError
from patternmind.services import network_settings, possible_names
from patternmind.services.roster import import_roster
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
    roster = network_settings.list_roster(ctx.store)
    matches = [entry for entry in roster if words.casefold().strip() in entry.name.casefold()]
    page, next_cursor = paginate(matches, key=lambda entry: f"{entry.number:09d}", limit=PAGE_SIZE, cursor=cursor)
    return render(
        request,
        "settings/roster.html",
        status,
        entries=page,
        n=len(roster),
        words=words,
        kinds=[(kind, kind.capitalize()) for kind in ROSTER_KINDS],
        form={name: (submitted or {}).get(name, "") for name in ("name", "email", "team")}
        | {"kind": (submitted or {}).get("kind", "person")},
        errors=errors or {},
        may_see_names=request.state.caller.may(Action.SEE_POSSIBLE_NAMES),
        next_url=f"/settings/roster?cursor={next_cursor}" if next_cursor else "",
        first_url="/settings/roster" if cursor else "",
    )


@router.post("/settings/roster", name="add_to_roster", dependencies=[requires(Action.ROSTER)])
def add_to_roster(request: Request, ctx: ContextDep, form: FormValuesDep) -> Response:
    row = (form.get("name", ""), form.get("kind", ""), form.get("email", ""), form.get("team", ""))
    try:
        change = network_settings.add_to_roster(ctx.store, [row])
    except InvalidField as error:
        return _render_roster(request, ctx, submitted=form, errors={error.field: str(error)}, status=422)
    message = f"Added. {_changed_cases_text(change.changed)}" if change.added else "This name is already on the roster."
    return _redirect_with_message("/settings/roster", message)


def _changed_cases_text(n: int) -> str:
    return f"{pluralize(n, 'case')} redacted again." if n else "No case contains it."


def _redirect_with_message(path: str, message: str) -> Response:
    response = RedirectResponse(path, status_code=303)
    flash(response, message)
    return response


@router.post("/settings/roster/import", name="import_roster", dependencies=[requires(Action.ROSTER)])
def upload_roster(request: Request, ctx: ContextDep, file: UploadFile) -> Response:
    """Import a CSV or Excel file: column "name", optional "kind", "email", "handles", "team"."""
    try:
        with spooled_file(ctx.settings.home, file) as path:
            change = import_roster(ctx.store, path)
    except UnreadableFile as error:
        message = f"{error.reason[:1].upper()}{error.reason[1:]}. {error.remedy}"
        return _render_roster(request, ctx, errors={"file": message}, status=422)
    added = f"{pluralize(change.added, 'name')} added."
    return _redirect_with_message("/settings/roster", f"{added} {_changed_cases_text(change.changed)}")


@router.post("/settings/roster/{number}/remove", name="take_off_roster", dependencies=[requires(Action.ROSTER)])
def remove_from_roster(ctx: ContextDep, number: int) -> Response:
    if not 0 < number < 2**31:
        raise NotFound("roster entry", str(number))
    n = network_settings.remove_from_roster(ctx.store, number).changed
    return _redirect_with_message("/settings/roster", f"Removed. {_changed_cases_text(n)}")


@router.get("/settings/names", name="names_page", dependencies=[requires(Action.SEE_POSSIBLE_NAMES)])
def names_page(request: Request, ctx: ContextDep, *, everywhere: bool = False) -> Response:
    return _render_names(request, ctx, everywhere=everywhere)


def _render_names(
    request: Request,
    ctx: AppContext,
    *,
    error: str = "",
    selected: tuple[str, ...] = (),
    everywhere: bool = False,
    status: int = 200,
) -> Response:
    pending = possible_names.list_pending_names(ctx.store, all_texts=everywhere)
    return render(
        request,
        "settings/names.html",
        status,
        names=pending.names[:NAMES_PAGE_SIZE],
        n=len(pending.names),
        is_complete=pending.is_complete,
        error=error,
        selected=selected,
    )


@router.post("/settings/names", name="decide_on_possible_names", dependencies=[requires(Action.ROSTER)])
async def decide_on_possible_names(request: Request, ctx: ContextDep, caller: CallerDep) -> Response:
    """Add the selected names to the roster, or dismiss them."""
    form = await request.form()
    names = tuple(value for value in form.getlist("names") if isinstance(value, str))
    return await run_in_threadpool(
        _apply_decision, request, ctx, caller.audit_name, names, str(form.get("decision", ""))
    )


def _apply_decision(request: Request, ctx: AppContext, actor: str, names: tuple[str, ...], decision: str) -> Response:
    if not names:
        return _render_names(request, ctx, error="Select at least one name.", status=422)
    if decision == "dismiss":
        n = possible_names.dismiss_names(ctx.store, ctx.clock, names, actor=actor)
        return _redirect_with_message("/settings/names", f"{pluralize(n, 'word')} dismissed.")
    try:
        n = possible_names.confirm_names(ctx.store, names)
    except UsageError as error:
        return _render_names(request, ctx, error=str(error), selected=names, status=422)
    return _redirect_with_message(
        "/settings/names", f"{pluralize(n, 'name')} added to the roster and redacted in all texts."
    )
