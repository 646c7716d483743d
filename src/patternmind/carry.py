"""Clusters of this run to themes that last: who continues whom, and what changed, with the evidence.

Clusters and former themes are matched one to one, first by the cases they share, then by their centres. A theme's id is
made from its lens and first members, so the same history gives the same ids, whatever was interrupted in between.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patternmind.model.themes import Lineage, Theme, ThemeChange

SAME_BY_CASES = 0.3
"""Least Jaccard index, counted over the cases both runs knew, for a cluster to continue a theme."""

SAME_BY_CENTRE = 0.85
"""Least cosine of centres for a match without shared cases (a run narrowed to new cases)."""

CAME_FROM = 0.5
"""A theme whose cases mostly went into another was merged into it; one made mostly of another's was split off."""

GREW, SHRANK = 1.25, 0.8
QUIET_RUNS = 2
"""Labelled runs without a new case after which a theme is dormant."""


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """A cluster of this run: its members and its centre (d,)."""

    case_ids: frozenset[str]
    centre: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Carried:
    """``theme_ids[i]`` is the theme of group i, ``continues[i]`` its former self, if any; ``vanished`` got no group."""

    theme_ids: tuple[str, ...]
    continues: tuple[Theme | None, ...]
    vanished: tuple[Theme, ...]


def carry_themes(
    groups: Sequence[Group], former: Sequence[Theme], *, lens: str, taken: Collection[str], known_cases: Collection[str]
) -> Carried:
    """Give every group its lasting theme.

    Args:
        former: the themes of the lens's last run, dormant ones included.
        taken: every theme id ever given; none of them is given to a new theme.
        known_cases: the cases that this run and the last one had both; only they can be shared or missed.
    """
    known = frozenset(known_cases)
    matches = _match_by_cases(groups, former, known)
    matches |= _match_by_centre(groups, former, matches)
    used = set(taken)
    ids: list[str] = []
    for position, group in enumerate(groups):
        theme = former[matches[position]] if position in matches else None
        ids.append(theme.id if theme else _new_id(lens, group, used))
        used.add(ids[-1])
    return Carried(
        theme_ids=tuple(ids),
        continues=tuple(former[matches[i]] if i in matches else None for i in range(len(groups))),
        vanished=tuple(theme for i, theme in enumerate(former) if i not in matches.values()),
    )


def _match_by_cases(groups: Sequence[Group], former: Sequence[Theme], known: frozenset[str]) -> dict[int, int]:
    if not groups or not former:
        return {}
    from scipy import optimize  # 0.2 s

    untyped: Any = optimize
    overlap = np.array(
        [[_jaccard(group.case_ids & known, known & set(theme.case_ids)) for theme in former] for group in groups]
    )
    same = np.where(overlap >= SAME_BY_CASES, overlap, 0)  # two pairs of .29 must not outweigh one of .43
    rows, columns = untyped.linear_sum_assignment(-same)
    return {int(g): int(t) for g, t in zip(rows, columns, strict=True) if same[g, t] > 0}


def _match_by_centre(groups: Sequence[Group], former: Sequence[Theme], matched: Mapping[int, int]) -> dict[int, int]:
    """Pairs left over whose centres are each other's closest, and close."""
    left = [i for i in range(len(groups)) if i not in matched]
    right = [i for i, theme in enumerate(former) if i not in matched.values() and theme.centre]
    if not left or not right:
        return {}
    cosine = np.array([[float(groups[g].centre @ np.asarray(former[t].centre)) for t in right] for g in left])
    return {
        left[g]: right[int(cosine[g].argmax())]
        for g in range(len(left))
        if cosine[g].max() >= SAME_BY_CENTRE and cosine[:, cosine[g].argmax()].argmax() == g
    }


def _jaccard(left: Collection[str], right: Collection[str]) -> float:
    left, right = set(left), set(right)
    union = left | right
    return len(left & right) / len(union) if union else 0.0


def _new_id(lens: str, group: Group, used: Collection[str]) -> str:
    members = "\n".join(sorted(group.case_ids))
    salt = 0
    while True:
        digest = hashlib.sha256(f"{lens}\n{salt}\n{members}".encode()).hexdigest()[:10]
        if f"t-{digest}" not in used:
            return f"t-{digest}"
        salt += 1


def describe_changes(groups: Sequence[Group], carried: Carried, former: Sequence[Theme]) -> list[ThemeChange]:
    """What became of every theme: one change for each group, and one for each theme that has no group any more."""
    changes = [
        _change_of_group(group, theme_id, before, carried, former)
        for group, theme_id, before in zip(groups, carried.theme_ids, carried.continues, strict=True)
    ]
    return changes + [_change_of_vanished(theme, groups, carried) for theme in carried.vanished]


def _change_of_group(
    group: Group, theme_id: str, before: Theme | None, carried: Carried, former: Sequence[Theme]
) -> ThemeChange:
    if before is None:
        parents = tuple(
            theme.id
            for theme in former
            if _share(group.case_ids, theme.case_ids) >= CAME_FROM and theme.id in carried.theme_ids
        )
        lineage = Lineage.SPLIT if parents else Lineage.NEW
        return ThemeChange(theme_id=theme_id, lineage=lineage, others=parents, n_after=len(group.case_ids))
    absorbed = tuple(
        theme.id for theme in carried.vanished if _share(frozenset(theme.case_ids), group.case_ids) >= CAME_FROM
    )
    shared = len(group.case_ids & set(before.case_ids))
    return ThemeChange(
        theme_id=theme_id,
        lineage=_lineage(before, group, absorbed=bool(absorbed)),
        others=absorbed,
        n_before=len(before.case_ids),
        n_after=len(group.case_ids),
        n_shared=shared,
        overlap=_jaccard(group.case_ids, before.case_ids),
        similarity=float(group.centre @ np.asarray(before.centre)) if before.centre else 0.0,
    )


def _lineage(before: Theme, group: Group, *, absorbed: bool) -> Lineage:
    if before.lineage is Lineage.RETIRED:
        return Lineage.RETIRED
    asleep = before.lineage is Lineage.DORMANT or not before.case_ids
    if asleep and group.case_ids - set(before.case_ids):
        return Lineage.RETURNED
    if absorbed:
        return Lineage.MERGED
    n, now = max(1, len(before.case_ids)), len(group.case_ids)
    if now >= GREW * n and now >= n + 2:
        return Lineage.GREW
    return Lineage.SHRANK if now <= SHRANK * n and now <= n - 2 else Lineage.CONTINUED


def _change_of_vanished(theme: Theme, groups: Sequence[Group], carried: Carried) -> ThemeChange:
    into = tuple(
        theme_id
        for group, theme_id in zip(groups, carried.theme_ids, strict=True)
        if theme.case_ids and _share(frozenset(theme.case_ids), group.case_ids) >= CAME_FROM
    )
    kept = theme.lineage is Lineage.RETIRED or (theme.lineage is Lineage.MERGED and not theme.case_ids)
    lineage = theme.lineage if kept else Lineage.MERGED if into else Lineage.DORMANT
    return ThemeChange(theme_id=theme.id, lineage=lineage, others=into, n_before=len(theme.case_ids))


def _share(part: frozenset[str], whole: Collection[str]) -> float:
    return len(part & set(whole)) / len(part) if part else 0.0
