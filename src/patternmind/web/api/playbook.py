"""The playbook of accepted patterns."""

from dataclasses import asdict, replace

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from patternmind.bootstrap import AppContext
from patternmind.domain.permissions import Action
from patternmind.publishing.publication_rules import PlaybookSelection
from patternmind.services.playbook import build_playbook_document, collect_playbook
from patternmind.web.api import schemas
from patternmind.web.dependencies import CallerDep, ContextDep
from patternmind.web.document_response import FILE_CONTENT, DocumentFormat, document_response
from patternmind.web.permissions import requires
from patternmind.web.routing import ApiRoute

router = APIRouter(route_class=ApiRoute, tags=["publishing"])


@router.get(
    "/playbook",
    name="read_playbook",
    response_model=schemas.PlaybookResponse,
    responses={200: {"content": FILE_CONTENT}},
    dependencies=[requires(Action.SEARCH)],
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


def _playbook_response(ctx: AppContext, selection: PlaybookSelection) -> schemas.PlaybookResponse:
    published = [
        {**asdict(entry.pattern), **{name: getattr(entry, name) for name in PUBLISHED_COUNTS}}
        for entry in selection.published
    ]
    return schemas.PlaybookResponse.model_validate(
        {
            "network": ctx.store.network.name,
            "patterns": published,
            "withheld": [asdict(pattern) for pattern in selection.withheld],
            "retired": [{"id": pattern.id, "name": pattern.name} for pattern in selection.retired],
        }
    )


PUBLISHED_COUNTS = ("n_cases", "n_contributors", "n_teams", "n_cut_quotes")
