"""A case that goes: withdrawn, so that it can be put back, or erased for good."""

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from patternmind.errors import NotFound
from patternmind.model.cases import Case
from patternmind.model.rights import Action
from patternmind.ports import Withdrawal
from patternmind.verbs.case_view import quotes_of, same_text
from patternmind.verbs.erasing import find_withdrawn
from patternmind.verbs.handing_in import is_own, owns_withdrawn, put_back
from patternmind.web.auth import Caller
from patternmind.web.door import PageDoor, TheCaller, TheHouse
from patternmind.web.rendering import flash, render
from patternmind.web.rights import needs

router = APIRouter(route_class=PageDoor)


@router.get("/cases/{case_id}/withdraw", name="ask_withdraw", dependencies=[needs(Action.EDIT_CASE, own=True)])
def ask_withdraw(request: Request, house: TheHouse, caller: TheCaller, case_id: str) -> Response:
    return _ask(request, house, _theirs(house, caller, case_id, Action.EDIT_CASE), how="withdraw")


@router.post("/cases/{case_id}/withdraw", name="withdraw", dependencies=[needs(Action.EDIT_CASE, own=True)])
def withdraw(
    request: Request, house: TheHouse, caller: TheCaller, case_id: str, by: Annotated[str, Form(max_length=200)] = ""
) -> Response:
    case = _theirs(house, caller, case_id, Action.EDIT_CASE)
    if not (caller.name or by.strip()):
        return _ask(request, house, case, how="withdraw", error="Say who withdraws it.")
    house.withdraw(case.id, by=caller.name or by)
    answer = RedirectResponse(f"/cases/{case.id}", status_code=303)
    flash(answer, "Withdrawn. It is in no list, theme, draft or search any more.")
    return answer


@router.post("/cases/{case_id}/back", name="back", dependencies=[needs(Action.EDIT_CASE, own=True)])
def back(house: TheHouse, caller: TheCaller, case_id: str) -> Response:
    hidden = _hidden(house, caller, case_id)
    put_back(house.store, hidden.case_id)
    answer = RedirectResponse(f"/cases/{hidden.case_id}", status_code=303)
    flash(answer, "It is back. The next run places it.")
    return answer


@router.get("/cases/{case_id}/erase", name="ask_erase", dependencies=[needs(Action.ERASE_CASE, own=True)])
def ask_erase(request: Request, house: TheHouse, caller: TheCaller, case_id: str) -> Response:
    hidden = find_withdrawn(house.store, case_id)
    if hidden is not None:
        _hidden(house, caller, case_id)
        return _ask(request, house, None, how="erase", case_id=hidden.case_id)
    return _ask(request, house, _theirs(house, caller, case_id, Action.ERASE_CASE), how="erase")


@router.post("/cases/{case_id}/erase", name="erase", dependencies=[needs(Action.ERASE_CASE, own=True)])
def erase(
    request: Request,
    house: TheHouse,
    caller: TheCaller,
    case_id: str,
    *,
    sure: Annotated[str, Form()] = "",
    by: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Erase it, once the person has said that they know it has no undo."""
    hidden = find_withdrawn(house.store, case_id)
    if hidden is not None:
        _hidden(house, caller, case_id)
    case = None if hidden is not None else _theirs(house, caller, case_id, Action.ERASE_CASE)
    wanted = case.id if case else case_id
    error = "" if caller.name or by.strip() else "Say who erases it."
    error = error if sure or error else "Tick the box first: erasing has no undo."
    if error:
        return _ask(request, house, case, how="erase", case_id=wanted, error=error)
    told = house.erase(wanted, by=caller.name or by)
    request.app.state.rooms.forget()
    return render(request, "cases/erased.html", told=told)


def withdrawn_page(request: Request, house: TheHouse, caller: Caller, case_id: str) -> Response:
    """What is left to see of a withdrawn case, for those who may put it back.

    Raises:
        NotFound: for everybody else, and where there is none.
    """
    hidden = _hidden(house, caller, case_id)
    return render(request, "cases/withdrawn.html", hidden=hidden)


def _theirs(house: TheHouse, caller: Caller, case_id: str, action: Action) -> Case:
    case = house.store.case(case_id)
    caller.must(action, is_own(house.store, case, caller.member))
    return case


def _hidden(house: TheHouse, caller: Caller, case_id: str) -> Withdrawal:
    """A withdrawn case is not there for who may not put it back."""
    hidden = find_withdrawn(house.store, case_id)
    if hidden is None or not caller.may(Action.EDIT_CASE, owns_withdrawn(house.store, hidden.case_id, caller.member)):
        raise NotFound("case", case_id)
    return hidden


def _ask(
    request: Request, house: TheHouse, case: Case | None, *, how: str, case_id: str = "", error: str = ""
) -> Response:
    quotes = quotes_of(house.store, case.id) if case else []
    same = same_text(house.store, case) if case else []
    return render(
        request,
        f"cases/{how}.html",
        422 if error else 200,
        case=case,
        case_id=case.id if case else case_id,
        title=case.title if case else "A withdrawn case",
        n_quotes=len(quotes),
        n_drafts=len({one.draft_id for one in quotes}),
        same=same,
        error=error,
    )


__all__ = ["router", "withdrawn_page"]
