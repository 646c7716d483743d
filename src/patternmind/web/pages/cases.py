"""Pages of cases: the list, a case with related data, and its original text."""

import datetime as dt
from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Form, Query
from starlette.responses import Response

from patternmind.domain.case_fields import CONSENT_FIELD, CaseField, FieldType, field_named, text_fields
from patternmind.domain.cases import SUSPICIOUS_FLAG_PREFIX, Case, CaseKind
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
from patternmind.web.case_access import authorized_case
from patternmind.web.page_request import PageDep, PageRequest
from patternmind.web.pages.case_removal import render_withdrawn_case
from patternmind.web.pagination import decode_cursor, encode_cursor
from patternmind.web.problems import STORE_UNAVAILABLE, HTTPProblem
from patternmind.web.routing import PageRouter
from patternmind.web.safe_text import link_urls, mark_placeholders
from patternmind.web.templating import redirect

router = PageRouter()

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


@router.get("/cases", "list_cases", Action.SEARCH)
def list_cases(page: PageDep, *, after: Annotated[str, Query(max_length=800)] = "") -> Response:
    """List cases, newest first, filtered by the query; invalid filters are ignored and reported."""
    sees_themes = page.caller.may(Action.SEE_THEMES, reading=True)
    filters = {name: page.request.query_params.get(name, "")[:MAX_FILTER_LENGTH] for name in FILTER_NAMES}
    filters = {name: value for name, value in filters.items() if value and (sees_themes or name != "theme")}
    errors: dict[str, str] = {}
    case_page = find_cases(
        page.store, _case_filter(filters, errors), limit=PAGE_SIZE, after=decode_cursor(after or None)
    )
    theme_names = page.store.themes.names() if sees_themes else {}
    return page.render(
        "cases/list.html",
        page=case_page,
        theme_names=theme_names,
        sees_themes=sees_themes,
        filters=filters,
        errors=errors,
        kinds=KIND_OPTIONS,
        flags=FLAG_OPTIONS,
        statuses=[("", "Any"), *case_fields.value_options("status")],
        themes=[("", "All"), (UNPLACED_OPTION, "Not in a theme yet"), *theme_names.items()],
        teams=[("", "All"), *((team, team) for team in page.store.cases.teams())],
        next_url=_list_url({**filters, "after": encode_cursor(case_page.next_cursor) or ""})
        if case_page.next_cursor
        else "",
        first_url=_list_url(filters) if after else "",
        count=_count_label(case_page.n_total, is_filtered=bool(filters)),
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


@router.get("/cases/{case_id}", "read_case", Action.SEARCH)
def read_case(page: PageDep, case_id: str) -> Response:
    """Show a case as others see it; a withdrawn case is shown only to callers who may restore it."""
    try:
        view = get_case_view(page.store, case_id)
    except NotFound:
        return render_withdrawn_case(page, case_id)
    if view.case.id != case_id:
        return redirect(f"/cases/{view.case.id}")
    return render_case(page, view)


def render_case(page: PageRequest, view: CaseView, **more: Any) -> Response:
    case = view.case
    is_own = is_own_case(page.store, case, page.caller.member)
    sees_themes = page.caller.may(Action.SEE_THEMES, reading=True)
    sees_drafts = page.caller.may(Action.SEE_DRAFTS, reading=True)
    sees_names = page.caller.may(Action.SEE_POSSIBLE_NAMES, is_own)
    values: dict[str, Any] = {
        "view": view,
        "case": case,
        "is_own": is_own,
        "may_edit": page.caller.may(Action.EDIT_CASE, is_own),
        "may_erase": page.caller.may(Action.ERASE_CASE, is_own),
        "sees_raw": page.caller.may(Action.SEE_RAW_TEXT, is_own),
        "sees_themes": sees_themes,
        "sees_drafts": sees_drafts,
        "may_confirm": page.caller.may(Action.ROSTER),
        "texts": [
            (name, case_fields.field_label(name), mark_placeholders(value)) for name, value in _texts_in_order(case)
        ],
        "facts": _fact_rows(case),
        "extra": [(mark_placeholders(name), mark_placeholders(value)) for name, value in case.extra.items()],
        "suspicions": case.suspicions,
        "flags": [flag for flag in case.flags if not flag.startswith(SUSPICIOUS_FLAG_PREFIX)],
        "similar_cases": find_similar_cases(page.store, page.ctx.live_index.neighbours, case),
        "quotes": find_quotations(page.store, case.id) if sees_drafts else [],
        "possible_names": possible_names_in_case(case) if sees_names else (),
        "just_saved": False,
        **more,
    }
    return page.render("cases/case.html", **values)


@contextmanager
def reads_original_text() -> Generator[None]:
    """Answer with a problem if the original text cannot be decrypted."""
    try:
        yield
    except RawTextKeyInvalid as error:
        detail = "The original text is encrypted, and this server was started without the key."
        raise HTTPProblem(STORE_UNAVAILABLE, detail) from error


def _texts_in_order(case: Case) -> list[tuple[str, str]]:
    return [(name, case.text[name]) for name in text_fields(case.kind) if name in case.text and name != "title"]


def _fact_rows(case: Case) -> list[tuple[str, Any]]:
    """Return label and value of each fact: dates after the others, consent last."""
    fields = [field_named(name) for name in case.facts if not field_named(name).is_hidden]
    dates_last = sorted(fields, key=lambda field: field.type is FieldType.DATE)
    rows = [(field.label, _fact_value(field, case.facts[field.name])) for field in dates_last]
    return [*rows, (case_fields.field_label(CONSENT_FIELD), case_fields.value_label(CONSENT_FIELD, case.consent.value))]


def _fact_value(field: CaseField, value: str) -> Any:
    match field.type:
        case FieldType.LINKS:
            return link_urls(value)
        case FieldType.DATE:
            return f"{dt.date.fromisoformat(value):%-d %b %Y}"
        case _:
            return mark_placeholders(case_fields.value_label(field.name, value))


@router.get("/cases/{case_id}/raw", "read_raw", Action.SEE_RAW_TEXT, own=True)
def read_raw(page: PageDep, case_id: str, version: int | None = None) -> Response:
    """Show the original text of a case with names, in every version."""
    case = authorized_case(page.ctx, page.caller, case_id, Action.SEE_RAW_TEXT)
    with reads_original_text():
        versions = list_versions(page.store, case.id)
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
    return page.render(
        "cases/raw.html",
        case=case,
        versions=versions,
        selected=selected,
        fields=fields,
        facts=facts,
        extra=[(name, link_urls(value)) for name, value in raw.extra.items()],
    )


@router.post("/cases/{case_id}/names", "confirm", Action.ROSTER)
def confirm_case_names(page: PageDep, case_id: str, names: Annotated[list[str], Form()] = []) -> Response:  # noqa: B006
    """Add possible names to the roster, which redacts them in all stored texts."""
    case = page.store.cases.get(case_id)
    candidates = {candidate.name for candidate in possible_names_in_case(case)}
    selected = [name for name in names if name in candidates]
    message = "Select the names first."
    if selected:
        try:
            n = confirm_names(page.store, selected)
            message = f"{pluralize(n, 'name')} added to the roster and redacted in all texts."
        except UsageError as error:
            message = str(error)
    return redirect(f"/cases/{case.id}", message)
