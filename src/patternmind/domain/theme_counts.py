"""Count the cases, teams and contributors of a theme, and its trend by quarter."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from patternmind.domain.cases import Case, CaseKind


@dataclass(frozen=True, slots=True)
class MemberCounts:
    """Counted members of a theme.

    ``cases`` excludes near-duplicates, and recaps that link to another member of the theme.
    """

    cases: tuple[Case, ...]
    n_teams: int
    n_contributors: int


def count_cases(members: Sequence[Case]) -> MemberCounts:
    """Count each case of a theme once.

    All cases without a team count as one team, and all without a contributor as one contributor.
    """
    member_ids = {case.id for case in members} | {case.external_id for case in members if case.external_id}
    counted = tuple(
        case
        for case in members
        if case.duplicate_of not in member_ids
        and not (case.kind is CaseKind.RECAP and any(linked in member_ids for linked in case.linked_cases))
    )
    return MemberCounts(
        counted, len({case.team for case in counted}), len({case.contributor for case in counted}) if counted else 0
    )


def has_one_contributor(members: Sequence[Case], all_cases: Sequence[Case]) -> bool:
    """Return True if one known person submitted all of a theme's cases.

    The network must have several contributors. An unknown contributor counts as another person. A theme whose
    contributors are all unknown gives False.
    """
    contributors = {case.contributor for case in members}
    return (
        len(contributors) == 1
        and None not in contributors
        and any(case.contributor not in contributors for case in all_cases)
    )


def quarter_of(day: dt.date) -> str:
    return f"{day.year}Q{(day.month - 1) // 3 + 1}"


def trend_by_quarter(cases: Sequence[Case]) -> dict[str, int]:
    """Count cases by quarter in chronological order, without undated cases."""
    counts = Counter(quarter_of(case.date) for case in cases if case.date)
    return dict(sorted(counts.items()))
