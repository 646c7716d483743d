"""Tests of theme counts: each case counts once, and quarters are in order."""

import datetime as dt

import pytest
from tests.fixtures.builders import build_case

from patternmind.domain.cases import CaseKind
from patternmind.domain.theme_counts import (
    count_once,
    counted_as,
    quarter_of,
    trend_by_quarter,
    without_near_duplicates,
)


def test_theme_counts_are_by_case_team_and_contributor() -> None:
    members = [
        build_case("c-1", team="North", contributor="ada"),
        build_case("c-2", team="North", contributor="bo"),
        build_case("c-3", team="South", contributor="bo"),
    ]
    counts = count_once(members)
    assert (counts.cases, counts.n_teams, counts.n_contributors) == (tuple(members), 2, 2)


def test_unknown_contributors_count_as_one() -> None:
    members = [build_case(f"c-{n}", team=None, contributor=None) for n in range(4)]
    assert (count_once(members).n_teams, count_once(members).n_contributors) == (1, 1)


def test_near_duplicate_counts_only_without_its_original() -> None:
    members = [build_case("c-1"), build_case("c-2", duplicate_of="c-1")]
    assert [case.id for case in count_once(members).cases] == ["c-1"]
    assert [case.id for case in count_once([build_case("c-2", duplicate_of="c-9")]).cases] == ["c-2"]


@pytest.mark.parametrize("linked", ["c-1", "C-1"])
def test_recap_of_a_member_is_not_a_second_case(linked: str) -> None:
    recap = build_case("r-1", kind=CaseKind.RECAP, linked_cases=(linked,))
    assert [case.id for case in count_once([build_case("c-1"), recap]).cases] == ["c-1"]
    assert [case.id for case in count_once([recap]).cases] == ["r-1"]


def test_near_duplicates_of_an_unlisted_case_count_once() -> None:
    members = [build_case("c-2", duplicate_of="c-1"), build_case("c-3", duplicate_of="c-1"), build_case("c-4")]
    assert [case.id for case in count_once(members).cases] == ["c-2", "c-4"]
    assert [case.id for case in count_once([*members, build_case("c-1")]).cases] == ["c-4", "c-1"]


def test_recaps_count_as_their_case_through_near_duplicates() -> None:
    repeat = build_case("c-2", duplicate_of="c-1")
    recap = build_case("r-1", kind=CaseKind.RECAP, linked_cases=("C-2",))
    repeated_recap = build_case("r-2", kind=CaseKind.RECAP, duplicate_of="r-1")
    members = [repeated_recap, recap, repeat, build_case("c-1")]
    assert set(counted_as(members).values()) == {"c-1"}
    assert [case.id for case in without_near_duplicates(members)] == ["r-1", "c-1"]


def test_recaps_that_link_to_each_other_do_not_vanish() -> None:
    recaps = [build_case(f"r-{n}", kind=CaseKind.RECAP, linked_cases=(f"r-{1 - n}",)) for n in range(2)]
    assert count_once(recaps).cases == tuple(recaps)


def test_theme_counts_of_no_case_are_zero() -> None:
    counts = count_once([])
    assert (counts.cases, counts.n_teams, counts.n_contributors) == ((), 0, 0)


def test_trend_is_by_quarter_in_order_without_undated_cases() -> None:
    days = [dt.date(2026, 4, 1), dt.date(2025, 12, 31), dt.date(2026, 6, 30), None]
    members = [build_case(f"c-{n}", date=day) for n, day in enumerate(days)]
    assert list(trend_by_quarter(members).items()) == [("2025Q4", 1), ("2026Q2", 2)]
    assert [quarter_of(dt.date(2026, month, 1)) for month in (1, 3, 4, 9, 10)] == [
        "2026Q1",
        "2026Q1",
        "2026Q2",
        "2026Q3",
        "2026Q4",
    ]
