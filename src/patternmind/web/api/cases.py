"""The network, cases, file imports, search and exports."""

import datetime as dt
import json
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import asdict, replace
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Literal

import anyio
from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from starlette.requests import Request

from patternmind.bootstrap import UPLOAD_FOLDER_PREFIX
from patternmind.domain.cases import Case, CaseKind
from patternmind.domain.permissions import Action
from patternmind.domain.read_models import CaseFilter, CaseOrder
from patternmind.domain.themes import Assignment
from patternmind.errors import UnreadableFile, UsageError
from patternmind.ingestion.redaction.redactor import redact_values
from patternmind.ingestion.redaction.roster import Roster
from patternmind.services import search as search_service
from patternmind.services.counts import get_counts
from patternmind.services.exports import assignment_row, export_rows
from patternmind.services.file_import import import_files
from patternmind.storage.engine import translate_db_errors
from patternmind.web.api import schemas
from patternmind.web.dependencies import CallerDep, ContextDep
from patternmind.web.idempotency import ACCEPTS_IDEMPOTENCY_KEY
from patternmind.web.lens import LensQuery
from patternmind.web.pagination import (
    CursorQuery,
    LimitQuery,
    decode_cursor,
    encode_cursor,
)
from patternmind.web.permissions import requires
from patternmind.web.problems import problem_responses
from patternmind.web.routing import ApiRoute

router = APIRouter(route_class=ApiRoute, tags=["cases"])

MAX_NAME_BYTES = 240
"""Longest file name in bytes; file systems allow 255."""

FILE_REQUEST_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The file: CSV, TSV, XLSX, JSON, JSONL, Markdown or text, also with .gz. At most 64 MB.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.get("/network", name="read_network", tags=["network"], dependencies=[requires(Action.SEARCH)])
def read_network(ctx: ContextDep) -> schemas.NetworkResponse:
    """Read the settings of the network and its number of cases."""
    store = ctx.store
    network, last, counts = store.network, store.last_run(), get_counts(store)
    return schemas.NetworkResponse(
        id=network.id,
        name=network.name,
        purpose=network.purpose,
        rule=schemas.ThresholdsResponse(**asdict(network.rule)),
        default_consent=network.default_consent,
        n_cases=counts.n_cases,
        n_recaps=counts.n_recaps,
        last_run_id=last.id if last else None,
    )


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


@router.get("/cases", name="list_cases", dependencies=[requires(Action.SEARCH)])
def list_cases(
    ctx: ContextDep,
    caller: CallerDep,
    case_filter: Annotated[CaseFilter, Depends(_case_filter)],
    order: Annotated[CaseOrder, Query(description="By id, or latest date first.")] = CaseOrder.ID,
    limit: LimitQuery = 50,
    cursor: CursorQuery = None,
) -> schemas.PageResponse[schemas.CaseResponse]:
    """List redacted cases and recaps; a cursor is valid only for the order it was returned with."""
    if case_filter.theme_id is not None or case_filter.unplaced_only:
        caller.require(Action.SEE_THEMES)
    page = ctx.store.list_cases(case_filter, limit=limit, cursor=decode_cursor(cursor), order=order)
    may_see_themes = caller.may(Action.SEE_THEMES)
    items = [case_response(row.case, row.assignment if may_see_themes else None) for row in page.rows]
    return schemas.PageResponse(items=items, next_cursor=encode_cursor(page.next_cursor))


@router.get(
    "/cases/{case_id:path}", name="read_case", responses=problem_responses(404), dependencies=[requires(Action.SEARCH)]
)
def read_case(ctx: ContextDep, caller: CallerDep, case_id: str) -> schemas.CaseResponse:
    """Read a redacted case or recap by its id or external id."""
    case = ctx.store.case(case_id)
    return case_response(case, ctx.store.find_assignment(case.id) if caller.may(Action.SEE_THEMES) else None)


def case_response(case: Case, assignment: Assignment | None) -> schemas.CaseResponse:
    return schemas.CaseResponse(
        case_id=case.id,
        external_id=case.external_id,
        kind=case.kind,
        title=case.title,
        text=dict(case.text),
        extra=dict(case.extra),
        date=case.date,
        team=case.team,
        consent=case.consent,
        linked_cases=list(case.linked_cases),
        flags=list(case.flags),
        near_duplicate_of=case.duplicate_of,
        theme_id=assignment.theme_id if assignment else None,
        strength=assignment.strength if assignment else None,
    )


FileNameQuery = Annotated[
    str,
    Query(
        pattern=r"^[^./\\\x00-\x1f\x7f][^/\\\x00-\x1f\x7f]*$",
        max_length=120,
        description="File name; its suffix gives the format.",
    ),
]


