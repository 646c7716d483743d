"""One-to-one matching of groups to former themes by shared cases.

There are three rounds, the strongest evidence first, each over the remaining groups and themes:

1. the group has most of the theme's cases, and most of its known cases are from the theme; this always decides;
2. the two overlap;
3. the group is the largest piece of a split theme, or absorbed most of a theme, and no better match exists.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

MAJORITY = 0.5
"""Share from which a part counts as the majority."""

MIN_OVERLAP = 0.3
"""Minimum Jaccard index of a match without a mutual majority.

Two thirds of one theme plus one third of another give .4.
"""

MIN_PIECE_SHARE = 0.3
"""Minimum share of a theme's earlier cases in a group that derives from it."""


@dataclass(frozen=True, slots=True)
class CaseOverlap:
    """Shared cases of a group and a former theme.

    Attributes:
        group: position of the group.
        theme: position of the theme.
        n_shared: number of shared cases.
        share_of_theme: their share of the theme's cases in this run.
        share_of_seen: their share of the group's cases that an earlier run saw.
        share_of_group: their share of all cases of the group.
        overlap: Jaccard index over the cases that an earlier run saw.
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
        """True if the group has most of the theme's cases."""
        return self.n_shared > 1 and self.share_of_theme >= MAJORITY

    @property
    def is_derived(self) -> bool:
        """True if the group mostly consists of the theme, not of new cases."""
        return self.n_shared > 1 and self.share_of_seen >= MAJORITY and self.share_of_group >= MIN_PIECE_SHARE


def find_case_overlaps(
    groups: Sequence[frozenset[str]], themes: Sequence[frozenset[str]], seen_case_ids: frozenset[str]
) -> list[CaseOverlap]:
    """Find every group and theme with a common case.

    Args:
        groups: cases of each group.
        themes: cases of each former theme.
        seen_case_ids: cases of this run that an earlier run saw; only they count.
    """
    themes_by_case: dict[str, list[int]] = {}
    for position, members in enumerate(themes):
        for case_id in members & seen_case_ids:
            themes_by_case.setdefault(case_id, []).append(position)
    size = [len(members & seen_case_ids) for members in themes]
    return [
        pair
        for position, group in enumerate(groups)
        for pair in _overlaps_of_group(position, group, themes_by_case, size, seen_case_ids)
    ]


def _overlaps_of_group(
    position: int,
    group: frozenset[str],
    themes_by_case: Mapping[str, list[int]],
    size: Sequence[int],
    seen_case_ids: frozenset[str],
) -> Iterator[CaseOverlap]:
    seen_in_group = group & seen_case_ids
    for theme, n in sorted(
        Counter(theme for case_id in seen_in_group for theme in themes_by_case.get(case_id, ())).items()
    ):
        yield CaseOverlap(
            group=position,
            theme=theme,
            n_shared=n,
            share_of_theme=n / size[theme],
            share_of_seen=n / len(seen_in_group),
            share_of_group=n / len(group),
            overlap=n / (size[theme] + len(seen_in_group) - n),
        )


def match_by_cases(
    pairs: Sequence[CaseOverlap], tie_breaker: Callable[[CaseOverlap], tuple[str, str]]
) -> dict[int, int]:
    """Match groups to themes one to one; positions of themes by positions of groups.

    ``tie_breaker`` orders equal overlaps, so that the order of the input does not matter.
    """
    matches: dict[int, int] = {}
    by_overlap = sorted(pairs, key=lambda pair: (-pair.overlap, -pair.n_shared, tie_breaker(pair)))
    by_size = sorted(pairs, key=lambda pair: (-pair.n_shared, -pair.overlap, tie_breaker(pair)))
    _match_pairs(matches, (pair for pair in by_overlap if pair.is_mutual_majority))
    _match_pairs(matches, (pair for pair in by_overlap if pair.is_overlapping))
    absorbed_themes = {pair.theme for pair in pairs if pair.is_absorbed and pair.group in matches}
    _match_pairs(
        matches,
        (pair for pair in by_size if pair.is_absorbed or (pair.is_derived and pair.theme not in absorbed_themes)),
    )
    return matches


def _match_pairs(matches: dict[int, int], pairs: Iterator[CaseOverlap]) -> None:
    matched_themes = set(matches.values())
    for pair in pairs:
        if pair.group not in matches and pair.theme not in matched_themes:
            matches[pair.group] = pair.theme
            matched_themes.add(pair.theme)
