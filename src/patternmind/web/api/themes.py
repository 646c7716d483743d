"""Runs, themes and areas."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query

from patternmind.domain.permissions import Action
from patternmind.errors import NotFound
from patternmind.ports import RunRecord
from patternmind.services.exports import theme_row
from patternmind.web.api import schemas
from patternmind.web.dependencies import ContextDep
from patternmind.web.lens import LensQuery
from patternmind.web.permissions import requires
from patternmind.web.problems import problem_responses
from patternmind.web.routing import ApiRoute

router = APIRouter(route_class=ApiRoute)


@router.get("/runs", name="list_runs", tags=["runs"], dependencies=[requires(Action.SEE_THEMES)])
def list_runs(ctx: ContextDep) -> schemas.ListResponse[schemas.RunResponse]:
    """List all runs, newest first."""
    return schemas.ListResponse(items=[run_response(record) for record in reversed(ctx.store.runs())])


@router.get(
    "/runs/{run_id}",
    name="read_run",
    tags=["runs"],
    responses=problem_responses(404),
    dependencies=[requires(Action.SEE_THEMES)],
)
def read_run(ctx: ContextDep, run_id: str) -> schemas.RunResponse:
    """Read a run."""
    return run_response(ctx.store.get_run(run_id))


@router.get(
    "/runs/{run_id}/changes",
    name="list_changes",
    tags=["runs"],
    responses=problem_responses(404),
    dependencies=[requires(Action.SEE_THEMES)],
)
def list_changes(ctx: ContextDep, run_id: str) -> schemas.ListResponse[schemas.ThemeChangeResponse]:
    """List how a run changed the themes: new, continued, split, merged, dormant, with the evidence."""
    changes = ctx.store.theme_changes(ctx.store.get_run(run_id).id)
    return schemas.ListResponse(
        items=[schemas.ThemeChangeResponse.model_validate(asdict(change)) for change in changes]
    )


def run_response(record: RunRecord) -> schemas.RunResponse:
    parameters = asdict(record.parameters)
    del parameters["draft"]
    return schemas.RunResponse(
        **parameters,
        run_id=record.id,
        state=record.state,
        started_at=record.started_at,
        finished_at=record.finished_at,
        cases=record.n_cases,
        themes=record.n_themes,
        outliers=record.n_outliers,
        drafts=record.n_drafts,
        seconds=dict(record.seconds),
        notes=list(record.notes),
        doubts=[schemas.EditConflictResponse(**asdict(conflict)) for conflict in record.conflicts],
    )


@router.get("/themes", name="list_themes", tags=["themes"], dependencies=[requires(Action.SEE_THEMES)])
def list_themes(
    ctx: ContextDep,
    lens: LensQuery = None,
    include_dormant: Annotated[bool, Query(alias="all", description="Also list themes without cases.")] = False,
) -> schemas.ListResponse[schemas.ThemeResponse]:
    """List the themes of the last run, largest first."""
    rows = (
        theme_row(card.theme, card.size) for card in ctx.store.list_theme_cards(lens, include_dormant=include_dormant)
    )
    return schemas.ListResponse(items=[schemas.ThemeResponse.model_validate(row) for row in rows])


@router.get(
    "/themes/{theme_id}",
    name="read_theme",
    tags=["themes"],
    responses=problem_responses(404),
    dependencies=[requires(Action.SEE_THEMES)],
)
def read_theme(ctx: ContextDep, theme_id: str, lens: LensQuery = None) -> schemas.ThemeDetailResponse:
    """Read a theme of the last run with the ids of its cases."""
    try:
        card, case_ids = ctx.store.theme_card(theme_id, lens), ctx.store.theme_case_ids(theme_id, lens)
    except NotFound as error:
        raise NotFound("theme", theme_id, "GET /api/v1/themes lists them.") from error
    return schemas.ThemeDetailResponse.model_validate({**theme_row(card.theme, card.size), "case_ids": case_ids})


@router.get("/areas", name="list_areas", tags=["themes"], dependencies=[requires(Action.SEE_THEMES)])
def list_areas(ctx: ContextDep, lens: LensQuery = None) -> schemas.ListResponse[schemas.AreaResponse]:
    """List the areas of the last run with their themes."""
    themes = [card.theme for card in ctx.store.list_theme_cards(lens)]
    return schemas.ListResponse(
        items=[
            schemas.AreaResponse(
                area_id=area_id,
                name=name,
                theme_ids=[theme.id for theme in themes if theme.area_id == area_id],
                n_cases=sum(theme.n_cases for theme in themes if theme.area_id == area_id),
            )
            for area_id, name in ctx.store.areas(lens).items()
        ]
    )
