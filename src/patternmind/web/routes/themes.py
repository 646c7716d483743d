"""Runs, and the themes they found."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query

from patternmind.errors import NotFound
from patternmind.model.rights import Action
from patternmind.ports import RunRecord
from patternmind.verbs.export import theme_row
from patternmind.web import answers
from patternmind.web.door import Door, Lens, TheHouse, problems
from patternmind.web.rights import needs

router = APIRouter(route_class=Door)


@router.get("/runs", name="list_runs", tags=["runs"], dependencies=[needs(Action.SEE_THEMES)])
def list_runs(house: TheHouse) -> answers.Listing[answers.RunAnswer]:
    """Every run, newest first."""
    return answers.Listing(items=[run_answer(record) for record in reversed(house.store.runs())])


@router.get(
    "/runs/{run_id}", name="read_run", tags=["runs"], responses=problems(404), dependencies=[needs(Action.SEE_THEMES)]
)
def read_run(house: TheHouse, run_id: str) -> answers.RunAnswer:
    return run_answer(house.store.find_run(run_id))


@router.get(
    "/runs/{run_id}/changes",
    name="list_changes",
    tags=["runs"],
    responses=problems(404),
    dependencies=[needs(Action.SEE_THEMES)],
)
def list_changes(house: TheHouse, run_id: str) -> answers.Listing[answers.ThemeChangeAnswer]:
    """What a run made of the themes before it: new, continued, split, merged, dormant, with the evidence."""
    changes = house.store.changes(house.store.find_run(run_id).id)
    return answers.Listing(items=[answers.ThemeChangeAnswer.model_validate(asdict(change)) for change in changes])


def run_answer(record: RunRecord) -> answers.RunAnswer:
    parameters = asdict(record.parameters)
    del parameters["draft"]
    return answers.RunAnswer(
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
        doubts=[answers.DoubtAnswer(**asdict(one)) for one in record.proposals],
    )


@router.get("/themes", name="list_themes", tags=["themes"], dependencies=[needs(Action.SEE_THEMES)])
def list_themes(
    house: TheHouse,
    lens: Lens = None,
    every: Annotated[bool, Query(alias="all", description="Also themes that have no case any more.")] = False,
) -> answers.Listing[answers.ThemeAnswer]:
    """The themes of the last run, the largest first."""
    rows = (theme_row(card.theme, card.size) for card in house.store.theme_cards(lens, every=every))
    return answers.Listing(items=[answers.ThemeAnswer.model_validate(row) for row in rows])


@router.get(
    "/themes/{theme_id}",
    name="read_theme",
    tags=["themes"],
    responses=problems(404),
    dependencies=[needs(Action.SEE_THEMES)],
)
def read_theme(house: TheHouse, theme_id: str, lens: Lens = None) -> answers.ThemeWithCases:
    """One theme of the last run, with the ids of its cases."""
    try:
        card, case_ids = house.store.theme_card(theme_id, lens), house.store.theme_members(theme_id, lens)
    except NotFound as error:
        raise NotFound("theme", theme_id, "GET /api/v1/themes lists them.") from error
    return answers.ThemeWithCases.model_validate({**theme_row(card.theme, card.size), "case_ids": case_ids})


@router.get("/areas", name="list_areas", tags=["themes"], dependencies=[needs(Action.SEE_THEMES)])
def list_areas(house: TheHouse, lens: Lens = None) -> answers.Listing[answers.AreaAnswer]:
    """The broad areas of the last run and the themes in them."""
    themes = [card.theme for card in house.store.theme_cards(lens)]
    return answers.Listing(
        items=[
            answers.AreaAnswer(
                area_id=area_id,
                name=name,
                theme_ids=[theme.id for theme in themes if theme.area_id == area_id],
                n_cases=sum(theme.n_cases for theme in themes if theme.area_id == area_id),
            )
            for area_id, name in house.store.areas(lens).items()
        ]
    )
