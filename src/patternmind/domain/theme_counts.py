"""Theme cards: who and what counts, and the trend by quarter."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from patternmind.domain.cases import Case, CaseKind


@dataclass(frozen=True, slots=True)
class MemberCounts:
    """``cases`` are the members that count: near-duplicates and recaps of a member's own session are left out."""

    cases: tuple[Case, ...]
    n_teams: int
    n_contributors: int


def count_cases(members: Sequence[Case]) -> MemberCounts:
    """Count a theme's cases once each; all members without a team count as one team, likewise contributors."""
    inside = {case.id for case in members} | {case.external_id for case in members if case.external_id}
    counted = tuple(
        case
        for case in members
        if case.duplicate_of not in inside
        and not (case.kind is CaseKind.RECAP and any(linked in inside for linked in case.linked_cases))
    )
    return MemberCounts(
        counted, len({case.team for case in counted}), len({case.contributor for case in counted}) if counted else 0
    )


def has_one_contributor(members: Sequence[Case], all_cases: Sequence[Case]) -> bool:
    """Whether one known person handed in all of a theme's cases, in a network where others hand in too.

    An unknown contributor counts as somebody else, as everywhere; where nobody is named nothing can be said.
    """
    here = {case.contributor for case in members}
    return len(here) == 1 and None not in here and any(case.contributor not in here for case in all_cases)


def quarter_of(day: dt.date) -> str:
    return f"{day.year}Q{(day.month - 1) // 3 + 1}"


def trend_by_quarter(cases: Sequence[Case]) -> dict[str, int]:
    """Cases a quarter, in order of time; cases without a date are left out."""
    counts = Counter(quarter_of(case.date) for case in cases if case.date)
    return dict(sorted(counts.items()))
