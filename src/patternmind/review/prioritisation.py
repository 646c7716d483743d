"""Order of the review queue: most uncertain first, with one in ten at random to sample certain drafts too."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from patternmind.domain.drafts import DraftState, FlagKind
from patternmind.domain.wording import pluralize

DECIDED_STATES = frozenset({DraftState.ACCEPTED, DraftState.FIELD_TESTED, DraftState.RETIRED, DraftState.REJECTED})

RANDOM_FRACTION = 0.1

FLAG_WEIGHTS: Mapping[FlagKind, float] = {
    FlagKind.NOT_IN_QUOTE: 0.4,
    FlagKind.SUSPICIOUS: 0.4,
    FlagKind.WEAK_SUPPORT: 0.3,
    FlagKind.NO_QUOTE: 0.25,
    FlagKind.NARROW: 0.2,
}
"""Uncertainty that a flag adds, as a share of the remaining certainty. Set by judgement, not measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UncertaintyFactors:
    """Facts about a draft that determine its uncertainty, available without reading a case.

    ``n_cases`` counts the quoted cases. ``n_teams`` and ``stability`` are those of its theme, None without one.
    """

    doubts: tuple[FlagKind, ...] = ()
    n_cases: int = 0
    n_teams: int | None = None
    stability: float | None = None


@dataclass(frozen=True, slots=True)
class RankedDraft:
    """A draft in the order of the queue, with the reasons for its uncertainty; ``is_random`` if drawn at random."""

    draft_id: str
    uncertainty: float
    reasons: tuple[str, ...]
    is_random: bool = False


def estimate_uncertainty(factors: UncertaintyFactors) -> tuple[float, tuple[str, ...]]:
    """Return the uncertainty, 0..1, and its reasons, strongest first."""
    parts = [(FLAG_WEIGHTS[doubt], doubt.value) for doubt in factors.doubts]
    parts.append((0.5 / max(factors.n_cases, 1), f"quotes from {pluralize(factors.n_cases, 'case')}"))
    if factors.n_teams is not None and factors.n_teams < 3:
        parts.append((0.3 / max(factors.n_teams, 1), f"theme covers {pluralize(factors.n_teams, 'team')}"))
    if factors.stability is not None:
        parts.append((0.3 * (1 - min(max(factors.stability, 0.0), 1.0)), "unstable theme"))
    certainty = 1.0
    for weight, _ in parts:
        certainty *= 1 - weight
    reasons = [reason for weight, reason in sorted(parts, key=lambda part: -part[0]) if weight >= 0.1]
    return round(1 - certainty, 4), tuple(dict.fromkeys(reasons))


def rank_drafts(factors: Mapping[str, UncertaintyFactors], *, day: date, seed: int = 0) -> list[RankedDraft]:
    """Return every draft once, in the order of a day.

    The random draw depends only on draft, day and seed, so the order does not change while others decide.
    """
    return list(_rank_drafts(tuple(factors.items()), day, seed))


@lru_cache(maxsize=8)
def _rank_drafts(factors: tuple[tuple[str, UncertaintyFactors], ...], day: date, seed: int) -> tuple[RankedDraft, ...]:
    """Rank drafts; cached, because every page of the queue needs the order and it rarely changes."""
    estimates = {draft_id: estimate_uncertainty(draft_factors) for draft_id, draft_factors in factors}
    drawn = {draft_id for draft_id in estimates if _hash_fraction(draft_id, day, seed, "drawn") < RANDOM_FRACTION}
    by_uncertainty = sorted(estimates.keys() - drawn, key=lambda draft_id: (-estimates[draft_id][0], draft_id))
    queue = [RankedDraft(draft_id, *estimates[draft_id]) for draft_id in by_uncertainty]
    for draft_id in sorted(drawn):
        position = int(_hash_fraction(draft_id, day, seed, "place") * (len(queue) + 1))
        queue.insert(position, RankedDraft(draft_id, *estimates[draft_id], is_random=True))
    return tuple(queue)


def _hash_fraction(draft_id: str, day: date, seed: int, purpose: str) -> float:
    digest = hashlib.sha256(f"{seed} {day.isoformat()} {purpose} {draft_id}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64
