"""Which group continues which former theme, one to one: by shared cases, then by centre and exemplars.

By shared cases in three rounds, the surest first, each over the groups and themes that are left:

1. most of the theme is in the group and most of the group was the theme: this is the theme, whatever else fits;
2. the two overlap;
3. the group is the largest piece of a theme that came apart, or took in most of a theme that none of it outweighs.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

MAJORITY = 0.5
"""Half: from here on a part stands for its whole."""

MIN_OVERLAP = 0.3
"""Least Jaccard index of a match that is no majority both ways; two thirds and one third of two themes give .4."""

MIN_PIECE_SHARE = 0.3
"""Least share that a theme's earlier cases must be among all cases of a group for that group to come from it."""


@dataclass(frozen=True, slots=True)
class CaseOverlap:
    """A group and a former theme, by position, that share ``n`` cases.

    ``of_theme`` is their share of the theme's cases in this run, ``of_known`` of the group's known cases,
    ``of_group`` of all its cases.
    """

    group: int
    theme: int
    n_shared: int
    share_of_theme: float
    share_of_seen: float
    share_of_group: float
    overlap: float

    @property
    def is_mutual_majority(self) -> bool:
        return self.n_shared > 1 and min(self.share_of_theme, self.share_of_seen) >= MAJORITY

    @property
    def is_overlapping(self) -> bool:
        return self.n_shared > 1 and self.overlap >= MIN_OVERLAP

    @property
    def is_absorbed(self) -> bool:
        """Most of the theme went into the group."""
        return self.n_shared > 1 and self.share_of_theme >= MAJORITY

    @property
    def is_derived(self) -> bool:
        """The group was mostly the theme, and not merely by a stray case among new ones."""
        return self.n_shared > 1 and self.share_of_seen >= MAJORITY and self.share_of_group >= MIN_PIECE_SHARE


def find_case_overlaps(
    groups: Sequence[frozenset[str]], themes: Sequence[frozenset[str]], seen_case_ids: frozenset[str]
) -> list[CaseOverlap]:
    """Every group and theme with a known case in common. ``known``: this run's cases that an earlier run saw."""
    at: dict[str, list[int]] = {}
    for position, members in enumerate(themes):
        for case_id in members & seen_case_ids:
            at.setdefault(case_id, []).append(position)
    size = [len(members & seen_case_ids) for members in themes]
    return [
        pair
        for position, group in enumerate(groups)
        for pair in _overlaps_of_group(position, group, at, size, seen_case_ids)
    ]


def _overlaps_of_group(
    position: int,
    group: frozenset[str],
    themes_by_case: Mapping[str, list[int]],
    size: Sequence[int],
    seen_case_ids: frozenset[str],
) -> Iterator[CaseOverlap]:
    here = group & seen_case_ids
    for theme, n in sorted(Counter(theme for case_id in here for theme in themes_by_case.get(case_id, ())).items()):
        yield CaseOverlap(
            group=position,
            theme=theme,
            n_shared=n,
            share_of_theme=n / size[theme],
            share_of_seen=n / len(here),
            share_of_group=n / len(group),
            overlap=n / (size[theme] + len(here) - n),
        )


def match_by_cases(
    pairs: Sequence[CaseOverlap], tie_breaker: Callable[[CaseOverlap], tuple[str, str]]
) -> dict[int, int]:
    """Theme by group. ``names`` orders what is equal otherwise, so that the order of the input does not matter."""
    matched: dict[int, int] = {}
    by_overlap = sorted(pairs, key=lambda pair: (-pair.overlap, -pair.n_shared, tie_breaker(pair)))
    by_size = sorted(pairs, key=lambda pair: (-pair.n_shared, -pair.overlap, tie_breaker(pair)))
    _match_pairs(matched, (pair for pair in by_overlap if pair.is_mutual_majority))
    _match_pairs(matched, (pair for pair in by_overlap if pair.is_overlapping))
    gone = {pair.theme for pair in pairs if pair.is_absorbed and pair.group in matched}
    _match_pairs(
        matched, (pair for pair in by_size if pair.is_absorbed or (pair.is_derived and pair.theme not in gone))
    )
    return matched


def _match_pairs(matched: dict[int, int], pairs: Iterator[CaseOverlap]) -> None:
    themes = set(matched.values())
    for pair in pairs:
        if pair.group not in matched and pair.theme not in themes:
            matched[pair.group] = pair.theme
            themes.add(pair.theme)
