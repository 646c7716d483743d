"""The library: published patterns for readers, found by words and by meaning, and the uses they had."""

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from patternmind.errors import NotAllowed, UsageError
from patternmind.model.drafts import Claim, DraftState
from patternmind.model.rights import Action
from patternmind.publish.fields import lines_of, provenance_line
from patternmind.verbs.library import Shelved, find_in_library, open_library, published_pattern
from patternmind.verbs.using import MIN_TEAMS, MIN_USES, record_use
from patternmind.web.door import PageDoor, TheCaller, TheHouse
from patternmind.web.draft_view import title_of
from patternmind.web.rendering import flash, render
from patternmind.web.rights import needs

router = APIRouter(route_class=PageDoor)

ROWS = 24

SHOWN = ("context", "problem", "forces", "solution", "signs_it_applies", "do_not_use_when", "consequences")
"""Fields of a pattern in reading order; the patlet stands above, the counter-evidence always below."""

STATES = [("", "All"), (DraftState.FIELD_TESTED.value, "Field-tested"), (DraftState.ACCEPTED.value, "Accepted")]


@router.get("/library", name="library", dependencies=[needs(Action.SEARCH)])
def library(
    request: Request,
    house: TheHouse,
    words: Annotated[str, Query(max_length=500)] = "",
    state: str = "",
    start: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Response:
    every = open_library(house.store)
    found = [one for one in every if state in ("", one.published.pattern.state.value)]
    if words.strip() and found:
        found = find_in_library(found, house.store, house.encoder, words)
    said = {name: value for name, value in (("words", words), ("state", state)) if value}
    return render(
        request,
        "library/list.html",
        patterns=[(one, _patlet(one)) for one in found[start : start + ROWS]],
        n=len(every),
        words=words,
        state=state,
        states=STATES,
        shown=f"{start + 1}–{min(start + ROWS, len(found))} of {len(found)}" if len(found) > ROWS else "",
        following=f"/library?{urlencode({**said, 'start': start + ROWS})}" if start + ROWS < len(found) else "",
        first=f"/library?{urlencode(said)}" if start else "",
    )


def _patlet(one: Shelved) -> str:
    return " ".join(lines_of(one.published.pattern.fields, "patlet"))


@router.get("/library/{pattern_id}", name="read_pattern", dependencies=[needs(Action.SEARCH)])
def read_pattern(request: Request, house: TheHouse, pattern_id: str) -> Response:
    return _page(request, house, published_pattern(house.store, pattern_id))


def _page(request: Request, house: TheHouse, one: Shelved, *, status: int = 200, **more: Any) -> Response:
    pattern = one.published.pattern
    today = house.clock.now().date()
    values: dict[str, Any] = {
        "one": one,
        "pattern": pattern,
        "patlet": _patlet(one),
        "sections": [
            (name, title_of(name), _sourced(lines_of(pattern.fields, name), pattern.claims, one.published.references))
            for name in SHOWN
            if lines_of(pattern.fields, name)
        ],
        "counter": _sourced(lines_of(pattern.fields, "counter_evidence"), pattern.claims, one.published.references),
        "uses": house.store.uses(pattern.id),
        "needed": f"{MIN_USES} uses by {MIN_TEAMS} teams",
        "provenance": provenance_line(pattern.provenance),
        "draft_id": pattern.id.replace("p-", "d-", 1),
        "form": {"on": today.isoformat(), "team": "", "note": "", "by": ""},
        "errors": {},
        "today": today.isoformat(),
        **more,
    }
    return render(request, "library/pattern.html", status, **values)


def _sourced(
    lines: Sequence[str], claims: Sequence[Claim], references: Any
) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    """Each line with the words of cases it rests on, where these say more than the line does."""
    by_text = {claim.text: claim for claim in claims}
    told: list[tuple[str, tuple[tuple[str, str], ...]]] = []
    for line in lines:
        claim = by_text.get(line)
        quotes = claim.quotes if claim else ()
        told.append((line, tuple((quote.text, references.get(quote.case_id, "")) for quote in quotes)))
    return told


@router.post("/library/{pattern_id}/uses", name="tell_use", dependencies=[needs(Action.RECORD_USE)])
def tell_use(
    request: Request,
    house: TheHouse,
    caller: TheCaller,
    pattern_id: str,
    *,
    on: Annotated[str, Form(max_length=20)] = "",
    team: Annotated[str, Form(max_length=400)] = "",
    note: Annotated[str, Form(max_length=10_000)] = "",
    by: Annotated[str, Form(max_length=120)] = "",
) -> Response:
    form = {"on": on, "team": team, "note": note, "by": by}
    try:
        day = _day(on)
        record_use(house.store, house.clock, pattern_id, on=day, team=team, note=note, by=caller.name or by)
    except (UsageError, NotAllowed) as error:
        one = published_pattern(house.store, pattern_id)
        errors = {_field_of(error): str(error)}
        return _page(request, house, one, status=422, form=form, errors=errors)
    answer = RedirectResponse(f"/library/{pattern_id}", status_code=303)
    flash(answer, "Your use is recorded. Thank you: this is how the network learns what works.")
    return answer


def _day(text: str) -> dt.date:
    """Raises:
    UsageError: it is no day.
    """
    try:
        return dt.date.fromisoformat(text.strip())
    except ValueError as error:
        raise UsageError("Give the day as year-month-day, such as 2026-11-20.") from error


def _field_of(error: Exception) -> str:
    said = str(error)
    return "on" if " day" in said else "team" if "team" in said else "by" if "say who" in said else "note"
