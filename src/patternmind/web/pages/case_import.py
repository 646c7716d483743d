"""Pages to import a file: upload, columns, preview, rejected rows, import."""

import shutil
from dataclasses import replace
from typing import Annotated, Any, cast

from fastapi import Depends
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from patternmind.bootstrap import AppContext
from patternmind.domain.cases import CaseKind, RejectedRow
from patternmind.domain.permissions import Action
from patternmind.errors import PatternmindError, RuleViolated, UnreadableFile
from patternmind.services.import_preview import (
    FilePreview,
    mapping_from_choices,
    preview_file,
)
from patternmind.storage.engine import translate_db_errors
from patternmind.web import case_fields
from patternmind.web.dependencies import CallerDep, ContextDep
from patternmind.web.routing import PageRouter
from patternmind.web.safe_text import mark_placeholders
from patternmind.web.templating import flash, render
from patternmind.web.uploads import Upload, UploadStore, rejected_rows_csv, safe_name, upload_owner

router = PageRouter()

MAX_REJECTED_ROWS = 50
"""Rejected rows shown on the page; the CSV file has all of them."""

MAX_EXCERPT_LENGTH = 400

KIND_OPTIONS = [("case", "Cases", "One case per row."), ("recap", "Recaps", "One session per row.")]


async def _form_data(request: Request) -> FormData:
    return await request.form()


UploadFormDep = Annotated[FormData, Depends(_form_data)]


@router.get("/cases/import", "choose_file", Action.IMPORT_FILES)
def choose_file(request: Request) -> Response:
    return render(request, "cases/import.html", kinds=KIND_OPTIONS, kind="case", error="")


@router.post("/cases/import", "upload_file", Action.IMPORT_FILES)
def upload_file(request: Request, ctx: ContextDep, caller: CallerDep, form_data: UploadFormDep) -> Response:
    """Store the file with the raw texts and preview it, without importing it."""
    file, kind = form_data.get("file"), _parse_kind(form_data)
    if not isinstance(file, UploadFile) or not file.filename:
        return render(
            request, "cases/import.html", 422, kinds=KIND_OPTIONS, kind=kind.value, error="Select a file first."
        )
    uploads = UploadStore(ctx)
    name = safe_name(file.filename)
    upload_id, folder = uploads.create_folder()
    with translate_db_errors(ctx.settings.home), (folder / name).open("wb") as copy:
        shutil.copyfileobj(cast(Any, file.file), copy)
    try:
        preview_file(ctx.store, folder / name, kind=kind)
    except PatternmindError as error:
        uploads.discard(upload_id)
        message = f"{name}: {error.reason}. {error.remedy}" if isinstance(error, UnreadableFile) else str(error)
        return render(request, "cases/import.html", 422, kinds=KIND_OPTIONS, kind=kind.value, error=message)
    uploads.register(upload_id, owner=upload_owner(caller), name=name, kind=kind)
    return RedirectResponse(f"/cases/import/{upload_id}", status_code=303)


@router.get("/cases/import/{upload_id}", "look_at_file", Action.IMPORT_FILES)
def read_upload(request: Request, ctx: ContextDep, caller: CallerDep, upload_id: str) -> Response:
    uploads = UploadStore(ctx)
    return _page(request, ctx, uploads, uploads.find(upload_id, owner=upload_owner(caller)))


@router.post("/cases/import/{upload_id}/columns", "map_columns", Action.IMPORT_FILES)
def map_columns(
    request: Request, ctx: ContextDep, caller: CallerDep, upload_id: str, form_data: UploadFormDep
) -> Response:
    """Read the file again with another column mapping."""
    uploads = UploadStore(ctx)
    upload = uploads.find(upload_id, owner=upload_owner(caller))
    kind = _parse_kind(form_data)
    columns = [value for value in form_data.getlist("column") if isinstance(value, str)]
    fields = [value for value in form_data.getlist("field") if isinstance(value, str)]
    mapping = mapping_from_choices(dict(zip(columns, fields, strict=False)), kind) if kind is upload.kind else ()
    try:
        preview_file(ctx.store, uploads.file_path(upload), kind=kind, mapping=mapping)
        uploads.remap(upload, kind=kind, mapping=mapping)
    except PatternmindError as error:
        return _page(request, ctx, uploads, upload, error=str(error), status=422)
    return RedirectResponse(f"/cases/import/{upload.id}", status_code=303)


