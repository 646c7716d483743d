"""The network, its cases, taking in files of them, and finding them again."""

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
from patternmind.services import search as finding
from patternmind.services.counts import get_counts
from patternmind.services.exports import assignment_row, export_rows
from patternmind.services.file_import import import_files
from patternmind.storage.engine import translate_db_errors
from patternmind.web.api import schemas
from patternmind.web.pagination import (
    CursorQuery,
    LimitQuery,
    decode_cursor,
    encode_cursor,
)
from patternmind.web.permissions import requires
from patternmind.web.routing import (
    ACCEPTS_IDEMPOTENCY_KEY,
    ApiRoute,
    CallerDep,
    ContextDep,
    LensQuery,
    problem_responses,
)

router = APIRouter(route_class=ApiRoute, tags=["cases"])

MAX_NAME_BYTES = 240
"""File systems take 255."""

FILE_REQUEST_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The file as it is: CSV, TSV, XLSX, JSON, JSONL, Markdown or text, .gz too. At most 64 MB.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.get("/network", name="read_network", tags=["network"], dependencies=[requires(Action.SEARCH)])
def read_network(ctx: ContextDep) -> schemas.NetworkResponse:
    """What the network agreed on, and how much it holds."""
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


def _case_filter(  # noqa: PLR0913, PLR0917 - a filter for each thing that a list is narrowed by
    kind: CaseKind | None = None,
    theme_id: Annotated[str | None, Query(max_length=200, description="Only the members of this theme.")] = None,
    unplaced: Annotated[bool, Query(description="Only those in no theme yet.")] = False,
    team: Annotated[str | None, Query(max_length=200)] = None,
    since: Annotated[dt.date | None, Query(description="Dated on or after it.")] = None,
    until: Annotated[dt.date | None, Query(description="Dated on or before it.")] = None,
    status: Annotated[str | None, Query(max_length=40)] = None,
    flag: Annotated[str | None, Query(max_length=200, description="A flag, or the beginning of one.")] = None,
    q: Annotated[str, Query(max_length=400, description="Words that it holds, or beginnings of words.")] = "",
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
    order: Annotated[CaseOrder, Query(description="By id, or the latest date first.")] = CaseOrder.ID,
    limit: LimitQuery = 50,
    cursor: CursorQuery = None,
) -> schemas.PageResponse[schemas.CaseResponse]:
    """Cases and recaps as redacted; a cursor belongs to the order that it was given in."""
    if case_filter.theme_id is not None or case_filter.unplaced_only:
        caller.require(Action.SEE_THEMES)
    page = ctx.store.list_cases(case_filter, limit=limit, cursor=decode_cursor(cursor), order=order)
    items = [case_response(one.case, one.assignment if caller.may(Action.SEE_THEMES) else None) for one in page.rows]
    return schemas.PageResponse(items=items, next_cursor=encode_cursor(page.next_cursor))


@router.get(
    "/cases/{case_id:path}", name="read_case", responses=problem_responses(404), dependencies=[requires(Action.SEARCH)]
)
def read_case(ctx: ContextDep, caller: CallerDep, case_id: str) -> schemas.CaseResponse:
    """One case or recap as redacted, by its id or its external id."""
    case = ctx.store.case(case_id)
    return case_response(case, ctx.store.place_of(case.id) if caller.may(Action.SEE_THEMES) else None)


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
        description="The file's name; its ending says how it is read.",
    ),
]


async def _uploaded_file(request: Request, ctx: ContextDep, filename: FileNameQuery) -> AsyncIterator[Path]:
    """The body as a file of that name, in a folder of its own inside the data folder, and gone afterwards.

    It is raw text, so it stays where raw text is kept.
    """
    if len(filename.encode()) > MAX_NAME_BYTES:
        raise UsageError("That file name is too long. Shorten it.", field="query.filename")
    home = ctx.settings.home
    with translate_db_errors(home):
        folder = tempfile.TemporaryDirectory(prefix=UPLOAD_FOLDER_PREFIX, dir=home)
    with folder as place:
        path = Path(place) / filename
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
    kind: Annotated[CaseKind, Query(alias="as", description="Whether its rows are cases or recaps.")] = CaseKind.CASE,
    mapping: Annotated[
        list[str], Query(alias="map", max_length=100, description="FIELD=COLUMN, as often as needed.")
    ] = [],  # noqa: B006 - FastAPI copies it
    dry_run: Annotated[bool, Query(description="Check everything, store nothing.")] = False,
) -> schemas.ImportResponse:
    """Take in a file of cases or recaps. Good rows are kept, bad rows are listed with everything wrong with them."""
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
    """Where the last run put each case, by case id: in one theme, or in none and then why."""
    page = ctx.store.list_assignments(lens, limit=limit, cursor=decode_cursor(cursor))
    roster = Roster.of(ctx.store.roster())
    rows = (redact_values(assignment_row(one, external_id), roster) for external_id, one in page.rows)
    items = [schemas.AssignmentResponse.model_validate(row) for row in rows]
    return schemas.PageResponse(items=items, next_cursor=encode_cursor(page.next_cursor))


@router.get("/search", name="search", dependencies=[requires(Action.SEARCH)])
def search(
    ctx: ContextDep,
    q: Annotated[str, Query(min_length=1, max_length=2000, description="What to look for, in your own words.")],
    kind: Literal["case", "recap", "pattern"] | None = None,
    k: Annotated[int, Query(ge=1, le=100, description="How many.")] = 10,
) -> schemas.ListResponse[schemas.SearchResultResponse]:
    """Cases, recaps and accepted patterns nearest in meaning, best first.

    Searched exactly over the stored vectors: Chroma's client goes stale where another process rebuilds the index.
    """
    found = finding.search(ctx.store, ctx.encoder, ctx.live_index, q, kind=kind, k=k)
    return schemas.ListResponse(items=[schemas.SearchResultResponse.model_validate(asdict(one)) for one in found])


@router.get(
    "/export/{what}",
    name="export",
    response_class=StreamingResponse,
    responses={200: {"description": "A JSON object a line.", "content": {"application/x-ndjson": {}}}},
    dependencies=[requires(Action.EXPORT)],
)
def export(
    ctx: ContextDep,
    caller: CallerDep,
    what: Literal["assignments", "cases", "themes", "drafts", "patterns"],
    lens: LensQuery = None,
    format: Literal["jsonl"] = "jsonl",  # noqa: ARG001 - the only one; named so that another can come
) -> StreamingResponse:
    """Rows for other tools, as `patternmind export` writes them: what may not leave the network is withheld.

    Drafts, themes and assignments are for who may see them before anybody accepted them.
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
"""What the right to export is not enough for."""


def _with_first_ready(lines: Iterator[bytes]) -> Iterator[bytes]:
    """The same lines, the first already made: what fails before it is still answered with a problem."""
    return chain([next(lines, b"")], lines)


def _json_line(row: Mapping[str, Any]) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"
