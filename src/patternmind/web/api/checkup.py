"""Checkup of the installation."""

from fastapi import APIRouter
from pydantic import BaseModel

from patternmind.domain.permissions import Action
from patternmind.web.api.schemas import ListResponse
from patternmind.web.checkup import run_checkup
from patternmind.web.dependencies import ContextDep
from patternmind.web.idempotency import ACCEPTS_IDEMPOTENCY_KEY
from patternmind.web.permissions import requires
from patternmind.web.routing import ApiRoute

router = APIRouter(route_class=ApiRoute, tags=["settings"])


class CheckResultResponse(BaseModel):
    what: str
    ok: bool
    says: str


@router.post("/checkup", name="check_up", dependencies=[requires(Action.SETTINGS), ACCEPTS_IDEMPOTENCY_KEY])
def create_checkup(ctx: ContextDep) -> ListResponse[CheckResultResponse]:
    """Run the checks of `patternmind doctor`. Requests one token from each language model."""
    checks = run_checkup(ctx)
    return ListResponse(items=[CheckResultResponse(what=check.what, ok=check.ok, says=check.says) for check in checks])
