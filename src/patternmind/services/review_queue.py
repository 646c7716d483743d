"""Review queue, reservations, and undo of a person's last decision."""

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
    active_decisions,
    name_of,
    state_of,
)
from patternmind.domain.themes import Theme
from patternmind.errors import RuleViolated
from patternmind.ports import Clock, Store
from patternmind.review import (
    RankedDraft,
    ReviewStatus,
    UncertaintyFactors,
    has_disagreement,
    hides_log,
    needs_second_view,
    rank_drafts,
    review_status,
)
from patternmind.services.prereading_builder import list_lenses_with_runs
from patternmind.services.reviews import decide_draft
from patternmind.services.versioned_cache import VersionedCache

RESERVATION_PERIOD = timedelta(minutes=15)
"""Time that an opened draft is reserved for its reviewer."""

MAX_OWN_DECISIONS = 10
"""Own decisions listed so that a reviewer can change them."""

MAX_LOG_LINES_SEARCHED = 60
"""Log entries searched for a person's last ten decisions: undos are entries too."""

REVIEWABLE_KINDS = frozenset(DraftKind) - {DraftKind.FACETS}


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueItem:
    """A draft in the queue. ``why`` lists what is uncertain; ``reserved_by`` is another reviewer who has it open."""

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
    """Every draft in the order of the day, as one reviewer sees it."""

    items: tuple[QueueItem, ...]

    def filter(self, *statuses: ReviewStatus, kind: DraftKind | None = None) -> list[QueueItem]:
        return [item for item in self.items if item.standing in statuses and kind in (None, item.kind)]

    @property
    def n_decided(self) -> int:
        return len(self.filter(ReviewStatus.DECIDED))

    @property
    def n_second(self) -> int:
        return len(self.filter(ReviewStatus.SECOND, ReviewStatus.ASKED))

    @property
    def to_discuss(self) -> list[QueueItem]:
        """Drafts that reviewers disagree on, and drafts flagged for a session."""
        return [item for item in self.items if item.differs or item.standing is ReviewStatus.JAM]


@dataclass(frozen=True, slots=True)
class _SharedQueue:
    """Part of the queue that all reviewers share, cached until data is written.

    ``second_view_positions`` are the drafts that need a second view; their items depend on the reviewer.
    """

    ranked: tuple[RankedDraft, ...]
    summaries: tuple[DraftSummary, ...]
    items: tuple[QueueItem, ...]
    position_by_id: Mapping[str, int]
    second_view_positions: tuple[int, ...]


_SUMMARY_CACHE: VersionedCache[tuple[DraftSummary, ...]] = VersionedCache()
_QUEUE_CACHE: VersionedCache[_SharedQueue] = VersionedCache()


def get_review_queue(store: Store, clock: Clock, reviewer: str | None) -> ReviewQueue:
    """Return the current queue of a reviewer."""
    now = clock.now()
    queue = _QUEUE_CACHE.get_or_compute(store, lambda: _build_queue(store, now.date()), key=now.date())
    items = list(queue.items)
    for position in queue.second_view_positions:
        items[position] = _queue_item(queue.ranked[position], queue.summaries[position], reviewer)
    for reservation in store.drafts.reservations(now):
        position = queue.position_by_id.get(reservation.draft_id)
        if position is not None and reservation.by != reviewer:
            items[position] = replace(items[position], reserved_by=reservation.by)
    return ReviewQueue(tuple(items))


def _build_queue(store: Store, day: date) -> _SharedQueue:
    summaries = {summary.id: summary for summary in _draft_summaries(store) if summary.kind in REVIEWABLE_KINDS}
    themes = _themes_by_id(store)
    factors = {summary.id: _uncertainty_factors(summary, themes) for summary in summaries.values()}
    ranked = tuple(rank_drafts(factors, day=day))
    ordered = tuple(summaries[draft.draft_id] for draft in ranked)
    return _SharedQueue(
        ranked=ranked,
        summaries=ordered,
        items=tuple(_queue_item(draft, summary, None) for draft, summary in zip(ranked, ordered, strict=True)),
        position_by_id={summary.id: position for position, summary in enumerate(ordered)},
        second_view_positions=tuple(
            position for position, summary in enumerate(ordered) if needs_second_view(summary.decisions)
        ),
    )


def _draft_summaries(store: Store) -> tuple[DraftSummary, ...]:
    return _SUMMARY_CACHE.get_or_compute(store, lambda: tuple(store.drafts.summaries()))


def _themes_by_id(store: Store) -> dict[str, Theme]:
    """Return all themes by id, without their case ids: those grow with the network."""
    return {
        card.theme.id: card.theme
        for lens in list_lenses_with_runs(store)
        for card in store.themes.cards(lens, include_dormant=True)
    }


