"""The playbook of accepted patterns."""

import datetime as dt
from dataclasses import replace

from fastapi import Response
from fastapi.responses import JSONResponse
from pydantic import AliasPath, Field

from patternmind.domain.drafts import DraftState
from patternmind.domain.permissions import Action
from patternmind.services.playbook import build_playbook_document, collect_playbook
from patternmind.web.api.schemas import ClaimResponse, DraftFields, ResponseModel
from patternmind.web.dependencies import CallerDep, ContextDep
from patternmind.web.document_response import FILE_CONTENT, DocumentFormat, document_response
from patternmind.web.routing import ApiRouter

router = ApiRouter("publishing")


class PublishedPatternResponse(ResponseModel):
    """A published pattern, without text that may not be published."""

    id: str = Field(validation_alias=AliasPath("pattern", "id"))
    name: str = Field(validation_alias=AliasPath("pattern", "name"))
    state: DraftState = Field(validation_alias=AliasPath("pattern", "state"))
    theme_id: str | None = Field(validation_alias=AliasPath("pattern", "theme_id"))
    fields: DraftFields = Field(validation_alias=AliasPath("pattern", "fields"))
    claims: list[ClaimResponse] = Field(validation_alias=AliasPath("pattern", "claims"))
    reviewers: list[str] = Field(validation_alias=AliasPath("pattern", "reviewers"))
    accepted_at: dt.datetime = Field(validation_alias=AliasPath("pattern", "accepted_at"))
    n_cases: int
    n_contributors: int
    n_teams: int
    n_cut_quotes: int = Field(description="Number of quotes removed because of consent.")


class WithheldPatternResponse(ResponseModel):
    """A pattern that is not published, with the reason."""

    pattern_id: str
    name: str
    reason: str


class RetiredPatternResponse(ResponseModel):
    id: str
    name: str


class PlaybookResponse(ResponseModel):
    network: str
    patterns: list[PublishedPatternResponse] = Field(validation_alias="published")
    withheld: list[WithheldPatternResponse]
    retired: list[RetiredPatternResponse]


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
        return JSONResponse(
            PlaybookResponse.of(selection, network=ctx.store.network.get().name).model_dump(mode="json")
        )
    return document_response(
        build_playbook_document(ctx.store, selection, ctx.clock.now()), format, status_code=200, headers={}
    )
