"""Settings pages of the roster and of possible names that are missing on it."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import Query, UploadFile
from starlette.responses import Response

from patternmind.domain.networks import ROSTER_KINDS
from patternmind.domain.permissions import Action
from patternmind.domain.wording import pluralize
from patternmind.errors import InvalidField, NotFound, UnreadableFile, UsageError
from patternmind.services import network_settings, possible_names
from patternmind.services.roster import import_roster
from patternmind.web.forms import FormDataDep, FormValuesDep
from patternmind.web.page_request import PageDep, PageRequest
from patternmind.web.pagination import CursorQuery, cursor_links, paginate
from patternmind.web.received_files import temporary_form_file
from patternmind.web.routing import PageRouter
from patternmind.web.templating import redirect

router = PageRouter()

PAGE_SIZE = 50
NAMES_PAGE_SIZE = 20


@router.get("/settings/roster", "roster_page", Action.ROSTER)
def roster_page(
    page: PageDep, words: Annotated[str, Query(max_length=200)] = "", cursor: CursorQuery = None
) -> Response:
    return _render_roster(page, words=words, cursor=cursor)


def _render_roster(
    page: PageRequest,
    *,
    words: str = "",
    cursor: str | None = None,
    submitted: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    roster = network_settings.list_roster(page.store)
    matches = [entry for entry in roster if words.casefold().strip() in entry.name.casefold()]
    current_page = paginate(matches, key=lambda entry: f"{entry.number:09d}", limit=PAGE_SIZE, cursor=cursor)
    return page.render(
        "settings/roster.html",
        status,
        entries=current_page.rows,
        n=len(roster),
        words=words,
        kinds=[(kind, kind.capitalize()) for kind in ROSTER_KINDS],
        form={name: (submitted or {}).get(name, "") for name in ("name", "email", "team")}
        | {"kind": (submitted or {}).get("kind", "person")},
        errors=errors or {},
        may_see_names=page.caller.may(Action.SEE_POSSIBLE_NAMES),
        **cursor_links("/settings/roster", current_page, cursor),
    )


@router.post("/settings/roster", "add_to_roster", Action.ROSTER)
def add_to_roster(page: PageDep, form: FormValuesDep) -> Response:
    row = (form.get("name", ""), form.get("kind", ""), form.get("email", ""), form.get("team", ""))
    try:
        change = network_settings.add_to_roster(page.store, [row])
    except InvalidField as error:
        return _render_roster(page, submitted=form, errors={error.field: str(error)}, status=422)
    message = f"Added. {_changed_cases_text(change.changed)}" if change.added else "This name is already on the roster."
    return redirect("/settings/roster", message)


def _changed_cases_text(n: int) -> str:
    return f"{pluralize(n, 'case')} redacted again." if n else "No case contains it."


@router.post("/settings/roster/import", "import_roster", Action.ROSTER)
def upload_roster(page: PageDep, file: UploadFile) -> Response:
    """Import a CSV or Excel file: column "name", optional "kind", "email", "handles", "team"."""
    try:
        with temporary_form_file(page.ctx.settings.home, file) as path:
            change = import_roster(page.store, path)
    except UnreadableFile as error:
        message = f"{error.reason[:1].upper()}{error.reason[1:]}. {error.remedy}"
        return _render_roster(page, errors={"file": message}, status=422)
    added = f"{pluralize(change.added, 'name')} added."
    return redirect("/settings/roster", f"{added} {_changed_cases_text(change.changed)}")


@router.post("/settings/roster/{number}/remove", "take_off_roster", Action.ROSTER)
def remove_from_roster(page: PageDep, number: int) -> Response:
    if not 0 < number < 2**31:
        raise NotFound("roster entry", str(number))
    n = network_settings.remove_from_roster(page.store, number).changed
    return redirect("/settings/roster", f"Removed. {_changed_cases_text(n)}")


@router.get("/settings/names", "names_page", Action.SEE_POSSIBLE_NAMES)
def names_page(page: PageDep, *, everywhere: bool = False) -> Response:
    return _render_names(page, everywhere=everywhere)


def _render_names(
    page: PageRequest, *, error: str = "", selected: tuple[str, ...] = (), everywhere: bool = False, status: int = 200
) -> Response:
    pending = possible_names.list_pending_names(page.store, all_texts=everywhere)
    return page.render(
        "settings/names.html",
        status,
        names=pending.names[:NAMES_PAGE_SIZE],
        n=len(pending.names),
        is_complete=pending.is_complete,
        error=error,
        selected=selected,
    )


@router.post("/settings/names", "decide_on_possible_names", Action.ROSTER)
def decide_on_possible_names(page: PageDep, form: FormDataDep) -> Response:
    """Add the selected names to the roster, or dismiss them."""
    names = tuple(value for value in form.getlist("names") if isinstance(value, str))
    if not names:
        return _render_names(page, error="Select at least one name.", status=422)
    if form.get("decision") == "dismiss":
        n = possible_names.dismiss_names(page.store, page.ctx.clock, names, actor=page.caller.audit_name)
        return redirect("/settings/names", f"{pluralize(n, 'word')} dismissed.")
    try:
        n = possible_names.confirm_names(page.store, names)
    except UsageError as error:
        return _render_names(page, error=str(error), selected=names, status=422)
    return redirect("/settings/names", f"{pluralize(n, 'name')} added to the roster and redacted in all texts.")
