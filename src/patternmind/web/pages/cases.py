"""Cases: the list, one case with all around it, and for those who may, what was handed in."""

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
from patternmind.web.problems import FORBIDDEN, HTTPProblem
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
    (SUSPICIOUS_FLAG_PREFIX, "Odd text"),
    ("redacted", "Something taken out"),
    ("no consent given", "No word on consent"),
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
    """Newest first, narrowed by what the address says; a filter that makes no sense is left out and said so."""
    sees_themes = caller.may(Action.SEE_THEMES, reading=True)
    said = {name: request.query_params.get(name, "")[:MAX_FILTER_LENGTH] for name in FILTER_NAMES}
    said = {name: value for name, value in said.items() if value and (sees_themes or name != "theme")}
    errors: dict[str, str] = {}
    found = find_cases(ctx.store, _case_filter(said, errors), limit=PAGE_SIZE, after=decode_cursor(after or None))
    names = ctx.store.theme_names() if sees_themes else {}
    return render(
        request,
        "cases/list.html",
        found=found,
        names=names,
        sees_themes=sees_themes,
        said=said,
        errors=errors,
        kinds=KIND_OPTIONS,
        flags=FLAG_OPTIONS,
        statuses=[("", "Any"), *STATUS_OPTIONS],
        themes=[("", "All"), (UNPLACED_OPTION, "Not in a theme yet"), *names.items()],
        teams=[("", "All"), *((one, one) for one in ctx.store.list_teams())],
        n_said=len(said),
        following=_list_url({**said, "after": encode_cursor(found.next_cursor) or ""}) if found.next_cursor else "",
        first=_list_url(said) if after else "",
        count=_count_label(found.n_total, is_filtered=bool(said)),
        words_of=case_fields.value_label,
        is_odd=_is_suspicious,
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
        errors[name] = "Write a day as 2026-11-20."
        return None


def _count_label(n: int, *, is_filtered: bool) -> str:
    told = "1 case" if n == 1 else f"{n:,} cases"
    return f"{told} of this kind" if is_filtered else told


def _is_suspicious(case: Case) -> bool:
    return any(flag.startswith(SUSPICIOUS_FLAG_PREFIX) for flag in case.flags)


@router.get("/cases/{case_id}", name="read_case", dependencies=[requires(Action.SEARCH)])
def read_case(request: Request, ctx: ContextDep, caller: CallerDep, case_id: str) -> Response:
    """A case as others read it. One that was withdrawn is there for those alone who may put it back."""
    from patternmind.web.pages.case_removal import render_withdrawn_case  # the two pages share an address

    try:
        view = get_case_view(ctx.store, case_id)
    except NotFound:
        return render_withdrawn_case(request, ctx, caller, case_id)
    if view.case.id != case_id:
        return RedirectResponse(f"/cases/{view.case.id}", status_code=303)
    return render_case(request, ctx, caller, view)


def render_case(request: Request, ctx: ContextDep, caller: Caller, view: CaseView, **more: Any) -> Response:
    case = view.case
    own = is_own_case(ctx.store, case, caller.member)
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
        "texts": [
            (name, case_fields.field_label(name), mark_placeholders(value)) for name, value in _texts_in_order(case)
        ],
        "facts": _fact_rows(case),
        "extra": [(mark_placeholders(name), mark_placeholders(value)) for name, value in case.extra.items()],
        "odd": [
            flag.removeprefix(SUSPICIOUS_FLAG_PREFIX).strip()
            for flag in case.flags
            if flag.startswith(SUSPICIOUS_FLAG_PREFIX)
        ],
        "flags": [flag for flag in case.flags if not flag.startswith(SUSPICIOUS_FLAG_PREFIX)],
        "like": find_similar_cases(ctx.store, ctx.live_index.neighbours, case),
        "quotes": find_quotations(ctx.store, case.id) if sees_drafts else [],
        "possible": possible_names_in_case(case) if sees_names else (),
        "label": case_fields.field_label,
        "just_saved": False,
        **more,
    }
    return render(request, "cases/case.html", **values)


def _texts_in_order(case: Case) -> list[tuple[str, str]]:
    return [(name, case.text[name]) for name in text_fields(case.kind) if name in case.text and name != "title"]


def _fact_rows(case: Case) -> list[tuple[str, Any]]:
    told: list[tuple[str, Any]] = [
        (
            case_fields.field_label(name),
            link_urls(value) if name == "links" else mark_placeholders(case_fields.value_label(name, value)),
        )
        for name, value in case.facts.items()
        if name not in {"opened_on", "solved_on", "source_format"}
    ]
    told += [
        (case_fields.field_label(name), f"{dt.date.fromisoformat(case.facts[name]):%-d %b %Y}")
        for name in ("opened_on", "solved_on")
        if name in case.facts
    ]
    return [*told, (case_fields.field_label("consent"), case_fields.value_label("consent", case.consent.value))]


@router.get("/cases/{case_id}/raw", name="read_raw", dependencies=[requires(Action.SEE_RAW_TEXT, own=True)])
def read_raw(
    request: Request, ctx: ContextDep, caller: CallerDep, case_id: str, version: int | None = None
) -> Response:
    """A case as it was handed in, names included, every version of it."""
    case = ctx.store.case(case_id)
    caller.require(Action.SEE_RAW_TEXT, is_own_case(ctx.store, case, caller.member))
    try:
        versions = list_versions(ctx.store, case.id)
    except RawTextKeyInvalid as error:
        raise HTTPProblem(FORBIDDEN, "The raw text is sealed, and this server was started without its key.") from error
    chosen = next((one for one in versions if one.number == (version or versions[0].number)), None)
    if chosen is None:
        raise NotFound("version", str(version))
    raw = chosen.submission
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
        chosen=chosen,
        fields=fields,
        facts=facts,
        extra=[(name, link_urls(value)) for name, value in raw.extra.items()],
    )


@router.post("/cases/{case_id}/names", name="confirm", dependencies=[requires(Action.ROSTER)])
def confirm_case_names(ctx: ContextDep, case_id: str, names: Annotated[list[str], Form()] = []) -> Response:  # noqa: B006
    """Put possible names on the roster, which takes them out of everything that is stored."""
    case = ctx.store.case(case_id)
    offered = {one.name for one in possible_names_in_case(case)}
    chosen = [name for name in names if name in offered]
    answer = RedirectResponse(f"/cases/{case.id}", status_code=303)
    if not chosen:
        flash(answer, "Choose the names first.")
        return answer
    try:
        n = confirm_names(ctx.store, chosen)
    except UsageError as error:
        flash(answer, str(error))
        return answer
    flash(answer, f"{'1 name is' if n == 1 else f'{n} names are'} on the roster now and taken out of all texts.")
    return answer
