"""Place new cases and texts into the themes of the last run."""

from typing import Literal

from pydantic import Field

from patternmind.domain.permissions import Action
from patternmind.web.api.schemas import RequestModel, ResponseModel
from patternmind.web.dependencies import ContextDep
from patternmind.web.lens import LensName, LensQuery
from patternmind.web.routing import ApiRouter

router = ApiRouter("cases")


class PlacementRequest(RequestModel):
    text: str = Field(min_length=1, max_length=20_000, description="Description of the problem; it is not stored.")
    lens: LensName | None = Field(default=None, description="Lens; default: that of the last run.")


class PlacementCandidateResponse(ResponseModel):
    theme_id: str
    name: str
    strength: float = Field(
        description="Estimated probability that the next run assigns such a case to this theme, 0..1."
    )


class PlacementResponse(ResponseModel):
    """Theme of a case or text without a run, or the reason for none."""

    case_id: str | None
    external_id: str | None
    by: Literal["run", "placing", "person"] = Field(
        description="Source of the result; the next run reassigns cases with `placing`."
    )
    theme_id: str | None
    theme: str | None = Field(description="Theme name.")
    strength: float
    second_theme_id: str | None = Field(description="A second theme that it also belongs to.")
    nearest_theme_id: str | None
    offers: list[PlacementCandidateResponse] = Field(description="Nearest themes, best first, retired ones last.")
    reason: str
    like: list[str] = Field(description="Ids of the most similar cases.")


@router.get("/cases/{case_id:path}/placement", "read_placement", Action.SEE_THEMES)
def read_placement(ctx: ContextDep, case_id: str, lens: LensQuery = None) -> PlacementResponse:
    """Read the theme of a case; a case newer than the last run is placed."""
    case = ctx.store.cases.get(case_id)  # raises NotFound also before the first run
    return PlacementResponse.of(ctx.placer(lens).place_cases([case.id])[0])


@router.post("/placements", "place_text", Action.SEE_THEMES)
def place_text(ctx: ContextDep, body: PlacementRequest) -> PlacementResponse:
    """Place a text. It is redacted like a case and not stored."""
    return PlacementResponse.of(ctx.placer(body.lens).place_text(body.text))
