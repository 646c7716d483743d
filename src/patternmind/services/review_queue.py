"""The review desk: what waits for whom, in which order, and what one person decided last."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from patternmind.domain.cases import Case
from patternmind.domain.drafts import (
    Decision,
    Draft,
    DraftAction,
    DraftKind,
    DraftReservation,
    DraftState,
    DraftSummary,
    ReviewedDraft,
)
from patternmind.domain.themes import Theme
from patternmind.errors import RuleViolated
from patternmind.ports import Clock, Store
from patternmind.review import (
    RankedDraft,
    ReviewStatus,
    UncertaintyFactors,
    active_decisions,
    has_disagreement,
    hides_log,
    needs_second_view,
    rank_drafts,
    review_status,
)
from patternmind.review import state_of as state_by
from patternmind.services.prereading_builder import list_lenses_with_runs
from patternmind.services.reviews import decide_draft
from patternmind.services.versioned_cache import VersionedCache

RESERVATION_PERIOD = timedelta(minutes=15)
"""How long a draft is kept for whoever opened it."""

MAX_OWN_DECISIONS = 10
"""Own decisions that are offered for a change of mind."""

MAX_LOG_LINES_SEARCHED = 60
"""Lines of the log in which a person's last ten decisions are looked for: undoing takes lines too."""

REVIEWABLE_KINDS = frozenset(DraftKind) - {DraftKind.FACETS}


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueItem:
    """A draft on the desk. ``why`` says in our words what is uncertain; ``reserved_by`` names who else has it open."""

    draft_id: str
    kind: DraftKind
    name: str
    theme_id: str | None
    state: DraftState
    standing: ReviewStatus
    version: int
    uncertainty: float
    why: tuple[str, ...]
    at_random: bool
    reserved_by: str | None = None
    differs: bool = False


@dataclass(frozen=True, slots=True)
class ReviewQueue:
    """Every draft in the order of the day, for one reviewer."""

    items: tuple[QueueItem, ...]

    def filter(self, *standings: ReviewStatus, kind: DraftKind | None = None) -> list[QueueItem]:
        return [one for one in self.items if one.standing in standings and kind in (None, one.kind)]

    @property
    def n_decided(self) -> int:
        return len(self.filter(ReviewStatus.DECIDED))

    @property
    def n_second(self) -> int:
        return len(self.filter(ReviewStatus.SECOND, ReviewStatus.ASKED))

    @property
    def to_discuss(self) -> list[QueueItem]:
        """What people see differently, and what was kept for a jam."""
        return [one for one in self.items if one.differs or one.standing is ReviewStatus.JAM]


@dataclass(frozen=True, slots=True)
class _SharedQueue:
    """The desk as everybody shares it, kept until something is written.

    ``second`` are the places of the drafts that wait for a second view, whose lines differ by who reads them.
    """

    ranked: tuple[RankedDraft, ...]
    rows: tuple[DraftSummary, ...]
    lines: tuple[QueueItem, ...]
    place_of: Mapping[str, int]
    second: tuple[int, ...]


_SUMMARY_CACHE: VersionedCache[tuple[DraftSummary, ...]] = VersionedCache()
_QUEUE_CACHE: VersionedCache[_SharedQueue] = VersionedCache()


def get_review_queue(store: Store, clock: Clock, reviewer: str | None, *, seed: int = 0) -> ReviewQueue:
    """The desk as it is for this reviewer now."""
    now = clock.now()
    queue = _QUEUE_CACHE.get_or_compute(store, lambda: _build_queue(store, now.date(), seed), key=(now.date(), seed))
    lines = list(queue.lines)
    for place in queue.second:
        lines[place] = _queue_item(queue.ranked[place], queue.rows[place], reviewer)
    for held in store.reservations(now):
        place = queue.place_of.get(held.draft_id)
        if place is not None and held.by != reviewer:
            lines[place] = replace(lines[place], reserved_by=held.by)
    return ReviewQueue(tuple(lines))


def _build_queue(store: Store, day: date, seed: int) -> _SharedQueue:
    rows = {row.id: row for row in _draft_summaries(store) if row.kind in REVIEWABLE_KINDS}
    themes = _themes_by_id(store)
    queued = tuple(
        rank_drafts({row.id: _uncertainty_factors(row, themes) for row in rows.values()}, day=day, seed=seed)
    )
    ordered = tuple(rows[one.draft_id] for one in queued)
    return _SharedQueue(
        ranked=queued,
        rows=ordered,
        lines=tuple(_queue_item(one, row, None) for one, row in zip(queued, ordered, strict=True)),
        place_of={row.id: place for place, row in enumerate(ordered)},
        second=tuple(place for place, row in enumerate(ordered) if needs_second_view(row.decisions)),
    )


def _draft_summaries(store: Store) -> tuple[DraftSummary, ...]:
    return _SUMMARY_CACHE.get_or_compute(store, lambda: tuple(store.draft_summaries()))


def _themes_by_id(store: Store) -> dict[str, Theme]:
    """Without their cases, whose number grows with the network."""
    return {
        card.theme.id: card.theme
        for lens in list_lenses_with_runs(store)
        for card in store.list_theme_cards(lens, include_dormant=True)
    }


def _queue_item(ranked: RankedDraft, summary: DraftSummary, reviewer: str | None) -> QueueItem:
    log = summary.decisions
    return QueueItem(
        draft_id=summary.id,
        kind=summary.kind,
        name=_current_name(summary.name, log),
        theme_id=summary.theme_id,
        state=state_by(log),
        standing=review_status(log, reviewer),
        version=len(log),
        uncertainty=ranked.uncertainty,
        why=ranked.reasons,
        at_random=ranked.is_random,
        differs=has_disagreement(log) and not hides_log(log, reviewer),
    )


