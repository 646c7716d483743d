"""Cases: list, read, related cases, raw versions and possible names."""

import datetime as dt
from typing import Annotated

from fastapi import Depends, Query, Response
from pydantic import AliasPath, Field

from patternmind.domain.cases import Case, CaseKind, Consent
from patternmind.domain.permissions import Action
from patternmind.domain.read_models import CaseFilter, CaseOrder
from patternmind.domain.themes import Assignment
from patternmind.errors import UsageError
from patternmind.services.case_view import (
    CaseView,
    find_quotations,
    find_similar_cases,
    get_case_view,
    list_versions,
    possible_names_in_case,
)
from patternmind.services.possible_names import confirm_names
from patternmind.web.api.roster import PossibleNamesRequest
from patternmind.web.api.schemas import ListResponse, PageResponse, ResponseModel, TextByField
from patternmind.web.caller import Caller
from patternmind.web.case_access import authorized_case
from patternmind.web.dependencies import CallerDep, ContextDep
from patternmind.web.pagination import CursorQuery, LimitQuery, decode_cursor, encode_cursor
from patternmind.web.routing import ApiRouter

router = ApiRouter("cases")


class CaseResponse(ResponseModel):
    """A redacted case or recap, without raw text and without the submitter's name."""

    case_id: str = Field(validation_alias="id")
    external_id: str | None
    kind: CaseKind
    title: str
    text: TextByField = Field(description="Redacted text by field. Quotes are offsets into it, in code points.")
    extra: TextByField = Field(description="Redacted text of unknown columns; not used for embeddings or drafts.")
    date: dt.date | None
    team: str | None
    consent: Consent = Field(description="Where its text may be used; the API always serves members of the network.")
    linked_cases: list[str]
    flags: list[str]
    near_duplicate_of: str | None = Field(validation_alias="duplicate_of")
    theme_id: str | None = Field(description="Theme in the last run; null if it is in none.")
    strength: float | None = Field(description="Share of resampled fits that agree with its theme, 0..1.")


class SimilarCaseResponse(ResponseModel):
    case_id: str = Field(validation_alias=AliasPath("case", "id"))
    title: str = Field(validation_alias=AliasPath("case", "title"))
    score: float = Field(description="Cosine similarity, 0..1.")


class CaseQuoteResponse(ResponseModel):
    """A quote from the case in a draft."""

    draft_id: str
    kind: str
    name: str
    text: str


class RelatedResponse(ResponseModel):
    """Theme, similar cases and quotes of a case that the caller may see."""

    n_versions: int
    theme_id: str | None
    theme: str | None
    strength: float | None
    second_theme_id: str | None
    nearest_theme_id: str | None
    reason: str
    repeats: str | None = Field(description="The case it is a near-duplicate of.")
    repeated_by: list[str]
    linked: list[str]
    linked_by: list[str]
    like: list[SimilarCaseResponse]
    quotes: list[CaseQuoteResponse]


class CaseVersionResponse(ResponseModel):
    """A submitted version of a case, including names."""

    version: int = Field(validation_alias="number")
    at: dt.datetime | None
    by: str | None = Field(validation_alias="actor")
    file: str = Field(validation_alias=AliasPath("submission", "file"))
    row: int = Field(validation_alias=AliasPath("submission", "row"))
    text: TextByField = Field(validation_alias=AliasPath("submission", "text"))
    facts: TextByField = Field(validation_alias=AliasPath("submission", "facts"))
    extra: TextByField = Field(validation_alias=AliasPath("submission", "extra"))
    linked_cases: list[str] = Field(validation_alias=AliasPath("submission", "linked_cases"))


class RawCaseResponse(ResponseModel):
    case_id: str
    versions: list[CaseVersionResponse] = Field(description="Newest first.")


class CasePossibleNameResponse(ResponseModel):
    name: str
    n: int
    why: list[str]
    contexts: list[str]


class NamesConfirmedResponse(ResponseModel):
    people_added: int


@router.get("/cases/{case_id:path}/related", "read_related", Action.SEARCH, etag="case")
def read_related(response: Response, ctx: ContextDep, caller: CallerDep, case_id: str) -> RelatedResponse:
    """Read the theme, similar cases and quotes of a case that you may see. The ETag is for edits."""
    view = get_case_view(ctx.store, case_id)
    response.headers["etag"] = view.etag
    return _related_response(ctx, caller, view)


def _related_response(ctx: ContextDep, caller: Caller, view: CaseView) -> RelatedResponse:
    assignment = view.assignment if caller.may(Action.SEE_THEMES, reading=True) else None
    quotes = find_quotations(ctx.store, view.case.id) if caller.may(Action.SEE_DRAFTS, reading=True) else []
    return RelatedResponse.model_validate(
        {
            "n_versions": view.n_versions,
            "theme_id": assignment.theme_id if assignment else None,
            "theme": view.theme_names.get(assignment.theme_id or "") if assignment else None,
            "strength": assignment.strength if assignment else None,
            "second_theme_id": assignment.second_theme_id if assignment else None,
            "nearest_theme_id": assignment.nearest_theme_id if assignment else None,
            "reason": assignment.reason if assignment else "",
            "repeats": view.duplicate_of.id if view.duplicate_of else None,
            "repeated_by": [duplicate.id for duplicate in view.duplicates],
            "linked": [linked.id for linked in view.linked_cases],
            "linked_by": [recap.id for recap in view.linking_recaps],
            "like": find_similar_cases(ctx.store, ctx.live_index.neighbours, view.case),
            "quotes": quotes,
        }
    )


