"""Stable theme ids: match groups to former themes, and create ids for new themes."""

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
    """A cluster of this run.

    Attributes:
        case_ids: the members.
        centroid: (d,), unit norm.
        n_new: number of its cases, without duplicates, that are new in this period.
    """

    case_ids: frozenset[str]
    centroid: NDArray[np.float32]
    n_new: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PreviousRun:
    """Themes of the previous run, to be continued.

    Attributes:
        themes: themes of the lens's last run, dormant ones included.
        seen_case_ids: cases of this run that any earlier run of the lens saw; only they can be shared or missing.
        used_theme_ids: every theme id ever used.
        encoder: id of the encoder of this run's vectors.
        vectors: this run's vectors (d,) by case id, for themes whose centroid is from another encoder.
    """

    themes: Sequence[Theme]
    seen_case_ids: frozenset[str]
    used_theme_ids: Collection[str] = ()
    encoder: str = ""
    vectors: Mapping[str, Vectors] = field(default_factory=dict[str, Vectors])

    def centroid(self, theme: Theme, d: int) -> Vectors | None:
        """Return the theme's centroid in this run's space of d dimensions; None if it is not comparable."""
        return theme_centroid(theme, self.encoder, self.vectors, d)


def match_themes(groups: Sequence[ClusterGroup], previous: PreviousRun, *, lens: str) -> tuple[str, ...]:
    """Return the theme id of every group.

    Themes are matched by shared cases: first themes with cases, then dormant ones. The remaining themes are matched by
    centroid and exemplars. A new id is derived from the lens and the members, so the same history gives the same ids,
    even after interruptions.
    """
    matches = match_groups(groups, previous)
    used = {*previous.used_theme_ids, *(theme.id for theme in previous.themes)}
    theme_ids: list[str] = []
    for position, group in enumerate(groups):
        theme_ids.append(
            previous.themes[matches[position]].id
            if position in matches
            else generate_id("t-", lens, group.case_ids, used)
        )
        used.add(theme_ids[-1])
    return tuple(theme_ids)


def match_groups(groups: Sequence[ClusterGroup], previous: PreviousRun) -> dict[int, int]:
    """Return the position of the theme that each group continues; new groups are omitted."""
    if not groups:
        return {}
    matches: dict[int, int] = {}
    for dormant in (False, True):
        pairs = [pair for pair in _shared_case_pairs(groups, previous, dormant=dormant) if pair.group not in matches]
        matches |= match_by_cases(
            pairs, lambda pair: (previous.themes[pair.theme].id, min(groups[pair.group].case_ids))
        )
    unmatched_themes = {i: theme for i, theme in enumerate(previous.themes) if i not in matches.values()}
    d = len(groups[0].centroid)
    centroids = {
        i: centroid for i, theme in enumerate(previous.themes) if (centroid := previous.centroid(theme, d)) is not None
    }
    unmatched_groups = [i for i in range(len(groups)) if i not in matches]
    return matches | match_by_centroid(
        [(group.case_ids, group.centroid) for group in groups], unmatched_groups, unmatched_themes, centroids
    )


def _shared_case_pairs(groups: Sequence[ClusterGroup], previous: PreviousRun, *, dormant: bool) -> list[CaseOverlap]:
    members = [members_of(theme) if is_dormant(theme) is dormant else frozenset[str]() for theme in previous.themes]
    return find_case_overlaps([group.case_ids for group in groups], members, previous.seen_case_ids)


def generate_id(prefix: str, lens: str, case_ids: Collection[str], used: Collection[str]) -> str:
    """Derive an unused id from the lens and the members."""
    members = "\n".join(sorted(case_ids))
    salt = 0
    while True:
        digest = hashlib.sha256(f"{lens}\n{salt}\n{members}".encode()).hexdigest()[:10]
        if f"{prefix}{digest}" not in used:
            return f"{prefix}{digest}"
        salt += 1
