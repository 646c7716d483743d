"""The API's description. ``python -m patternmind.web.openapi > docs/openapi.json`` writes the committed file."""

import json
import sys
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from patternmind.bootstrap import AppContext
from patternmind.settings import Settings
from patternmind.web.problems import Problem

DESCRIPTION = """\
Everything the command line does, and the review of drafts.

Lists are `items`; long ones come in pages (`limit`, `cursor`, `next_cursor`). Errors are problem details (RFC 9457).
A POST with an `Idempotency-Key` that is sent again gets the first answer again, until the server restarts. A draft's
`ETag` is its version: send it as `If-Match` to decide only on what you have seen. Long work answers 202 with a job to
ask after. Case text is always the redacted one.

While no token exists, requests from the machine itself need none, and a decision says who decides in `by`. As soon as
one exists (`patternmind token create NAME`) every request needs a valid one, and decides as the token's name.

Without a token the `Host` must be localhost, 127.0.0.1 or [::1], and no page of another site may change anything: a
browser cannot be kept from knocking at a server on its own machine.
"""


def build_openapi(app: FastAPI) -> dict[str, Any]:
    """OpenAPI 3.1, with the problem details that every route refers to. Made once, kept on the app."""
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas = schema["components"]["schemas"]
        schemas.update(problem.pop("$defs"))
        schemas["Problem"] = problem
        schema["components"]["schemas"] = dict(sorted(schemas.items()))
        app.openapi_schema = schema
    return app.openapi_schema


def main() -> None:
    from patternmind.web.app import make_app  # it imports this module

    app = make_app(AppContext(Settings(home=Path("nowhere"))))
    sys.stdout.write(json.dumps(app.openapi(), indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
