"""Checkup of the installation."""

from patternmind.domain.permissions import Action
from patternmind.web.api.schemas import ListResponse, ResponseModel
from patternmind.web.checkup import run_checkup
from patternmind.web.dependencies import ContextDep
from patternmind.web.routing import ApiRouter

router = ApiRouter("settings")


class CheckResultResponse(ResponseModel):
    what: str
    ok: bool
    says: str


@router.post("/checkup", "check_up", Action.SETTINGS)
def create_checkup(ctx: ContextDep) -> ListResponse[CheckResultResponse]:
    """Run the checks of `patternmind doctor`. Requests one token from each language model."""
    return ListResponse[CheckResultResponse].of_records(run_checkup(ctx))
