"""Taking in a file: upload, what its columns are taken for, how its rows would read, what is rejected, and then all."""

import shutil
from dataclasses import replace
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends
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
from patternmind.web.permissions import requires
from patternmind.web.routing import PageRoute
from patternmind.web.safe_text import mark_placeholders
from patternmind.web.templating import flash, render
from patternmind.web.uploads import Upload, UploadStore, rejected_rows_csv, safe_name, upload_owner

router = APIRouter(route_class=PageRoute)

MAX_REJECTED_ROWS = 50
"""Rejected rows on the page; the file to mend has all of them."""

MAX_EXCERPT_LENGTH = 400

KIND_OPTIONS = [("case", "Cases", "One row, one case."), ("recap", "Recaps", "One row, one session.")]


async def _form_data(request: Request) -> FormData:
    return await request.form()


UploadFormDep = Annotated[FormData, Depends(_form_data)]


@router.get("/cases/import", name="choose_file", dependencies=[requires(Action.IMPORT_FILES)])
def choose_file(request: Request) -> Response:
    return render(request, "cases/import.html", kinds=KIND_OPTIONS, kind="case", error="")


@router.post("/cases/import", name="upload_file", dependencies=[requires(Action.IMPORT_FILES)])
def upload_file(request: Request, ctx: ContextDep, caller: CallerDep, form_data: UploadFormDep) -> Response:
    """Keep the file where raw text is kept, and look at it; nothing of it is taken in yet."""
    file, kind = form_data.get("file"), _parse_kind(form_data)
    if not isinstance(file, UploadFile) or not file.filename:
        return render(
            request, "cases/import.html", 422, kinds=KIND_OPTIONS, kind=kind.value, error="Choose a file first."
        )
    uploads = UploadStore(ctx)
    name = safe_name(file.filename)
    upload_id, place = uploads.create_folder()
    with translate_db_errors(ctx.settings.home), (place / name).open("wb") as kept:
        shutil.copyfileobj(cast(Any, file.file), kept)
    try:
        preview_file(ctx.store, place / name, kind=kind)
    except PatternmindError as error:
        uploads.discard(upload_id)
        said = f"{name}: {error.reason}. {error.remedy}" if isinstance(error, UnreadableFile) else str(error)
        return render(request, "cases/import.html", 422, kinds=KIND_OPTIONS, kind=kind.value, error=said)
    uploads.register(upload_id, owner=upload_owner(caller), name=name, kind=kind)
    return RedirectResponse(f"/cases/import/{upload_id}", status_code=303)


@router.get("/cases/import/{upload_id}", name="look_at_file", dependencies=[requires(Action.IMPORT_FILES)])
def read_upload(request: Request, ctx: ContextDep, caller: CallerDep, upload_id: str) -> Response:
    uploads = UploadStore(ctx)
    return _page(request, ctx, uploads, uploads.find(upload_id, owner=upload_owner(caller)))


@router.post("/cases/import/{upload_id}/columns", name="map_columns", dependencies=[requires(Action.IMPORT_FILES)])
def map_columns(
    request: Request, ctx: ContextDep, caller: CallerDep, upload_id: str, form_data: UploadFormDep
) -> Response:
    """Read it again with other columns."""
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


@router.post("/cases/import/{upload_id}", name="take_in", dependencies=[requires(Action.IMPORT_FILES)])
def import_upload(request: Request, ctx: ContextDep, caller: CallerDep, upload_id: str) -> Response:
    """Take in all good rows in one go; sent twice, it is done once."""
    uploads = UploadStore(ctx)
    upload = uploads.find(upload_id, owner=upload_owner(caller))
    try:
        uploads.start_import(upload)
    except RuleViolated as error:
        return _page(request, ctx, uploads, upload, error=str(error), status=409)
    return RedirectResponse(f"/cases/import/{upload.id}", status_code=303)


@router.post("/cases/import/{upload_id}/drop", name="drop_file", dependencies=[requires(Action.IMPORT_FILES)])
def delete_upload(ctx: ContextDep, caller: CallerDep, upload_id: str) -> Response:
    uploads = UploadStore(ctx)
    uploads.remove(uploads.find(upload_id, owner=upload_owner(caller)))
    answer = RedirectResponse("/cases/import", status_code=303)
    flash(answer, "The file is removed. Nothing of it was taken in.")
    return answer


@router.get("/cases/import/{upload_id}/errors.csv", name="errors_file", dependencies=[requires(Action.IMPORT_FILES)])
def read_errors(ctx: ContextDep, caller: CallerDep, upload_id: str) -> Response:
    """The rejected rows as a file to mend and upload again."""
    uploads = UploadStore(ctx)
    return rejected_rows_csv(uploads, uploads.find(upload_id, owner=upload_owner(caller)))


def _parse_kind(form_data: FormData) -> CaseKind:
    return CaseKind.RECAP if form_data.get("kind") == CaseKind.RECAP.value else CaseKind.CASE


def _page(
    request: Request, ctx: AppContext, uploads: UploadStore, upload: Upload, *, error: str = "", status: int = 200
) -> Response:
    seen: FilePreview | None = None
    if upload.state in {"ready", "failed"} and uploads.file_path(upload).is_file():
        try:
            seen = preview_file(ctx.store, uploads.file_path(upload), kind=upload.kind, mapping=upload.mapping)
        except PatternmindError as wrong:
            error = error or str(wrong)
    rejected = uploads.rejected_rows(upload) if not upload.is_in_progress else []
    return render(
        request,
        "cases/upload.html",
        status,
        upload=upload,
        seen=seen,
        error=error or upload.failure,
        kinds=KIND_OPTIONS,
        rejected=[_with_readable_errors(row) for row in rejected[:MAX_REJECTED_ROWS]],
        n_rejected=len(rejected),
        options=_field_options(seen),
        rows=[
            (
                one,
                [
                    (case_fields.field_label(name), mark_placeholders(_truncate(text)))
                    for name, text in one.text.items()
                    if name != "title"
                ],
            )
            for one in (seen.cases if seen else ())
        ],
        redactions=_redaction_summary(upload),
    )


def _with_readable_errors(row: RejectedRow) -> RejectedRow:
    """A column that a form has no name for keeps it: there are many in a row."""
    nothing = "It has no title and no text. Fill one in, or say below which column holds the problem."
    errors = (nothing if one.startswith("it has no title") else f"{one[:1].upper()}{one[1:]}." for one in row.errors)
    return replace(row, errors=tuple(errors))


def _truncate(text: str) -> str:
    return text if len(text) <= MAX_EXCERPT_LENGTH else f"{text[:MAX_EXCERPT_LENGTH]} …"


def _field_options(preview: FilePreview | None) -> list[tuple[str, str]]:
    fields = preview.fields if preview else ()
    return [("", "Kept beside, not compared"), *((name, case_fields.field_label(name)) for name in fields)]


def _redaction_summary(upload: Upload) -> str:
    """Such as "12 persons, 3 e-mails"."""
    found = cast("dict[str, int]", upload.report.get("redacted", {}))
    return ", ".join(f"{n} × {kind}" for kind, n in sorted(found.items(), key=lambda one: -one[1]))
