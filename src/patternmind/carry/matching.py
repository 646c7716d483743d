"""Which group continues which former theme, one to one: by shared cases, then by centre and exemplars.

By shared cases in three rounds, the surest first, each over the groups and themes that are left:

1. most of the theme is in the group and most of the group was the theme: this is the theme, whatever else fits;
2. the two overlap;
3. the group is the largest piece of a theme that came apart, or took in most of a theme that none of it outweighs.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

MOSTLY = 0.5
"""Half: from here on a part stands for its whole."""

OVERLAPS = 0.3
"""Least Jaccard index of a match that is no majority both ways; two thirds and one third of two themes give .4."""

PIECE = 0.3
"""Least share that a theme's earlier cases must be among all cases of a group for that group to come from it."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A group and a former theme, by position, that share ``n`` cases.

    ``of_theme`` is their share of the theme's cases in this run, ``of_known`` of the group's known cases,
    ``of_group`` of all its cases.
    """

    group: int
    theme: int
    n: int
    of_theme: float
    of_known: float
    of_group: float
    overlap: float

    @property
    def both_mostly(self) -> bool:
        return self.n > 1 and min(self.of_theme, self.of_known) >= MOSTLY

    @property
    def overlaps(self) -> bool:
        return self.n > 1 and self.overlap >= OVERLAPS

    @property
    def took_in(self) -> bool:
        """Most of the theme went into the group."""
        return self.n > 1 and self.of_theme >= MOSTLY

    @property
    def came_from(self) -> bool:
        """The group was mostly the theme, and not merely by a stray case among new ones."""
        return self.n > 1 and self.of_known >= MOSTLY and self.of_group >= PIECE


def shared_pairs(
    groups: Sequence[frozenset[str]], themes: Sequence[frozenset[str]], known: frozenset[str]
) -> list[Pair]:
    """Every group and theme with a known case in common. ``known``: this run's cases that an earlier run saw."""
    at: dict[str, list[int]] = {}
    for position, members in enumerate(themes):
        for case_id in members & known:
            at.setdefault(case_id, []).append(position)
    size = [len(members & known) for members in themes]
    return [pair for position, group in enumerate(groups) for pair in _pairs_of(position, group, at, size, known)]


def _pairs_of(
    position: int, group: frozenset[str], at: Mapping[str, list[int]], size: Sequence[int], known: frozenset[str]
) -> Iterator[Pair]:
    here = group & known
    for theme, n in sorted(Counter(theme for case_id in here for theme in at.get(case_id, ())).items()):
        yield Pair(
            group=position,
            theme=theme,
            n=n,
            of_theme=n / size[theme],
            of_known=n / len(here),
            of_group=n / len(group),
            overlap=n / (size[theme] + len(here) - n),
        )


def match_by_cases(pairs: Sequence[Pair], names: Callable[[Pair], tuple[str, str]]) -> dict[int, int]:
    """Theme by group. ``names`` orders what is equal otherwise, so that the order of the input does not matter."""
    matched: dict[int, int] = {}
    by_overlap = sorted(pairs, key=lambda pair: (-pair.overlap, -pair.n, names(pair)))
    by_size = sorted(pairs, key=lambda pair: (-pair.n, -pair.overlap, names(pair)))
    _take(matched, (pair for pair in by_overlap if pair.both_mostly))
    _take(matched, (pair for pair in by_overlap if pair.overlaps))
    gone = {pair.theme for pair in pairs if pair.took_in and pair.group in matched}
    _take(matched, (pair for pair in by_size if pair.took_in or (pair.came_from and pair.theme not in gone)))
    return matched


def _take(matched: dict[int, int], pairs: Iterator[Pair]) -> None:
    themes = set(matched.values())
    for pair in pairs:
        if pair.group not in matched and pair.theme not in themes:
            matched[pair.group] = pair.theme
            themes.add(pair.theme)
