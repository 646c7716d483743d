"""Themes and areas of the last run."""

from typing import Annotated

from fastapi import Query
from pydantic import Field

from patternmind.domain.permissions import Action
from patternmind.domain.themes import Lineage
from patternmind.errors import NotFound
from patternmind.services.exports import theme_row
from patternmind.web.api.schemas import ListResponse, ResponseModel
from patternmind.web.dependencies import ContextDep
from patternmind.web.lens import LensQuery
from patternmind.web.routing import ApiRouter

router = ApiRouter("themes")


class ThemeResponse(ResponseModel):
    theme_id: str
    name: str
    gist: str = Field(description="Verbatim sentence from one of its cases.")
    size: int = Field(description="Number of members, including near-duplicates and recaps.")
    n_cases: int = Field(description="Number of cases without near-duplicates and linked recaps.")
    n_teams: int
    n_contributors: int
    one_contributor: bool = Field(
        description="All its cases come from one contributor, although the network has several; no pattern is drafted."
    )
    keywords: list[str]
    exemplars: list[str] = Field(description="Ids of its most central cases.")
    edge_case: str | None
    lineage: Lineage
    area_id: str
    lens: str
    new_cases: int
    share: float
    stability: float
    tentative: bool = Field(description="Unstable, or no larger than chance would explain.")
    steadiness: str = Field(description="Stability in words.")
    cohesion: float
    nearest_theme_id: str | None
    differs_by: list[str]
    trend: dict[str, int] = Field(description="Cases by quarter.")


class ThemeDetailResponse(ThemeResponse):
    case_ids: list[str] = Field(description="Strongest first.")


class AreaResponse(ResponseModel):
    """A broad area of related themes."""

    area_id: str
    name: str
    theme_ids: list[str]
    n_cases: int


@router.get("/themes", "list_themes", Action.SEE_THEMES)
def list_themes(
    ctx: ContextDep,
    lens: LensQuery = None,
    include_dormant: Annotated[bool, Query(alias="all", description="Also list themes without cases.")] = False,
) -> ListResponse[ThemeResponse]:
    """List the themes of the last run, largest first."""
    cards = ctx.store.themes.cards(lens, include_dormant=include_dormant)
    return ListResponse[ThemeResponse].of_records(theme_row(card.theme, card.size) for card in cards)


@router.get("/themes/{theme_id}", "read_theme", Action.SEE_THEMES)
def read_theme(ctx: ContextDep, theme_id: str, lens: LensQuery = None) -> ThemeDetailResponse:
    """Read a theme of the last run with the ids of its cases."""
    try:
        card, case_ids = ctx.store.themes.card(theme_id, lens), ctx.store.themes.case_ids(theme_id, lens)
    except NotFound as error:
        raise NotFound("theme", theme_id, "GET /api/v1/themes lists them.") from error
    return ThemeDetailResponse.model_validate({**theme_row(card.theme, card.size), "case_ids": case_ids})


@router.get("/areas", "list_areas", Action.SEE_THEMES)
def list_areas(ctx: ContextDep, lens: LensQuery = None) -> ListResponse[AreaResponse]:
    """List the areas of the last run with their themes."""
    themes = [card.theme for card in ctx.store.themes.cards(lens)]
    return ListResponse(
        items=[
            AreaResponse(
                area_id=area_id,
                name=name,
                theme_ids=[theme.id for theme in themes if theme.area_id == area_id],
                n_cases=sum(theme.n_cases for theme in themes if theme.area_id == area_id),
            )
            for area_id, name in ctx.store.themes.areas(lens).items()
        ]
    )