async def _uploaded_file(request: Request, ctx: ContextDep, filename: FileNameQuery) -> AsyncIterator[Path]:
    """Yield the path of the body as a temporary file; it is raw text, so it stays inside the data folder."""
    if len(filename.encode()) > MAX_NAME_BYTES:
        raise UsageError("The file name is too long. Shorten it.", field="query.filename")
    home = ctx.settings.home
    with translate_db_errors(home):
        temporary = tempfile.TemporaryDirectory(prefix=UPLOAD_FOLDER_PREFIX, dir=home)
    with temporary as folder:
        path = Path(folder) / filename
        with translate_db_errors(home):
            async with await anyio.open_file(path, "wb") as file:
                async for chunk in request.stream():
                    await file.write(chunk)
        yield path


@router.post(
    "/imports",
    name="import_file",
    responses=problem_responses(400, 409),
    openapi_extra=FILE_REQUEST_BODY,
    dependencies=[requires(Action.IMPORT_FILES), ACCEPTS_IDEMPOTENCY_KEY],
)
def import_file(
    ctx: ContextDep,
    path: Annotated[Path, Depends(_uploaded_file)],
    kind: Annotated[CaseKind, Query(alias="as", description="Import rows as cases or recaps.")] = CaseKind.CASE,
    mapping: Annotated[list[str], Query(alias="map", max_length=100, description="FIELD=COLUMN; repeatable.")] = [],  # noqa: B006 - FastAPI copies it
    dry_run: Annotated[bool, Query(description="Check the file without importing it.")] = False,
) -> schemas.ImportResponse:
    """Import a file of cases or recaps. Invalid rows are listed with all their errors."""
    try:
        report = import_files(ctx.store, [path], kind=kind, mapping=mapping, dry_run=dry_run)
    except UnreadableFile as error:
        raise UnreadableFile(path.name, error.reason, error.remedy) from error
    rejected = tuple(replace(row, file=path.name) for row in report.rejected)
    return schemas.ImportResponse(**asdict(replace(report, rejected=rejected)), dry_run=dry_run)


@router.get("/assignments", name="list_assignments", dependencies=[requires(Action.SEE_THEMES)])
def list_assignments(
    ctx: ContextDep, lens: LensQuery = None, limit: LimitQuery = 200, cursor: CursorQuery = None
) -> schemas.PageResponse[schemas.AssignmentResponse]:
    """List the assignment of each case in the last run, by case id."""
    page = ctx.store.list_assignments(lens, limit=limit, cursor=decode_cursor(cursor))
    roster = Roster.of(ctx.store.roster())
    rows = (redact_values(assignment_row(assignment, external_id), roster) for external_id, assignment in page.rows)
    items = [schemas.AssignmentResponse.model_validate(row) for row in rows]
    return schemas.PageResponse(items=items, next_cursor=encode_cursor(page.next_cursor))


@router.get("/search", name="search", dependencies=[requires(Action.SEARCH)])
def search(
    ctx: ContextDep,
    q: Annotated[str, Query(min_length=1, max_length=2000, description="Search text in your own words.")],
    kind: Literal["case", "recap", "pattern"] | None = None,
    k: Annotated[int, Query(ge=1, le=100, description="Number of results.")] = 10,
) -> schemas.ListResponse[schemas.SearchResultResponse]:
    """Search cases, recaps and accepted patterns by meaning, best match first.

    The search is exact over the stored vectors: Chroma's client becomes stale when another process rebuilds the index.
    """
    results = search_service.search(ctx.store, ctx.encoder, ctx.live_index, q, kind=kind, k=k)
    return schemas.ListResponse(
        items=[schemas.SearchResultResponse.model_validate(asdict(result)) for result in results]
    )


@router.get(
    "/export/{what}",
    name="export",
    response_class=StreamingResponse,
    responses={200: {"description": "One JSON object per line.", "content": {"application/x-ndjson": {}}}},
    dependencies=[requires(Action.EXPORT)],
)
def export(
    ctx: ContextDep,
    caller: CallerDep,
    what: Literal["assignments", "cases", "themes", "drafts", "patterns"],
    lens: LensQuery = None,
    format: Literal["jsonl"] = "jsonl",  # noqa: ARG001 - part of the URL, so that formats can be added
) -> StreamingResponse:
    """Export rows for other tools, like `patternmind export`; text that may not leave the network is withheld.

    Drafts, themes and assignments need the permission to see them as well.
    """
    if what in EXPORT_ACTIONS:
        caller.require(EXPORT_ACTIONS[what])
    return StreamingResponse(
        _with_first_ready(map(_json_line, export_rows(ctx.store, what, lens=lens))), media_type="application/x-ndjson"
    )


EXPORT_ACTIONS: Mapping[str, Action] = {
    "drafts": Action.SEE_DRAFTS,
    "themes": Action.SEE_THEMES,
    "assignments": Action.SEE_THEMES,
}
"""Permissions needed in addition to that for exports."""


def _with_first_ready(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Compute the first line at once: an early failure can still be answered with a problem."""
    return chain([next(lines, b"")], lines)


def _json_line(row: Mapping[str, Any]) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"
