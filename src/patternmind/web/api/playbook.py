"""The playbook of what people accepted."""

from dataclasses import asdict, replace

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from patternmind.bootstrap import AppContext
from patternmind.domain.permissions import Action
from patternmind.publishing.publication_rules import PlaybookSelection
from patternmind.services.playbook import build_playbook_document, collect_playbook
from patternmind.web.api import schemas
from patternmind.web.document_response import FILE_CONTENT, DocumentFormat, document_response
from patternmind.web.permissions import requires
from patternmind.web.routing import ApiRoute, CallerDep, ContextDep

router = APIRouter(route_class=ApiRoute, tags=["publishing"])


@router.get(
    "/playbook",
    name="read_playbook",
    response_model=schemas.PlaybookResponse,
    responses={200: {"content": FILE_CONTENT}},
    dependencies=[requires(Action.SEARCH)],
)
def read_playbook(ctx: ContextDep, caller: CallerDep, format: DocumentFormat = "json") -> Response:
    """What people accepted, as far as consent and threshold let it out; the JSON tells reviewers what is withheld."""
    collected = collect_playbook(ctx.store)
    if not caller.may(Action.SEE_DRAFTS):
        collected = replace(collected, withheld=())
    if format == "json":
        return JSONResponse(_playbook_response(ctx, collected).model_dump(mode="json"))
    return document_response(
        build_playbook_document(ctx.store, collected, ctx.clock.now()), format, status_code=200, headers={}
    )


def _playbook_response(ctx: AppContext, collected: PlaybookSelection) -> schemas.PlaybookResponse:
    published = [
        {**asdict(one.pattern), **{name: getattr(one, name) for name in PUBLISHED_COUNTS}}
        for one in collected.published
    ]
    return schemas.PlaybookResponse.model_validate(
        {
            "network": ctx.store.network.name,
            "patterns": published,
            "withheld": [asdict(one) for one in collected.withheld],
            "retired": [{"id": pattern.id, "name": pattern.name} for pattern in collected.retired],
        }
    )


PUBLISHED_COUNTS = ("n_cases", "n_contributors", "n_teams", "n_cut_quotes")
