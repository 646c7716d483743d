"""Pre-readings: create, read, edit, approve and undo."""

import datetime as dt
from dataclasses import asdict
from typing import Annotated

from fastapi import Header, Response
from fastapi.responses import JSONResponse
from pydantic import BeforeValidator, Field

from patternmind.bootstrap import AppContext
from patternmind.domain.draft_fields import parse_fields
from patternmind.domain.drafts import DraftState, ReviewedDraft, approval_of
from patternmind.domain.jobs import JobKind
from patternmind.domain.permissions import Action
from patternmind.errors import UsageError
from patternmind.jobs.handlers import exact_index
from patternmind.publishing.prereading import prereading_record
from patternmind.services import prereadings
from patternmind.services.playbook import prepared_document, prepared_row
from patternmind.services.prereadings import PrereadingRequest
from patternmind.web.api.jobs import JobResponse, accepted_job_response
from patternmind.web.api.schemas import (
    ActorName,
    ActorRequest,
    DecisionResponse,
    DraftContentResponse,
    PageResponse,
    RequestModel,
    ResponseModel,
)
from patternmind.web.dependencies import CallerDep, ContextDep, JobRunnerDep
from patternmind.web.document_response import FILE_CONTENT, DocumentFormat, document_response
from patternmind.web.etags import IfMatchHeader, expected_version, format_etag
from patternmind.web.pagination import CursorQuery, LimitQuery, paginate
from patternmind.web.routing import ApiRouter

router = ApiRouter("pre-reading")


class CreatePrereadingRequest(RequestModel):
    """Request for a pre-reading; give exactly one of theme, topic and case."""

    theme: str | None = Field(default=None, max_length=200, description="Theme id.")
    topic: str | None = Field(default=None, max_length=2000, description="Topic of the session.")
    case: str | None = Field(default=None, max_length=500, description="Case id or external id.")
    session: str = Field(default="", max_length=200, description="Name of the session.")
    date: dt.date | None = Field(default=None, description="Date of the session.")
    leave_with: str = Field(default="", max_length=400, description="Intended result of the session, in a sentence.")


class PrereadingSummaryResponse(ResponseModel):
    """A pre-reading in a list; `approved_by` is null while it prints "Draft, not reviewed"."""

    id: str
    name: str
    session: str
    date: str
    theme_id: str | None
    state: DraftState
    version: int
    created_at: dt.datetime
    approved_by: Annotated[str | None, BeforeValidator(lambda name: name or None)]
    approved_at: dt.datetime | None


class PrereadingResponse(DraftContentResponse):
    """A pre-reading with its decisions applied. `version` counts them and is its ETag."""

    version: int
    approved_by: str | None
    approved_at: dt.datetime | None
    decisions: list[DecisionResponse]


class PrereadingEditRequest(RequestModel):
    """Full new text by field; `name` is one of them. An approved pre-reading needs approval again."""

    fields: dict[str, str | list[str]] = Field(min_length=1, max_length=40)
    by: ActorName = None


@router.post(
    "/prereadings",
    "make_prereading",
    Action.REQUEST_PREREADING,
    status_code=201,
    response_model=DraftContentResponse,
    problems=[404],
    responses={201: {"content": FILE_CONTENT}, 202: {"model": JobResponse}},
)
def create_prereading(
    ctx: ContextDep,
    job_runner: JobRunnerDep,
    caller: CallerDep,
    body: CreatePrereadingRequest,
    format: DocumentFormat = "json",
    prefer: Annotated[
        str | None, Header(max_length=200, description="`respond-async`: return 202 and a job at once.")
    ] = None,
) -> Response:
    """Create a pre-reading of two pages: case, theme, voices, what helped, open questions.

    It is stored as a draft at `Location`. It is for members: it may quote text that may not leave the network, and
    marks it.
    """
    prereading_request = prereadings.validate_prereading_request(ctx.store, _prereading_request(body))
    if "respond-async" in (prefer or "").casefold():
        job = job_runner.start(JobKind.PREREADING, asdict(prereading_request), actor=caller.name)
        response = Response(headers={"preference-applied": "respond-async"})
        job_response = accepted_job_response(ctx, job, response)
        headers = {name: response.headers[name] for name in ("location", "retry-after", "preference-applied")}
        return JSONResponse(job_response.model_dump(mode="json"), 202, headers)
    prereading = prereadings.create_prereading(
        ctx.store, ctx.clock, ctx.encoder, prereading_request, get_index=lambda: exact_index(ctx), llm=ctx.llm
    )
    headers = {"location": f"/api/v1/drafts/{prereading.grounded.draft.id}"}
    if format == "json":
        row = DraftContentResponse.model_validate(prepared_row(prereading))
        return JSONResponse(row.model_dump(mode="json"), status_code=201, headers=headers)
    document = prepared_document(prereading, ctx.store.network.get())
    return document_response(document, format, status_code=201, headers=headers)


def _prereading_request(body: CreatePrereadingRequest) -> PrereadingRequest:
    """Return the request of the service; an empty topic is an error, not a missing topic."""
    fields = {name: value for name, value in body.model_dump(exclude={"date"}).items() if value is not None}
    if len({"theme", "topic", "case"} & set(fields)) != 1:
        raise UsageError("Give exactly one of theme, topic and case.", field="topic")
    if not any(fields.get(name, "").strip() for name in ("theme", "topic", "case")):
        raise UsageError("Give the topic of the session.", field="topic")
    return PrereadingRequest(**fields, date=body.date.isoformat() if body.date else "")


