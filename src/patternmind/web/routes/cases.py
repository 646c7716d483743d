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

from patternmind.adapters.store.engine import plain_errors
from patternmind.bootstrap import UPLOADS
from patternmind.errors import UnreadableFile, UsageError
from patternmind.intake.redaction import Roster, redact_output
from patternmind.model.cases import Case, Kind
from patternmind.model.reading import CaseOrder, CasesWanted
from patternmind.model.rights import Action
from patternmind.model.themes import Assignment
from patternmind.verbs import search as finding
from patternmind.verbs.counting import counts_of
from patternmind.verbs.export import assignment_row, export_rows
from patternmind.verbs.ingest import ingest_files
from patternmind.web import answers
from patternmind.web.door import MAY_REPEAT, Door, Lens, TheCaller, TheHouse, problems
from patternmind.web.paging import Cursor, Limit, read_cursor, write_cursor
from patternmind.web.rights import needs

router = APIRouter(route_class=Door, tags=["cases"])

LONGEST_NAME_BYTES = 240
"""File systems take 255."""

ANY_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The file as it is: CSV, TSV, XLSX, JSON, JSONL, Markdown or text, .gz too. At most 64 MB.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.get("/network", name="read_network", tags=["network"], dependencies=[needs(Action.SEARCH)])
def read_network(house: TheHouse) -> answers.NetworkAnswer:
    """What the network agreed on, and how much it holds."""
    store = house.store
    network, last, counts = store.network, store.last_run(), counts_of(store)
    return answers.NetworkAnswer(
        id=network.id,
        name=network.name,
        purpose=network.purpose,
        rule=answers.RuleAnswer(**asdict(network.rule)),
        default_consent=network.default_consent,
        n_cases=counts.n_cases,
        n_recaps=counts.n_recaps,
        last_run_id=last.id if last else None,
    )


def _wanted(  # noqa: PLR0913, PLR0917 - a filter for each thing that a list is narrowed by
    kind: Kind | None = None,
    theme_id: Annotated[str | None, Query(max_length=200, description="Only the members of this theme.")] = None,
    unplaced: Annotated[bool, Query(description="Only those in no theme yet.")] = False,
    team: Annotated[str | None, Query(max_length=200)] = None,
    since: Annotated[dt.date | None, Query(description="Dated on or after it.")] = None,
    until: Annotated[dt.date | None, Query(description="Dated on or before it.")] = None,
    status: Annotated[str | None, Query(max_length=40)] = None,
    flag: Annotated[str | None, Query(max_length=200, description="A flag, or the beginning of one.")] = None,
    q: Annotated[str, Query(max_length=400, description="Words that it holds, or beginnings of words.")] = "",
) -> CasesWanted:
    return CasesWanted(
        kind=kind,
        theme_id=theme_id,
        unplaced=unplaced,
        team=team,
        since=since,
        until=until,
        status=status,
        flag=flag,
        words=q,
    )


