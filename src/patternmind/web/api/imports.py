"""Imports: import a file of cases or recaps in one request."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Query
from pydantic import Field
from starlette.requests import Request

from patternmind.domain.cases import CaseKind
from patternmind.domain.permissions import Action
from patternmind.errors import UnreadableFile, UsageError
from patternmind.services.file_import import import_files
from patternmind.web.api.schemas import ResponseModel
from patternmind.web.dependencies import ContextDep
from patternmind.web.received_files import temporary_folder, write_body
from patternmind.web.routing import ApiRouter

router = ApiRouter("cases")


MAX_NAME_BYTES = 240
"""Longest file name in bytes; file systems allow 255."""


FILE_REQUEST_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The file: CSV, TSV, XLSX, JSON, JSONL, Markdown or text, also with .gz. At most 64 MB.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class RejectedRowResponse(ResponseModel):
    file: str
    row: int
    errors: list[str]


class ImportResponse(ResponseModel):
    """Result of an import: accepted + unchanged + rejected = rows read."""

    accepted: int
    unchanged: int
    duplicates: int = Field(description="Accepted rows with the same text as a case of another id.")
    updated: int = Field(description="Accepted rows that replaced an earlier version of the same id.")
    rejected: list[RejectedRowResponse]
    redacted: dict[str, int] = Field(description="Number of redactions by kind.")
    suspicious: int = Field(description="Accepted rows that are flagged as suspicious.")
    dry_run: bool


FileNameQuery = Annotated[
    str,
    Query(
        pattern=r"^[^./\\\x00-\x1f\x7f][^/\\\x00-\x1f\x7f]*$",
        max_length=120,
        description="File name; its suffix gives the format.",
    ),
]


async def _uploaded_file(request: Request, ctx: ContextDep, filename: FileNameQuery) -> AsyncIterator[Path]:
    """Yield the path of the body as a temporary file."""
    if len(filename.encode()) > MAX_NAME_BYTES:
        raise UsageError("The file name is too long. Shorten it.", field="query.filename")
    with temporary_folder(ctx.settings.home) as folder:
        await write_body(request, folder / filename)
        yield folder / filename


@router.post("/imports", "import_file", Action.IMPORT_FILES, openapi_extra=FILE_REQUEST_BODY, problems=[409])
def import_file(
    ctx: ContextDep,
    path: Annotated[Path, Depends(_uploaded_file)],
    kind: Annotated[CaseKind, Query(alias="as", description="Import rows as cases or recaps.")] = CaseKind.CASE,
    mapping: Annotated[list[str], Query(alias="map", max_length=100, description="FIELD=COLUMN; repeatable.")] = [],  # noqa: B006 - FastAPI copies it
    dry_run: Annotated[bool, Query(description="Check the file without importing it.")] = False,
) -> ImportResponse:
    """Import a file of cases or recaps. Invalid rows are listed with all their errors."""
    try:
        report = import_files(ctx.store, [path], kind=kind, mapping=mapping, dry_run=dry_run)
    except UnreadableFile as error:
        raise UnreadableFile(path.name, error.reason, error.remedy) from error
    rejected = tuple(replace(row, file=path.name) for row in report.rejected)
    return ImportResponse.of(replace(report, rejected=rejected), dry_run=dry_run)