@router.post("/cases/import/{upload_id}", "take_in", Action.IMPORT_FILES)
def import_upload(request: Request, ctx: ContextDep, caller: CallerDep, upload_id: str) -> Response:
    """Import all valid rows in one transaction; a repeated request imports them once."""
    uploads = UploadStore(ctx)
    upload = uploads.find(upload_id, owner=upload_owner(caller))
    try:
        uploads.start_import(upload)
    except RuleViolated as error:
        return _page(request, ctx, uploads, upload, error=str(error), status=409)
    return RedirectResponse(f"/cases/import/{upload.id}", status_code=303)


@router.post("/cases/import/{upload_id}/drop", "drop_file", Action.IMPORT_FILES)
def delete_upload(ctx: ContextDep, caller: CallerDep, upload_id: str) -> Response:
    uploads = UploadStore(ctx)
    uploads.remove(uploads.find(upload_id, owner=upload_owner(caller)))
    response = RedirectResponse("/cases/import", status_code=303)
    flash(response, "Cancelled. The file was deleted and nothing was imported.")
    return response


@router.get("/cases/import/{upload_id}/errors.csv", "errors_file", Action.IMPORT_FILES)
def read_errors(ctx: ContextDep, caller: CallerDep, upload_id: str) -> Response:
    """Download the rejected rows as a CSV file to fix and upload again."""
    uploads = UploadStore(ctx)
    return rejected_rows_csv(uploads, uploads.find(upload_id, owner=upload_owner(caller)))


def _parse_kind(form_data: FormData) -> CaseKind:
    return CaseKind.RECAP if form_data.get("kind") == CaseKind.RECAP.value else CaseKind.CASE


def _page(
    request: Request, ctx: AppContext, uploads: UploadStore, upload: Upload, *, error: str = "", status: int = 200
) -> Response:
    preview: FilePreview | None = None
    if upload.state in {"ready", "failed"} and uploads.file_path(upload).is_file():
        try:
            preview = preview_file(ctx.store, uploads.file_path(upload), kind=upload.kind, mapping=upload.mapping)
        except PatternmindError as preview_error:
            error = error or str(preview_error)
    rejected = uploads.rejected_rows(upload) if not upload.is_in_progress else []
    return render(
        request,
        "cases/upload.html",
        status,
        upload=upload,
        preview=preview,
        error=error or upload.failure,
        kinds=KIND_OPTIONS,
        rejected=[_with_readable_errors(row) for row in rejected[:MAX_REJECTED_ROWS]],
        n_rejected=len(rejected),
        options=_field_options(preview),
        rows=[
            (
                case,
                [
                    (case_fields.field_label(name), mark_placeholders(_truncate(text)))
                    for name, text in case.text.items()
                    if name != "title"
                ],
            )
            for case in (preview.cases if preview else ())
        ],
        redactions=_redaction_summary(upload),
    )


def _with_readable_errors(row: RejectedRow) -> RejectedRow:
    """Return the row with its errors as sentences."""
    no_text = "No title and no text. Fill in one of them, or choose below which column contains the problem."
    errors = (no_text if "no title" in error.lower() else f"{error[:1].upper()}{error[1:]}." for error in row.errors)
    return replace(row, errors=tuple(errors))


def _truncate(text: str) -> str:
    return text if len(text) <= MAX_EXCERPT_LENGTH else f"{text[:MAX_EXCERPT_LENGTH]} …"


def _field_options(preview: FilePreview | None) -> list[tuple[str, str]]:
    fields = preview.fields if preview else ()
    return [("", "Keep, don't analyse"), *((name, case_fields.field_label(name)) for name in fields)]


def _redaction_summary(upload: Upload) -> str:
    """Return the counts by kind, largest first, such as "12 × person, 3 × e-mail"."""
    counts = cast("dict[str, int]", upload.report.get("redacted", {}))
    return ", ".join(f"{n} × {kind}" for kind, n in sorted(counts.items(), key=lambda item: -item[1]))
