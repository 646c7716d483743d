"""What to look at next: the most uncertain first, and one in ten at random, so that the sure ones are seen too."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from patternmind.model.drafts import Doubt, DraftState

DECIDED = frozenset({DraftState.ACCEPTED, DraftState.FIELD_TESTED, DraftState.RETIRED, DraftState.REJECTED})

RANDOM_SHARE = 0.1

WEIGHT: Mapping[Doubt, float] = {
    Doubt.NOT_IN_QUOTE: 0.4,
    Doubt.SUSPICIOUS: 0.4,
    Doubt.WEAK_SUPPORT: 0.3,
    Doubt.NO_QUOTE: 0.25,
    Doubt.NARROW: 0.2,
}
"""How much a doubt adds: each takes its share of what is still certain. By judgement, not measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What there is to judge a draft's certainty by, without reading a case.

    ``n_cases`` are those its quotes come from; ``n_teams`` and ``stability`` are its theme's, None where it has none.
    """

    doubts: tuple[Doubt, ...] = ()
    n_cases: int = 0
    n_teams: int | None = None
    stability: float | None = None


@dataclass(frozen=True, slots=True)
class Queued:
    """A draft's place in the queue; ``why`` are its reasons in our words, ``at_random`` says it was drawn."""

    draft_id: str
    uncertainty: float
    why: tuple[str, ...]
    at_random: bool = False


def uncertainty(evidence: Evidence) -> tuple[float, tuple[str, ...]]:
    """0..1, and why, the weightiest first."""
    parts = [(WEIGHT[doubt], doubt.value) for doubt in evidence.doubts]
    parts.append((0.5 / max(evidence.n_cases, 1), f"quotes from {_n(evidence.n_cases, 'case')}"))
    if evidence.n_teams is not None and evidence.n_teams < 3:
        parts.append((0.3 / max(evidence.n_teams, 1), f"{_n(evidence.n_teams, 'team')} behind its theme"))
    if evidence.stability is not None:
        parts.append((0.3 * (1 - min(max(evidence.stability, 0.0), 1.0)), "a theme that is not steady"))
    certain = 1.0
    for weight, _ in parts:
        certain *= 1 - weight
    told = [why for weight, why in sorted(parts, key=lambda part: -part[0]) if weight >= 0.1]
    return round(1 - certain, 4), tuple(dict.fromkeys(told))


def in_order(evidence: Mapping[str, Evidence], *, day: date, seed: int = 0) -> list[Queued]:
    """Every draft once, in the order of a day.

    Who is drawn depends on the draft, the day and the seed alone, so that the order stands while others decide.
    """
    judged = {draft_id: uncertainty(one) for draft_id, one in evidence.items()}
    drawn = {draft_id for draft_id in judged if _draw(draft_id, day, seed, "drawn") < RANDOM_SHARE}
    rest = sorted((one for one in judged if one not in drawn), key=lambda one: (-judged[one][0], one))
    queue: list[Queued] = [Queued(one, *judged[one]) for one in rest]
    for draft_id in sorted(drawn):
        place = int(_draw(draft_id, day, seed, "place") * (len(queue) + 1))
        queue.insert(place, Queued(draft_id, *judged[draft_id], at_random=True))
    return queue


def _draw(draft_id: str, day: date, seed: int, what: str) -> float:
    digest = hashlib.sha256(f"{seed} {day.isoformat()} {what} {draft_id}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64


def _n(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"
