"""Count cases once, with their teams and contributors; the trend of a theme by quarter.

Themes, drafts and the publishing threshold all count by these rules.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from patternmind.domain.cases import Case, CaseKind


@dataclass(frozen=True, slots=True)
class MemberCounts:
    """Cases counted once: without near-duplicates of each other and recaps of one of them."""

    cases: tuple[Case, ...]
    n_teams: int
    n_contributors: int


def counted_as(cases: Iterable[Case]) -> dict[str, str]:
    """Map each case's id to the id of the listed case that it counts as.

    A near-duplicate counts as its original, or as the first listed case of its group if the original is not listed. A
    recap counts as the listed case that it links to: it is evidence of that case, not a second case.
    """
    listed = {case.id: case for case in cases}
    ids = {case.external_id: case.id for case in listed.values() if case.external_id} | {id: id for id in listed}
    targets = _first_of_group(listed)
    for case in listed.values():
        linked = [ids[name] for name in case.linked_cases if name in ids] if case.kind is CaseKind.RECAP else []
        if linked and targets[case.id] == case.id:
            targets[case.id] = linked[0]
    for _ in range(2):  # a repeated recap of a repeated case takes three steps
        targets = {id: targets[target] for id, target in targets.items()}
    return targets


def _first_of_group(listed: Mapping[str, Case]) -> dict[str, str]:
    """Map each case to its listed original, or to the first of its group."""
    first = {id: id for id in listed}
    return {
        case.id: first.setdefault(case.duplicate_of, case.id) if case.duplicate_of else case.id
        for case in listed.values()
    }


def without_near_duplicates(cases: Iterable[Case]) -> list[Case]:
    """Return the cases to read: recaps included, without near-duplicates of each other."""
    listed = {case.id: case for case in cases}
    first = _first_of_group(listed)
    return [case for case in listed.values() if first[case.id] == case.id]


def count_once(cases: Iterable[Case]) -> MemberCounts:
    """Count each case once; see ``counted_as``.

    All cases without a team count as one team, and all without a contributor as one contributor.
    """
    listed = {case.id: case for case in cases}
    targets = counted_as(listed.values())
    counted = tuple(case for case in listed.values() if targets[case.id] == case.id)
    return MemberCounts(counted, len({case.team for case in counted}), len({case.contributor for case in counted}))


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