def _uncertainty_factors(summary: DraftSummary, themes: Mapping[str, Theme]) -> UncertaintyFactors:
    theme = themes.get(summary.theme_id or "")
    return UncertaintyFactors(
        doubts=summary.flag_kinds,
        n_cases=summary.n_cases,
        n_teams=theme.n_teams if theme else None,
        stability=theme.stability if theme else None,
    )


def get_source_cases(store: Store, draft: Draft) -> dict[str, Case]:
    """The cases that a draft quotes and those that it was made from, as far as they are still there."""
    quoted = (quote.case_id for claim in draft.claims for quote in claim.quotes)
    made_from = (name.rpartition("@")[0] or name for name in draft.provenance.inputs)
    return store.cases_by_id([*quoted, *made_from])


def _current_name(name: str, log: tuple[Decision, ...]) -> str:
    names = [one.edits["name"] for one in active_decisions(log) if "name" in one.edits]
    return str(names[-1]) if names else name


def next_draft(queue: ReviewQueue, *, after: str | None = None, kind: DraftKind | None = None) -> str | None:
    """What to open next: second views of others first, then the queue, without what somebody else has open."""
    free = queue.filter(ReviewStatus.SECOND, kind=kind) + queue.filter(ReviewStatus.WAITING, kind=kind)
    ids = [one.draft_id for one in free if one.reserved_by is None and one.draft_id != after]
    return ids[0] if ids else None


def adjacent_drafts(queue: ReviewQueue, draft_id: str) -> tuple[str | None, str | None]:
    """The drafts before and after one among those that wait, for leafing through without deciding."""
    ids = [one.draft_id for one in queue.filter(ReviewStatus.SECOND) + queue.filter(ReviewStatus.WAITING)]
    if draft_id not in ids:
        return None, ids[0] if ids else None
    place = ids.index(draft_id)
    return (ids[place - 1] if place else None), (ids[place + 1] if place + 1 < len(ids) else None)


def reserve_draft(store: Store, clock: Clock, draft_id: str, reviewer: str) -> DraftReservation:
    """Keep a draft for a quarter of an hour, or learn who has it.

    Raises:
        NotFound
    """
    store.draft(draft_id)
    now = clock.now()
    return store.reserve_draft(DraftReservation(draft_id=draft_id, by=reviewer, until=now + RESERVATION_PERIOD), now)


def with_visible_log(reviewed: ReviewedDraft, reviewer: str | None) -> ReviewedDraft:
    """The draft with as much of its log as this reviewer may see: none of it, while they give the second view."""
    return replace(reviewed, decisions=()) if hides_log(reviewed.decisions, reviewer) else reviewed


@dataclass(frozen=True, slots=True)
class OwnDecision:
    """A decision of one's own; ``stands`` until somebody takes it back, ``last`` while nobody decided after it."""

    decision: Decision
    name: str
    is_active: bool
    is_last: bool


def list_own_decisions(store: Store, reviewer: str) -> list[OwnDecision]:
    """A person's last ten decisions, newest first, one a draft; all of them can still be changed."""
    found: dict[str, OwnDecision] = {}
    for decision, row in _own_decisions(store, reviewer):
        if decision.action is DraftAction.UNDO or decision.draft_id in found or len(found) == MAX_OWN_DECISIONS:
            continue
        held = active_decisions(row.decisions)
        stands = any(one.id == decision.id for one in held)
        found[row.id] = OwnDecision(
            decision, _current_name(row.name, row.decisions), stands, bool(held) and held[-1].id == decision.id
        )
    return list(found.values())


def find_undoable_draft(store: Store, reviewer: str | None) -> str | None:
    """The draft whose decision ``undo_last`` would take back; None where it would take back none."""
    for decision, row in _own_decisions(store, reviewer) if reviewer else ():
        held = active_decisions(row.decisions)
        if any(one.id == decision.id for one in held):
            return decision.draft_id if held[-1].id == decision.id else None
    return None


_OWN_DECISION_CACHE: VersionedCache[tuple[tuple[Decision, DraftSummary], ...]] = VersionedCache()


def _own_decisions(store: Store, reviewer: str) -> tuple[tuple[Decision, DraftSummary], ...]:
    """``store.decisions_of``, each with its draft and the whole log."""
    return _OWN_DECISION_CACHE.get_or_compute(store, lambda: _read_own_decisions(store, reviewer), key=reviewer)


def _read_own_decisions(store: Store, reviewer: str) -> tuple[tuple[Decision, DraftSummary], ...]:
    rows = {row.id: row for row in _draft_summaries(store)}
    return tuple(
        (one, rows[one.draft_id])
        for one in store.recent_decisions(reviewer, limit=MAX_LOG_LINES_SEARCHED)
        if one.draft_id in rows
    )


def undo_last_decision(store: Store, clock: Clock, reviewer: str) -> ReviewedDraft:
    """Take back what this person decided last, wherever that was; again, and the one before it goes too.

    Raises:
        NotAllowed: they decided nothing that stands, or somebody decided on it since.
        ChangedMeanwhile
    """
    for decision in store.recent_decisions(reviewer, limit=MAX_LOG_LINES_SEARCHED):
        _, log, _ = store.draft(decision.draft_id)
        held = active_decisions(log)
        if not any(one.id == decision.id for one in held):
            continue
        if held[-1].id != decision.id:
            raise RuleViolated(
                "Somebody decided on that draft after you. Open it, and decide on what stands there now."
            )
        return decide_draft(
            store, clock, decision.draft_id, DraftAction.UNDO, actor=reviewer, expected_version=len(log)
        )
    raise RuleViolated("There is nothing of yours to take back.")
