"""Pages to withdraw, restore and erase a case."""

from typing import Annotated

from fastapi import Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from patternmind.domain.cases import Case
from patternmind.domain.permissions import Action
from patternmind.errors import NotFound
from patternmind.ports import Withdrawal
from patternmind.services.case_submission import is_own_case, is_own_withdrawn_case, restore_case
from patternmind.services.case_view import find_quotations, find_same_text
from patternmind.services.erasure import find_withdrawal
from patternmind.web.caller import Caller
from patternmind.web.dependencies import CallerDep, ContextDep
from patternmind.web.routing import PageRouter
from patternmind.web.state import get_app_state
from patternmind.web.templating import flash, render

router = PageRouter()


@router.get("/cases/{case_id}/withdraw", "ask_withdraw", Action.EDIT_CASE, own=True)
def withdraw_page(request: Request, ctx: ContextDep, caller: CallerDep, case_id: str) -> Response:
    return _confirmation_page(request, ctx, _authorized_case(ctx, caller, case_id, Action.EDIT_CASE), action="withdraw")


@router.post("/cases/{case_id}/withdraw", "withdraw", Action.EDIT_CASE, own=True)
def withdraw_case(
    request: Request, ctx: ContextDep, caller: CallerDep, case_id: str, by: Annotated[str, Form(max_length=200)] = ""
) -> Response:
    case = _authorized_case(ctx, caller, case_id, Action.EDIT_CASE)
    if not (caller.name or by.strip()):
        return _confirmation_page(request, ctx, case, action="withdraw", error="Enter your name.")
    ctx.withdraw(case.id, actor=caller.name or by)
    response = RedirectResponse(f"/cases/{case.id}", status_code=303)
    flash(response, "Withdrawn. The case is no longer in any list, theme, draft or search.")
    return response


@router.post("/cases/{case_id}/back", "back", Action.EDIT_CASE, own=True)
def restore_withdrawn_case(ctx: ContextDep, caller: CallerDep, case_id: str) -> Response:
    withdrawal = _withdrawn_case(ctx, caller, case_id)
    restore_case(ctx.store, withdrawal.case_id)
    response = RedirectResponse(f"/cases/{withdrawal.case_id}", status_code=303)
    flash(response, "Restored. The next run places the case in a theme.")
    return response


@router.get("/cases/{case_id}/erase", "ask_erase", Action.ERASE_CASE, own=True)
def erase_page(request: Request, ctx: ContextDep, caller: CallerDep, case_id: str) -> Response:
    withdrawal = find_withdrawal(ctx.store, case_id)
    if withdrawal is not None:
        _withdrawn_case(ctx, caller, case_id)
        return _confirmation_page(request, ctx, None, action="erase", case_id=withdrawal.case_id)
    return _confirmation_page(request, ctx, _authorized_case(ctx, caller, case_id, Action.ERASE_CASE), action="erase")


@router.post("/cases/{case_id}/erase", "erase", Action.ERASE_CASE, own=True)
def erase_case(
    request: Request,
    ctx: ContextDep,
    caller: CallerDep,
    case_id: str,
    *,
    sure: Annotated[str, Form()] = "",
    by: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Erase the case if the person has confirmed that this cannot be undone."""
    withdrawal = find_withdrawal(ctx.store, case_id)
    if withdrawal is not None:
        _withdrawn_case(ctx, caller, case_id)
    case = None if withdrawal is not None else _authorized_case(ctx, caller, case_id, Action.ERASE_CASE)
    erased_id = case.id if case else case_id
    error = "" if caller.name or by.strip() else "Enter your name."
    error = error if sure or error else "Tick the box first: erasing cannot be undone."
    if error:
        return _confirmation_page(request, ctx, case, action="erase", case_id=erased_id, error=error)
    erasure = ctx.erase(erased_id, actor=caller.name or by)
    get_app_state(request).clear_replay_caches()
    return render(request, "cases/erased.html", erasure=erasure)


def render_withdrawn_case(request: Request, ctx: ContextDep, caller: Caller, case_id: str) -> Response:
    """Render the page of a withdrawn case.

    Raises:
        NotFound: the case is not withdrawn, or the caller may not restore it.
    """
    return render(request, "cases/withdrawn.html", withdrawal=_withdrawn_case(ctx, caller, case_id))


def _authorized_case(ctx: ContextDep, caller: Caller, case_id: str, action: Action) -> Case:
    case = ctx.store.cases.get(case_id)
    caller.require(action, is_own_case(ctx.store, case, caller.member))
    return case


def _withdrawn_case(ctx: ContextDep, caller: Caller, case_id: str) -> Withdrawal:
    """Return a withdrawn case; for callers who may not restore it, it does not exist."""
    withdrawal = find_withdrawal(ctx.store, case_id)
    if withdrawal is None or not caller.may(
        Action.EDIT_CASE, is_own_withdrawn_case(ctx.store, withdrawal.case_id, caller.member)
    ):
        raise NotFound("case", case_id)
    return withdrawal


def _confirmation_page(
    request: Request, ctx: ContextDep, case: Case | None, *, action: str, case_id: str = "", error: str = ""
) -> Response:
    quotes = find_quotations(ctx.store, case.id) if case else []
    same_text = find_same_text(ctx.store, case) if case else []
    return render(
        request,
        f"cases/{action}.html",
        422 if error else 200,
        case=case,
        case_id=case.id if case else case_id,
        title=case.title if case else "Withdrawn case",
        n_quotes=len(quotes),
        n_drafts=len({quote.draft_id for quote in quotes}),
        same_text=same_text,
        error=error,
    )


__all__ = ["render_withdrawn_case", "router"]