@router.get("/cases/{case_id:path}/raw", "read_raw", Action.SEE_RAW_TEXT, own=True)
def read_raw(ctx: ContextDep, caller: CallerDep, case_id: str) -> RawCaseResponse:
    """Read all submitted versions of a case, including names; for stewards and its submitter."""
    case = authorized_case(ctx, caller, case_id, Action.SEE_RAW_TEXT)
    return RawCaseResponse.of(case, case_id=case.id, versions=list_versions(ctx.store, case.id))


@router.get("/cases/{case_id:path}/possible-names", "read_possible_names", Action.SEE_POSSIBLE_NAMES, own=True)
def read_possible_names(ctx: ContextDep, caller: CallerDep, case_id: str) -> ListResponse[CasePossibleNameResponse]:
    """List possible names in the redacted text of a case, most likely first."""
    case = authorized_case(ctx, caller, case_id, Action.SEE_POSSIBLE_NAMES)
    return ListResponse[CasePossibleNameResponse].of_records(possible_names_in_case(case))


@router.post("/cases/{case_id:path}/possible-names", "confirm_names_of_case", Action.ROSTER)
def confirm_names_of_case(ctx: ContextDep, case_id: str, body: PossibleNamesRequest) -> NamesConfirmedResponse:
    """Add possible names of a case to the roster and redact them everywhere."""
    candidates = {candidate.name for candidate in possible_names_in_case(ctx.store.cases.get(case_id))}
    if not set(body.names) <= candidates:
        raise UsageError('"names" contains a name that is not a possible name of this case.', field="names")
    return NamesConfirmedResponse(people_added=confirm_names(ctx.store, body.names))


def _case_filter(  # noqa: PLR0913, PLR0917 - one parameter for each filter
    kind: CaseKind | None = None,
    theme_id: Annotated[str | None, Query(max_length=200, description="Only members of this theme.")] = None,
    unplaced: Annotated[bool, Query(description="Only cases in no theme.")] = False,
    team: Annotated[str | None, Query(max_length=200)] = None,
    since: Annotated[dt.date | None, Query(description="Only cases dated on or after this day.")] = None,
    until: Annotated[dt.date | None, Query(description="Only cases dated on or before this day.")] = None,
    status: Annotated[str | None, Query(max_length=40)] = None,
    flag: Annotated[str | None, Query(max_length=200, description="Flag or prefix of a flag.")] = None,
    q: Annotated[str, Query(max_length=400, description="Words or prefixes of words in the text.")] = "",
) -> CaseFilter:
    return CaseFilter(
        kind=kind,
        theme_id=theme_id,
        unplaced_only=unplaced,
        team=team,
        since=since,
        until=until,
        status=status,
        flag=flag,
        search_words=q,
    )


@router.get("/cases", "list_cases", Action.SEARCH)
def list_cases(
    ctx: ContextDep,
    caller: CallerDep,
    case_filter: Annotated[CaseFilter, Depends(_case_filter)],
    order: Annotated[CaseOrder, Query(description="By id, or latest date first.")] = CaseOrder.ID,
    limit: LimitQuery = 50,
    cursor: CursorQuery = None,
) -> PageResponse[CaseResponse]:
    """List redacted cases and recaps; a cursor is valid only for the order it was returned with."""
    if case_filter.theme_id is not None or case_filter.unplaced_only:
        caller.require(Action.SEE_THEMES)
    page = ctx.store.cases.page(case_filter, limit=limit, cursor=decode_cursor(cursor), order=order)
    may_see_themes = caller.may(Action.SEE_THEMES)
    items = [case_response(row.case, row.assignment if may_see_themes else None) for row in page.rows]
    return PageResponse(items=items, next_cursor=encode_cursor(page.next_cursor))


@router.get("/cases/{case_id:path}", "read_case", Action.SEARCH)
def read_case(ctx: ContextDep, caller: CallerDep, case_id: str) -> CaseResponse:
    """Read a redacted case or recap by its id or external id."""
    case = ctx.store.cases.get(case_id)
    return case_response(case, ctx.store.runs.assignment_of(case.id) if caller.may(Action.SEE_THEMES) else None)


def case_response(case: Case, assignment: Assignment | None) -> CaseResponse:
    theme_id, strength = (assignment.theme_id, assignment.strength) if assignment else (None, None)
    return CaseResponse.of(case, theme_id=theme_id, strength=strength)
