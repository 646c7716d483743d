"""Theme map and trends."""

from fastapi import Response
from pydantic import Field

from patternmind.domain.permissions import Action
from patternmind.errors import NotFound
from patternmind.publishing.map_drawing import DrawnMap, draw_map
from patternmind.services.theme_map import build_theme_map, map_rows
from patternmind.services.versioned_cache import VersionedCache
from patternmind.web.api.schemas import ListResponse, ResponseModel
from patternmind.web.charts import quarter_range
from patternmind.web.dependencies import ContextDep
from patternmind.web.lens import LensQuery
from patternmind.web.routing import ApiRouter

router = ApiRouter("themes")


class ThemeTrendResponse(ResponseModel):
    theme_id: str
    name: str
    n_cases: list[int] = Field(description="Number of cases for each of `quarters`.")


class TrendsResponse(ResponseModel):
    quarters: list[str]
    n_cases: list[int] = Field(description="Number of cases of all themes.")
    themes: list[ThemeTrendResponse]


class MapPointResponse(ResponseModel):
    case_id: str
    external_id: str | None
    x: float | None
    y: float | None
    theme_id: str | None
    theme: str | None


_MAP_CACHE: VersionedCache[DrawnMap] = VersionedCache()
"""Latest map per lens, as all callers may see it."""


@router.get("/themes/trends", "read_trends", Action.SEE_THEMES)
def read_trends(ctx: ContextDep, lens: LensQuery = None) -> TrendsResponse:
    """Read the number of cases per quarter, by theme and in total; quarters without cases have 0."""
    cards = ctx.store.themes.cards(lens)
    quarters = quarter_range(*(card.theme.trend for card in cards))
    themes = [
        ThemeTrendResponse(
            theme_id=card.theme.id,
            name=card.theme.name,
            n_cases=[card.theme.trend.get(quarter, 0) for quarter in quarters],
        )
        for card in cards
    ]
    totals = [sum(theme.n_cases[index] for theme in themes) for index in range(len(quarters))]
    return TrendsResponse(quarters=quarters, n_cases=totals, themes=themes)


@router.get("/map.json", "read_map", Action.SEE_THEMES)
def read_map(ctx: ContextDep, lens: LensQuery = None) -> ListResponse[MapPointResponse]:
    """Read the position of each case on the map. Distances are only a rough guide."""
    return ListResponse[MapPointResponse].of_records(map_rows(ctx.store, lens))


@router.get(
    "/map.svg",
    "draw",
    Action.SEE_THEMES,
    response_class=Response,
    problems=[404],
    responses={200: {"content": {"image/svg+xml": {"schema": {"type": "string"}}}}},
)
def read_map_svg(ctx: ContextDep, lens: LensQuery = None) -> Response:
    """Draw the map; names that only confidential cases contain are left out."""
    if ctx.store.runs.latest(lens) is None:
        raise NotFound("map", lens or "of the last run", "Start a run first.")
    theme_map = _MAP_CACHE.get_or_compute(ctx.store, lambda: draw_map(build_theme_map(ctx.store, lens)), key=lens)
    return Response(theme_map.svg, media_type="image/svg+xml")
