"""Search by meaning."""

from typing import Annotated, Literal

from fastapi import Query
from pydantic import Field

from patternmind.domain.permissions import Action
from patternmind.services import search as search_service
from patternmind.web.api.schemas import ListResponse, ResponseModel
from patternmind.web.dependencies import ContextDep
from patternmind.web.routing import ApiRouter

router = ApiRouter("cases")


class SearchResultResponse(ResponseModel):
    """A match of a search by meaning."""

    kind: Literal["case", "recap", "pattern"]
    id: str
    external_id: str | None
    score: float = Field(description="Cosine similarity, 0..1.")
    snippet: str


@router.get("/search", "search", Action.SEARCH)
def search(
    ctx: ContextDep,
    q: Annotated[str, Query(min_length=1, max_length=2000, description="Search text in your own words.")],
    kind: Literal["case", "recap", "pattern"] | None = None,
    k: Annotated[int, Query(ge=1, le=100, description="Number of results.")] = 10,
) -> ListResponse[SearchResultResponse]:
    """Search cases, recaps and accepted patterns by meaning, best match first.

    The search is exact over the stored vectors: Chroma's client becomes stale when another process rebuilds the index.
    """
    results = search_service.search(ctx.store, ctx.encoder, ctx.live_index, q, kind=kind, k=k)
    return ListResponse[SearchResultResponse].of_records(results)
