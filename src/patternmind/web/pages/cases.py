"""Pages of cases: the list, a case with related data, and its original text."""

import datetime as dt
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from patternmind.domain.cases import (
    SUSPICIOUS_FLAG_PREFIX,
    Case,
    CaseKind,
    text_fields,
)
from patternmind.domain.permissions import Action
from patternmind.domain.read_models import CaseFilter
from patternmind.domain.wording import pluralize
from patternmind.errors import NotFound, RawTextKeyInvalid, UsageError
from patternmind.services.case_queries import find_cases
from patternmind.services.case_submission import is_own_case
from patternmind.services.case_view import (
    CaseView,
    find_quotations,
    find_similar_cases,
    get_case_view,
    list_versions,
    possible_names_in_case,
)
from patternmind.services.possible_names import confirm_names
from patternmind.web import case_fields
from patternmind.web.caller import Caller
from patternmind.web.case_fields import STATUS_OPTIONS
from patternmind.web.dependencies import CallerDep, ContextDep
from patternmind.web.pagination import decode_cursor, encode_cursor
from patternmind.web.permissions import requires
from patternmind.web.problems import STORE_UNAVAILABLE, HTTPProblem
from patternmind.web.routing import PageRoute
from patternmind.web.safe_text import link_urls, mark_placeholders
from patternmind.web.templating import flash, render

router = APIRouter(route_class=PageRoute)

PAGE_SIZE = 25
MAX_FILTER_LENGTH = 400
FILTER_NAMES = ("words", "kind", "theme", "team", "since", "until", "status", "flag")
UNPLACED_OPTION = "none"

KIND_OPTIONS = [("", "Cases and recaps"), (CaseKind.CASE.value, "Cases"), (CaseKind.RECAP.value, "Recaps")]
FLAG_OPTIONS = [
    ("", "Any"),
    (SUSPICIOUS_FLAG_PREFIX, "Suspicious text"),
    ("redacted", "Names or numbers redacted"),
    ("no consent given", "No consent given"),
    ("long title", "Long title"),
]


@router.get("/cases", name="list_cases", dependencies=[requires(Action.SEARCH)])
def list_cases(
    request: Request,
    ctx: ContextDep,
    caller: CallerDep,
    *,
    after: Annotated[str, Query(max_length=800)] = "",
) -> Response:
    """List cases, newest first, filtered by the query; invalid filters are ignored and reported."""
    sees_themes = caller.may(Action.SEE_THEMES, reading=True)
    filters = {name: request.query_params.get(name, "")[:MAX_FILTER_LENGTH] for name in FILTER_NAMES}
    filters = {name: value for name, value in filters.items() if value and (sees_themes or name != "theme")}
    errors: dict[str, str] = {}
    page = find_cases(ctx.store, _case_filter(filters, errors), limit=PAGE_SIZE, after=decode_cursor(after or None))
    theme_names = ctx.store.themes.names() if sees_themes else {}
    return render(
        request,
        "cases/list.html",
        page=page,
        theme_names=theme_names,
        sees_themes=sees_themes,
        filters=filters,
        errors=errors,
        kinds=KIND_OPTIONS,
        flags=FLAG_OPTIONS,
        statuses=[("", "Any"), *STATUS_OPTIONS],
        themes=[("", "All"), (UNPLACED_OPTION, "Not in a theme yet"), *theme_names.items()],
        teams=[("", "All"), *((team, team) for team in ctx.store.cases.teams())],
        next_url=_list_url({**filters, "after": encode_cursor(page.next_cursor) or ""}) if page.next_cursor else "",
        first_url=_list_url(filters) if after else "",
        count=_count_label(page.n_total, is_filtered=bool(filters)),
        value_label=case_fields.value_label,
    )


def _case_filter(filters: dict[str, str], errors: dict[str, str]) -> CaseFilter:
    kind, theme = filters.get("kind"), filters.get("theme")
    return CaseFilter(
        kind=CaseKind(kind) if kind in set(CaseKind) else None,
        theme_id=theme if theme != UNPLACED_OPTION else None,
        unplaced_only=theme == UNPLACED_OPTION,
        team=filters.get("team"),
        since=_parse_date("since", filters.get("since", ""), errors),
        until=_parse_date("until", filters.get("until", ""), errors),
        status=filters.get("status"),
        flag=filters.get("flag"),
        search_words=filters.get("words", ""),
    )


def _list_url(filters: dict[str, str]) -> str:
    return f"/cases?{urlencode(filters)}" if filters else "/cases"


def _parse_date(name: str, text: str, errors: dict[str, str]) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text.strip()) if text.strip() else None
    except ValueError:
        errors[name] = "Enter the date as YYYY-MM-DD."
        return None


def _count_label(n: int, *, is_filtered: bool) -> str:
    noun = ("match" if n == 1 else "matches") if is_filtered else ("case" if n == 1 else "cases")
    return f"{n:,} {noun}"


