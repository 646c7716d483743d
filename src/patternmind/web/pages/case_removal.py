"""A case that goes: withdrawn, so that it can be put back, or erased for good."""

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from patternmind.domain.cases import Case
from patternmind.domain.permissions import Action
from patternmind.errors import NotFound
from patternmind.ports import Withdrawal
from patternmind.services.case_submission import is_own_case, is_own_withdrawn_case, restore_case
from patternmind.services.case_view import find_quotations, find_same_text
from patternmind.services.erasure import find_withdrawal
from patternmind.web.auth import Caller
from patternmind.web.permissions import requires
from patternmind.web.routing import CallerDep, ContextDep, PageRoute
from patternmind.web.templating import flash, render

router = APIRouter(route_class=PageRoute)


@router.get("/cases/{case_id}/withdraw", name="ask_withdraw", dependencies=[requires(Action.EDIT_CASE, own=True)])
def withdraw_page(request: Request, ctx: ContextDep, caller: CallerDep, case_id: str) -> Response:
    return _confirmation_page(request, ctx, _authorized_case(ctx, caller, case_id, Action.EDIT_CASE), action="withdraw")


@router.post("/cases/{case_id}/withdraw", name="withdraw", dependencies=[requires(Action.EDIT_CASE, own=True)])
def withdraw_case(
    request: Request, ctx: ContextDep, caller: CallerDep, case_id: str, by: Annotated[str, Form(max_length=200)] = ""
) -> Response:
    case = _authorized_case(ctx, caller, case_id, Action.EDIT_CASE)
    if not (caller.name or by.strip()):
        return _confirmation_page(request, ctx, case, action="withdraw", error="Say who withdraws it.")
    ctx.withdraw(case.id, actor=caller.name or by)
    answer = RedirectResponse(f"/cases/{case.id}", status_code=303)
    flash(answer, "Withdrawn. It is in no list, theme, draft or search any more.")
    return answer


@router.post("/cases/{case_id}/back", name="back", dependencies=[requires(Action.EDIT_CASE, own=True)])
def restore_withdrawn_case(ctx: ContextDep, caller: CallerDep, case_id: str) -> Response:
    hidden = _withdrawn_case(ctx, caller, case_id)
    restore_case(ctx.store, hidden.case_id)
    answer = RedirectResponse(f"/cases/{hidden.case_id}", status_code=303)
    flash(answer, "It is back. The next run places it.")
    return answer


@router.get("/cases/{case_id}/erase", name="ask_erase", dependencies=[requires(Action.ERASE_CASE, own=True)])
def erase_page(request: Request, ctx: ContextDep, caller: CallerDep, case_id: str) -> Response:
    hidden = find_withdrawal(ctx.store, case_id)
    if hidden is not None:
        _withdrawn_case(ctx, caller, case_id)
        return _confirmation_page(request, ctx, None, action="erase", case_id=hidden.case_id)
    return _confirmation_page(request, ctx, _authorized_case(ctx, caller, case_id, Action.ERASE_CASE), action="erase")


@router.post("/cases/{case_id}/erase", name="erase", dependencies=[requires(Action.ERASE_CASE, own=True)])
def erase_case(
    request: Request,
    ctx: ContextDep,
    caller: CallerDep,
    case_id: str,
    *,
    sure: Annotated[str, Form()] = "",
    by: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Erase it, once the person has said that they know it has no undo."""
    hidden = find_withdrawal(ctx.store, case_id)
    if hidden is not None:
        _withdrawn_case(ctx, caller, case_id)
    case = None if hidden is not None else _authorized_case(ctx, caller, case_id, Action.ERASE_CASE)
    wanted = case.id if case else case_id
    error = "" if caller.name or by.strip() else "Say who erases it."
    error = error if sure or error else "Tick the box first: erasing has no undo."
    if error:
        return _confirmation_page(request, ctx, case, action="erase", case_id=wanted, error=error)
    told = ctx.erase(wanted, actor=caller.name or by)
    request.app.state.rooms.clear_replay_caches()
    return render(request, "cases/erased.html", told=told)


def render_withdrawn_case(request: Request, ctx: ContextDep, caller: Caller, case_id: str) -> Response:
    """What is left to see of a withdrawn case, for those who may put it back.

    Raises:
        NotFound: for everybody else, and where there is none.
    """
    hidden = _withdrawn_case(ctx, caller, case_id)
    return render(request, "cases/withdrawn.html", hidden=hidden)


def _authorized_case(ctx: ContextDep, caller: Caller, case_id: str, action: Action) -> Case:
    case = ctx.store.case(case_id)
    caller.require(action, is_own_case(ctx.store, case, caller.member))
    return case


def _withdrawn_case(ctx: ContextDep, caller: Caller, case_id: str) -> Withdrawal:
    """A withdrawn case is not there for who may not put it back."""
    hidden = find_withdrawal(ctx.store, case_id)
    if hidden is None or not caller.may(
        Action.EDIT_CASE, is_own_withdrawn_case(ctx.store, hidden.case_id, caller.member)
    ):
        raise NotFound("case", case_id)
    return hidden


def _confirmation_page(
    request: Request, ctx: ContextDep, case: Case | None, *, action: str, case_id: str = "", error: str = ""
) -> Response:
    quotes = find_quotations(ctx.store, case.id) if case else []
    same = find_same_text(ctx.store, case) if case else []
    return render(
        request,
        f"cases/{action}.html",
        422 if error else 200,
        case=case,
        case_id=case.id if case else case_id,
        title=case.title if case else "A withdrawn case",
        n_quotes=len(quotes),
        n_drafts=len({one.draft_id for one in quotes}),
        same=same,
        error=error,
    )


__all__ = ["render_withdrawn_case", "router"]
