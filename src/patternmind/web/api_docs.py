"""The API documentation page, for all callers; it has no script and loads no other file."""

import base64
import hashlib
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, cast

from jinja2 import Environment, PackageLoader
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from patternmind.publishing.stylesheet import DOCUMENT_CSS
from patternmind.web.problems import PROBLEM_KINDS

OWN_STYLES = """
header, main { max-width: 80ch; }
code, pre { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .9em; }
a:has(code) { text-decoration: none; }
pre { overflow-x: auto; padding: var(--s2) var(--s3); background: var(--tint); }
table { border-collapse: collapse; inline-size: 100%; font-size: var(--small); margin-block-end: var(--s3); }
th, td { text-align: start; vertical-align: top; padding: var(--s1) var(--s2); }
tr { border-block-end: 1px solid var(--line); }
caption { text-align: start; color: var(--quiet); padding-block: var(--s1); }
"""

STYLE_SHEET = DOCUMENT_CSS + OWN_STYLES

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; "
    f"style-src 'sha256-{base64.b64encode(hashlib.sha256(STYLE_SHEET.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@cache
def _templates() -> Environment:
    templates = Environment(
        loader=PackageLoader("patternmind.web"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    templates.filters["code_spans"] = code_spans
    return templates


def code_spans(text: str | None) -> Markup:
    """Escape plain text and mark its `code`."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text or ""))))  # noqa: S704 - escaped


def docs_page(schema: Mapping[str, Any]) -> HTMLResponse:
    """Render all operations, schemas and problem kinds of an OpenAPI description."""
    operations = [
        {"path": path, "method": method.upper(), **operation}
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]
    return _render(
        "api_docs/docs.html",
        info=schema["info"],
        operations=operations,
        schemas=schema["components"]["schemas"],
        kinds=PROBLEM_KINDS,
        schema_type_label=schema_type_label,
    )


def _render(name: str, **values: Any) -> HTMLResponse:
    html = _templates().get_template(name).render(styles=STYLE_SHEET, **values)
    return HTMLResponse(html, headers={"content-security-policy": CONTENT_SECURITY_POLICY})


def schema_type_label(schema: Mapping[str, Any]) -> str:
    """Return a short label of a JSON schema, such as "list of Case"."""
    inner = schema.get("items") or schema.get("additionalProperties")
    if "$ref" in schema:
        label = str(schema["$ref"]).rpartition("/")[2]
    elif "anyOf" in schema:
        label = " or ".join(schema_type_label(part) for part in schema["anyOf"])
    elif "enum" in schema:
        label = " | ".join(str(value) for value in schema["enum"])
    elif isinstance(inner, dict):
        label = f"{'list' if 'items' in schema else 'object'} of {schema_type_label(cast(Mapping[str, Any], inner))}"
    else:
        label = str(schema.get("const") or schema.get("format") or schema.get("type") or "anything")
    return label
