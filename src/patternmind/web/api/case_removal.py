"""Case removal: withdraw, restore and erase a case."""

from pydantic import Field
from starlette.requests import Request

from patternmind.domain.permissions import Action
from patternmind.errors import NotFound
from patternmind.services.case_submission import restore_case
from patternmind.web.api.cases import CaseResponse, case_response
from patternmind.web.api.schemas import ActorRequest, ResponseModel
from patternmind.web.audit import audit_target
from patternmind.web.case_access import authorized_case, authorized_withdrawal
from patternmind.web.dependencies import CallerDep, ContextDep
from patternmind.web.routing import ApiRouter

router = ApiRouter("cases")


class RemovedCaseResponse(ResponseModel):
    """Result of withdrawing or erasing a case."""

    case_id: str
    n_quotes: int
    n_drafts: int
    same: list[str] = Field(description="Other cases with the same text; they stay.")
    linked: list[str] = Field(description="Cases and recaps that link to it; they stay.")


@router.post("/cases/{case_id:path}/withdrawal", "withdraw_case", Action.EDIT_CASE, own=True, problems=[409])
def withdraw_case(
    request: Request, ctx: ContextDep, caller: CallerDep, case_id: str, body: ActorRequest
) -> RemovedCaseResponse:
    """Withdraw a case from all lists, themes, drafts and searches. It can be restored."""
    case = authorized_case(ctx, caller, case_id, Action.EDIT_CASE)
    audit_target(request, "case", case.id)
    return RemovedCaseResponse.of(ctx.withdraw(case.id, actor=caller.actor_name(body.by)))


@router.delete("/cases/{case_id:path}/withdrawal", "put_case_back", Action.EDIT_CASE, own=True)
def restore_withdrawn_case(ctx: ContextDep, caller: CallerDep, case_id: str) -> CaseResponse:
    """Restore a withdrawn case; the next run assigns it to a theme."""
    withdrawal = authorized_withdrawal(ctx, caller, case_id, Action.EDIT_CASE)
    if withdrawal is None:
        raise NotFound("withdrawn case", case_id)
    case = restore_case(ctx.store, withdrawal.case_id)
    return case_response(case, ctx.store.runs.assignment_of(case.id))


@router.delete("/cases/{case_id:path}", "erase_case", Action.ERASE_CASE, own=True, problems=[409])
def erase_case(
    request: Request, ctx: ContextDep, caller: CallerDep, case_id: str, by: str | None = None
) -> RemovedCaseResponse:
    """Erase a case permanently, also a withdrawn one. This cannot be undone."""
    withdrawal = authorized_withdrawal(ctx, caller, case_id, Action.ERASE_CASE)
    target_id = withdrawal.case_id if withdrawal else authorized_case(ctx, caller, case_id, Action.ERASE_CASE).id
    audit_target(request, "case", target_id)
    result = ctx.erase(target_id, actor=caller.actor_name(by))
    return RemovedCaseResponse.of(result)