def _queue_item(ranked: RankedDraft, summary: DraftSummary, reviewer: str | None) -> QueueItem:
    log = summary.decisions
    return QueueItem(
        draft_id=summary.id,
        kind=summary.kind,
        name=name_of(summary.name, log),
        theme_id=summary.theme_id,
        state=state_of(log),
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
    """Return the existing cases that a draft quotes or was made from, by id."""
    quoted_ids = (quote.case_id for claim in draft.claims for quote in claim.quotes)
    return store.cases.get_many([*quoted_ids, *draft.provenance.case_ids])


def next_draft(queue: ReviewQueue, *, after: str | None = None) -> str | None:
    """Return the draft to open next: second views first, then the queue, without reserved drafts."""
    pending = queue.filter(ReviewStatus.SECOND) + queue.filter(ReviewStatus.WAITING)
    ids = [item.draft_id for item in pending if item.reserved_by is None and item.draft_id != after]
    return ids[0] if ids else None


def adjacent_drafts(queue: ReviewQueue, draft_id: str) -> tuple[str | None, str | None]:
    """Return the previous and next pending draft, for browsing without a decision."""
    ids = [item.draft_id for item in queue.filter(ReviewStatus.SECOND) + queue.filter(ReviewStatus.WAITING)]
    if draft_id not in ids:
        return None, ids[0] if ids else None
    position = ids.index(draft_id)
    return (ids[position - 1] if position else None), (ids[position + 1] if position + 1 < len(ids) else None)


def reserve_draft(store: Store, clock: Clock, draft_id: str, reviewer: str) -> DraftReservation:
    """Reserve a draft for 15 minutes, or return the reservation of another reviewer.

    Raises:
        NotFound
    """
    store.drafts.get(draft_id)
    now = clock.now()
    return store.drafts.reserve(DraftReservation(draft_id=draft_id, by=reviewer, until=now + RESERVATION_PERIOD), now)


def with_visible_log(reviewed: ReviewedDraft, reviewer: str | None) -> ReviewedDraft:
    """Return the draft with the log this reviewer may see: an empty log until they give a second view."""
    return replace(reviewed, decisions=()) if hides_log(reviewed.decisions, reviewer) else reviewed


@dataclass(frozen=True, slots=True)
class OwnDecision:
    """A reviewer's decision; active until undone, last until another decision follows."""

    decision: Decision
    name: str
    is_active: bool
    is_last: bool


def list_own_decisions(store: Store, reviewer: str) -> list[OwnDecision]:
    """List a reviewer's last ten decisions, newest first, one per draft; all can still be changed."""
    own: dict[str, OwnDecision] = {}
    for decision, summary in _own_decisions(store, reviewer):
        if decision.action is DraftAction.UNDO or decision.draft_id in own or len(own) == MAX_OWN_DECISIONS:
            continue
        active = active_decisions(summary.decisions)
        own[summary.id] = OwnDecision(
            decision,
            name_of(summary.name, summary.decisions),
            is_active=any(other.id == decision.id for other in active),
            is_last=bool(active) and active[-1].id == decision.id,
        )
    return list(own.values())


def find_undoable_draft(store: Store, reviewer: str | None) -> str | None:
    """Return the draft whose decision ``undo_last_decision`` would undo; None if it would fail."""
    for decision, summary in _own_decisions(store, reviewer) if reviewer else ():
        active = active_decisions(summary.decisions)
        if any(other.id == decision.id for other in active):
            return decision.draft_id if active[-1].id == decision.id else None
    return None


_OWN_DECISION_CACHE: VersionedCache[tuple[tuple[Decision, DraftSummary], ...]] = VersionedCache()


def _own_decisions(store: Store, reviewer: str) -> tuple[tuple[Decision, DraftSummary], ...]:
    """Return ``store.drafts.recent_decisions``, each with its draft and that draft's whole log."""
    return _OWN_DECISION_CACHE.get_or_compute(store, lambda: _read_own_decisions(store, reviewer), key=reviewer)


def _read_own_decisions(store: Store, reviewer: str) -> tuple[tuple[Decision, DraftSummary], ...]:
    summaries = {summary.id: summary for summary in _draft_summaries(store)}
    return tuple(
        (decision, summaries[decision.draft_id])
        for decision in store.drafts.recent_decisions(reviewer, limit=MAX_LOG_LINES_SEARCHED)
        if decision.draft_id in summaries
    )


def undo_last_decision(store: Store, clock: Clock, reviewer: str) -> ReviewedDraft:
    """Undo the reviewer's latest active decision on any draft; repeated calls undo earlier ones.

    Raises:
        RuleViolated: They have no active decision, or another person decided on that draft later.
        VersionConflict
    """
    for decision in store.drafts.recent_decisions(reviewer, limit=MAX_LOG_LINES_SEARCHED):
        _, log, _ = store.drafts.get(decision.draft_id)
        active = active_decisions(log)
        if not any(other.id == decision.id for other in active):
            continue
        if active[-1].id != decision.id:
            raise RuleViolated(
                "Another person decided on that draft after you. Open it, and decide on its new version."
            )
        return decide_draft(
            store, clock, decision.draft_id, DraftAction.UNDO, actor=reviewer, expected_version=len(log)
        )
    raise RuleViolated("You have no decision to undo.")
