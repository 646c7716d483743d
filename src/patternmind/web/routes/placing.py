"""Where new cases and texts belong, at once and without a run."""

from dataclasses import asdict

from fastapi import APIRouter

from patternmind.model.rights import Action
from patternmind.verbs.placing import Place
from patternmind.web import answers
from patternmind.web.door import MAY_REPEAT, Door, Lens, TheHouse, problems
from patternmind.web.rights import needs

router = APIRouter(route_class=Door, tags=["cases"])


@router.get(
    "/cases/{case_id:path}/placement",
    name="read_placement",
    responses=problems(404),
    dependencies=[needs(Action.SEE_THEMES)],
)
def read_placement(house: TheHouse, case_id: str, lens: Lens = None) -> answers.PlacementAnswer:
    """Where a case is, or where one that came since the last run belongs."""
    known = house.store.case(case_id)  # what is not there is said to be missing, run or no run
    return _placement(house.placer(lens).place_cases([known.id])[0])


@router.post(
    "/placements", name="place_text", responses=problems(400), dependencies=[needs(Action.SEE_THEMES), MAY_REPEAT]
)
def place_text(house: TheHouse, asked: answers.TextAsked) -> answers.PlacementAnswer:
    """Where a text would belong. It is redacted as a case is, and nothing of it is stored."""
    return _placement(house.placer(asked.lens).place_text(asked.text))


def _placement(place: Place) -> answers.PlacementAnswer:
    return answers.PlacementAnswer.model_validate(asdict(place))
