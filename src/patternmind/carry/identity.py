"""Every group's lasting theme id: that of the former theme it continues, or one never given before."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from patternmind.carry.centres import centre_of, match_by_centre
from patternmind.carry.matching import Pair, match_by_cases, shared_pairs
from patternmind.carry.memory import is_resting, members_of
from patternmind.model.themes import Theme, Vectors


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """A cluster of this run: its members, its centre (d,), and how many of its counted cases are new in this period."""

    case_ids: frozenset[str]
    centre: NDArray[np.float32]
    n_new: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Past:
    """What a run continues.

    Attributes:
        themes: those of the lens's last run, the resting included.
        known: the cases of this run that any earlier run of the lens saw; only they can be shared or missed.
        taken: every theme id ever given.
        encoder: the id of the encoder that made this run's vectors.
        vectors: this run's vector (d,) by case id, for themes whose centre is another encoder's.
    """

    themes: Sequence[Theme]
    known: frozenset[str]
    taken: Collection[str] = ()
    encoder: str = ""
    vectors: Mapping[str, Vectors] = field(default_factory=dict[str, Vectors])

    def centre(self, theme: Theme, d: int) -> Vectors | None:
        """The theme's centre among this run's vectors of d dimensions, where it can be compared with them."""
        return centre_of(theme, self.encoder, self.vectors, d)


def carry_themes(groups: Sequence[Group], past: Past, *, lens: str) -> tuple[str, ...]:
    """The theme id of every group.

    A theme is matched by the cases it shares with a group, first those that have cases of their own, then those at
    rest; what is left by centre and exemplars. A new id is made from the lens and the members, so the same history
    gives the same ids, whatever was interrupted in between.
    """
    matched = match_groups(groups, past)
    used = {*past.taken, *(theme.id for theme in past.themes)}
    ids: list[str] = []
    for position, group in enumerate(groups):
        ids.append(
            past.themes[matched[position]].id if position in matched else new_id("t-", lens, group.case_ids, used)
        )
        used.add(ids[-1])
    return tuple(ids)


def match_groups(groups: Sequence[Group], past: Past) -> dict[int, int]:
    """The position of the theme that each group continues; groups that continue none are left out."""
    if not groups:
        return {}
    matched: dict[int, int] = {}
    for resting in (False, True):
        pairs = [pair for pair in _pairs(groups, past, resting=resting) if pair.group not in matched]
        matched |= match_by_cases(pairs, lambda pair: (past.themes[pair.theme].id, min(groups[pair.group].case_ids)))
    left = {i: theme for i, theme in enumerate(past.themes) if i not in matched.values()}
    d = len(groups[0].centre)
    centres = {i: centre for i, theme in enumerate(past.themes) if (centre := past.centre(theme, d)) is not None}
    free = [i for i in range(len(groups)) if i not in matched]
    return matched | match_by_centre([(group.case_ids, group.centre) for group in groups], free, left, centres)


def _pairs(groups: Sequence[Group], past: Past, *, resting: bool) -> list[Pair]:
    members = [members_of(theme) if is_resting(theme) is resting else frozenset[str]() for theme in past.themes]
    return shared_pairs([group.case_ids for group in groups], members, past.known)


def new_id(prefix: str, lens: str, case_ids: Collection[str], used: Collection[str]) -> str:
    """An id made from the lens and the members, and none of those ever used."""
    members = "\n".join(sorted(case_ids))
    salt = 0
    while True:
        digest = hashlib.sha256(f"{lens}\n{salt}\n{members}".encode()).hexdigest()[:10]
        if f"{prefix}{digest}" not in used:
            return f"{prefix}{digest}"
        salt += 1
