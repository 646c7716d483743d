"""Place new cases and texts into the themes of the last run."""

from dataclasses import asdict

from fastapi import APIRouter

from patternmind.domain.permissions import Action
from patternmind.services.placement import CasePlacement
from patternmind.web.api import schemas
from patternmind.web.dependencies import ContextDep
from patternmind.web.idempotency import ACCEPTS_IDEMPOTENCY_KEY
from patternmind.web.lens import LensQuery
from patternmind.web.permissions import requires
from patternmind.web.problems import problem_responses
from patternmind.web.routing import ApiRoute

router = APIRouter(route_class=ApiRoute, tags=["cases"])


@router.get(
    "/cases/{case_id:path}/placement",
    name="read_placement",
    responses=problem_responses(404),
    dependencies=[requires(Action.SEE_THEMES)],
)
def read_placement(ctx: ContextDep, case_id: str, lens: LensQuery = None) -> schemas.PlacementResponse:
    """Read the theme of a case; a case newer than the last run is placed."""
    case = ctx.store.case(case_id)  # raises NotFound also before the first run
    return _placement_response(ctx.placer(lens).place_cases([case.id])[0])


@router.post(
    "/placements",
    name="place_text",
    responses=problem_responses(400),
    dependencies=[requires(Action.SEE_THEMES), ACCEPTS_IDEMPOTENCY_KEY],
)
def place_text(ctx: ContextDep, body: schemas.PlacementRequest) -> schemas.PlacementResponse:
    """Place a text. It is redacted like a case and not stored."""
    return _placement_response(ctx.placer(body.lens).place_text(body.text))


def _placement_response(placement: CasePlacement) -> schemas.PlacementResponse:
    return schemas.PlacementResponse.model_validate(asdict(placement))
