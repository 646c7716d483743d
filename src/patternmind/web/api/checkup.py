"""Checkup of the installation."""

from pydantic import BaseModel

from patternmind.domain.permissions import Action
from patternmind.web.api.schemas import ListResponse
from patternmind.web.checkup import run_checkup
from patternmind.web.dependencies import ContextDep
from patternmind.web.routing import ApiRouter

router = ApiRouter("settings")


class CheckResultResponse(BaseModel):
    what: str
    ok: bool
    says: str


@router.post("/checkup", "check_up", Action.SETTINGS)
def create_checkup(ctx: ContextDep) -> ListResponse[CheckResultResponse]:
    """Run the checks of `patternmind doctor`. Requests one token from each language model."""
    checks = run_checkup(ctx)
    return ListResponse(items=[CheckResultResponse(what=check.what, ok=check.ok, says=check.says) for check in checks])
