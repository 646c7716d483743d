"""What a run changed, one by one, like a pull request; where its cases doubt a decision; and what others proposed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from patternmind.bootstrap import House
from patternmind.carry import explain
from patternmind.errors import Contradiction, PatternmindError, UsageError
from patternmind.model.edits import EditAction
from patternmind.model.rights import Action
from patternmind.ports import RunRecord, Store
from patternmind.verbs.editing import Asked, decide_themes
from patternmind.verbs.theme_changes import (
    ChangeToReview,
    DoubtToReview,
    accept_change,
    accept_rest,
    answer_doubt,
    answer_proposed,
    changes_to_review,
    decline_change,
    doubts_to_review,
    proposed_edits,
)
from patternmind.verbs.theme_reading import names_of_cases, read_themes
from patternmind.web.auth import Caller
from patternmind.web.door import PageDoor, TheCaller, TheHouse
from patternmind.web.pages.themes import LensOf, frame, known_lens
from patternmind.web.rendering import flash, render
from patternmind.web.rights import needs
from patternmind.web.theme_edits import log_words
from patternmind.web.theme_words import LINEAGE_WORDS, MOST_CASES, contradiction_words, edit_words

router = APIRouter(route_class=PageDoor)

MOST_FLOWS = 6
Short = Annotated[str, Form(max_length=400)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a form of this page holds."""

    answer: str = ""
    theme_id: str = ""
    undoes: str = ""
    note: str = ""
    lens: str = ""
    by: str = ""


def _given(
    answer: Short = "", theme_id: Short = "", undoes: Short = "", note: Short = "", lens: Short = "", by: Short = ""
) -> Given:
    return Given(answer=answer, theme_id=theme_id, undoes=undoes, note=note, lens=lens, by=by)


TheGiven = Annotated[Given, Depends(_given)]
Place = Annotated[str, Query(max_length=200)]


@router.get("/themes/changes", name="changes", dependencies=[needs(Action.SEE_THEMES)])
def changes(request: Request, house: TheHouse, lens: LensOf = "", at: Place = "") -> Response:
    shown = read_themes(house.store, known_lens(lens))
    return _page(request, house, shown.run, at, lens=shown.lens)


@router.get("/runs/{run_id}/changes", name="changes_of_run", dependencies=[needs(Action.SEE_THEMES)])
def changes_of_run(request: Request, house: TheHouse, run_id: str, at: Place = "") -> Response:
    run = house.store.find_run(run_id)
    return _page(request, house, run, at, lens=run.parameters.lens)


def _page(
    request: Request,
    house: House,
    run: RunRecord | None,
    at: str,
    *,
    lens: str,
    refused: PatternmindError | None = None,
    given: Given | None = None,
) -> Response:
    store = house.store
    shown = read_themes(store, lens)
    lines = changes_to_review(store, run.id) if run else []
    names = store.theme_names(lens)
    chosen = _chosen(lines, at)
    place = lines.index(chosen) if chosen else -1
    doubts, proposed = doubts_to_review(store, lens), proposed_edits(store, lens)
    cases = names_of_cases(store, [*(one.decision for one in doubts), *(one.edit for one in proposed)], MOST_CASES)
    address = f"/runs/{run.id}/changes" if run else ""
    return render(
        request,
        "themes/changes.html",
        _status(refused),
        **frame(house, shown, "/themes/changes"),
        run=run,
        is_last=bool(run and shown.run and run.id == shown.run.id),
        lines=[(one, names.get(one.change.theme_id, one.change.theme_id)) for one in lines],
        n_open=sum(one.answer is None for one in lines),
        chosen=chosen,
        told=explain(chosen.change, names) if chosen else "",
        names=names,
        words=LINEAGE_WORDS,
        evidence=_evidence(house, chosen, names) if chosen else {},
        address=address,
        before=f"{address}?at={quote(lines[place - 1].change.theme_id)}" if place > 0 else "",
        after=f"{address}?at={quote(lines[place + 1].change.theme_id)}" if -1 < place < len(lines) - 1 else "",
        doubts=[(one, edit_words(one.decision, names, cases), _named(one, names, cases)) for one in doubts],
        proposed=[(one, edit_words(one.edit, names, cases)) for one in proposed],
        error=_plain(store, refused) if refused else "",
        note=given.note if given else "",
        by=given.by if given else "",
    )


def _named(one: DoubtToReview, names: Mapping[str, str], cases: Mapping[str, str]) -> str:
    """What the cases say against a decision, with names in the place of ids."""
    told = one.proposal.text
    for theme_id in one.proposal.theme_ids:
        told = told.replace(theme_id, f"“{names[theme_id]}”" if theme_id in names else theme_id)
    for case_id in one.proposal.case_ids:
        told = told.replace(case_id, cases.get(case_id, case_id))
    return told


def _status(refused: PatternmindError | None) -> int:
    return 200 if refused is None else 409 if isinstance(refused, Contradiction) else 422


def _chosen(lines: list[ChangeToReview], at: str) -> ChangeToReview | None:
    """The change that was asked for; else the first without an answer; else the first."""
    asked = next((one for one in lines if one.change.theme_id == at), None)
    return asked or next((one for one in lines if one.answer is None), lines[0] if lines else None)


def _evidence(house: House, one: ChangeToReview, names: Mapping[str, str]) -> dict[str, Any]:
    """Where its cases went and came from, and which of them declining would put back."""
    back = {
        names.get(theme_id, theme_id): [
            (case.id, case.external_id or case.id, case.title)
            for case in house.store.cases_by_id(case_ids[:MOST_FLOWS]).values()
        ]
        for theme_id, case_ids in one.put_back.items()
    }
    return {
        "went": [(names.get(flow.theme_id or "", "no theme"), flow) for flow in one.change.went[:MOST_FLOWS]],
        "came": [(names.get(flow.theme_id or "", "no theme"), flow) for flow in one.change.came[:MOST_FLOWS]],
        "back": back,
        "n_back": sum(len(case_ids) for case_ids in one.put_back.values()),
    }


