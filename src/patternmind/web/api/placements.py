"""Where new cases and texts belong, at once and without a run."""

from dataclasses import asdict

from fastapi import APIRouter

from patternmind.domain.permissions import Action
from patternmind.services.placement import CasePlacement
from patternmind.web.api import schemas
from patternmind.web.permissions import requires
from patternmind.web.routing import (
    ACCEPTS_IDEMPOTENCY_KEY,
    ApiRoute,
    ContextDep,
    LensQuery,
    problem_responses,
)

router = APIRouter(route_class=ApiRoute, tags=["cases"])


@router.get(
    "/cases/{case_id:path}/placement",
    name="read_placement",
    responses=problem_responses(404),
    dependencies=[requires(Action.SEE_THEMES)],
)
def read_placement(ctx: ContextDep, case_id: str, lens: LensQuery = None) -> schemas.PlacementResponse:
    """Where a case is, or where one that came since the last run belongs."""
    known = ctx.store.case(case_id)  # what is not there is said to be missing, run or no run
    return _placement_response(ctx.placer(lens).place_cases([known.id])[0])


@router.post(
    "/placements",
    name="place_text",
    responses=problem_responses(400),
    dependencies=[requires(Action.SEE_THEMES), ACCEPTS_IDEMPOTENCY_KEY],
)
def place_text(ctx: ContextDep, body: schemas.PlacementRequest) -> schemas.PlacementResponse:
    """Where a text would belong. It is redacted as a case is, and nothing of it is stored."""
    return _placement_response(ctx.placer(body.lens).place_text(body.text))


def _placement_response(placement: CasePlacement) -> schemas.PlacementResponse:
    return schemas.PlacementResponse.model_validate(asdict(placement))
