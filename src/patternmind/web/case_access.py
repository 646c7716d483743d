"""Cases that a caller may act on: stewards on all of them, members on their own."""

from patternmind.bootstrap import AppContext
from patternmind.domain.cases import Case
from patternmind.domain.permissions import Action
from patternmind.errors import NotFound
from patternmind.ports import Withdrawal
from patternmind.services.case_submission import is_own_case, is_own_withdrawn_case
from patternmind.services.erasure import find_withdrawal
from patternmind.web.caller import Caller


def authorized_case(ctx: AppContext, caller: Caller, case_id: str, action: Action) -> Case:
    """Return a case that the caller may act on.

    Raises:
        HTTPProblem: they may not.
        NotFound: no such case.
    """
    case = ctx.store.cases.get(case_id)
    caller.require(action, is_own_case(ctx.store, case, caller.member))
    return case


def authorized_withdrawal(ctx: AppContext, caller: Caller, case_id: str, action: Action) -> Withdrawal | None:
    """Return a withdrawn case that the caller may act on; None if the case is not withdrawn.

    Raises:
        NotFound: the case is withdrawn, and the caller may not act on it: for them it does not exist.
    """
    withdrawal = find_withdrawal(ctx.store, case_id)
    if withdrawal and not caller.may(action, is_own_withdrawn_case(ctx.store, withdrawal.case_id, caller.member)):
        raise NotFound("case", case_id)
    return withdrawal