@router.get("/prereadings", "list_prereadings", Action.REQUEST_PREREADING)
def list_prereadings(
    ctx: ContextDep, limit: LimitQuery = 50, cursor: CursorQuery = None
) -> PageResponse[PrereadingSummaryResponse]:
    """List all pre-readings, oldest first."""
    rows = prereadings.list_prereadings(ctx.store)
    page = paginate(rows, key=lambda row: f"{row.created_at.isoformat()} {row.id}", limit=limit, cursor=cursor)
    return PageResponse[PrereadingSummaryResponse].of_page(page)


@router.get(
    "/prereadings/{prereading_id}",
    "read_prereading",
    Action.REQUEST_PREREADING,
    response_model=PrereadingResponse,
    etag="draft",
    responses={200: {"content": FILE_CONTENT}},
)
def read_prereading(ctx: ContextDep, prereading_id: str, format: DocumentFormat = "json") -> Response:
    """Read a pre-reading, as JSON or as a document. Without approval it prints "Draft, not reviewed"."""
    reviewed = prereadings.get_prereading(ctx.store, prereading_id)
    etag_header = {"etag": format_etag(reviewed.version)}
    if format == "json":
        return JSONResponse(_prereading_response(reviewed).model_dump(mode="json"), headers=etag_header)
    return document_response(prereadings.build_prereading_document(ctx.store, reviewed), format, headers=etag_header)


@router.patch("/prereadings/{prereading_id}", "edit_prereading", Action.APPROVE_PREREADING, etag="draft")
def edit_prereading(
    ctx: ContextDep,
    caller: CallerDep,
    response: Response,
    prereading_id: str,
    body: PrereadingEditRequest,
    if_match: IfMatchHeader = None,
) -> PrereadingResponse:
    """Edit fields. An approved pre-reading needs approval again."""
    version = _expected_version(ctx, prereading_id, if_match)
    edits = parse_fields(body.fields)
    if not isinstance(edits.get("name", ""), str):
        raise UsageError('"fields.name" must be a single line of text, not a list.', field="fields.name")
    by = caller.actor_name(body.by)
    reviewed = prereadings.edit_prereading(
        ctx.store, ctx.clock, prereading_id, edits, actor=by, expected_version=version
    )
    return _response_with_etag(reviewed, response)


@router.post(
    "/prereadings/{prereading_id}/approval",
    "approve_prereading",
    Action.APPROVE_PREREADING,
    problems=[409],
    etag="draft",
)
def approve_prereading(
    ctx: ContextDep,
    caller: CallerDep,
    response: Response,
    prereading_id: str,
    body: ActorRequest | None = None,
    if_match: IfMatchHeader = None,
) -> PrereadingResponse:
    """Approve a pre-reading under your name; it then prints "Approved"."""
    version = _expected_version(ctx, prereading_id, if_match)
    by = caller.actor_name(body.by if body else None)
    reviewed = prereadings.approve_prereading(ctx.store, ctx.clock, prereading_id, actor=by, expected_version=version)
    return _response_with_etag(reviewed, response)


@router.post(
    "/prereadings/{prereading_id}/undo", "undo_prereading", Action.APPROVE_PREREADING, problems=[409], etag="draft"
)
def undo_prereading(
    ctx: ContextDep,
    caller: CallerDep,
    response: Response,
    prereading_id: str,
    body: ActorRequest | None = None,
    if_match: IfMatchHeader = None,
) -> PrereadingResponse:
    """Undo the last active decision, an approval or an edit."""
    version = _expected_version(ctx, prereading_id, if_match)
    by = caller.actor_name(body.by if body else None)
    undo = prereadings.undo_prereading_decision
    return _response_with_etag(undo(ctx.store, ctx.clock, prereading_id, actor=by, expected_version=version), response)


def _expected_version(ctx: AppContext, prereading_id: str, if_match: str | None) -> int | None:
    version = prereadings.get_prereading(ctx.store, prereading_id).version
    return expected_version(if_match, version, kind="draft", id=prereading_id)


def _response_with_etag(reviewed: ReviewedDraft, response: Response) -> PrereadingResponse:
    response.headers["etag"] = format_etag(reviewed.version)
    return _prereading_response(reviewed)


def _prereading_response(reviewed: ReviewedDraft) -> PrereadingResponse:
    approval = approval_of(reviewed.decisions)
    return PrereadingResponse.model_validate(
        {
            **prereading_record(reviewed),
            "version": reviewed.version,
            "approved_by": approval.by if approval else None,
            "approved_at": approval.at if approval else None,
            "decisions": reviewed.decisions,
        }
    )


@router.post(
    "/prereadings/jobs/{job_id}/restart",
    "restart_prereading",
    Action.REQUEST_PREREADING,
    status_code=202,
    problems=[409],
)
def restart_prereading(
    ctx: ContextDep, job_runner: JobRunnerDep, caller: CallerDep, response: Response, job_id: str
) -> JobResponse:
    """Restart a pre-reading that failed or whose process died."""
    return accepted_job_response(ctx, job_runner.restart(job_id, kind=JobKind.PREREADING, actor=caller.name), response)