@router.post("/runs/{run_id}/changes", name="answer_change", dependencies=[needs(Action.EDIT_THEMES)])
def answer_change(request: Request, house: TheHouse, caller: TheCaller, run_id: str, given: TheGiven) -> Response:
    """Accept or decline one change, accept all that are left, or take an answer back."""
    run = house.store.find_run(run_id)
    lens = run.parameters.lens
    try:
        by = _signed(caller, given)
        said = AGAIN if _answered(house.store, run, given, by) else _answer(house, run, given, by)
    except (UsageError, Contradiction) as error:
        return _page(request, house, run, given.theme_id, lens=lens, refused=error, given=given)
    stay = f"?at={quote(given.theme_id)}" if given.answer == "undo" else ""
    to = RedirectResponse(f"/runs/{run_id}/changes{stay}", status_code=303)
    flash(to, said)
    return to


def _signed(caller: Caller, given: Given) -> str:
    """The name it is logged under.

    Raises:
        UsageError: there is none.
    """
    name = caller.name or given.by
    if not name.strip():
        raise UsageError("Say who decides.")
    return name


AGAIN = "That is your answer already."


def _answered(store: Store, run: RunRecord, given: Given, by: str) -> bool:
    """A second click, a reload or the back button sent again what is there."""
    if given.answer not in {"accept", "decline"}:
        return False
    lines = changes_to_review(store, run.id)
    answer = next((one.answer for one in lines if one.change.theme_id == given.theme_id), None)
    return answer is not None and (answer.by, answer.action.value) == (by, given.answer)


def _answer(house: House, run: RunRecord, given: Given, by: str) -> str:
    """Do it, and what to say about it."""
    store, clock = house.store, house.clock
    match given.answer:
        case "accept":
            accept_change(store, clock, run.id, given.theme_id, by=by, note=given.note)
            return "Accepted."
        case "decline":
            lines = decline_change(store, clock, run.id, given.theme_id, by=by, note=given.note)
            n = sum(len(one.edit.case_ids) for one in lines[1:])
            return f"Declined: {n} {'case is back where it' if n == 1 else 'cases are back where they'} stood."
        case "accept_rest":
            n = accept_rest(store, clock, run.id, by=by)
            return f"Accepted: {n} {'change' if n == 1 else 'changes'}."
        case "undo" if given.undoes.isascii() and given.undoes.isdigit():
            lens, seq = run.parameters.lens, int(given.undoes)
            decide_themes(store, clock, Asked(action=EditAction.UNDO, by=by, undoes=seq, lens=lens))
            return "Taken back. It waits for an answer again."
        case _:
            raise UsageError("Choose to accept or to decline.")


def _plain(store: Store, error: PatternmindError) -> str:
    """The message for somebody at a page: without the commands for a terminal."""
    if isinstance(error, Contradiction):
        return contradiction_words(error, "that", log_words(store))
    return str(error)


@router.post("/themes/proposals/{seq}", name="answer_proposal", dependencies=[needs(Action.EDIT_THEMES)])
def answer_proposal(request: Request, house: TheHouse, caller: TheCaller, seq: int, given: TheGiven) -> Response:
    """Do what a data partner proposed, or decline it."""

    def do(by: str) -> str:
        accept = _accepts(given)
        known = next((one.answer for one in proposed_edits(house.store) if one.edit.seq == seq), None)
        if known is not None and known.by == by and (known.action is not EditAction.DECLINE) == accept:
            return AGAIN
        answer_proposed(house.store, house.clock, seq, accept=accept, by=by)
        return "Accepted, and done." if accept else "Declined. Nothing was changed."

    return _settle(request, house, caller, given, do)


@router.post("/themes/doubts/{seq}", name="answer_one_doubt", dependencies=[needs(Action.EDIT_THEMES)])
def answer_one_doubt(request: Request, house: TheHouse, caller: TheCaller, seq: int, given: TheGiven) -> Response:
    """Take a decision back that the cases speak against, or let it stand."""
    lens = known_lens(given.lens)

    def do(by: str) -> str:
        accept = _accepts(given)
        kept = next((one.answer for one in doubts_to_review(house.store, lens) if one.proposal.edit_seq == seq), None)
        undone = any(one.undoes == seq and one.by == by and not one.proposed for one in house.store.edits())
        if (undone and accept) or (kept is not None and kept.by == by and not accept):
            return AGAIN
        answer_doubt(house.store, house.clock, seq, accept=accept, by=by, lens=lens)
        return "Taken back." if accept else "It stands, and is not asked about again."

    return _settle(request, house, caller, given, do)


def _accepts(given: Given) -> bool:
    if given.answer not in {"accept", "decline"}:
        raise UsageError("Choose to accept or to decline.")
    return given.answer == "accept"


def _settle(request: Request, house: House, caller: Caller, given: Given, do: Callable[[str], str]) -> Response:
    lens = known_lens(given.lens)
    try:
        said = do(_signed(caller, given))
    except (UsageError, Contradiction) as error:
        run = house.store.last_run(lens)
        return _page(request, house, run, "", lens=run.parameters.lens if run else "all", refused=error, given=given)
    to = RedirectResponse(f"/themes/changes{f'?lens={lens}' if lens else ''}", status_code=303)
    flash(to, said)
    return to
