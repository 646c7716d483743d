"""Every group's lasting theme id: that of the former theme it continues, or one never given before."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from patternmind.domain.themes import Theme, Vectors
from patternmind.lineage.case_matches import CaseOverlap, find_case_overlaps, match_by_cases
from patternmind.lineage.centroid_matches import match_by_centroid, theme_centroid
from patternmind.lineage.dormancy import is_dormant, members_of


@dataclass(frozen=True, slots=True, eq=False)
class ClusterGroup:
    """A cluster of this run: its members, its centre (d,), and how many of its counted cases are new in this period."""

    case_ids: frozenset[str]
    centroid: NDArray[np.float32]
    n_new: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PreviousRun:
    """What a run continues.

    Attributes:
        themes: those of the lens's last run, the resting included.
        known: the cases of this run that any earlier run of the lens saw; only they can be shared or missed.
        taken: every theme id ever given.
        encoder: the id of the encoder that made this run's vectors.
        vectors: this run's vector (d,) by case id, for themes whose centre is another encoder's.
    """

    themes: Sequence[Theme]
    seen_case_ids: frozenset[str]
    used_theme_ids: Collection[str] = ()
    encoder: str = ""
    vectors: Mapping[str, Vectors] = field(default_factory=dict[str, Vectors])

    def centroid(self, theme: Theme, d: int) -> Vectors | None:
        """The theme's centre among this run's vectors of d dimensions, where it can be compared with them."""
        return theme_centroid(theme, self.encoder, self.vectors, d)


def match_themes(groups: Sequence[ClusterGroup], previous: PreviousRun, *, lens: str) -> tuple[str, ...]:
    """The theme id of every group.

    A theme is matched by the cases it shares with a group, first those that have cases of their own, then those at
    rest; what is left by centre and exemplars. A new id is made from the lens and the members, so the same history
    gives the same ids, whatever was interrupted in between.
    """
    matched = match_groups(groups, previous)
    used = {*previous.used_theme_ids, *(theme.id for theme in previous.themes)}
    ids: list[str] = []
    for position, group in enumerate(groups):
        ids.append(
            previous.themes[matched[position]].id
            if position in matched
            else generate_id("t-", lens, group.case_ids, used)
        )
        used.add(ids[-1])
    return tuple(ids)


def match_groups(groups: Sequence[ClusterGroup], previous: PreviousRun) -> dict[int, int]:
    """The position of the theme that each group continues; groups that continue none are left out."""
    if not groups:
        return {}
    matched: dict[int, int] = {}
    for resting in (False, True):
        pairs = [pair for pair in _shared_case_pairs(groups, previous, dormant=resting) if pair.group not in matched]
        matched |= match_by_cases(
            pairs, lambda pair: (previous.themes[pair.theme].id, min(groups[pair.group].case_ids))
        )
    left = {i: theme for i, theme in enumerate(previous.themes) if i not in matched.values()}
    d = len(groups[0].centroid)
    centres = {
        i: centre for i, theme in enumerate(previous.themes) if (centre := previous.centroid(theme, d)) is not None
    }
    free = [i for i in range(len(groups)) if i not in matched]
    return matched | match_by_centroid([(group.case_ids, group.centroid) for group in groups], free, left, centres)


def _shared_case_pairs(groups: Sequence[ClusterGroup], previous: PreviousRun, *, dormant: bool) -> list[CaseOverlap]:
    members = [members_of(theme) if is_dormant(theme) is dormant else frozenset[str]() for theme in previous.themes]
    return find_case_overlaps([group.case_ids for group in groups], members, previous.seen_case_ids)


def generate_id(prefix: str, lens: str, case_ids: Collection[str], used: Collection[str]) -> str:
    """An id made from the lens and the members, and none of those ever used."""
    members = "\n".join(sorted(case_ids))
    salt = 0
    while True:
        digest = hashlib.sha256(f"{lens}\n{salt}\n{members}".encode()).hexdigest()[:10]
        if f"{prefix}{digest}" not in used:
            return f"{prefix}{digest}"
        salt += 1
