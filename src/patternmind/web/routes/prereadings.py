"""Pre-reading for a session: asked for, read, edited, approved by a named person, and taken back."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Header, Response
from fastapi.responses import JSONResponse

from patternmind.bootstrap import House
from patternmind.errors import UsageError
from patternmind.model.drafts import ReviewedDraft
from patternmind.model.jobs import JobKind
from patternmind.model.rights import Action
from patternmind.publish.prereading import prereading_record
from patternmind.verbs import prereadings
from patternmind.verbs.prereadings import Wish
from patternmind.verbs.publishing import prereading_document, prereading_row
from patternmind.web import answers
from patternmind.web.door import MAY_REPEAT, Door, TheCaller, TheHouse, TheJobs, problems
from patternmind.web.files import FILES, Format, as_file
from patternmind.web.paging import Cursor, Limit, one_page
from patternmind.web.rights import needs
from patternmind.web.routes.drafts import ETAG, decision_answer, expected_version
from patternmind.web.routes.jobs import begun
from patternmind.web.work import index_over_rows

router = APIRouter(route_class=Door, tags=["pre-reading"])

IfMatch = Annotated[
    str | None, Header(max_length=200, description="The ETag you decide on; without it, on whatever stands now.")
]


@router.post(
    "/prereadings",
    name="make_prereading",
    status_code=201,
    response_model=answers.DraftedAnswer,
    responses=problems(400, 404) | {201: {"content": FILES}, 202: {"model": answers.JobAnswer}},
    dependencies=[needs(Action.REQUEST_PREREADING), MAY_REPEAT],
)
def make_prereading(
    house: TheHouse,
    jobs: TheJobs,
    caller: TheCaller,
    asked: answers.PrereadingAsked,
    format: Format = "json",
    prefer: Annotated[
        str | None, Header(max_length=200, description="`respond-async`: 202 at once, with a job to ask after.")
    ] = None,
) -> Response:
    """Two pages for a session: the case in its own words, its theme, voices, what helped, what is open.

    It is kept as a draft at `Location`. For members: it may quote what may not leave the network, and then says so.
    """
    wish = prereadings.check_wish(house.store, _wish(asked))
    if "respond-async" in (prefer or "").casefold():
        response = Response()
        answer = begun(house, jobs.start(JobKind.PREREADING, asdict(wish), by=caller.name), response)
        place = {name: response.headers[name] for name in ("location", "retry-after")}
        return JSONResponse(answer.model_dump(mode="json"), 202, {**place, "preference-applied": "respond-async"})
    prepared = prereadings.fulfil(
        house.store,
        house.clock,
        house.encoder,
        wish,
        index=lambda: index_over_rows(house),
        namer=house.namer,
    )
    place = {"location": f"/api/v1/drafts/{prepared.grounded.draft.id}"}
    if format == "json":
        row = answers.DraftedAnswer.model_validate(prereading_row(prepared))
        return JSONResponse(row.model_dump(mode="json"), status_code=201, headers=place)
    document = prereading_document(prepared, house.store.network)
    return as_file(document, format, status_code=201, headers=place)


def _wish(asked: answers.PrereadingAsked) -> Wish:
    """What was asked for; an empty topic is one that says nothing, and no absent one."""
    given = {name: value for name, value in asked.model_dump(exclude={"date"}).items() if value is not None}
    if len({"theme", "topic", "case"} & set(given)) != 1:
        raise UsageError("Name exactly one of theme, topic and case.", field="topic")
    if not any(given.get(name, "").strip() for name in ("theme", "topic", "case")):
        raise UsageError("Say what the session is about.", field="topic")
    return Wish(**given, date=asked.date.isoformat() if asked.date else "")


@router.get("/prereadings", name="list_prereadings", dependencies=[needs(Action.REQUEST_PREREADING)])
def list_prereadings(house: TheHouse, limit: Limit = 50, cursor: Cursor = None) -> answers.Page[answers.PrereadingRow]:
    """Every pre-reading that was asked for, oldest first."""
    rows = prereadings.list_prereadings(house.store)
    page, following = one_page(
        rows, key=lambda one: f"{one.created_at.isoformat()} {one.id}", limit=limit, cursor=cursor
    )
    return answers.Page(
        items=[
            answers.PrereadingRow.model_validate({**asdict(one), "approved_by": one.approved_by or None})
            for one in page
        ],
        next_cursor=following,
    )


@router.get(
    "/prereadings/{prereading_id}",
    name="read_prereading",
    response_model=answers.PrereadingAnswer,
    responses=problems(404) | {200: {**ETAG[200], "content": FILES}},
    dependencies=[needs(Action.REQUEST_PREREADING)],
)
def read_prereading(house: TheHouse, prereading_id: str, format: Format = "json") -> Response:
    """One pre-reading as it stands, or as it prints. Without approval it says "Draft, not reviewed"."""
    reviewed = prereadings.open_prereading(house.store, prereading_id)
    tag = {"etag": f'"{reviewed.version}"'}
    if format == "json":
        return JSONResponse(_answer(reviewed).model_dump(mode="json"), headers=tag)
    return as_file(prereadings.document_of(house.store, reviewed), format, headers=tag)


@router.patch(
    "/prereadings/{prereading_id}",
    name="edit_prereading",
    responses=problems(400, 404, 412) | ETAG,
    dependencies=[needs(Action.APPROVE_PREREADING)],
)
def edit_prereading(
    house: TheHouse,
    caller: TheCaller,
    response: Response,
    prereading_id: str,
    asked: answers.PrereadingEdit,
    if_match: IfMatch = None,
) -> answers.PrereadingAnswer:
    """Write fields anew. An approval does not cover the new words: it has to be given again."""
    version = _seen(house, prereading_id, if_match)
    edits = {name: value if isinstance(value, str) else tuple(value) for name, value in asked.fields.items()}
    if not isinstance(edits.get("name", ""), str):
        raise UsageError('"fields.name" is one line of text, not a list.', field="fields.name")
    by = caller.signs_as(asked.by)
    reviewed = prereadings.edit_prereading(house.store, house.clock, prereading_id, edits, by=by, version=version)
    return _tagged(reviewed, response)


@router.post(
    "/prereadings/{prereading_id}/approval",
    name="approve_prereading",
    responses=problems(400, 404, 409, 412) | ETAG,
    dependencies=[needs(Action.APPROVE_PREREADING), MAY_REPEAT],
)
def approve_prereading(
    house: TheHouse,
    caller: TheCaller,
    response: Response,
    prereading_id: str,
    asked: answers.Signed | None = None,
    if_match: IfMatch = None,
) -> answers.PrereadingAnswer:
    """Stand for it with a name; from then on it prints "Approved"."""
    version = _seen(house, prereading_id, if_match)
    by = caller.signs_as(asked.by if asked else None)
    reviewed = prereadings.approve_prereading(house.store, house.clock, prereading_id, by=by, version=version)
    return _tagged(reviewed, response)


@router.post(
    "/prereadings/{prereading_id}/undo",
    name="undo_prereading",
    responses=problems(400, 404, 409, 412) | ETAG,
    dependencies=[needs(Action.APPROVE_PREREADING), MAY_REPEAT],
)
def undo_prereading(
    house: TheHouse,
    caller: TheCaller,
    response: Response,
    prereading_id: str,
    asked: answers.Signed | None = None,
    if_match: IfMatch = None,
) -> answers.PrereadingAnswer:
    """Take back the last decision that stands, an approval or an edit."""
    version = _seen(house, prereading_id, if_match)
    by = caller.signs_as(asked.by if asked else None)
    return _tagged(prereadings.take_back(house.store, house.clock, prereading_id, by=by, version=version), response)


def _seen(house: House, prereading_id: str, if_match: str | None) -> int | None:
    prereadings.open_prereading(house.store, prereading_id)
    return expected_version(house.store, prereading_id, if_match)


def _tagged(reviewed: ReviewedDraft, response: Response) -> answers.PrereadingAnswer:
    response.headers["etag"] = f'"{reviewed.version}"'
    return _answer(reviewed)


def _answer(reviewed: ReviewedDraft) -> answers.PrereadingAnswer:
    approval = prereadings.approval_of(reviewed.decisions)
    return answers.PrereadingAnswer.model_validate(
        {
            **prereading_record(reviewed),
            "version": reviewed.version,
            "approved_by": approval.by if approval else None,
            "approved_at": approval.at if approval else None,
            "decisions": [decision_answer(one) for one in reviewed.decisions],
        }
    )
