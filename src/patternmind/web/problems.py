"""Problem details (RFC 9457): what went wrong, for a program and for a person, and never the text of a case."""

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
from patternmind.services.case_submission import InvalidCase

log = logging.getLogger("patternmind.web")

MEDIA_TYPE = "application/problem+json"


class FieldProblem(BaseModel):
    """What is wrong with one field of a request."""

    field: str = Field(description="Where it stands: body, query, path or header, then the names down to it.")
    message: str


class Problem(BaseModel):
    """Problem details as in RFC 9457."""

    type: str = Field(description="Names the kind of problem; leads to its entry in the documentation.")
    title: str = Field(description="The kind of problem in words, the same every time.")
    status: int
    detail: str = Field(description="What happened this time, and what to do.")
    request_id: str = Field(description="Also in the header `X-Request-Id`; the server's log knows it.")
    errors: list[FieldProblem] = Field(
        default=[], description="For invalid requests: every field and what is wrong with it."
    )


@dataclass(frozen=True, slots=True)
class ProblemKind:
    slug: str
    status: int
    title: str


MALFORMED = ProblemKind("malformed", 400, "The request cannot be read")
TOKEN_NEEDED = ProblemKind("token-needed", 401, "A valid bearer token is needed")
REFUSED = ProblemKind("refused", 403, "Requests from there are refused")
FORBIDDEN = ProblemKind("not-yours", 403, "No role of yours allows that")
FORM_REFUSED = ProblemKind("form-refused", 403, "That form is not of this session")
NOT_FOUND = ProblemKind("not-found", 404, "There is no such thing")
METHOD_NOT_ALLOWED = ProblemKind("method-not-allowed", 405, "This address does not take that method")
WRONG_STATE = ProblemKind("wrong-state", 409, "That decision is not possible now")
CONTRADICTION = ProblemKind("contradiction", 409, "A decision that stands says otherwise")
RUN_IN_PROGRESS = ProblemKind("run-in-progress", 409, "Another run is in progress")
SENT_BEFORE = ProblemKind("sent-before", 409, "This form was sent before")
STILL_WORKING = ProblemKind("still-working", 409, "The same request is still being worked on")
CHANGED_MEANWHILE = ProblemKind("changed-meanwhile", 412, "Somebody changed it meanwhile")
TOO_SLOW = ProblemKind("too-slow", 408, "The request came too slowly")
TOO_MANY_ATTEMPTS = ProblemKind("too-many", 429, "Too many tries")
TOO_LARGE = ProblemKind("too-large", 413, "The request is too large")
INVALID = ProblemKind("invalid", 422, "The request is not valid")
NOT_ALLOWED = ProblemKind("not-allowed", 422, "A rule forbids it")
UNREADABLE_FILE = ProblemKind("unreadable-file", 422, "The file cannot be read")
KEY_REUSED = ProblemKind("key-reused", 422, "That Idempotency-Key was used for another request")
BUDGET_REACHED = ProblemKind("budget-reached", 402, "A budget for the language model is reached")
UNEXPECTED = ProblemKind("unexpected", 500, "Something unexpected happened")
STORE_UNAVAILABLE = ProblemKind("store-unavailable", 503, "The data folder cannot be used now")
MODEL_UNAVAILABLE = ProblemKind("model-unavailable", 503, "The encoder cannot be used now")

STOPPED = ProblemKind("stopped", 503, "The server was stopped")
LOST = ProblemKind("lost", 503, "The process that did it is gone")

PROBLEM_KINDS: Sequence[ProblemKind] = (
    MALFORMED,
    TOKEN_NEEDED,
    REFUSED,
    FORBIDDEN,
    FORM_REFUSED,
    NOT_FOUND,
    METHOD_NOT_ALLOWED,
    WRONG_STATE,
    CONTRADICTION,
    RUN_IN_PROGRESS,
    SENT_BEFORE,
    STILL_WORKING,
    CHANGED_MEANWHILE,
    TOO_SLOW,
    TOO_LARGE,
    TOO_MANY_ATTEMPTS,
    INVALID,
    NOT_ALLOWED,
    UNREADABLE_FILE,
    KEY_REUSED,
    BUDGET_REACHED,
    UNEXPECTED,
    STORE_UNAVAILABLE,
    MODEL_UNAVAILABLE,
    STOPPED,
    LOST,
)


class ServerStopped(errors.PatternmindError):
    """The server was stopped while a run went on."""

    def __init__(self) -> None:
        super().__init__("The server was stopped while the run went on. What was embedded is kept; start it again.")


