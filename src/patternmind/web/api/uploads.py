"""Uploads: send a file, preview how it is read, change the column mapping, import it."""

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated, Literal

from fastapi import Depends, Query, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from patternmind.bootstrap import AppContext
from patternmind.domain.cases import CaseKind
from patternmind.domain.permissions import Action
from patternmind.errors import PatternmindError
from patternmind.services.import_preview import FilePreview
from patternmind.web.api.imports import FILE_REQUEST_BODY, FileNameQuery
from patternmind.web.api.schemas import RequestModel, ResponseModel, TextByField
from patternmind.web.dependencies import CallerDep, ContextDep
from patternmind.web.received_files import write_body
from patternmind.web.routing import ApiRouter
from patternmind.web.uploads import (
    Upload,
    UploadDep,
    UploadStore,
    preview_upload,
    rejected_rows_csv,
    safe_name,
    upload_owner,
)

router = ApiRouter("cases")


class ColumnResponse(ResponseModel):
    name: str
    field: str | None = Field(description="Field it is read as; null if it is kept but not analysed.")
    guessed: bool
    example: str = Field(description="Redacted.")


class RowPreviewResponse(ResponseModel):
    """A redacted row of the file."""

    title: str
    text: TextByField
    extra: TextByField


class UploadResponse(ResponseModel):
    """An uploaded file; while its state is `ready`, the counts are those of a dry run."""

    upload_id: str = Field(validation_alias="id")
    name: str
    kind: CaseKind
    state: Literal["checking", "ready", "importing", "done", "failed"]
    n_done: int
    mapping: list[str]
    accepted: int
    unchanged: int
    updated: int
    duplicates: int
    suspicious: int
    n_rejected: int
    redacted: dict[str, int]
    failure: str
    columns: list[ColumnResponse]
    rows: list[RowPreviewResponse] = Field(description="The first valid rows.")


COUNTS = ("accepted", "unchanged", "updated", "duplicates", "suspicious", "n_rejected")


class MappingRequest(RequestModel):
    kind: CaseKind = CaseKind.CASE
    map: list[str] = Field(
        default=[], max_length=200, description="FIELD=COLUMN, or beside=COLUMN for a column to keep but not analyse."
    )


async def _received_file(request: Request, ctx: ContextDep, filename: FileNameQuery) -> AsyncIterator[tuple[str, str]]:
    """Write the body to the folder of a new upload; yield the upload id and the file name."""
    uploads = UploadStore(ctx)
    name = safe_name(filename)
    upload_id, folder = await run_in_threadpool(uploads.create_folder)
    try:
        await write_body(request, folder / name)
        yield upload_id, name
    except BaseException:
        uploads.discard(upload_id)
        raise


@router.post("/uploads", "send_upload", Action.IMPORT_FILES, status_code=201, openapi_extra=FILE_REQUEST_BODY)
def create_upload(
    response: Response,
    ctx: ContextDep,
    caller: CallerDep,
    received: Annotated[tuple[str, str], Depends(_received_file)],
    kind: Annotated[CaseKind, Query(alias="as", description="Import rows as cases or recaps.")] = CaseKind.CASE,
) -> UploadResponse:
    """Upload a file and preview how it is read, without importing it. It is kept for an hour."""
    upload_id, name = received
    upload = UploadStore(ctx).register(upload_id, owner=upload_owner(caller), name=name, kind=kind)
    response.headers["location"] = f"/api/v1/uploads/{upload_id}"
    return _upload_response(ctx, upload)


@router.get("/uploads/{upload_id}", "read_upload", Action.IMPORT_FILES)
def read_upload(ctx: ContextDep, upload: UploadDep) -> UploadResponse:
    """Read the state of an upload; poll it while it is being checked or imported."""
    return _upload_response(ctx, upload)


@router.put("/uploads/{upload_id}/mapping", "map_upload", Action.IMPORT_FILES)
def map_upload(ctx: ContextDep, upload: UploadDep, body: MappingRequest) -> UploadResponse:
    """Change the column mapping; the whole file is checked again."""
    preview_upload(ctx, upload, kind=body.kind, mapping=body.map)
    return _upload_response(ctx, UploadStore(ctx).remap(upload, kind=body.kind, mapping=body.map))


@router.post("/uploads/{upload_id}/import", "import_upload", Action.IMPORT_FILES)
def import_upload(ctx: ContextDep, upload: UploadDep) -> UploadResponse:
    """Import all valid rows in one transaction; a repeated request has no effect."""
    return _upload_response(ctx, UploadStore(ctx).start_import(upload))


@router.get(
    "/uploads/{upload_id}/errors",
    "read_errors",
    Action.IMPORT_FILES,
    response_class=Response,
    responses={200: {"description": "A CSV file.", "content": {"text/csv": {}}}},
)
def read_errors(ctx: ContextDep, upload: UploadDep) -> Response:
    """Download the rejected rows with their errors as CSV, to fix and upload again; no cell is a formula."""
    return rejected_rows_csv(ctx, upload)


@router.delete("/uploads/{upload_id}", "drop_upload", Action.IMPORT_FILES, status_code=204)
def delete_upload(ctx: ContextDep, upload: UploadDep) -> None:
    """Delete the upload; imported cases stay."""
    UploadStore(ctx).remove(upload)


def _upload_response(ctx: AppContext, upload: Upload) -> UploadResponse:
    preview = FilePreview(columns=(), cases=(), fields=())
    if upload.state == "ready":
        with suppress(PatternmindError):  # the file was just imported or removed; the next request shows the state
            preview = preview_upload(ctx, upload)
    counts = {name: upload.report.get(name, 0) for name in COUNTS}
    redacted = upload.report.get("redacted", {})
    return UploadResponse.of(upload, redacted=redacted, columns=preview.columns, rows=preview.cases, **counts)
