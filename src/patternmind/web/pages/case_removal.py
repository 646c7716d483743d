"""Pages to withdraw, restore and erase a case."""

from typing import Annotated

from fastapi import Form
from starlette.responses import Response

from patternmind.domain.cases import Case
from patternmind.domain.permissions import Action
from patternmind.errors import NotFound
from patternmind.ports import Withdrawal
from patternmind.services.case_submission import restore_case
from patternmind.services.case_view import find_quotations, find_same_text
from patternmind.web.case_access import authorized_case, authorized_withdrawal
from patternmind.web.page_request import PageDep, PageRequest
from patternmind.web.routing import PageRouter
from patternmind.web.templating import redirect

router = PageRouter()


@router.get("/cases/{case_id}/withdraw", "ask_withdraw", Action.EDIT_CASE, own=True)
def withdraw_page(page: PageDep, case_id: str) -> Response:
    return _confirmation_page(
        page, authorized_case(page.ctx, page.caller, case_id, Action.EDIT_CASE), action="withdraw"
    )


@router.post("/cases/{case_id}/withdraw", "withdraw", Action.EDIT_CASE, own=True)
def withdraw_case(page: PageDep, case_id: str, by: Annotated[str, Form(max_length=200)] = "") -> Response:
    case = authorized_case(page.ctx, page.caller, case_id, Action.EDIT_CASE)
    if not (page.caller.name or by.strip()):
        return _confirmation_page(page, case, action="withdraw", error="Enter your name.")
    page.ctx.withdraw(case.id, actor=page.caller.name or by)
    return redirect(f"/cases/{case.id}", "Withdrawn. The case was removed from all lists, themes, drafts and searches.")


@router.post("/cases/{case_id}/back", "back", Action.EDIT_CASE, own=True)
def restore_withdrawn_case(page: PageDep, case_id: str) -> Response:
    withdrawal = _withdrawn_case(page, case_id)
    restore_case(page.store, withdrawal.case_id)
    return redirect(f"/cases/{withdrawal.case_id}", "Restored. The next run places the case in a theme.")


@router.get("/cases/{case_id}/erase", "ask_erase", Action.ERASE_CASE, own=True)
def erase_page(page: PageDep, case_id: str) -> Response:
    withdrawal = authorized_withdrawal(page.ctx, page.caller, case_id, Action.EDIT_CASE)
    if withdrawal is not None:
        return _confirmation_page(page, None, action="erase", case_id=withdrawal.case_id)
    case = authorized_case(page.ctx, page.caller, case_id, Action.ERASE_CASE)
    return _confirmation_page(page, case, action="erase")


@router.post("/cases/{case_id}/erase", "erase", Action.ERASE_CASE, own=True)
def erase_case(
    page: PageDep, case_id: str, *, sure: Annotated[str, Form()] = "", by: Annotated[str, Form(max_length=200)] = ""
) -> Response:
    """Erase the case if the person has confirmed that this cannot be undone."""
    withdrawal = authorized_withdrawal(page.ctx, page.caller, case_id, Action.EDIT_CASE)
    case = None if withdrawal else authorized_case(page.ctx, page.caller, case_id, Action.ERASE_CASE)
    erased_id = case.id if case else case_id
    error = "" if page.caller.name or by.strip() else "Enter your name."
    error = error if sure or error else "Tick the box first: erasing cannot be undone."
    if error:
        return _confirmation_page(page, case, action="erase", case_id=erased_id, error=error)
    erasure = page.ctx.erase(erased_id, actor=page.caller.name or by)
    return page.render("cases/erased.html", erasure=erasure)


def render_withdrawn_case(page: PageRequest, case_id: str) -> Response:
    """Render the page of a withdrawn case.

    Raises:
        NotFound: the case is not withdrawn, or the caller may not restore it.
    """
    return page.render("cases/withdrawn.html", withdrawal=_withdrawn_case(page, case_id))


def _withdrawn_case(page: PageRequest, case_id: str) -> Withdrawal:
    """Return a withdrawn case; for callers who may not restore it, it does not exist."""
    withdrawal = authorized_withdrawal(page.ctx, page.caller, case_id, Action.EDIT_CASE)
    if withdrawal is None:
        raise NotFound("case", case_id)
    return withdrawal


def _confirmation_page(
    page: PageRequest, case: Case | None, *, action: str, case_id: str = "", error: str = ""
) -> Response:
    quotes = find_quotations(page.store, case.id) if case else []
    same_text = find_same_text(page.store, case) if case else []
    return page.render(
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
