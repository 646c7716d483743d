"""What people decide about themes: edits, their log and undo, what others propose, and what a run changed."""

import re
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response

from patternmind.carry import explain
from patternmind.errors import ChangedMeanwhile, NotFound
from patternmind.model.edits import Edit, EditAction
from patternmind.model.rights import Action
from patternmind.ports import RunRecord, Store
from patternmind.publish.map import DrawnMap, draw_map
from patternmind.verbs.editing import Asked, Decided, LoggedEdit, decide_themes, edit_log, newest_line
from patternmind.verbs.keeping import Keeping
from patternmind.verbs.mapping import collect_map, map_rows
from patternmind.verbs.theme_changes import (
    ChangeToReview,
    Proposed,
    accept_change,
    answer_doubt,
    answer_proposed,
    changes_to_review,
    decline_change,
    doubts_to_review,
    proposed_edits,
)
from patternmind.web import answers
from patternmind.web import theme_answers as shapes
from patternmind.web.auth import Caller
from patternmind.web.charts import quarters_of
from patternmind.web.door import MAY_REPEAT, Door, Lens, TheCaller, TheHouse, problems
from patternmind.web.paging import Cursor, Limit, read_cursor, write_cursor
from patternmind.web.rights import needs

router = APIRouter(route_class=Door, tags=["themes"])

LOG_ETAG: dict[int | str, dict[str, Any]] = {
    200: {"headers": {"ETag": {"description": "The newest line of the log.", "schema": {"type": "string"}}}}
}

_DRAWN: Keeping[DrawnMap] = Keeping()
"""The last pictures, by lens, as anybody may see them."""

IfMatch = Annotated[
    str | None,
    Header(max_length=200, description="The ETag of the log you decide on; without it, on whatever stands now."),
]

PROPOSING = needs(Action.EDIT_THEMES, proposing=True)
DECIDING = needs(Action.EDIT_THEMES)
READING = needs(Action.SEE_THEMES)


def _check_match(store: Store, if_match: str | None) -> int | None:
    """The line that the caller has seen, None for any.

    Raises:
        ChangedMeanwhile: the newest line is none of those named.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    newest = newest_line(store)
    if f'"{newest}"' not in re.findall(r'(?<!W/)"[^"]*"', if_match):
        raise ChangedMeanwhile("log of", "themes")
    return newest


def _tag(store: Store, response: Response) -> None:
    response.headers["etag"] = f'"{newest_line(store)}"'


def _decide(
    house: TheHouse, caller: Caller, response: Response, asked: Asked, if_match: str | None
) -> shapes.DecidedAnswer:
    """Decide, or propose where the caller may only propose."""
    seen = _check_match(house.store, if_match)
    proposed = not caller.may(Action.EDIT_THEMES)
    decided = decide_themes(house.store, house.clock, replace(asked, seen=seen, proposed=proposed))
    _tag(house.store, response)
    return _decided(decided)


# Edits, their log -----------------------------------------------------------------------------------------------------


@router.get("/themes/log", name="list_edits", responses=LOG_ETAG, dependencies=[READING])
def list_edits(
    house: TheHouse, response: Response, lens: Lens = None, limit: Limit = 50, cursor: Cursor = None
) -> answers.Page[shapes.EditAnswer]:
    """Every decision and proposal about themes, oldest first, with what was taken back."""
    after = read_cursor(cursor)
    lines = [one for one in edit_log(house.store, lens) if after is None or f"{one.edit.seq:09d}" > after]
    following = f"{lines[limit - 1].edit.seq:09d}" if len(lines) > limit else None
    _tag(house.store, response)
    return answers.Page(items=[_logged(one) for one in lines[:limit]], next_cursor=write_cursor(following))


@router.post(
    "/themes/edits",
    name="edit_cases",
    responses=problems(400, 404, 409, 412) | LOG_ETAG,
    dependencies=[PROPOSING, MAY_REPEAT],
)
def edit_cases(
    house: TheHouse,
    caller: TheCaller,
    response: Response,
    asked: shapes.CasesEditAsked,
    if_match: IfMatch = None,
) -> shapes.DecidedAnswer:
    """Keep cases together or apart, or make a theme of cases in none. Seen at once, and kept by every later run."""
    said = Asked(
        action=EditAction(asked.action),
        by=caller.signs_as(asked.by),
        lens=asked.lens,
        case_ids=tuple(asked.case_ids),
        name=asked.name,
        note=asked.note,
    )
    return _decide(house, caller, response, said, if_match)


@router.post(
    "/themes/{theme_id}/edits",
    name="edit_theme",
    responses=problems(400, 404, 409, 412) | LOG_ETAG,
    dependencies=[PROPOSING, MAY_REPEAT],
)
def edit_theme(
    house: TheHouse,
    caller: TheCaller,
    response: Response,
    theme_id: str,
    asked: shapes.ThemeEditAsked,
    if_match: IfMatch = None,
) -> shapes.DecidedAnswer:
    """Rename, merge, move, split, pin, lock, retire or look after a theme. A data partner's edit is a proposal."""
    said = Asked(
        action=EditAction(asked.action),
        by=caller.signs_as(asked.by),
        lens=asked.lens,
        theme_id=theme_id,
        other_theme_id=asked.other_theme_id,
        case_ids=tuple(asked.case_ids),
        name=asked.name,
        note=asked.note,
    )
    return _decide(house, caller, response, said, if_match)


