"""The review desk for programs: the queue, reservations, one's own last decisions, what people see differently."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from patternmind.model.drafts import DraftKind, Reservation, Use
from patternmind.model.rights import Action
from patternmind.review import Standing, views_of
from patternmind.verbs.desk import Line, last_decisions, open_desk, reserve_draft, undo_last
from patternmind.verbs.library import published_pattern
from patternmind.verbs.using import record_use
from patternmind.web import answers
from patternmind.web.door import MAY_REPEAT, Door, TheCaller, TheHouse, problems
from patternmind.web.paging import Cursor, Limit, read_number, write_number
from patternmind.web.rights import needs
from patternmind.web.routes.drafts import ETAG, decision_answer, tagged

router = APIRouter(route_class=Door, tags=["review"])

DraftId = Annotated[str, Path(max_length=200)]


@router.get("/review/queue", name="review_queue", dependencies=[needs(Action.SEE_DRAFTS)])
def review_queue(
    house: TheHouse,
    caller: TheCaller,
    kind: DraftKind | None = None,
    standing: Annotated[
        Standing | None, Query(description="Of this reviewer; all of them where none is named.")
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> answers.QueueAnswer:
    """Drafts in the order of the day: the most uncertain first, one in ten drawn at random."""
    desk = open_desk(house.store, house.clock, caller.name)
    wanted = desk.of(*([standing] if standing else Standing), kind=kind)
    begin = read_number(cursor) or 0
    page = wanted[begin : begin + limit]
    return answers.QueueAnswer(
        items=[_line(line) for line in page],
        next_cursor=write_number(begin + limit) if begin + limit < len(wanted) else None,
        n_drafts=len(desk.lines),
        n_decided=desk.n_decided,
        n_second=desk.n_second,
    )


def _line(line: Line) -> answers.QueueLineAnswer:
    return answers.QueueLineAnswer.model_validate(asdict(line))


@router.get("/review/discuss", name="review_discuss", dependencies=[needs(Action.SEE_DRAFTS)])
def review_discuss(house: TheHouse, caller: TheCaller) -> answers.Listing[answers.DiscussAnswer]:
    """What people see differently, and what was kept for a jam."""
    desk = open_desk(house.store, house.clock, caller.name)
    return answers.Listing(items=[_discuss(house, line) for line in desk.to_discuss])


def _discuss(house: TheHouse, line: Line) -> answers.DiscussAnswer:
    views = views_of(house.store.draft(line.draft_id)[1]) if line.differs else {}
    return answers.DiscussAnswer(
        draft_id=line.draft_id,
        kind=line.kind,
        name=line.name,
        views=[answers.ViewAnswer(by=by, action=action) for by, action in views.items()],
        for_jam=line.standing is Standing.JAM,
    )


@router.get("/review/decisions", name="my_decisions", responses=problems(422), dependencies=[needs(Action.SEE_DRAFTS)])
def my_decisions(
    house: TheHouse,
    caller: TheCaller,
    by: Annotated[str | None, Query(max_length=120, description="Who asks, where no token says so.")] = None,
) -> answers.Listing[answers.OwnDecisionAnswer]:
    """The caller's last ten decisions, newest first, one a draft. Nobody is shown another's."""
    own = last_decisions(house.store, caller.signs_as(by))
    return answers.Listing(
        items=[
            answers.OwnDecisionAnswer(
                draft_id=one.decision.draft_id,
                name=one.name,
                decision=decision_answer(one.decision),
                stands=one.stands,
                last=one.last,
            )
            for one in own
        ]
    )


@router.post(
    "/review/undo",
    name="undo_my_last",
    responses=problems(400, 412) | ETAG,
    dependencies=[needs(Action.REVIEW_DRAFTS), MAY_REPEAT],
)
def undo_my_last(
    house: TheHouse, caller: TheCaller, response: Response, asked: answers.UndoAsked
) -> answers.DraftAnswer:
    """Take back the caller's last decision that stands, wherever it was; again, and the one before it goes."""
    return tagged(undo_last(house.store, house.clock, caller.signs_as(asked.by)), caller, response)


@router.post(
    "/drafts/{draft_id}/reservation",
    name="reserve",
    responses=problems(400, 404),
    dependencies=[needs(Action.REVIEW_DRAFTS), MAY_REPEAT],
)
def reserve(house: TheHouse, caller: TheCaller, draft_id: DraftId, asked: answers.UndoAsked) -> answers.ReservedAnswer:
    """Keep a draft for a quarter of an hour, or learn who has it. Others are given another; nobody is kept out."""
    by = caller.signs_as(asked.by)
    return _reserved(reserve_draft(house.store, house.clock, draft_id, by), by)


def _reserved(held: Reservation, by: str) -> answers.ReservedAnswer:
    return answers.ReservedAnswer(draft_id=held.draft_id, by=held.by, until=held.until, mine=held.by == by)


@router.delete(
    "/drafts/{draft_id}/reservation",
    name="release",
    status_code=204,
    responses=problems(404),
    dependencies=[needs(Action.REVIEW_DRAFTS)],
)
def release(house: TheHouse, caller: TheCaller, draft_id: DraftId) -> None:
    """Give a draft back; nothing happens where somebody else has it."""
    house.store.draft(draft_id)
    if caller.name:
        house.store.release_draft(draft_id, caller.name)


@router.get(
    "/patterns/{pattern_id}/uses",
    name="list_uses",
    tags=["patterns"],
    responses=problems(404),
    dependencies=[needs(Action.SEARCH)],
)
def list_uses(house: TheHouse, pattern_id: DraftId) -> answers.Listing[answers.UseAnswer]:
    """The uses of a published pattern, the latest first."""
    published_pattern(house.store, pattern_id)
    return answers.Listing(items=[_use(one) for one in house.store.uses(pattern_id)])


@router.post(
    "/patterns/{pattern_id}/uses",
    name="tell_use",
    tags=["patterns"],
    status_code=201,
    responses=problems(400, 404),
    dependencies=[needs(Action.RECORD_USE), MAY_REPEAT],
)
def tell_use(house: TheHouse, caller: TheCaller, pattern_id: DraftId, asked: answers.UseAsked) -> answers.UseAnswer:
    """Tell that a team worked by a pattern. Three uses by two teams, and it is field-tested."""
    by = caller.signs_as(asked.by)
    use = record_use(house.store, house.clock, pattern_id, on=asked.on, team=asked.team, note=asked.note, by=by)
    return _use(use)


def _use(use: Use) -> answers.UseAnswer:
    return answers.UseAnswer(id=use.id, pattern_id=use.pattern_id, on=use.on, team=use.team, note=use.note)