@router.get("/cases/{case_id}", name="read_case", dependencies=[requires(Action.SEARCH)])
def read_case(request: Request, ctx: ContextDep, caller: CallerDep, case_id: str) -> Response:
    """Show a case as others see it; a withdrawn case is shown only to callers who may restore it."""
    from patternmind.web.pages.case_removal import render_withdrawn_case  # the two pages share a path

    try:
        view = get_case_view(ctx.store, case_id)
    except NotFound:
        return render_withdrawn_case(request, ctx, caller, case_id)
    if view.case.id != case_id:
        return RedirectResponse(f"/cases/{view.case.id}", status_code=303)
    return render_case(request, ctx, caller, view)


def render_case(request: Request, ctx: ContextDep, caller: Caller, view: CaseView, **more: Any) -> Response:
    case = view.case
    is_own = is_own_case(ctx.store, case, caller.member)
    sees_themes = caller.may(Action.SEE_THEMES, reading=True)
    sees_drafts = caller.may(Action.SEE_DRAFTS, reading=True)
    sees_names = caller.may(Action.SEE_POSSIBLE_NAMES, is_own)
    values: dict[str, Any] = {
        "view": view,
        "case": case,
        "is_own": is_own,
        "may_edit": caller.may(Action.EDIT_CASE, is_own),
        "may_erase": caller.may(Action.ERASE_CASE, is_own),
        "sees_raw": caller.may(Action.SEE_RAW_TEXT, is_own),
        "sees_themes": sees_themes,
        "sees_drafts": sees_drafts,
        "may_confirm": caller.may(Action.ROSTER),
        "texts": [
            (name, case_fields.field_label(name), mark_placeholders(value)) for name, value in _texts_in_order(case)
        ],
        "facts": _fact_rows(case),
        "extra": [(mark_placeholders(name), mark_placeholders(value)) for name, value in case.extra.items()],
        "suspicions": case.suspicions,
        "flags": [flag for flag in case.flags if not flag.startswith(SUSPICIOUS_FLAG_PREFIX)],
        "similar_cases": find_similar_cases(ctx.store, ctx.live_index.neighbours, case),
        "quotes": find_quotations(ctx.store, case.id) if sees_drafts else [],
        "possible_names": possible_names_in_case(case) if sees_names else (),
        "just_saved": False,
        **more,
    }
    return render(request, "cases/case.html", **values)


def _texts_in_order(case: Case) -> list[tuple[str, str]]:
    return [(name, case.text[name]) for name in text_fields(case.kind) if name in case.text and name != "title"]


def _fact_rows(case: Case) -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = [
        (
            case_fields.field_label(name),
            link_urls(value) if name == "links" else mark_placeholders(case_fields.value_label(name, value)),
        )
        for name, value in case.facts.items()
        if name not in {"opened_on", "solved_on", "source_format"}
    ]
    rows += [
        (case_fields.field_label(name), f"{dt.date.fromisoformat(case.facts[name]):%-d %b %Y}")
        for name in ("opened_on", "solved_on")
        if name in case.facts
    ]
    return [*rows, (case_fields.field_label("consent"), case_fields.value_label("consent", case.consent.value))]


@router.get("/cases/{case_id}/raw", name="read_raw", dependencies=[requires(Action.SEE_RAW_TEXT, own=True)])
def read_raw(
    request: Request, ctx: ContextDep, caller: CallerDep, case_id: str, version: int | None = None
) -> Response:
    """Show the original text of a case with names, in every version."""
    case = ctx.store.cases.get(case_id)
    caller.require(Action.SEE_RAW_TEXT, is_own_case(ctx.store, case, caller.member))
    try:
        versions = list_versions(ctx.store, case.id)
    except RawTextKeyInvalid as error:
        raise HTTPProblem(
            STORE_UNAVAILABLE, "The original text is encrypted, and this server was started without the key."
        ) from error
    number = version or versions[0].number
    selected = next((candidate for candidate in versions if candidate.number == number), None)
    if selected is None:
        raise NotFound("version", str(version))
    raw = selected.submission
    fields = [(case_fields.field_label(name), link_urls(value)) for name, value in raw.text.items()]
    facts = [
        (case_fields.field_label(name), link_urls(case_fields.value_label(name, value)))
        for name, value in raw.facts.items()
    ]
    return render(
        request,
        "cases/raw.html",
        case=case,
        versions=versions,
        selected=selected,
        fields=fields,
        facts=facts,
        extra=[(name, link_urls(value)) for name, value in raw.extra.items()],
    )


@router.post("/cases/{case_id}/names", name="confirm", dependencies=[requires(Action.ROSTER)])
def confirm_case_names(ctx: ContextDep, case_id: str, names: Annotated[list[str], Form()] = []) -> Response:  # noqa: B006
    """Add possible names to the roster, which redacts them in all stored texts."""
    case = ctx.store.cases.get(case_id)
    candidates = {candidate.name for candidate in possible_names_in_case(case)}
    selected = [name for name in names if name in candidates]
    response = RedirectResponse(f"/cases/{case.id}", status_code=303)
    if not selected:
        flash(response, "Select the names first.")
        return response
    try:
        n = confirm_names(ctx.store, selected)
    except UsageError as error:
        flash(response, str(error))
        return response
    flash(response, f"{pluralize(n, 'name')} added to the roster and redacted in all texts.")
    return response