@router.post(
    "/themes/log/{seq}/undo",
    name="undo_edit",
    responses=problems(400, 404, 409, 412) | LOG_ETAG,
    dependencies=[PROPOSING, MAY_REPEAT],
)
def undo_edit(
    house: TheHouse,
    caller: TheCaller,
    response: Response,
    seq: int,
    asked: shapes.SignedAsked | None = None,
    if_match: IfMatch = None,
) -> shapes.DecidedAnswer:
    """Take a line of the log back; the themes are at once what they would be without it."""
    given = asked or shapes.SignedAsked()
    said = Asked(action=EditAction.UNDO, by=caller.signs_as(given.by), undoes=seq, note=given.note)
    return _decide(house, caller, response, said, if_match)


def _edit(edit: Edit, undone_by: int | None = None) -> shapes.EditAnswer:
    return shapes.EditAnswer.model_validate({**asdict(edit), "undone_by": undone_by})


def _logged(one: LoggedEdit) -> shapes.EditAnswer:
    return _edit(one.edit, one.undone_by)


def _decided(one: Decided) -> shapes.DecidedAnswer:
    doubts = [answers.DoubtAnswer(**asdict(doubt)) for doubt in one.proposals]
    return shapes.DecidedAnswer(edit=_edit(one.edit), doubts=doubts)


# What others proposed -------------------------------------------------------------------------------------------------


@router.get("/themes/proposals", name="list_proposals", dependencies=[READING])
def list_proposals(
    house: TheHouse,
    lens: Lens = None,
    every: Annotated[bool, Query(alias="all", description="Also those that were answered.")] = False,
) -> answers.Listing[shapes.ProposedAnswer]:
    """Edits that somebody proposed who may not decide, oldest first."""
    found = [one for one in proposed_edits(house.store, lens) if every or one.answer is None]
    return answers.Listing(items=[_proposed(one) for one in found])


@router.post(
    "/themes/proposals/{seq}",
    name="answer_proposal",
    responses=problems(400, 404, 409),
    dependencies=[DECIDING, MAY_REPEAT],
)
def answer_proposal(house: TheHouse, caller: TheCaller, seq: int, asked: shapes.AnswerAsked) -> shapes.DecidedAnswer:
    """Accept what was proposed, which does it under your name, or decline it."""
    by = caller.signs_as(asked.by)
    accept = asked.answer == "accept"
    return _decided(answer_proposed(house.store, house.clock, seq, accept=accept, by=by, note=asked.note))


def _proposed(one: Proposed) -> shapes.ProposedAnswer:
    return shapes.ProposedAnswer(edit=_edit(one.edit), answer=_edit(one.answer) if one.answer else None)


# Where a run's cases doubt a decision ---------------------------------------------------------------------------------


@router.get("/themes/doubts", name="list_doubts", dependencies=[READING])
def list_doubts(house: TheHouse, lens: Lens = None) -> answers.Listing[shapes.DoubtedAnswer]:
    """Decisions that the cases of the last run firmly speak against. Nothing was done about it."""
    return answers.Listing(
        items=[
            shapes.DoubtedAnswer(
                doubt=answers.DoubtAnswer(**asdict(one.proposal)),
                decision=_edit(one.decision),
                answer=_edit(one.answer) if one.answer else None,
            )
            for one in doubts_to_review(house.store, lens)
        ]
    )


