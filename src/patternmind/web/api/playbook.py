"""The playbook of accepted patterns."""

import datetime as dt
from dataclasses import asdict, replace

from fastapi import Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from patternmind.bootstrap import AppContext
from patternmind.domain.drafts import DraftState
from patternmind.domain.permissions import Action
from patternmind.publishing.publication_rules import PlaybookSelection
from patternmind.services.playbook import build_playbook_document, collect_playbook
from patternmind.web.api.schemas import ClaimResponse, DraftFields
from patternmind.web.dependencies import CallerDep, ContextDep
from patternmind.web.document_response import FILE_CONTENT, DocumentFormat, document_response
from patternmind.web.routing import ApiRouter

router = ApiRouter("publishing")


class PublishedPatternResponse(BaseModel):
    """A published pattern, without text that may not be published."""

    id: str
    name: str
    state: DraftState
    theme_id: str | None
    fields: DraftFields
    claims: list[ClaimResponse]
    reviewers: list[str]
    accepted_at: dt.datetime
    n_cases: int
    n_contributors: int
    n_teams: int
    n_cut_quotes: int = Field(description="Number of quotes removed because of consent.")


class WithheldPatternResponse(BaseModel):
    """A pattern that is not published, with the reason."""

    pattern_id: str
    name: str
    reason: str


class RetiredPatternResponse(BaseModel):
    id: str
    name: str


class PlaybookResponse(BaseModel):
    network: str
    patterns: list[PublishedPatternResponse]
    withheld: list[WithheldPatternResponse]
    retired: list[RetiredPatternResponse]


PUBLISHED_COUNTS = ("n_cases", "n_contributors", "n_teams", "n_cut_quotes")


@router.get(
    "/playbook",
    "read_playbook",
    Action.SEARCH,
    response_model=PlaybookResponse,
    responses={200: {"content": FILE_CONTENT}},
)
def read_playbook(ctx: ContextDep, caller: CallerDep, format: DocumentFormat = "json") -> Response:
    """Read the accepted patterns that consent and publishing limits allow; reviewers also get the withheld ones."""
    selection = collect_playbook(ctx.store)
    if not caller.may(Action.SEE_DRAFTS):
        selection = replace(selection, withheld=())
    if format == "json":
        return JSONResponse(_playbook_response(ctx, selection).model_dump(mode="json"))
    return document_response(
        build_playbook_document(ctx.store, selection, ctx.clock.now()), format, status_code=200, headers={}
    )


def _playbook_response(ctx: AppContext, selection: PlaybookSelection) -> PlaybookResponse:
    published = [
        {**asdict(entry.pattern), **{name: getattr(entry, name) for name in PUBLISHED_COUNTS}}
        for entry in selection.published
    ]
    return PlaybookResponse.model_validate(
        {
            "network": ctx.store.network.get().name,
            "patterns": published,
            "withheld": [asdict(pattern) for pattern in selection.withheld],
            "retired": [{"id": pattern.id, "name": pattern.name} for pattern in selection.retired],
        }
    )
