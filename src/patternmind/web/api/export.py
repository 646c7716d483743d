"""Exports: assignments, and rows for other tools."""

import json
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, Literal

from fastapi.responses import StreamingResponse
from pydantic import Field

from patternmind.domain.permissions import Action
from patternmind.domain.read_models import Page
from patternmind.ingestion.redaction.redactor import redact_values
from patternmind.ingestion.redaction.roster import Roster
from patternmind.services.exports import assignment_row, export_rows
from patternmind.web.api.schemas import PageResponse, ResponseModel
from patternmind.web.dependencies import CallerDep, ContextDep
from patternmind.web.lens import LensQuery
from patternmind.web.pagination import CursorQuery, LimitQuery, decode_cursor
from patternmind.web.routing import ApiRouter

router = ApiRouter("cases")


class AssignmentResponse(ResponseModel):
    """Theme of a case in the last run, or the reason for none."""

    case_id: str
    external_id: str | None
    theme_id: str | None
    area_id: str | None
    strength: float
    nearest_theme_id: str | None
    second_theme_id: str | None = Field(description="A second theme that it also belongs to.")
    second_strength: float
    outlier_score: float = Field(description="0..1; 1 for the most isolated case.")
    reason: str


@router.get("/assignments", "list_assignments", Action.SEE_THEMES)
def list_assignments(
    ctx: ContextDep, lens: LensQuery = None, limit: LimitQuery = 200, cursor: CursorQuery = None
) -> PageResponse[AssignmentResponse]:
    """List the assignment of each case in the last run, by case id."""
    page = ctx.store.runs.assignment_page(lens, limit=limit, cursor=decode_cursor(cursor))
    roster = Roster.of(ctx.store.network.roster())
    rows = tuple(
        redact_values(assignment_row(assignment, external_id), roster) for external_id, assignment in page.rows
    )
    return PageResponse[AssignmentResponse].of_page(Page(rows, page.next_cursor))


EXPORT_ACTIONS: Mapping[str, Action] = {
    "drafts": Action.SEE_DRAFTS,
    "themes": Action.SEE_THEMES,
    "assignments": Action.SEE_THEMES,
}
"""Permissions needed in addition to that for exports."""


@router.get(
    "/export/{what}",
    "export",
    Action.EXPORT,
    response_class=StreamingResponse,
    responses={200: {"description": "One JSON object per line.", "content": {"application/x-ndjson": {}}}},
)
def export(
    ctx: ContextDep,
    caller: CallerDep,
    what: Literal["assignments", "cases", "themes", "drafts", "patterns"],
    lens: LensQuery = None,
    format: Literal["jsonl"] = "jsonl",  # noqa: ARG001 - part of the URL, so that formats can be added
) -> StreamingResponse:
    """Export rows for other tools, like `patternmind export`; text that may not leave the network is withheld.

    Drafts, themes and assignments need the permission to see them as well.
    """
    if what in EXPORT_ACTIONS:
        caller.require(EXPORT_ACTIONS[what])
    return StreamingResponse(
        _with_first_ready(map(_json_line, export_rows(ctx.store, what, lens=lens))), media_type="application/x-ndjson"
    )


def _with_first_ready(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Compute the first line at once: an early failure can still be answered with a problem."""
    return chain([next(lines, b"")], lines)


def _json_line(row: Mapping[str, Any]) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"
