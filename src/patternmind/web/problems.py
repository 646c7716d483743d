"""Problem details (RFC 9457) for all errors of the API and the pages; they never contain case text."""

import json
import logging
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from patternmind import errors
from patternmind.domain.jobs import Job, JobState
from patternmind.services.case_submission import InvalidCase

log = logging.getLogger("patternmind.web")

MEDIA_TYPE = "application/problem+json"


class FieldProblem(BaseModel):
    """An invalid field of a request, and the reason."""

    field: str = Field(description="Path of the field: body, query, path or header, then its names, with dots.")
    message: str


class Problem(BaseModel):
    """Problem details as in RFC 9457."""

    type: str = Field(description="Kind of problem, as a link to its documentation.")
    title: str = Field(description="Kind of problem in words, always the same text.")
    status: int
    detail: str = Field(description="Cause in this case, and what to do.")
    request_id: str = Field(description="Also in the header `X-Request-Id` and in the server log.")
    errors: list[FieldProblem] = Field(
        default=[], description="For invalid requests: each invalid field with the reason."
    )


@dataclass(frozen=True, slots=True)
class ProblemKind:
    slug: str
    status: int
    title: str


PROBLEM_KINDS: list[ProblemKind] = []
"""All kinds, in the order of the documentation."""


def _problem_kind(slug: str, status: int, title: str) -> ProblemKind:
    kind = ProblemKind(slug, status, title)
    PROBLEM_KINDS.append(kind)
    return kind


MALFORMED = _problem_kind("malformed", 400, "The request cannot be read")
TOKEN_NEEDED = _problem_kind("token-needed", 401, "A valid bearer token is required")
REFUSED = _problem_kind("refused", 403, "Requests from this origin are refused")
FORBIDDEN = _problem_kind("forbidden", 403, "You do not have permission to do this")
FORM_REFUSED = _problem_kind("form-refused", 403, "The form belongs to another session")
NOT_FOUND = _problem_kind("not-found", 404, "Not found")
METHOD_NOT_ALLOWED = _problem_kind("method-not-allowed", 405, "Method not allowed")
WRONG_STATE = _problem_kind("wrong-state", 409, "Not possible in the current state")
CONTRADICTION = _problem_kind("contradiction", 409, "The request contradicts an earlier decision")
RUN_IN_PROGRESS = _problem_kind("run-in-progress", 409, "Another run is in progress")
SENT_BEFORE = _problem_kind("sent-before", 409, "This form was already submitted")
STILL_WORKING = _problem_kind("still-working", 409, "The same request is still in progress")
CHANGED_MEANWHILE = _problem_kind("changed-meanwhile", 412, "Changed by someone else in the meantime")
TOO_SLOW = _problem_kind("too-slow", 408, "The request arrived too slowly")
TOO_LARGE = _problem_kind("too-large", 413, "The request is too large")
TOO_MANY_ATTEMPTS = _problem_kind("too-many", 429, "Too many attempts")
INVALID = _problem_kind("invalid", 422, "The request is not valid")
NOT_ALLOWED = _problem_kind("not-allowed", 422, "Not allowed by policy")
UNREADABLE_FILE = _problem_kind("unreadable-file", 422, "The file cannot be read")
KEY_REUSED = _problem_kind("key-reused", 422, "The Idempotency-Key was used for a different request")
BUDGET_REACHED = _problem_kind("budget-reached", 402, "A budget for the language model is reached")
UNEXPECTED = _problem_kind("unexpected", 500, "Unexpected error")
STORE_UNAVAILABLE = _problem_kind("store-unavailable", 503, "The data folder is unavailable")
MODEL_UNAVAILABLE = _problem_kind("model-unavailable", 503, "The encoder is unavailable")

STOPPED = _problem_kind("stopped", 503, "The server was stopped")
LOST = _problem_kind("lost", 503, "The process of the job ended unexpectedly")


KIND_BY_ERROR: Mapping[type[errors.PatternmindError], ProblemKind] = {
    errors.NotFound: NOT_FOUND,
    errors.RuleViolated: NOT_ALLOWED,
    errors.InvalidState: WRONG_STATE,
    errors.JobNotFailed: WRONG_STATE,
    errors.ContradictoryEdit: CONTRADICTION,
    errors.RunInProgress: RUN_IN_PROGRESS,
    errors.VersionConflict: CHANGED_MEANWHILE,
    errors.UsageError: INVALID,
    errors.BudgetReached: BUDGET_REACHED,
    errors.UnknownColumn: INVALID,
    errors.UnreadableFile: UNREADABLE_FILE,
    errors.StoreUnavailable: STORE_UNAVAILABLE,
    errors.RawTextKeyInvalid: STORE_UNAVAILABLE,
    errors.IndexUnavailable: STORE_UNAVAILABLE,
    errors.ModelUnavailable: MODEL_UNAVAILABLE,
    errors.ServerStopped: STOPPED,
}

KIND_BY_STATUS: Mapping[int, ProblemKind] = {kind.status: kind for kind in reversed(PROBLEM_KINDS)}
"""The first kind of each status, for errors that FastAPI raises itself."""

MAX_FIELD_PROBLEMS = 50
"""Maximum number of fields listed in a response."""

LOGGED_KINDS = frozenset({STORE_UNAVAILABLE, MODEL_UNAVAILABLE, UNEXPECTED})
"""Kinds whose messages name server folders: they are logged, and the caller gets only the request id."""


