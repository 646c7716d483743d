"""Broad areas that last: matched by their cases, as themes are."""

from collections.abc import Iterable, Sequence

from patternmind.lineage.case_matches import find_case_overlaps, match_by_cases
from patternmind.lineage.dormancy import is_dormant, members_of
from patternmind.lineage.identity import ClusterGroup, PreviousRun, generate_id


def match_areas(
    groups: Sequence[ClusterGroup], areas: Sequence[int], previous: PreviousRun, *, lens: str
) -> dict[int, str]:
    """The lasting id of each area number; ``areas[i]`` is the area of group i.

    A new id is made from the lens and the area's cases: it comes back only where exactly these cases do.
    """
    numbers = sorted(set(areas))
    now = [_union(groups[i].case_ids for i, area in enumerate(areas) if area == number) for number in numbers]
    ids = sorted({theme.area_id for theme in previous.themes})
    before = [
        _union(members_of(theme) for theme in previous.themes if theme.area_id == id and not is_dormant(theme))
        for id in ids
    ]
    pairs = find_case_overlaps(now, before, previous.seen_case_ids)
    matched = match_by_cases(pairs, lambda pair: (ids[pair.theme], min(now[pair.group])))
    used = set(ids)
    chosen: dict[int, str] = {}
    for position, number in enumerate(numbers):
        chosen[number] = ids[matched[position]] if position in matched else generate_id("a-", lens, now[position], used)
        used.add(chosen[number])
    return chosen


def _union(parts: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset[str]().union(*parts)
