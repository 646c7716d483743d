"""Taking in a file: upload, what its columns are taken for, how its rows would read, what is rejected, and then all."""

import shutil
from dataclasses import replace
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from patternmind.adapters.store.engine import plain_errors
from patternmind.bootstrap import House
from patternmind.errors import NotAllowed, PatternmindError, UnreadableFile
from patternmind.model.cases import Kind, RejectedRow
from patternmind.model.rights import Action
from patternmind.verbs.importing import FileSeen, look_into, mapping_of, rejected_as_csv
from patternmind.web import case_fields
from patternmind.web.auth import Caller
from patternmind.web.door import PageDoor, TheCaller, TheHouse
from patternmind.web.rendering import flash, render
from patternmind.web.rights import needs
from patternmind.web.safe_text import redacted
from patternmind.web.uploads import Upload, Uploads, safe_name

router = APIRouter(route_class=PageDoor)

MOST_SHOWN = 50
"""Rejected rows on the page; the file to mend has all of them."""

LONGEST_SHOWN = 400

KINDS = [("case", "Cases", "One row, one case."), ("recap", "Recaps", "One row, one session.")]


async def _form(request: Request) -> FormData:
    return await request.form()


TheForm = Annotated[FormData, Depends(_form)]


def owner_of(caller: Caller) -> str:
    """Whose upload it is: nobody else comes to it by its address."""
    return f"{caller.network_id}/{caller.member.id if caller.member else caller.name or ''}"


@router.get("/cases/import", name="choose_file", dependencies=[needs(Action.IMPORT_FILES)])
def choose_file(request: Request) -> Response:
    return render(request, "cases/import.html", kinds=KINDS, kind="case", error="")


@router.post("/cases/import", name="upload_file", dependencies=[needs(Action.IMPORT_FILES)])
def upload_file(request: Request, house: TheHouse, caller: TheCaller, sent: TheForm) -> Response:
    """Keep the file where raw text is kept, and look at it; nothing of it is taken in yet."""
    file, kind = sent.get("file"), _kind(sent)
    if not isinstance(file, UploadFile) or not file.filename:
        return render(request, "cases/import.html", 422, kinds=KINDS, kind=kind.value, error="Choose a file first.")
    uploads = Uploads(house)
    name = safe_name(file.filename)
    upload_id, place = uploads.folder()
    with plain_errors(house.settings.home), (place / name).open("wb") as kept:
        shutil.copyfileobj(cast(Any, file.file), kept)
    try:
        look_into(house.store, place / name, kind=kind)
    except PatternmindError as error:
        uploads.discard(upload_id)
        said = f"{name}: {error.reason}. {error.remedy}" if isinstance(error, UnreadableFile) else str(error)
        return render(request, "cases/import.html", 422, kinds=KINDS, kind=kind.value, error=said)
    uploads.keep(upload_id, owner=owner_of(caller), name=name, kind=kind)
    return RedirectResponse(f"/cases/import/{upload_id}", status_code=303)


@router.get("/cases/import/{upload_id}", name="look_at_file", dependencies=[needs(Action.IMPORT_FILES)])
def look_at_file(request: Request, house: TheHouse, caller: TheCaller, upload_id: str) -> Response:
    uploads = Uploads(house)
    return _page(request, house, uploads, uploads.find(upload_id, owner=owner_of(caller)))


@router.post("/cases/import/{upload_id}/columns", name="map_columns", dependencies=[needs(Action.IMPORT_FILES)])
def map_columns(request: Request, house: TheHouse, caller: TheCaller, upload_id: str, sent: TheForm) -> Response:
    """Read it again with other columns."""
    uploads = Uploads(house)
    upload = uploads.find(upload_id, owner=owner_of(caller))
    kind = _kind(sent)
    columns = [value for value in sent.getlist("column") if isinstance(value, str)]
    fields = [value for value in sent.getlist("field") if isinstance(value, str)]
    mapping = mapping_of(dict(zip(columns, fields, strict=False)), kind) if kind is upload.kind else ()
    try:
        look_into(house.store, uploads.path(upload), kind=kind, mapping=mapping)
        uploads.remap(upload, kind=kind, mapping=mapping)
    except PatternmindError as error:
        return _page(request, house, uploads, upload, error=str(error), status=422)
    return RedirectResponse(f"/cases/import/{upload.id}", status_code=303)