@router.get("/cases", name="list_cases", dependencies=[needs(Action.SEARCH)])
def list_cases(
    house: TheHouse,
    caller: TheCaller,
    wanted: Annotated[CasesWanted, Depends(_wanted)],
    order: Annotated[CaseOrder, Query(description="By id, or the latest date first.")] = CaseOrder.ID,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> answers.Page[answers.CaseAnswer]:
    """Cases and recaps as redacted; a cursor belongs to the order that it was given in."""
    if wanted.theme_id is not None or wanted.unplaced:
        caller.must(Action.SEE_THEMES)
    page = house.store.list_cases(wanted, limit=limit, after=read_cursor(cursor), order=order)
    items = [case_answer(one.case, one.placed if caller.may(Action.SEE_THEMES) else None) for one in page.rows]
    return answers.Page(items=items, next_cursor=write_cursor(page.following))


@router.get("/cases/{case_id:path}", name="read_case", responses=problems(404), dependencies=[needs(Action.SEARCH)])
def read_case(house: TheHouse, caller: TheCaller, case_id: str) -> answers.CaseAnswer:
    """One case or recap as redacted, by its id or its external id."""
    case = house.store.case(case_id)
    return case_answer(case, house.store.place_of(case.id) if caller.may(Action.SEE_THEMES) else None)


def case_answer(case: Case, placed: Assignment | None) -> answers.CaseAnswer:
    return answers.CaseAnswer(
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
        theme_id=placed.theme_id if placed else None,
        strength=placed.strength if placed else None,
    )


FileName = Annotated[
    str,
    Query(
        pattern=r"^[^./\\\x00-\x1f\x7f][^/\\\x00-\x1f\x7f]*$",
        max_length=120,
        description="The file's name; its ending says how it is read.",
    ),
]


async def _uploaded(request: Request, house: TheHouse, filename: FileName) -> AsyncIterator[Path]:
    """The body as a file of that name, in a folder of its own inside the data folder, and gone afterwards.

    It is raw text, so it stays where raw text is kept.
    """
    if len(filename.encode()) > LONGEST_NAME_BYTES:
        raise UsageError("That file name is too long. Shorten it.", field="query.filename")
    home = house.settings.home
    with plain_errors(home):
        folder = tempfile.TemporaryDirectory(prefix=UPLOADS, dir=home)
    with folder as place:
        path = Path(place) / filename
        with plain_errors(home):
            async with await anyio.open_file(path, "wb") as file:
                async for chunk in request.stream():
                    await file.write(chunk)
        yield path


@router.post(
    "/imports",
    name="import_file",
    responses=problems(400, 409),
    openapi_extra=ANY_FILE,
    dependencies=[needs(Action.IMPORT_FILES), MAY_REPEAT],
)
def import_file(
    house: TheHouse,
    path: Annotated[Path, Depends(_uploaded)],
    kind: Annotated[Kind, Query(alias="as", description="Whether its rows are cases or recaps.")] = Kind.CASE,
    mapping: Annotated[
        list[str], Query(alias="map", max_length=100, description="FIELD=COLUMN, as often as needed.")
    ] = [],  # noqa: B006 - FastAPI copies it
    dry_run: Annotated[bool, Query(description="Check everything, store nothing.")] = False,
) -> answers.IntakeAnswer:
    """Take in a file of cases or recaps. Good rows are kept, bad rows are listed with everything wrong with them."""
    try:
        report = ingest_files(house.store, [path], kind=kind, mapping=mapping, dry_run=dry_run)
    except UnreadableFile as error:
        raise UnreadableFile(path.name, error.reason, error.remedy) from error
    rejected = tuple(replace(row, file=path.name) for row in report.rejected)
    return answers.IntakeAnswer(**asdict(replace(report, rejected=rejected)), dry_run=dry_run)


@router.get("/assignments", name="list_assignments", dependencies=[needs(Action.SEE_THEMES)])
def list_assignments(
    house: TheHouse, lens: Lens = None, limit: Limit = 200, cursor: Cursor = None
) -> answers.Page[answers.AssignmentAnswer]:
    """Where the last run put each case, by case id: in one theme, or in none and then why."""
    page = house.store.list_assignments(lens, limit=limit, after=read_cursor(cursor))
    roster = Roster.of(house.store.roster())
    rows = (redact_output(assignment_row(one, external_id), roster) for external_id, one in page.rows)
    items = [answers.AssignmentAnswer.model_validate(row) for row in rows]
    return answers.Page(items=items, next_cursor=write_cursor(page.following))


@router.get("/search", name="search", dependencies=[needs(Action.SEARCH)])
def search(
    house: TheHouse,
    q: Annotated[str, Query(min_length=1, max_length=2000, description="What to look for, in your own words.")],
    kind: Literal["case", "recap", "pattern"] | None = None,
    k: Annotated[int, Query(ge=1, le=100, description="How many.")] = 10,
) -> answers.Listing[answers.ResultAnswer]:
    """Cases, recaps and accepted patterns nearest in meaning, best first.

    Searched exactly over the stored vectors: Chroma's client goes stale where another process rebuilds the index.
    """
    found = finding.search(house.store, house.encoder, house.live_index, q, kind=kind, k=k)
    return answers.Listing(items=[answers.ResultAnswer.model_validate(asdict(one)) for one in found])


@router.get(
    "/export/{what}",
    name="export",
    response_class=StreamingResponse,
    responses={200: {"description": "A JSON object a line.", "content": {"application/x-ndjson": {}}}},
    dependencies=[needs(Action.EXPORT)],
)
def export(
    house: TheHouse,
    caller: TheCaller,
    what: Literal["assignments", "cases", "themes", "drafts", "patterns"],
    lens: Lens = None,
    format: Literal["jsonl"] = "jsonl",  # noqa: ARG001 - the only one; named so that another can come
) -> StreamingResponse:
    """Rows for other tools, as `patternmind export` writes them: what may not leave the network is withheld.

    Drafts, themes and assignments are for who may see them before anybody accepted them.
    """
    if what in EXPORTED:
        caller.must(EXPORTED[what])
    return StreamingResponse(
        _from_first(map(_json_line, export_rows(house.store, what, lens=lens))), media_type="application/x-ndjson"
    )


EXPORTED: Mapping[str, Action] = {
    "drafts": Action.SEE_DRAFTS,
    "themes": Action.SEE_THEMES,
    "assignments": Action.SEE_THEMES,
}
"""What the right to export is not enough for."""


def _from_first(lines: Iterator[bytes]) -> Iterator[bytes]:
    """The same lines, the first already made: what fails before it is still answered with a problem."""
    return chain([next(lines, b"")], lines)


def _json_line(row: Mapping[str, Any]) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"