KIND_BY_ERROR: Mapping[type[errors.PatternmindError], ProblemKind] = {
    errors.NotFound: NOT_FOUND,
    errors.RuleViolated: NOT_ALLOWED,
    errors.InvalidState: WRONG_STATE,
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
    ServerStopped: STOPPED,
}

KIND_BY_STATUS: Mapping[int, ProblemKind] = {kind.status: kind for kind in reversed(PROBLEM_KINDS)}
"""For what FastAPI itself turns down: the first kind of each status."""

MAX_FIELD_PROBLEMS = 50
"""Fields named in one answer."""

LOGGED_KINDS = frozenset({STORE_UNAVAILABLE, MODEL_UNAVAILABLE, UNEXPECTED})
"""Their messages name folders of the server: they go to its log, and the caller gets the request id."""


class HTTPProblem(HTTPException):
    """A request that the web itself turns down, with the kind of problem it is."""

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
    """The problem an error is to the caller; what only the server's owner should read is logged instead."""
    kind = problem_kind_of(error)
    if kind not in LOGGED_KINDS:
        return build_problem(kind, str(error), request_id=request_id, fields=_field_problems(error))
    log.error("%s: %s (request %s)", type(error).__name__, error, request_id)
    return build_problem(
        kind, f"{kind.title}. The server's log says why, under this request id.", request_id=request_id
    )


def _field_problems(error: errors.PatternmindError) -> list[FieldProblem]:
    """The fields to mend, as far as the error tells; of a query where the name says so."""
    if isinstance(error, InvalidCase):
        told = [(one.field, one.message) for one in error.field_errors]
    elif isinstance(error, errors.UsageError) and error.field:
        told = [(error.field, str(error))]
    else:
        told = []
    return [
        FieldProblem(field=name if name.startswith("query.") else f"body.{name}", message=message.rstrip("."))
        for name, message in told[:MAX_FIELD_PROBLEMS]
    ]


def unexpected_problem(error: Exception, *, request_id: str) -> Problem:
    """Logged by type and place; the message of an unknown exception could hold the text of a case."""
    places = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
    ours = [place for place in places if "patternmind" in place and "site-packages" not in place]
    where = ", ".join(dict.fromkeys([*ours[-1:], *places[-1:]]))
    log.error("%s at %s (request %s)", type(error).__name__, where, request_id)
    detail = "Nothing stored was lost. The server's log has the place, under this request id."
    return build_problem(UNEXPECTED, detail, request_id=request_id)


def problem_response(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """Written in ASCII, so that no character a client sent can make the answer fail."""
    body = json.dumps(problem.model_dump()).encode("ascii")
    return Response(body, status_code=problem.status, media_type=MEDIA_TYPE, headers=dict(headers or {}))


def validation_problem(error: RequestValidationError, *, request_id: str) -> Problem:
    """Every field that is not valid, the first of them in words."""
    fields = [_field_problem(one) for one in error.errors()[:MAX_FIELD_PROBLEMS]]
    first = f"{fields[0].field}: {fields[0].message}."
    detail = first if len(fields) == 1 else f"{len(fields)} fields are not valid. {first}"
    return build_problem(INVALID, detail, request_id=request_id, fields=fields)


def add_exception_handlers(app: FastAPI) -> None:
    """Answer every error that reaches the edge with problem details; ``Guard`` takes what nobody expected."""

    async def on_error(request: Request, error: Exception) -> Response:
        known = cast(errors.PatternmindError, error)
        return problem_response(problem_from_error(known, request_id=request.state.request_id))

    async def on_invalid(request: Request, error: Exception) -> Response:
        return problem_response(
            validation_problem(cast(RequestValidationError, error), request_id=request.state.request_id)
        )

    async def on_http(request: Request, error: Exception) -> Response:
        refused = cast(HTTPException, error)
        kind = refused.kind if isinstance(refused, HTTPProblem) else KIND_BY_STATUS.get(refused.status_code, MALFORMED)
        detail = (
            refused.detail
            if isinstance(refused, HTTPProblem)
            else f"{kind.title}: {request.method} {request.url.path}."
        )
        return problem_response(build_problem(kind, detail, request_id=request.state.request_id), refused.headers)

    app.add_exception_handler(errors.PatternmindError, on_error)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_http)


def _field_problem(error: Mapping[str, Any]) -> FieldProblem:
    """Where and why; what was sent is left out, since it may be the text of a case."""
    names = [str(part)[:80] for part in error["loc"]]
    return FieldProblem(field=".".join(names), message=str(error["msg"]).rstrip("."))
