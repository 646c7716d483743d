"""What to look at next: the most uncertain first, and one in ten at random, so that the sure ones are seen too."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from patternmind.domain.drafts import DraftState, FlagKind

DECIDED_STATES = frozenset({DraftState.ACCEPTED, DraftState.FIELD_TESTED, DraftState.RETIRED, DraftState.REJECTED})

RANDOM_FRACTION = 0.1

FLAG_WEIGHTS: Mapping[FlagKind, float] = {
    FlagKind.NOT_IN_QUOTE: 0.4,
    FlagKind.SUSPICIOUS: 0.4,
    FlagKind.WEAK_SUPPORT: 0.3,
    FlagKind.NO_QUOTE: 0.25,
    FlagKind.NARROW: 0.2,
}
"""How much a doubt adds: each takes its share of what is still certain. By judgement, not measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UncertaintyFactors:
    """What there is to judge a draft's certainty by, without reading a case.

    ``n_cases`` are those its quotes come from; ``n_teams`` and ``stability`` are its theme's, None where it has none.
    """

    doubts: tuple[FlagKind, ...] = ()
    n_cases: int = 0
    n_teams: int | None = None
    stability: float | None = None


@dataclass(frozen=True, slots=True)
class RankedDraft:
    """A draft's place in the queue; ``why`` are its reasons in our words, ``at_random`` says it was drawn."""

    draft_id: str
    uncertainty: float
    reasons: tuple[str, ...]
    is_random: bool = False


def estimate_uncertainty(factors: UncertaintyFactors) -> tuple[float, tuple[str, ...]]:
    """0..1, and why, the weightiest first."""
    parts = [(FLAG_WEIGHTS[doubt], doubt.value) for doubt in factors.doubts]
    parts.append((0.5 / max(factors.n_cases, 1), f"quotes from {_counted(factors.n_cases, 'case')}"))
    if factors.n_teams is not None and factors.n_teams < 3:
        parts.append((0.3 / max(factors.n_teams, 1), f"{_counted(factors.n_teams, 'team')} behind its theme"))
    if factors.stability is not None:
        parts.append((0.3 * (1 - min(max(factors.stability, 0.0), 1.0)), "a theme that is not steady"))
    certain = 1.0
    for weight, _ in parts:
        certain *= 1 - weight
    told = [why for weight, why in sorted(parts, key=lambda part: -part[0]) if weight >= 0.1]
    return round(1 - certain, 4), tuple(dict.fromkeys(told))


def rank_drafts(factors: Mapping[str, UncertaintyFactors], *, day: date, seed: int = 0) -> list[RankedDraft]:
    """Every draft once, in the order of a day.

    Who is drawn depends on the draft, the day and the seed alone, so that the order stands while others decide.
    """
    return list(_rank_drafts(tuple(factors.items()), day, seed))


@lru_cache(maxsize=8)
def _rank_drafts(factors: tuple[tuple[str, UncertaintyFactors], ...], day: date, seed: int) -> tuple[RankedDraft, ...]:
    """Kept, for every page of the desk asks for it, and it changes only where drafts come or go."""
    judged = {draft_id: estimate_uncertainty(one) for draft_id, one in factors}
    drawn = {draft_id for draft_id in judged if _hash_fraction(draft_id, day, seed, "drawn") < RANDOM_FRACTION}
    rest = sorted((one for one in judged if one not in drawn), key=lambda one: (-judged[one][0], one))
    queue: list[RankedDraft] = [RankedDraft(one, *judged[one]) for one in rest]
    for draft_id in sorted(drawn):
        place = int(_hash_fraction(draft_id, day, seed, "place") * (len(queue) + 1))
        queue.insert(place, RankedDraft(draft_id, *judged[draft_id], is_random=True))
    return tuple(queue)


def _hash_fraction(draft_id: str, day: date, seed: int, purpose: str) -> float:
    digest = hashlib.sha256(f"{seed} {day.isoformat()} {purpose} {draft_id}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"
