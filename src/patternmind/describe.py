"""Theme cards: counts, trend, exemplars, nearest theme, and which area a theme belongs to."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from patternmind.model.cases import Case, Kind
from patternmind.model.themes import Lineage, Theme, ThemeChange


@dataclass(frozen=True, slots=True)
class Counts:
    """``cases`` are the members that count: near-duplicates and recaps of a member's own session are left out."""

    cases: tuple[Case, ...]
    n_teams: int
    n_contributors: int


def count_cases(members: Sequence[Case]) -> Counts:
    """Count a theme's cases once each; all members without a team count as one team, likewise contributors."""
    inside = {case.id for case in members} | {case.external_id for case in members if case.external_id}
    counted = tuple(
        case
        for case in members
        if case.duplicate_of not in inside
        and not (case.kind is Kind.RECAP and any(linked in inside for linked in case.linked_cases))
    )
    return Counts(
        counted, len({case.team for case in counted}), len({case.contributor for case in counted}) if counted else 0
    )


def quarter_of(day: dt.date) -> str:
    return f"{day.year}Q{(day.month - 1) // 3 + 1}"


def trend_by_quarter(cases: Sequence[Case]) -> dict[str, int]:
    """Cases a quarter, in order of time; cases without a date are left out."""
    counts = Counter(quarter_of(case.date) for case in cases if case.date)
    return dict(sorted(counts.items()))


def quiet_for(before: Theme | None, *, n_new: int, labelled: bool) -> int:
    """How many labelled runs in a row brought the theme no new case."""
    if n_new or before is None:
        return 0
    return before.quiet_runs + (1 if labelled else 0)


def lineage_now(change: ThemeChange, quiet_runs: int, most_quiet: int) -> Lineage:
    """A theme that changed says how; one that only stayed is dormant once it was quiet for long."""
    if change.lineage is Lineage.CONTINUED and quiet_runs >= most_quiet:
        return Lineage.DORMANT
    return change.lineage


def area_ids(theme_ids: Sequence[str], areas: Sequence[int], former: Mapping[str, str]) -> dict[int, str]:
    """A lasting id for each area number: the former area that most of its themes were in, else one of its first theme.

    Args:
        former: area id by theme id, of the last run.
    """
    votes = Counter(
        (area, former[theme_id]) for theme_id, area in zip(theme_ids, areas, strict=True) if theme_id in former
    )
    chosen: dict[int, str] = {}
    for (area, area_id), _ in sorted(votes.items(), key=lambda item: (-item[1], item[0])):
        if area not in chosen and area_id not in chosen.values():
            chosen[area] = area_id
    taken = set(former.values())
    for theme_id, area in zip(theme_ids, areas, strict=True):
        if area not in chosen:
            fresh = f"a-{theme_id[2:]}"
            while fresh in taken:
                fresh += "x"
            chosen[area] = fresh
            taken.add(fresh)
    return chosen
