"""Tests of theme counts: each case counts once, and quarters are in order."""

import datetime as dt

import pytest
from tests.fixtures.builders import build_case

from patternmind.domain.cases import CaseKind
from patternmind.domain.theme_counts import count_cases, quarter_of, trend_by_quarter


def test_theme_counts_are_by_case_team_and_contributor() -> None:
    members = [
        build_case("c-1", team="North", contributor="ada"),
        build_case("c-2", team="North", contributor="bo"),
        build_case("c-3", team="South", contributor="bo"),
    ]
    counts = count_cases(members)
    assert (counts.cases, counts.n_teams, counts.n_contributors) == (tuple(members), 2, 2)


def test_unknown_contributors_count_as_one() -> None:
    members = [build_case(f"c-{n}", team=None, contributor=None) for n in range(4)]
    assert (count_cases(members).n_teams, count_cases(members).n_contributors) == (1, 1)


def test_near_duplicate_counts_only_without_its_original() -> None:
    members = [build_case("c-1"), build_case("c-2", duplicate_of="c-1")]
    assert [case.id for case in count_cases(members).cases] == ["c-1"]
    assert [case.id for case in count_cases([build_case("c-2", duplicate_of="c-9")]).cases] == ["c-2"]


@pytest.mark.parametrize("linked", ["c-1", "C-1"])
def test_recap_of_a_member_is_not_a_second_case(linked: str) -> None:
    recap = build_case("r-1", kind=CaseKind.RECAP, linked_cases=(linked,))
    assert [case.id for case in count_cases([build_case("c-1"), recap]).cases] == ["c-1"]
    assert [case.id for case in count_cases([recap]).cases] == ["r-1"]


def test_theme_counts_of_no_case_are_zero() -> None:
    counts = count_cases([])
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
