"""Broad areas that last: matched by their cases, as themes are."""

from collections.abc import Iterable, Sequence

from patternmind.carry.identity import Group, Past, new_id
from patternmind.carry.matching import match_by_cases, shared_pairs
from patternmind.carry.memory import is_resting, members_of


def carry_areas(groups: Sequence[Group], areas: Sequence[int], past: Past, *, lens: str) -> dict[int, str]:
    """The lasting id of each area number; ``areas[i]`` is the area of group i.

    A new id is made from the lens and the area's cases: it comes back only where exactly these cases do.
    """
    numbers = sorted(set(areas))
    now = [_together(groups[i].case_ids for i, area in enumerate(areas) if area == number) for number in numbers]
    ids = sorted({theme.area_id for theme in past.themes})
    before = [
        _together(members_of(theme) for theme in past.themes if theme.area_id == id and not is_resting(theme))
        for id in ids
    ]
    pairs = shared_pairs(now, before, past.known)
    matched = match_by_cases(pairs, lambda pair: (ids[pair.theme], min(now[pair.group])))
    used = set(ids)
    chosen: dict[int, str] = {}
    for position, number in enumerate(numbers):
        chosen[number] = ids[matched[position]] if position in matched else new_id("a-", lens, now[position], used)
        used.add(chosen[number])
    return chosen


def _together(parts: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset[str]().union(*parts)
