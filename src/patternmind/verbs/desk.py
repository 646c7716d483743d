"""The review desk: what waits for whom, in which order, and what one person decided last."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from patternmind.errors import NotAllowed
from patternmind.model.cases import Case
from patternmind.model.drafts import (
    Decision,
    Draft,
    DraftAction,
    DraftKind,
    DraftState,
    Outline,
    Reservation,
    ReviewedDraft,
)
from patternmind.model.themes import Theme
from patternmind.ports import Clock, Store
from patternmind.review import (
    Evidence,
    Queued,
    Standing,
    disagree,
    hides_log,
    in_order,
    needs_second,
    standing,
    standing_for,
)
from patternmind.review import state_of as state_by
from patternmind.verbs.keeping import Keeping
from patternmind.verbs.prepare import lenses_run
from patternmind.verbs.reviewing import decide_draft

RESERVED = timedelta(minutes=15)
"""How long a draft is kept for whoever opened it."""

LAST = 10
"""Own decisions that are offered for a change of mind."""

LOOKED_BACK = 60
"""Lines of the log in which a person's last ten decisions are looked for: undoing takes lines too."""

REVIEWED_KINDS = frozenset(DraftKind) - {DraftKind.FACETS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A draft on the desk. ``why`` says in our words what is uncertain; ``reserved_by`` names who else has it open."""

    draft_id: str
    kind: DraftKind
    name: str
    theme_id: str | None
    state: DraftState
    standing: Standing
    version: int
    uncertainty: float
    why: tuple[str, ...]
    at_random: bool
    reserved_by: str | None = None
    differs: bool = False


@dataclass(frozen=True, slots=True)
class Desk:
    """Every draft in the order of the day, for one reviewer."""

    lines: tuple[Line, ...]

    def of(self, *standings: Standing, kind: DraftKind | None = None) -> list[Line]:
        return [one for one in self.lines if one.standing in standings and kind in (None, one.kind)]

    @property
    def n_decided(self) -> int:
        return len(self.of(Standing.DECIDED))

    @property
    def n_second(self) -> int:
        return len(self.of(Standing.SECOND, Standing.ASKED))

    @property
    def to_discuss(self) -> list[Line]:
        """What people see differently, and what was kept for a jam."""
        return [one for one in self.lines if one.differs or one.standing is Standing.JAM]


@dataclass(frozen=True, slots=True)
class _Queue:
    """The desk as everybody shares it, kept until something is written.

    ``second`` are the places of the drafts that wait for a second view, whose lines differ by who reads them.
    """

    queued: tuple[Queued, ...]
    rows: tuple[Outline, ...]
    lines: tuple[Line, ...]
    place_of: Mapping[str, int]
    second: tuple[int, ...]


_OUTLINES: Keeping[tuple[Outline, ...]] = Keeping()
_QUEUES: Keeping[_Queue] = Keeping()


def open_desk(store: Store, clock: Clock, reviewer: str | None, *, seed: int = 0) -> Desk:
    """The desk as it is for this reviewer now."""
    now = clock.now()
    queue = _QUEUES.of(store, lambda: _queue(store, now.date(), seed), key=(now.date(), seed))
    lines = list(queue.lines)
    for place in queue.second:
        lines[place] = _line(queue.queued[place], queue.rows[place], reviewer)
    for held in store.reservations(now):
        place = queue.place_of.get(held.draft_id)
        if place is not None and held.by != reviewer:
            lines[place] = replace(lines[place], reserved_by=held.by)
    return Desk(tuple(lines))


def _queue(store: Store, day: date, seed: int) -> _Queue:
    rows = {row.id: row for row in _outlines(store) if row.kind in REVIEWED_KINDS}
    themes = _themes(store)
    queued = tuple(in_order({row.id: _evidence(row, themes) for row in rows.values()}, day=day, seed=seed))
    ordered = tuple(rows[one.draft_id] for one in queued)
    return _Queue(
        queued=queued,
        rows=ordered,
        lines=tuple(_line(one, row, None) for one, row in zip(queued, ordered, strict=True)),
        place_of={row.id: place for place, row in enumerate(ordered)},
        second=tuple(place for place, row in enumerate(ordered) if needs_second(row.decisions)),
    )


def _outlines(store: Store) -> tuple[Outline, ...]:
    return _OUTLINES.of(store, lambda: tuple(store.outlines()))


def _themes(store: Store) -> dict[str, Theme]:
    """Without their cases, whose number grows with the network."""
    return {card.theme.id: card.theme for lens in lenses_run(store) for card in store.theme_cards(lens, every=True)}


def _line(queued: Queued, row: Outline, reviewer: str | None) -> Line:
    log = row.decisions
    return Line(
        draft_id=row.id,
        kind=row.kind,
        name=_name(row.name, log),
        theme_id=row.theme_id,
        state=state_by(log),
        standing=standing_for(log, reviewer),
        version=len(log),
        uncertainty=queued.uncertainty,
        why=queued.why,
        at_random=queued.at_random,
        differs=disagree(log) and not hides_log(log, reviewer),
    )


def _evidence(row: Outline, themes: Mapping[str, Theme]) -> Evidence:
    theme = themes.get(row.theme_id or "")
    return Evidence(
        doubts=row.doubts,
        n_cases=row.n_cases,
        n_teams=theme.n_teams if theme else None,
        stability=theme.stability if theme else None,
    )


def cases_of(store: Store, draft: Draft) -> dict[str, Case]:
    """The cases that a draft quotes and those that it was made from, as far as they are still there."""
    quoted = (quote.case_id for claim in draft.claims for quote in claim.quotes)
    made_from = (name.rpartition("@")[0] or name for name in draft.provenance.inputs)
    return store.cases_by_id([*quoted, *made_from])


def _name(name: str, log: tuple[Decision, ...]) -> str:
    names = [one.edits["name"] for one in standing(log) if "name" in one.edits]
    return str(names[-1]) if names else name


def next_draft(desk: Desk, *, after: str | None = None, kind: DraftKind | None = None) -> str | None:
    """What to open next: second views of others first, then the queue, without what somebody else has open."""
    free = desk.of(Standing.SECOND, kind=kind) + desk.of(Standing.WAITING, kind=kind)
    ids = [one.draft_id for one in free if one.reserved_by is None and one.draft_id != after]
    return ids[0] if ids else None


def neighbours(desk: Desk, draft_id: str) -> tuple[str | None, str | None]:
    """The drafts before and after one among those that wait, for leafing through without deciding."""
    ids = [one.draft_id for one in desk.of(Standing.SECOND) + desk.of(Standing.WAITING)]
    if draft_id not in ids:
        return None, ids[0] if ids else None
    place = ids.index(draft_id)
    return (ids[place - 1] if place else None), (ids[place + 1] if place + 1 < len(ids) else None)


def reserve_draft(store: Store, clock: Clock, draft_id: str, by: str) -> Reservation:
    """Keep a draft for a quarter of an hour, or learn who has it.

    Raises:
        NotFound
    """
    store.draft(draft_id)
    now = clock.now()
    return store.hold_draft(Reservation(draft_id=draft_id, by=by, until=now + RESERVED), now)


def log_for(reviewed: ReviewedDraft, reviewer: str | None) -> ReviewedDraft:
    """The draft with as much of its log as this reviewer may see: none of it, while they give the second view."""
    return replace(reviewed, decisions=()) if hides_log(reviewed.decisions, reviewer) else reviewed


@dataclass(frozen=True, slots=True)
class OwnDecision:
    """A decision of one's own; ``stands`` until somebody takes it back, ``last`` while nobody decided after it."""

    decision: Decision
    name: str
    stands: bool
    last: bool


def last_decisions(store: Store, by: str) -> list[OwnDecision]:
    """A person's last ten decisions, newest first, one a draft; all of them can still be changed."""
    found: dict[str, OwnDecision] = {}
    for decision, row in _decisions_of(store, by):
        if decision.action is DraftAction.UNDO or decision.draft_id in found or len(found) == LAST:
            continue
        held = standing(row.decisions)
        stands = any(one.id == decision.id for one in held)
        found[row.id] = OwnDecision(
            decision, _name(row.name, row.decisions), stands, bool(held) and held[-1].id == decision.id
        )
    return list(found.values())


def last_to_undo(store: Store, by: str | None) -> str | None:
    """The draft whose decision ``undo_last`` would take back; None where it would take back none."""
    for decision, row in _decisions_of(store, by) if by else ():
        held = standing(row.decisions)
        if any(one.id == decision.id for one in held):
            return decision.draft_id if held[-1].id == decision.id else None
    return None


_OWN: Keeping[tuple[tuple[Decision, Outline], ...]] = Keeping()


def _decisions_of(store: Store, by: str) -> tuple[tuple[Decision, Outline], ...]:
    """``store.decisions_of``, each with its draft and the whole log."""
    return _OWN.of(store, lambda: _find_decisions(store, by), key=by)


def _find_decisions(store: Store, by: str) -> tuple[tuple[Decision, Outline], ...]:
    rows = {row.id: row for row in _outlines(store)}
    return tuple((one, rows[one.draft_id]) for one in store.decisions_of(by, limit=LOOKED_BACK) if one.draft_id in rows)


def undo_last(store: Store, clock: Clock, by: str) -> ReviewedDraft:
    """Take back what this person decided last, wherever that was; again, and the one before it goes too.

    Raises:
        NotAllowed: they decided nothing that stands, or somebody decided on it since.
        ChangedMeanwhile
    """
    for decision in store.decisions_of(by, limit=LOOKED_BACK):
        _, log, _ = store.draft(decision.draft_id)
        held = standing(log)
        if not any(one.id == decision.id for one in held):
            continue
        if held[-1].id != decision.id:
            raise NotAllowed("Somebody decided on that draft after you. Open it, and decide on what stands there now.")
        return decide_draft(store, clock, decision.draft_id, DraftAction.UNDO, by=by, expected_version=len(log))
    raise NotAllowed("There is nothing of yours to take back.")