@router.post("/cases/import/{upload_id}", name="take_in", dependencies=[needs(Action.IMPORT_FILES)])
def take_in(request: Request, house: TheHouse, caller: TheCaller, upload_id: str) -> Response:
    """Take in all good rows in one go; sent twice, it is done once."""
    uploads = Uploads(house)
    upload = uploads.find(upload_id, owner=owner_of(caller))
    try:
        uploads.take_in(upload)
    except NotAllowed as error:
        return _page(request, house, uploads, upload, error=str(error), status=409)
    return RedirectResponse(f"/cases/import/{upload.id}", status_code=303)


@router.post("/cases/import/{upload_id}/drop", name="drop_file", dependencies=[needs(Action.IMPORT_FILES)])
def drop_file(house: TheHouse, caller: TheCaller, upload_id: str) -> Response:
    uploads = Uploads(house)
    uploads.remove(uploads.find(upload_id, owner=owner_of(caller)))
    answer = RedirectResponse("/cases/import", status_code=303)
    flash(answer, "The file is removed. Nothing of it was taken in.")
    return answer


@router.get("/cases/import/{upload_id}/errors.csv", name="errors_file", dependencies=[needs(Action.IMPORT_FILES)])
def errors_file(house: TheHouse, caller: TheCaller, upload_id: str) -> Response:
    """The rejected rows as a file to mend and upload again."""
    uploads = Uploads(house)
    return csv_of_rejected(uploads, uploads.find(upload_id, owner=owner_of(caller)))


def csv_of_rejected(uploads: Uploads, upload: Upload) -> Response:
    text = rejected_as_csv(uploads.path(upload), uploads.rejected(upload))
    headers = {"content-disposition": 'attachment; filename="rows-to-mend.csv"'}
    return Response("\ufeff" + text, media_type="text/csv; charset=utf-8", headers=headers)


def _kind(sent: FormData) -> Kind:
    return Kind.RECAP if sent.get("kind") == Kind.RECAP.value else Kind.CASE


def _page(
    request: Request, house: House, uploads: Uploads, upload: Upload, *, error: str = "", status: int = 200
) -> Response:
    seen: FileSeen | None = None
    if upload.state in {"ready", "failed"} and uploads.path(upload).is_file():
        try:
            seen = look_into(house.store, uploads.path(upload), kind=upload.kind, mapping=upload.mapping)
        except PatternmindError as wrong:
            error = error or str(wrong)
    rejected = uploads.rejected(upload) if not upload.is_under_way else []
    return render(
        request,
        "cases/upload.html",
        status,
        upload=upload,
        seen=seen,
        error=error or upload.failure,
        kinds=KINDS,
        rejected=[_in_plain_words(row) for row in rejected[:MOST_SHOWN]],
        n_rejected=len(rejected),
        options=_options(seen),
        rows=[
            (
                one,
                [
                    (case_fields.label(name), redacted(_short(text)))
                    for name, text in one.text.items()
                    if name != "title"
                ],
            )
            for one in (seen.rows if seen else ())
        ],
        redactions=_redactions(upload),
    )


def _in_plain_words(row: RejectedRow) -> RejectedRow:
    """A column that a form has no name for keeps it: there are many in a row."""
    nothing = "It has no title and no text. Fill one in, or say below which column holds the problem."
    errors = (nothing if one.startswith("it has no title") else f"{one[:1].upper()}{one[1:]}." for one in row.errors)
    return replace(row, errors=tuple(errors))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]} …"


def _options(seen: FileSeen | None) -> list[tuple[str, str]]:
    fields = seen.fields if seen else ()
    return [("", "Kept beside, not compared"), *((name, case_fields.label(name)) for name in fields)]


def _redactions(upload: Upload) -> str:
    """Such as "12 persons, 3 e-mails"."""
    found = cast("dict[str, int]", upload.report.get("redacted", {}))
    return ", ".join(f"{n} × {kind}" for kind, n in sorted(found.items(), key=lambda one: -one[1]))