class HTTPProblem(HTTPException):
    """A request that the web layer rejects, with the kind of problem."""

    def __init__(self, kind: ProblemKind, detail: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(kind.status, detail, headers)
        self.kind = kind


def problem_kind_of(error: errors.PatternmindError) -> ProblemKind:
    return next((KIND_BY_ERROR[cls] for cls in type(error).__mro__ if cls in KIND_BY_ERROR), UNEXPECTED)


def build_problem(kind: ProblemKind, detail: str, *, request_id: str, fields: Sequence[FieldProblem] = ()) -> Problem:
    return Problem(
        type=f"/api/v1/docs#problem-{kind.slug}",
        title=kind.title,
        status=kind.status,
        detail=detail,
        request_id=request_id,
        errors=list(fields),
    )


def problem_from_error(error: errors.PatternmindError, *, request_id: str) -> Problem:
    """Return an error as a problem; messages for the operator alone are logged instead."""
    kind = problem_kind_of(error)
    if kind not in LOGGED_KINDS:
        return build_problem(kind, str(error), request_id=request_id, fields=_field_problems(error))
    log.error("%s: %s (request %s)", type(error).__name__, error, request_id)
    return build_problem(
        kind, f"{kind.title}. The server log has the cause under this request id.", request_id=request_id
    )


def _field_problems(error: errors.PatternmindError) -> list[FieldProblem]:
    """Return the invalid fields that the error names; names without a prefix belong to the body."""
    if isinstance(error, InvalidCase):
        return [
            FieldProblem(field=f"body.{field_error.field}".removesuffix("."), message=field_error.message)
            for field_error in error.field_errors
        ]
    if isinstance(error, errors.UsageError) and error.field:
        name = error.field if error.field.startswith("query.") else f"body.{error.field}"
        return [FieldProblem(field=name, message=str(error).rstrip("."))]
    return []


def unexpected_problem(error: Exception, *, request_id: str) -> Problem:
    """Log the type and place of an exception, but not its message: it could contain case text."""
    places = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
    own_places = [place for place in places if "patternmind" in place and "site-packages" not in place]
    location = ", ".join(dict.fromkeys([*own_places[-1:], *places[-1:]]))
    log.error("%s at %s (request %s)", type(error).__name__, location, request_id)
    detail = "No stored data was lost. The server log has the place in the code under this request id."
    return build_problem(UNEXPECTED, detail, request_id=request_id)


def problem_response(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """Return a problem as JSON, in ASCII: no character from the client can break the response."""
    body = json.dumps(problem.model_dump()).encode("ascii")
    return Response(body, status_code=problem.status, media_type=MEDIA_TYPE, headers=dict(headers or {}))


def validation_problem(error: RequestValidationError, *, request_id: str) -> Problem:
    """Return a problem that lists all invalid fields; its detail names the first."""
    fields = [_field_problem(field_error) for field_error in error.errors()[:MAX_FIELD_PROBLEMS]]
    first = f"{fields[0].field}: {fields[0].message}."
    detail = first if len(fields) == 1 else f"{len(fields)} fields are invalid. {first}"
    return build_problem(INVALID, detail, request_id=request_id, fields=fields)


def add_exception_handlers(app: FastAPI) -> None:
    """Answer expected errors with problem details; ``SecurityMiddleware`` handles all others."""

    async def on_error(request: Request, error: Exception) -> Response:
        expected_error = cast(errors.PatternmindError, error)
        return problem_response(problem_from_error(expected_error, request_id=request.state.request_id))

    async def on_invalid(request: Request, error: Exception) -> Response:
        return problem_response(
            validation_problem(cast(RequestValidationError, error), request_id=request.state.request_id)
        )

    async def on_http(request: Request, error: Exception) -> Response:
        http_error = cast(HTTPException, error)
        if isinstance(http_error, HTTPProblem):
            kind, detail = http_error.kind, http_error.detail
        else:
            kind = KIND_BY_STATUS.get(http_error.status_code, MALFORMED)
            detail = f"{kind.title}: {request.method} {request.url.path}."
        return problem_response(build_problem(kind, detail, request_id=request.state.request_id), http_error.headers)

    app.add_exception_handler(errors.PatternmindError, on_error)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_http)


def _field_problem(error: Mapping[str, Any]) -> FieldProblem:
    """Return the path and reason of an invalid field, without its value: that may be case text."""
    names = [str(part)[:80] for part in error["loc"]]
    return FieldProblem(field=".".join(names), message=str(error["msg"]).rstrip("."))


def describe_failure(error: Exception, request_id: str) -> dict[str, Any]:
    """Return the problem details of a failed job as JSON values."""
    if isinstance(error, errors.PatternmindError):
        return problem_from_error(error, request_id=request_id).model_dump()
    return unexpected_problem(error, request_id=request_id).model_dump()


def job_problem(job: Job) -> Problem | None:
    """Return the stored problem of a failed job; that of a lost job is generated."""
    if job.state is JobState.LOST:
        detail = "The process of the job ended unexpectedly. No stored data was lost; restart the job."
        return build_problem(LOST, detail, request_id=job.id)
    return Problem.model_validate(job.problem) if job.problem else None


STATUS_DESCRIPTIONS: Mapping[int, str] = {
    400: "The request cannot be read.",
    401: "A valid bearer token is required.",
    403: "Unknown host, page of another site, or missing permission.",
    404: "Not found in this network.",
    408: "The request arrived too slowly.",
    409: "Not possible in the current state.",
    412: "Changed by someone else in the meantime.",
    413: "The request is too large.",
    429: "Too many attempts; `Retry-After` gives the waiting time.",
    422: "The request is invalid; `errors` lists the fields.",
    500: "Unexpected error; the server log has the details.",
    503: "The data folder or the encoder is unavailable.",
}


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI description of problem responses."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": STATUS_DESCRIPTIONS[status], "content": content} for status in statuses}


COMMON_PROBLEM_RESPONSES = problem_responses(401, 403, 408, 413, 422, 429, 500, 503)
