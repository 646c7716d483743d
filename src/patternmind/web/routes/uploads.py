"""Files looked at before they are taken in: send one, see how it is read, say otherwise, take it in."""

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import asdict
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Depends, Query, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from patternmind.adapters.store.engine import plain_errors
from patternmind.bootstrap import House
from patternmind.errors import PatternmindError, UnreadableFile
from patternmind.model.cases import Kind
from patternmind.model.rights import Action
from patternmind.verbs.importing import FileSeen, look_into
from patternmind.web import case_answers
from patternmind.web.door import MAY_REPEAT, Door, TheCaller, TheHouse, problems
from patternmind.web.pages.importing import csv_of_rejected, owner_of
from patternmind.web.rights import needs
from patternmind.web.routes.cases import ANY_FILE, FileName
from patternmind.web.uploads import Upload, Uploads, safe_name

router = APIRouter(route_class=Door, tags=["cases"])

CSV: dict[int | str, dict[str, Any]] = {200: {"description": "A CSV file.", "content": {"text/csv": {}}}}


async def _sent(request: Request, house: TheHouse, filename: FileName) -> AsyncIterator[tuple[str, str]]:
    """The body in a place of its own: the id of the place, and the file's name there."""
    uploads = Uploads(house)
    name = safe_name(filename)
    upload_id, place = await run_in_threadpool(uploads.folder)
    try:
        with plain_errors(house.settings.home):
            async with await anyio.open_file(place / name, "wb") as file:
                async for chunk in request.stream():
                    await file.write(chunk)
        yield upload_id, name
    except BaseException:
        uploads.discard(upload_id)
        raise


@router.post(
    "/uploads",
    name="send_upload",
    status_code=201,
    responses=problems(400),
    openapi_extra=ANY_FILE,
    dependencies=[needs(Action.IMPORT_FILES), MAY_REPEAT],
)
def send_upload(
    response: Response,
    house: TheHouse,
    caller: TheCaller,
    sent: Annotated[tuple[str, str], Depends(_sent)],
    kind: Annotated[Kind, Query(alias="as", description="Whether its rows are cases or recaps.")] = Kind.CASE,
) -> case_answers.UploadAnswer:
    """Send a file and see how it would be read. Nothing of it is taken in; it waits for an hour."""
    upload_id, name = sent
    uploads = Uploads(house)
    upload = uploads.keep(upload_id, owner=owner_of(caller), name=name, kind=kind)
    response.headers["location"] = f"/api/v1/uploads/{upload_id}"
    return _answer(house, uploads, upload)


@router.get(
    "/uploads/{upload_id}", name="read_upload", responses=problems(404), dependencies=[needs(Action.IMPORT_FILES)]
)
def read_upload(house: TheHouse, caller: TheCaller, upload_id: str) -> case_answers.UploadAnswer:
    """Where a file stands; ask again while it is being checked or taken in."""
    uploads = Uploads(house)
    return _answer(house, uploads, uploads.find(upload_id, owner=owner_of(caller)))


@router.put(
    "/uploads/{upload_id}/mapping",
    name="map_upload",
    responses=problems(400, 404),
    dependencies=[needs(Action.IMPORT_FILES)],
)
def map_upload(
    house: TheHouse, caller: TheCaller, upload_id: str, asked: case_answers.MappingAsked
) -> case_answers.UploadAnswer:
    """Read it with other columns; all of it is checked again."""
    uploads = Uploads(house)
    upload = uploads.find(upload_id, owner=owner_of(caller))
    _look(house, uploads, upload, kind=asked.kind, mapping=tuple(asked.map))
    return _answer(house, uploads, uploads.remap(upload, kind=asked.kind, mapping=asked.map))


@router.post(
    "/uploads/{upload_id}/import",
    name="import_upload",
    responses=problems(404),
    dependencies=[needs(Action.IMPORT_FILES), MAY_REPEAT],
)
def import_upload(house: TheHouse, caller: TheCaller, upload_id: str) -> case_answers.UploadAnswer:
    """Take in all its good rows, in one go or not at all; asked twice, it is done once."""
    uploads = Uploads(house)
    upload = uploads.find(upload_id, owner=owner_of(caller))
    return _answer(house, uploads, uploads.take_in(upload))


@router.get(
    "/uploads/{upload_id}/errors",
    name="read_errors",
    responses=problems(404) | CSV,
    response_class=Response,
    dependencies=[needs(Action.IMPORT_FILES)],
)
def read_errors(house: TheHouse, caller: TheCaller, upload_id: str) -> Response:
    """The rejected rows with what is wrong, as a CSV file to mend and send again; no cell of it is a formula."""
    uploads = Uploads(house)
    return csv_of_rejected(uploads, uploads.find(upload_id, owner=owner_of(caller)))


@router.delete(
    "/uploads/{upload_id}",
    name="drop_upload",
    status_code=204,
    responses=problems(404),
    dependencies=[needs(Action.IMPORT_FILES)],
)
def drop_upload(house: TheHouse, caller: TheCaller, upload_id: str) -> None:
    """Remove the file; what was taken in of it stays."""
    uploads = Uploads(house)
    uploads.remove(uploads.find(upload_id, owner=owner_of(caller)))


def _look(house: House, uploads: Uploads, upload: Upload, *, kind: Kind, mapping: tuple[str, ...]) -> FileSeen:
    try:
        return look_into(house.store, uploads.path(upload), kind=kind, mapping=mapping)
    except UnreadableFile as error:
        raise UnreadableFile(upload.name, error.reason, error.remedy) from error


def _answer(house: House, uploads: Uploads, upload: Upload) -> case_answers.UploadAnswer:
    seen = FileSeen(columns=(), rows=(), fields=())
    if upload.state == "ready":
        with suppress(PatternmindError):  # the file went in this moment; its state says so when asked again
            seen = _look(house, uploads, upload, kind=upload.kind, mapping=upload.mapping)
    numbers = ("accepted", "unchanged", "updated", "duplicates", "suspicious", "n_rejected")
    told: dict[str, Any] = {name: upload.report.get(name, 0) for name in numbers}
    return case_answers.UploadAnswer(
        upload_id=upload.id,
        name=upload.name,
        kind=upload.kind,
        state=upload.state,  # pyright: ignore[reportArgumentType]
        n_done=upload.n_done,
        mapping=list(upload.mapping),
        redacted=upload.report.get("redacted", {}),
        failure=upload.failure,
        columns=[case_answers.ColumnAnswer(**asdict(one)) for one in seen.columns],
        rows=[case_answers.RowAnswer(title=one.title, text=dict(one.text), extra=dict(one.extra)) for one in seen.rows],
        **told,
    )
