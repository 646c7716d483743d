"""The OpenAPI description of the API."""

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from patternmind.web.problems import COMMON_PROBLEM_RESPONSES, Problem, problem_responses

DESCRIPTION = """\
Everything the command line does, and the review of drafts.

Lists are `items`; long lists are paged (`limit`, `cursor`, `next_cursor`). Errors are problem details (RFC 9457).
Repeating a POST with the same `Idempotency-Key` returns the first response for 24 hours. The `ETag` of a
draft is its version: send it as `If-Match` to decide only on the version you have read. Long work returns 202 and a job
to poll. Case text is always redacted.

While no token exists, requests from the same machine need none, and a decision gives its author in `by`. Once a token
exists (`patternmind token create NAME`), every request needs a valid one, and decides under the token's name.

Without a token the `Host` must be localhost, 127.0.0.1 or [::1], and pages of other sites cannot change anything: a
browser may send requests to any server on its own machine.
"""


def build_openapi(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI 3.1 schema with the shared problem details; cached on the app."""
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        for path in schema["paths"].values():
            for operation in path.values():
                _document_implied_problems(operation)
        schemas = schema["components"]["schemas"]
        schemas.update(problem.pop("$defs"))
        schemas["Problem"] = problem
        schema["components"]["schemas"] = dict(sorted(schemas.items()))
        app.openapi_schema = schema
    return app.openapi_schema


def _document_implied_problems(operation: dict[str, Any]) -> None:
    """Add the problem responses that follow from the parameters and the body of an operation."""
    responses = operation["responses"]
    declared = {int(status) for status in responses if int(status) >= 400} - set(COMMON_PROBLEM_RESPONSES)
    for status, response in problem_responses(*sorted({*declared, *_implied_statuses(operation)})).items():
        responses.pop(str(status), None)
        responses[str(status)] = response


def _implied_statuses(operation: Mapping[str, Any]) -> Iterator[int]:
    parameters = operation.get("parameters", [])
    if "requestBody" in operation:
        yield 400
    if any(parameter["in"] == "path" and "enum" not in parameter["schema"] for parameter in parameters):
        yield 404
    if any(parameter["name"] == "if-match" for parameter in parameters):
        yield 412
