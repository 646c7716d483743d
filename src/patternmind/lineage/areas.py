"""Matching of broad areas to former areas by their cases."""

from collections.abc import Iterable, Sequence

from patternmind.lineage.case_matches import find_case_overlaps, match_by_cases
from patternmind.lineage.dormancy import is_dormant, members_of
from patternmind.lineage.identity import ClusterGroup, PreviousRun, generate_id


def match_areas(
    groups: Sequence[ClusterGroup], areas: Sequence[int], previous: PreviousRun, *, lens: str
) -> dict[int, str]:
    """Return the stable id of each area number; ``areas[i]`` is the area of group i.

    A new id is derived from the lens and the area's cases, so only exactly the same cases give the same id.
    """
    numbers = sorted(set(areas))
    case_ids = [_union(groups[i].case_ids for i, area in enumerate(areas) if area == number) for number in numbers]
    ids = sorted({theme.area_id for theme in previous.themes})
    former_case_ids = [
        _union(members_of(theme) for theme in previous.themes if theme.area_id == id and not is_dormant(theme))
        for id in ids
    ]
    pairs = find_case_overlaps(case_ids, former_case_ids, previous.seen_case_ids)
    matches = match_by_cases(pairs, lambda pair: (ids[pair.theme], min(case_ids[pair.group])))
    used = set(ids)
    area_ids: dict[int, str] = {}
    for position, number in enumerate(numbers):
        area_ids[number] = (
            ids[matches[position]] if position in matches else generate_id("a-", lens, case_ids[position], used)
        )
        used.add(area_ids[number])
    return area_ids


def _union(parts: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset[str]().union(*parts)
