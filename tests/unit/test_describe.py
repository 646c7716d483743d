"""Theme cards: each story counted once, quarters in order, quiet themes, and areas that keep their ids."""

import datetime as dt

import pytest
from tests.builders import a_case, a_theme

from patternmind.describe import area_ids, count_cases, lineage_now, quarter_of, quiet_for, trend_by_quarter
from patternmind.model.cases import Kind
from patternmind.model.themes import Lineage, ThemeChange


def test_members_count_once_by_case_team_and_contributor() -> None:
    members = [
        a_case("c-1", team="North", contributor="ada"),
        a_case("c-2", team="North", contributor="bo"),
        a_case("c-3", team="South", contributor="bo"),
    ]
    counts = count_cases(members)
    assert (counts.cases, counts.n_teams, counts.n_contributors) == (tuple(members), 2, 2)


def test_all_who_name_nobody_count_as_one() -> None:
    members = [a_case(f"c-{n}", team=None, contributor=None) for n in range(4)]
    assert (count_cases(members).n_teams, count_cases(members).n_contributors) == (1, 1)


def test_a_near_duplicate_of_a_member_is_not_counted_and_one_of_a_stranger_is() -> None:
    inside = [a_case("c-1"), a_case("c-2", duplicate_of="c-1")]
    assert [case.id for case in count_cases(inside).cases] == ["c-1"]
    assert [case.id for case in count_cases([a_case("c-2", duplicate_of="c-9")]).cases] == ["c-2"]


@pytest.mark.parametrize("linked", ["c-1", "C-1"])
def test_a_recap_of_a_members_session_is_evidence_and_no_second_case(linked: str) -> None:
    recap = a_case("r-1", kind=Kind.RECAP, linked_cases=(linked,))
    assert [case.id for case in count_cases([a_case("c-1"), recap]).cases] == ["c-1"]
    assert [case.id for case in count_cases([recap]).cases] == ["r-1"]


def test_nobody_counts_as_nobody() -> None:
    counts = count_cases([])
    assert (counts.cases, counts.n_teams, counts.n_contributors) == ((), 0, 0)


def test_the_trend_is_by_quarter_in_order_of_time_without_the_undated() -> None:
    days = [dt.date(2026, 4, 1), dt.date(2025, 12, 31), dt.date(2026, 6, 30), None]
    members = [a_case(f"c-{n}", date=day) for n, day in enumerate(days)]
    assert list(trend_by_quarter(members).items()) == [("2025Q4", 1), ("2026Q2", 2)]
    assert [quarter_of(dt.date(2026, month, 1)) for month in (1, 3, 4, 9, 10)] == [
        "2026Q1",
        "2026Q1",
        "2026Q2",
        "2026Q3",
        "2026Q4",
    ]


@pytest.mark.parametrize(
    ("before", "n_new", "labelled", "quiet"), [(None, 0, True, 0), (1, 2, True, 0), (1, 0, True, 2), (1, 0, False, 1)]
)
def test_only_labelled_runs_without_a_new_case_make_a_theme_quiet(
    before: int | None, n_new: int, labelled: bool, quiet: int
) -> None:
    former = None if before is None else a_theme(quiet_runs=before)
    assert quiet_for(former, n_new=n_new, labelled=labelled) == quiet


def test_only_a_theme_that_merely_continued_falls_dormant() -> None:
    assert lineage_now(ThemeChange(theme_id="t", lineage=Lineage.CONTINUED), 2, 2) is Lineage.DORMANT
    assert lineage_now(ThemeChange(theme_id="t", lineage=Lineage.CONTINUED), 1, 2) is Lineage.CONTINUED
    assert lineage_now(ThemeChange(theme_id="t", lineage=Lineage.MERGED), 5, 2) is Lineage.MERGED


def test_an_area_keeps_the_id_that_most_of_its_themes_had() -> None:
    former = {"t-1": "a-x", "t-2": "a-x", "t-3": "a-y"}
    assert area_ids(["t-1", "t-2", "t-3", "t-4"], [0, 0, 1, 2], former) == {0: "a-x", 1: "a-y", 2: "a-4"}


def test_of_two_areas_that_claim_an_id_the_one_with_more_themes_keeps_it() -> None:
    former = dict.fromkeys(["t-1", "t-2", "t-3"], "a-x")
    assert area_ids(["t-1", "t-2", "t-3"], [0, 1, 1], former) == {1: "a-x", 0: "a-1"}


def test_areas_that_come_apart_again_and_again_have_an_id_each() -> None:
    former = {"t-1": "a-1x", "t-7": "a-1x", "t-8": "a-1x", "t-2": "a-1"}
    ids = area_ids(["t-7", "t-8", "t-1", "t-2"], [0, 0, 1, 2], former)
    assert (ids[0], ids[2]) == ("a-1x", "a-1")
    assert len(set(ids.values())) == 3