@router.post(
    "/themes/doubts/{seq}",
    name="answer_one_doubt",
    responses=problems(400, 404, 409),
    dependencies=[DECIDING, MAY_REPEAT],
)
def answer_one_doubt(
    house: TheHouse, caller: TheCaller, seq: int, asked: shapes.AnswerAsked, lens: Lens = None
) -> shapes.DecidedAnswer:
    """Accept the doubt, which takes the decision with this number back, or decline it: the decision stands."""
    by = caller.signs_as(asked.by)
    return _decided(answer_doubt(house.store, house.clock, seq, accept=asked.answer == "accept", by=by, lens=lens))


# What a run changed ---------------------------------------------------------------------------------------------------


@router.get("/themes/changes", name="list_changes_to_review", responses=problems(404), dependencies=[READING])
def list_changes_to_review(
    house: TheHouse,
    lens: Lens = None,
    run: Annotated[str | None, Query(max_length=100, description="A run's id; else the last run.")] = None,
) -> answers.Listing[shapes.ChangeAnswer]:
    """What a run made of the themes before it, one by one, each with its evidence and its answer."""
    found = house.store.find_run(run) if run else house.store.last_run(lens)
    return answers.Listing(items=_changes(house.store, found) if found else [])


def _changes(store: Store, run: RunRecord) -> list[shapes.ChangeAnswer]:
    names = store.theme_names(run.parameters.lens)
    return [_change(one, run, explain(one.change, names)) for one in changes_to_review(store, run.id)]


def _change(one: ChangeToReview, run: RunRecord, told: str) -> shapes.ChangeAnswer:
    return shapes.ChangeAnswer.model_validate(
        {
            **asdict(one.change),
            "run_id": run.id,
            "text": told,
            "put_back": {theme_id: list(ids) for theme_id, ids in one.put_back.items()},
            "answer": _edit(one.answer) if one.answer else None,
        }
    )


@router.post(
    "/themes/changes/{run_id}/{theme_id}",
    name="answer_change",
    responses=problems(400, 404, 409),
    dependencies=[DECIDING, MAY_REPEAT],
)
def answer_change(
    house: TheHouse, caller: TheCaller, run_id: str, theme_id: str, asked: shapes.AnswerAsked
) -> answers.Listing[shapes.DecidedAnswer]:
    """Accept what a run made of a theme, or decline it: its cases are pinned to where they were. The lines added."""
    by, store, clock = caller.signs_as(asked.by), house.store, house.clock
    lines: Sequence[Decided]
    if asked.answer == "accept":
        lines = [accept_change(store, clock, run_id, theme_id, by=by, note=asked.note)]
    else:
        lines = decline_change(store, clock, run_id, theme_id, by=by, note=asked.note)
    return answers.Listing(items=[_decided(one) for one in lines])


# Trends, the map ------------------------------------------------------------------------------------------------------


@router.get("/themes/trends", name="read_trends", dependencies=[READING])
def read_trends(house: TheHouse, lens: Lens = None) -> shapes.TrendsAnswer:
    """Cases by quarter, for every theme and for all of them; quarters without a case are there with 0."""
    cards = house.store.theme_cards(lens)
    quarters = quarters_of(*(card.theme.trend for card in cards))
    themes = [
        shapes.TrendAnswer(
            theme_id=card.theme.id,
            name=card.theme.name,
            n_cases=[card.theme.trend.get(quarter, 0) for quarter in quarters],
        )
        for card in cards
    ]
    every = [sum(one.n_cases[place] for one in themes) for place in range(len(quarters))]
    return shapes.TrendsAnswer(quarters=quarters, n_cases=every, themes=themes)


@router.get("/map.json", name="read_map", dependencies=[READING])
def read_map(house: TheHouse, lens: Lens = None) -> answers.Listing[shapes.MapRowAnswer]:
    """Where each case lies on the map, as the picture shows it. Distance means little."""
    return answers.Listing(items=[shapes.MapRowAnswer.model_validate(row) for row in map_rows(house.store, lens)])


@router.get(
    "/map.svg",
    name="draw",
    response_class=Response,
    responses={200: {"content": {"image/svg+xml": {"schema": {"type": "string"}}}}} | problems(404),
    dependencies=[READING],
)
def draw(house: TheHouse, lens: Lens = None) -> Response:
    """The map as a picture; names that only closed cases hold are left out of it."""
    if house.store.last_run(lens) is None:
        raise NotFound("map", lens or "of the last run", "Start a run first.")
    drawn = _DRAWN.of(house.store, lambda: draw_map(collect_map(house.store, lens)), key=lens)
    return Response(drawn.svg, media_type="image/svg+xml")
