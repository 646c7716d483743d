"""Pages to import a file: upload, columns, preview, rejected rows, import."""

from dataclasses import replace
from typing import cast

from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response

from patternmind.domain.cases import CaseKind, RejectedRow
from patternmind.domain.permissions import Action
from patternmind.errors import PatternmindError, RuleViolated, UnreadableFile
from patternmind.services.import_preview import FilePreview, mapping_from_choices, preview_file
from patternmind.web import case_fields
from patternmind.web.forms import FormDataDep
from patternmind.web.page_request import PageDep, PageRequest
from patternmind.web.received_files import write_form_file
from patternmind.web.routing import PageRouter
from patternmind.web.safe_text import mark_placeholders
from patternmind.web.templating import redirect
from patternmind.web.uploads import (
    Upload,
    UploadDep,
    UploadStore,
    preview_upload,
    rejected_rows_csv,
    safe_name,
    upload_owner,
)

router = PageRouter()

MAX_REJECTED_ROWS = 50
"""Rejected rows shown on the page; the CSV file has all of them."""

MAX_EXCERPT_LENGTH = 400

KIND_OPTIONS = [("case", "Cases", "One case per row."), ("recap", "Recaps", "One session per row.")]


@router.get("/cases/import", "choose_file", Action.IMPORT_FILES)
def choose_file(page: PageDep) -> Response:
    return _form(page)


def _form(page: PageRequest, kind: CaseKind = CaseKind.CASE, error: str = "") -> Response:
    status = 422 if error else 200
    return page.render("cases/import.html", status, kinds=KIND_OPTIONS, kind=kind.value, error=error)


@router.post("/cases/import", "upload_file", Action.IMPORT_FILES)
def upload_file(page: PageDep, form_data: FormDataDep) -> Response:
    """Store the file with the raw texts and preview it, without importing it."""
    file, kind = form_data.get("file"), _parse_kind(form_data)
    if not isinstance(file, UploadFile) or not file.filename:
        return _form(page, kind, "Select a file first.")
    uploads = UploadStore(page.ctx)
    name = safe_name(file.filename)
    upload_id, folder = uploads.create_folder()
    write_form_file(file, folder / name)
    try:
        preview_file(page.store, folder / name, kind=kind)
    except PatternmindError as error:
        uploads.discard(upload_id)
        message = f"{name}: {error.reason}. {error.remedy}" if isinstance(error, UnreadableFile) else str(error)
        return _form(page, kind, message)
    uploads.register(upload_id, owner=upload_owner(page.caller), name=name, kind=kind)
    return redirect(f"/cases/import/{upload_id}")


@router.get("/cases/import/{upload_id}", "look_at_file", Action.IMPORT_FILES)
def read_upload(page: PageDep, upload: UploadDep) -> Response:
    return _page(page, upload)


@router.post("/cases/import/{upload_id}/columns", "map_columns", Action.IMPORT_FILES)
def map_columns(page: PageDep, upload: UploadDep, form_data: FormDataDep) -> Response:
    """Read the file again with another column mapping."""
    kind = _parse_kind(form_data)
    columns = [value for value in form_data.getlist("column") if isinstance(value, str)]
    fields = [value for value in form_data.getlist("field") if isinstance(value, str)]
    mapping = mapping_from_choices(dict(zip(columns, fields, strict=False)), kind) if kind is upload.kind else ()
    try:
        preview_upload(page.ctx, upload, kind=kind, mapping=mapping)
        UploadStore(page.ctx).remap(upload, kind=kind, mapping=mapping)
    except PatternmindError as error:
        return _page(page, upload, error=str(error), status=422)
    return redirect(f"/cases/import/{upload.id}")


@router.post("/cases/import/{upload_id}", "take_in", Action.IMPORT_FILES)
def import_upload(page: PageDep, upload: UploadDep) -> Response:
    """Import all valid rows in one transaction; a repeated request imports them once."""
    try:
        UploadStore(page.ctx).start_import(upload)
    except RuleViolated as error:
        return _page(page, upload, error=str(error), status=409)
    return redirect(f"/cases/import/{upload.id}")


@router.post("/cases/import/{upload_id}/drop", "drop_file", Action.IMPORT_FILES)
def delete_upload(page: PageDep, upload: UploadDep) -> Response:
    UploadStore(page.ctx).remove(upload)
    return redirect("/cases/import", "Cancelled. The file was deleted and nothing was imported.")


@router.get("/cases/import/{upload_id}/errors.csv", "errors_file", Action.IMPORT_FILES)
def read_errors(page: PageDep, upload: UploadDep) -> Response:
    """Download the rejected rows as a CSV file to fix and upload again."""
    return rejected_rows_csv(page.ctx, upload)


def _parse_kind(form_data: FormData) -> CaseKind:
    return CaseKind.RECAP if form_data.get("kind") == CaseKind.RECAP.value else CaseKind.CASE


def _page(page: PageRequest, upload: Upload, *, error: str = "", status: int = 200) -> Response:
    uploads = UploadStore(page.ctx)
    preview: FilePreview | None = None
    if upload.state in {"ready", "failed"} and uploads.file_path(upload).is_file():
        try:
            preview = preview_upload(page.ctx, upload)
        except PatternmindError as preview_error:
            error = error or str(preview_error)
    rejected = uploads.rejected_rows(upload) if not upload.is_in_progress else []
    return page.render(
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
