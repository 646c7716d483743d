"""Tests of theme lineage: matching of clusters to former themes, changes, and unique ids."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fixtures.builders import NOON, build_theme

from patternmind.domain.themes import Flow, Lineage, Theme, ThemeChange, Vectors
from patternmind.lineage import (
    ClusterGroup,
    PreviousRun,
    describe_changes,
    explain_change,
    extend_periods,
    keep_unseen_members,
    last_closed_run,
    mark_dormant,
    match_areas,
    match_themes,
)
from patternmind.lineage.dormancy import members_of
from patternmind.ports import RunParameters, RunRecord

D = 16


def cases(first: int, last: int) -> frozenset[str]:
    return frozenset(f"c-{number:02d}" for number in range(first, last + 1))


def unit_vector(direction: int) -> Vectors:
    return np.eye(D, dtype=np.float32)[direction]


def group(members: Iterable[str], direction: int = 0, n_new: int = 0) -> ClusterGroup:
    return ClusterGroup(frozenset(members), unit_vector(direction), n_new)


def theme(id: str, members: Iterable[str], direction: int = 0, **fields: object) -> Theme:
    centre = tuple(float(x) for x in unit_vector(direction))
    return build_theme(id, case_ids=tuple(sorted(members)), centre=centre, lineage=Lineage.CONTINUED, **fields)


def previous_run(former: Sequence[Theme], seen_case_ids: Iterable[str] | None = None, **more: Any) -> PreviousRun:
    """Return a previous run; by default this run has every case of the former themes."""
    seen = {case_id for theme in former for case_id in members_of(theme)} if seen_case_ids is None else seen_case_ids
    return PreviousRun(
        themes=former, seen_case_ids=frozenset(seen), used_theme_ids={theme.id for theme in former}, **more
    )


def matched_ids(
    groups: Sequence[ClusterGroup], former: Sequence[Theme], seen_case_ids: Iterable[str] | None = None
) -> tuple[str, ...]:
    return match_themes(groups, previous_run(former, seen_case_ids), lens="all")


def changes_of(
    groups: Sequence[ClusterGroup], former: Sequence[Theme], seen_case_ids: Iterable[str] | None = None, label: str = ""
) -> list[ThemeChange]:
    return describe_changes(
        groups, matched_ids(groups, former, seen_case_ids), previous_run(former, seen_case_ids), label=label
    )


OLD = [theme("t-a", cases(1, 10), 0), theme("t-b", cases(11, 18), 1), theme("t-c", cases(19, 24), 2)]
SAME = [group(cases(1, 10), 0), group(cases(11, 18), 1), group(cases(19, 24), 2)]


def test_identical_clusters_keep_their_themes() -> None:
    assert matched_ids(SAME, OLD) == ("t-a", "t-b", "t-c")
    assert changes_of(SAME, OLD)[0] == ThemeChange(
        theme_id="t-a",
        lineage=Lineage.CONTINUED,
        former_lineage=Lineage.CONTINUED,
        n_before=10,
        n_known=10,
        n_after=10,
        n_shared=10,
        overlap=1.0,
        similarity=1.0,
        went=(Flow(theme_id="t-a", n_cases=10, share=1.0),),
        came=(Flow(theme_id="t-a", n_cases=10, share=1.0),),
    )


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_theme_matching_is_independent_of_input_order(seed: int) -> None:
    draw = random.Random(seed)
    groups, former = draw.sample(SAME, 3), draw.sample(OLD, 3)
    theme_ids = dict(zip((cluster.case_ids for cluster in groups), matched_ids(groups, former), strict=True))
    assert theme_ids == {cluster.case_ids: id for cluster, id in zip(SAME, ("t-a", "t-b", "t-c"), strict=True)}


def test_themes_are_new_without_former_themes() -> None:
    assert [change.lineage for change in changes_of(SAME, [])] == [Lineage.NEW] * 3
    assert matched_ids([], []) == ()


def test_theme_grows_with_new_cases_and_keeps_its_id() -> None:
    grown = [group(cases(1, 10) | cases(30, 60), 0), *SAME[1:]]
    change = changes_of(grown, OLD)[0]
    assert (change.theme_id, change.lineage) == ("t-a", Lineage.GREW)
    assert (change.n_before, change.n_after, change.n_shared) == (10, 41, 10)


@pytest.mark.parametrize(("last", "lineage"), [(8, Lineage.SHRANK), (9, Lineage.CONTINUED)])
def test_theme_shrinks_when_it_loses_a_fifth_of_its_cases(last: int, lineage: Lineage) -> None:
    assert changes_of([group(cases(1, last))], OLD[:1])[0].lineage is lineage


def test_small_theme_with_one_more_case_is_continued() -> None:
    small = theme("t-s", cases(1, 3))
    assert changes_of([group(cases(1, 4))], [small])[0].lineage is Lineage.CONTINUED


def test_split_keeps_the_id_for_the_larger_part_and_names_both_sides() -> None:
    halves = [group(cases(1, 6), 0), group(cases(7, 10), 3)]
    larger, smaller = changes_of(halves, OLD[:1])
    assert (larger.theme_id, larger.lineage, larger.others, larger.n_shared) == (
        "t-a",
        Lineage.SPLIT,
        (smaller.theme_id,),
        6,
    )
    assert larger.went == (
        Flow(theme_id="t-a", n_cases=6, share=0.6),
        Flow(theme_id=smaller.theme_id, n_cases=4, share=0.4),
    )
    assert smaller.theme_id not in {"t-a", "t-b", "t-c"}
    assert (smaller.lineage, smaller.others, smaller.n_after) == (Lineage.SPLIT, ("t-a",), 4)


def test_theme_with_a_small_lost_piece_continues_and_the_piece_names_its_parent() -> None:
    former = [theme("t-a", cases(1, 30))]
    larger, piece = changes_of([group(cases(1, 27)), group(cases(28, 30), 3)], former)
    assert (larger.lineage, piece.lineage, piece.others) == (Lineage.CONTINUED, Lineage.SPLIT, ("t-a",))


def test_shattered_theme_keeps_its_id_for_the_largest_piece() -> None:
    """No piece reaches the Jaccard threshold: 6, 5, 5 and 4 of 20."""
    pieces = [group(cases(1, 5)), group(cases(6, 11), 1), group(cases(12, 16), 2), group(cases(17, 20), 3)]
    changes = changes_of(pieces, [theme("t-a", cases(1, 20))])
    assert [change.lineage for change in changes] == [Lineage.SPLIT] * 4
    assert changes[1].theme_id == "t-a"
    assert set(changes[1].others) == {changes[0].theme_id, changes[2].theme_id, changes[3].theme_id}
    assert [change.others for change in changes if change.n_before == 0] == [("t-a",)] * 3


def test_merged_themes_keep_the_id_of_the_largest() -> None:
    """No part reaches the Jaccard threshold: 6, 5, 5 and 5 of 21."""
    parts = [theme("t-1", cases(1, 5)), theme("t-2", cases(6, 11), 1)]
    parts += [theme("t-3", cases(12, 16), 2), theme("t-4", cases(17, 21), 3)]
    merged, *absorbed = changes_of([group(cases(1, 21))], parts)
    assert (merged.theme_id, merged.lineage, merged.others) == ("t-2", Lineage.MERGED, ("t-1", "t-3", "t-4"))
    assert [(change.lineage, change.others) for change in absorbed] == [(Lineage.MERGED, ("t-2",))] * 3
    assert [(flow.theme_id, flow.share) for flow in merged.came[:2]] == [("t-2", 0.2857), ("t-1", 0.2381)]


def test_theme_divided_among_others_is_split() -> None:
    others = [theme("t-b", cases(11, 20), 1), theme("t-c", cases(21, 30), 2)]
    groups = [group(cases(11, 20) | cases(1, 4), 1), group(cases(21, 30) | cases(5, 8), 2)]
    divided = changes_of(groups, [OLD[0], *others])[-1]
    assert (divided.theme_id, divided.lineage, divided.others) == ("t-a", Lineage.SPLIT, ("t-b", "t-c"))


def test_mutual_majority_matches_before_a_larger_overlap() -> None:
    """The small theme is whole in the group and has the higher Jaccard index.

    It is 8 of 17, that of the large theme 9 of 24.
    """
    former = [theme("t-a", cases(1, 16), 0), theme("t-b", cases(17, 24), 1)]
    assert matched_ids([group(cases(1, 9) | cases(17, 24))], former) == ("t-a",)


def test_absorbed_theme_does_not_continue_in_a_splinter() -> None:
    former = [theme("t-a", cases(1, 20), 0), theme("t-b", cases(21, 50), 1)]
    changes = changes_of([group(cases(1, 15) | cases(21, 50), 1), group(cases(16, 18), 2)], former)
    assert [(change.lineage, change.others) for change in changes] == [
        (Lineage.MERGED, ("t-a",)),
        (Lineage.SPLIT, ("t-a",)),
        (Lineage.MERGED, ("t-b",)),
    ]


def test_group_with_a_single_old_case_is_new() -> None:
    assert changes_of([SAME[0], group(cases(40, 48) | cases(11, 11), 9)], OLD[:2])[1].lineage is Lineage.NEW


def test_drifting_theme_keeps_its_id_while_most_cases_stay() -> None:
    former, seen = [theme("t-a", cases(1, 10))], set(cases(1, 10))
    for step in range(1, 9):
        current = cases(1 + 3 * step, 10 + 3 * step)
        assert matched_ids([group(current, step)], former, seen & current) == ("t-a",)
        former, seen = [theme("t-a", current, step)], seen | current


def test_merge_keeps_the_larger_theme_and_reports_the_other() -> None:
    merged, absorbed = changes_of([group(cases(1, 18), 0)], OLD[:2])
    assert (merged.theme_id, merged.lineage, merged.others) == ("t-a", Lineage.MERGED, ("t-b",))
    assert (absorbed.theme_id, absorbed.lineage, absorbed.others, absorbed.n_before) == (
        "t-b",
        Lineage.MERGED,
        ("t-a",),
        8,
    )


def test_theme_is_dormant_when_its_cases_scatter() -> None:
    *_, scattered = changes_of(SAME[:2], OLD)
    assert (scattered.theme_id, scattered.lineage, scattered.others) == ("t-c", Lineage.DORMANT, ())
    assert scattered.went == (Flow(theme_id=None, n_cases=6, share=1.0),)


def test_merged_theme_stays_merged_in_later_runs() -> None:
    former = [theme("t-a", cases(1, 18), 0), mark_dormant(OLD[1], Lineage.MERGED)]
    continued, merged = changes_of([group(cases(1, 18), 0)], former)
    assert (continued.lineage, merged.lineage, merged.others) == (Lineage.CONTINUED, Lineage.MERGED, ())
    assert (continued.is_reportable, merged.is_reportable) == (True, False)


def test_dormant_theme_returns_with_its_id_when_its_topic_recurs() -> None:
    dormant = mark_dormant(OLD[2], Lineage.DORMANT)
    change = changes_of([*SAME[:2], group(cases(40, 44), 2)], [*OLD[:2], dormant], cases(1, 18))[2]
    assert (change.theme_id, change.lineage) == ("t-c", Lineage.RETURNED)


def test_dormant_theme_returns_when_its_old_cases_form_a_group_again() -> None:
    dormant = mark_dormant(OLD[2], Lineage.DORMANT)
    change = changes_of([*SAME[:2], group(cases(19, 22) | cases(40, 44), 9)], [*OLD[:2], dormant])[2]
    assert (change.theme_id, change.lineage, change.n_shared) == ("t-c", Lineage.RETURNED, 4)


def test_quiet_theme_returns_only_with_a_new_case() -> None:
    quiet = replace(OLD[0], lineage=Lineage.DORMANT)
    assert changes_of([group(cases(1, 11), n_new=1)], [quiet], cases(1, 10))[0].lineage is Lineage.RETURNED
    assert changes_of([group(cases(1, 11))], [quiet], cases(1, 11))[0].lineage is Lineage.DORMANT
    assert changes_of([group(cases(1, 10))], [quiet])[0].lineage is Lineage.DORMANT


def test_theme_is_dormant_after_two_quiet_periods_even_if_it_shrank() -> None:
    once = replace(OLD[0], new_by_period=(("Q1", 10), ("Q2", 0)), quiet_runs=1)
    smaller = [group(cases(1, 7))]
    assert changes_of(smaller, [once], label="Q2")[0].lineage is Lineage.SHRANK, "the same period counts once"
    assert changes_of(smaller, [once])[0].lineage is Lineage.SHRANK
    assert changes_of(smaller, [once], label="Q3")[0].lineage is Lineage.DORMANT
    assert changes_of([group(cases(1, 7), n_new=1)], [once], label="Q3")[0].quiet_runs == 0


def test_unseen_theme_is_dormant_only_after_two_periods() -> None:
    former = [theme("t-a", cases(1, 10), new_by_period=(("Q1", 10),))]
    assert [change.lineage for change in changes_of([], former, cases(1, 4), label="Q2")] == [Lineage.CONTINUED]
    quiet = [replace(former[0], new_by_period=(("Q1", 10), ("Q2", 0)))]
    assert [change.lineage for change in changes_of([], quiet, cases(1, 4), label="Q3")] == [Lineage.DORMANT]


def test_theme_keeps_unseen_members_after_a_narrowed_run() -> None:
    narrowed = keep_unseen_members(theme("t-a", cases(8, 10)), OLD[0], cases(8, 30))
    assert members_of(narrowed) == cases(1, 10)
    change = changes_of([group(cases(1, 7), 5), group(cases(8, 10), 6)], [narrowed])[0]
    assert (change.theme_id, change.n_before, change.n_shared) == ("t-a", 10, 7)


def test_merged_theme_returns_when_it_separates_again() -> None:
    former = [theme("t-a", cases(1, 18), 0), mark_dormant(OLD[1], Lineage.MERGED)]
    change = changes_of(SAME[:2], former)[1]
    assert (change.theme_id, change.lineage) == ("t-b", Lineage.RETURNED)


@pytest.mark.parametrize("still_there", [True, False])
def test_retired_theme_stays_retired(still_there: bool) -> None:
    retired = replace(OLD[0], lineage=Lineage.RETIRED)
    assert changes_of(SAME[:1] if still_there else [], [retired])[0].lineage is Lineage.RETIRED


def test_run_of_other_cases_matches_by_centroid() -> None:
    narrowed = [group(cases(50, 55), 1), group(cases(56, 60), 5)]
    changes = changes_of(narrowed, OLD, ())
    assert changes[0].theme_id == "t-b"
    assert (changes[0].n_known, changes[0].similarity) == (0, 1.0)
    assert changes[1].lineage is Lineage.NEW


def test_centroid_match_continues_a_theme_only_once() -> None:
    twins = [group(cases(50, 55), 1), group(cases(56, 60), 1)]
    assert matched_ids(twins, OLD, ())[0] == "t-b"
    assert matched_ids(twins[::-1], OLD, ())[1] == "t-b"


def test_centroid_match_is_refused_when_exemplars_are_in_another_group() -> None:
    merged = replace(mark_dormant(OLD[1], Lineage.MERGED), former_exemplars=("c-11", "c-12", "c-13"))
    former = [theme("t-a", cases(1, 18), 0), merged]
    assert matched_ids([group(cases(1, 18), 0), group(cases(50, 55), 1)], former)[1] not in {"t-a", "t-b"}


def test_exemplars_compensate_for_a_less_similar_centroid() -> None:
    """New cases moved the centroid, and too few old cases are shared."""
    former = [replace(theme("t-a", cases(1, 12)), exemplars=("c-01", "c-02", "c-03"))]
    members = cases(1, 2) | cases(50, 59)
    direction = 0.75 * unit_vector(0) + 0.66 * unit_vector(1)
    centroid = (direction / np.linalg.norm(direction)).astype(np.float32)
    assert matched_ids([ClusterGroup(members, centroid)], former) == ("t-a",)
    assert matched_ids([ClusterGroup(members, centroid)], [replace(former[0], exemplars=("c-10", "c-11"))]) != ("t-a",)


def test_centroids_of_another_encoder_are_not_compared() -> None:
    """The centroid has another number of dimensions, or the same number with another meaning."""
    for centroid in ((1.0, 0.0), tuple(float(x) for x in unit_vector(3))):
        former = [replace(theme("t-a", cases(1, 10)), centre=centroid, encoder="old")]
        groups = [group(cases(1, 8), 5), group(cases(50, 55), 3)]
        changes = describe_changes(
            groups,
            match_themes(groups, previous_run(former, encoder="new"), lens="all"),
            previous_run(former, encoder="new"),
        )
        assert (changes[0].theme_id, changes[0].similarity, changes[1].lineage) == ("t-a", 0.0, Lineage.NEW)


def test_centroid_is_computed_from_present_cases_after_an_encoder_change() -> None:
    former = [replace(mark_dormant(OLD[0], Lineage.DORMANT), encoder="old")]
    previous = previous_run(former, encoder="new", vectors={case_id: unit_vector(5) for case_id in cases(1, 10)})
    assert match_themes([group(cases(50, 55), 5)], previous, lens="all") == ("t-a",)
    assert match_themes([group(cases(50, 55), 0)], previous, lens="all") != ("t-a",)


def test_narrowed_run_keeps_the_themes_of_its_cases() -> None:
    """The narrowed run has only two of the ten cases; only cases that both runs saw count."""
    narrowed = [group(cases(1, 2) | cases(50, 52), 7)]
    assert matched_ids(narrowed, OLD[:1], cases(1, 2)) == ("t-a",)


def test_strong_match_is_kept_over_two_weak_ones() -> None:
    """The largest sum of overlaps could match all groups badly; only valid pairs count."""
    former = [theme("t-1", cases(1, 10), 3), theme("t-2", cases(11, 20), 4)]
    groups = [group(cases(1, 6) | cases(11, 14), 0), group(cases(7, 10) | cases(21, 24), 1)]
    assert matched_ids(groups, former, cases(1, 24))[0] == "t-1"


# areas


def test_area_keeps_its_id_by_its_cases() -> None:
    former = [
        replace(former_theme, area_id=area) for former_theme, area in zip(OLD, ("a-x", "a-x", "a-y"), strict=True)
    ]
    new = group(cases(40, 44), 4)
    assert match_areas(SAME, [0, 0, 1], previous_run(former), lens="all") == {0: "a-x", 1: "a-y"}
    area_ids = match_areas([*SAME, new], [1, 1, 0, 2], previous_run(former), lens="all")
    assert (area_ids[1], area_ids[0]) == ("a-x", "a-y")
    assert area_ids[2] not in {"a-x", "a-y"}


def test_split_area_keeps_its_id_for_the_larger_part() -> None:
    former = [replace(former_theme, area_id="a-x") for former_theme in OLD]
    area_ids = match_areas(SAME, [0, 1, 1], previous_run(former), lens="all")
    assert area_ids[1] == "a-x"
    assert area_ids[0] != "a-x"


# periods


def build_run(number: int, label: str = "", lens: str = "all", state: str = "finished") -> RunRecord:
    parameters = RunParameters(label=label, lens=lens)
    return RunRecord(id=f"run-{number}", number=number, parameters=parameters, state=state, started_at=NOON)


@pytest.mark.parametrize(
    ("runs", "label", "closed"),
    [
        ([], "Q1", None),
        ([build_run(1), build_run(2)], "", 2),
        ([build_run(1), build_run(2)], "Q1", None),
        ([build_run(1, "Q1"), build_run(2)], "Q2", 1),
        ([build_run(1, "Q1"), build_run(2)], "", 1),
        ([build_run(1, "Q1"), build_run(2, "Q2"), build_run(3, "Q2")], "Q2", 1),
        ([build_run(1, "Q1"), build_run(2, "Q2"), build_run(3, "Q2")], "", 3),
        ([build_run(1, "Q1"), build_run(2, "Q2", state="failed")], "Q3", 1),
        ([build_run(1, "Q1", "problem"), build_run(2, "Q2", "problem")], "Q2", 1),
        ([build_run(1, "Q1"), build_run(2, "Q2", "problem")], "Q3", 1),
    ],
)
def test_last_closed_run_is_the_last_run_with_another_label(
    runs: list[RunRecord], label: str, closed: int | None
) -> None:
    run = last_closed_run(runs, lens="all", label=label)
    assert (run.number if run else None) == closed


def test_period_counts_once_for_repeated_runs() -> None:
    former = None
    for label, n_new, periods in (
        ("Q1", 5, (("Q1", 5),)),
        ("", 2, (("Q1", 5),)),
        ("Q2", 0, (("Q1", 5), ("Q2", 0))),
        ("Q2", 3, (("Q1", 5), ("Q2", 3))),
        ("Q3", 0, (("Q1", 5), ("Q2", 3), ("Q3", 0))),
    ):
        assert extend_periods(former, label=label, n_new=n_new) == periods
        former = theme("t-a", cases(1, 3), new_by_period=periods)


def test_theme_of_the_first_release_keeps_its_quiet_periods() -> None:
    old = theme("t-a", cases(1, 3), quiet_runs=1)
    assert changes_of([group(cases(1, 3))], [old], label="Q3")[0].lineage is Lineage.DORMANT


# explanations


@pytest.mark.parametrize(
    ("groups", "former", "sentences"),
    [
        (
            [group(cases(1, 9) | cases(50, 60))],
            OLD[:1],
            ["Grew from 10 to 20 cases. 9 of its 10 earlier cases are still in it."],
        ),
        (
            [group(cases(1, 6)), group(cases(7, 10), 3)],
            OLD[:1],
            [
                (
                    "Split: from 10 to 6 cases, the rest mostly in “Lanes”. 6 of its 10 earlier cases are still in it. "
                    "Cases that left are now: 4 in “Lanes”."
                ),
                "Split off from “Pallets”, 4 cases.",
            ],
        ),
        (
            [group(cases(1, 18))],
            OLD[:2],
            [
                "Absorbed “Pumps”; grew from 10 to 18 cases. 10 of its 10 earlier cases are still in it.",
                "Merged into “Pallets”. Its cases are now: 8 in “Pallets”.",
            ],
        ),
        ([], OLD[:1], ["Dormant: no group of this run continues it. Its cases are now: 10 in no theme."]),
        ([group(cases(1, 1) | cases(60, 62))], [], ["New with 4 cases."]),
    ],
)
def test_explanation_of_a_change_is_plain_text(
    groups: list[ClusterGroup], former: list[Theme], sentences: list[str]
) -> None:
    changes = changes_of(groups, former)
    names = {"t-a": "Pallets", "t-b": "Pumps", **{change.theme_id: "Lanes" for change in changes[1:2] if groups[1:]}}
    assert [explain_change(change, names) for change in changes] == sentences


@pytest.mark.parametrize("lineage", Lineage)
@pytest.mark.parametrize(("n_before", "n_after"), [(0, 4), (4, 0), (4, 4)])
def test_explanation_exists_without_names_or_evidence(lineage: Lineage, n_before: int, n_after: int) -> None:
    change = ThemeChange(theme_id="t-1", lineage=lineage, others=("t-2",), n_before=n_before, n_after=n_after)
    assert explain_change(change, {}).endswith(".")


# ids


def test_theme_id_depends_only_on_lens_and_members() -> None:
    empty = PreviousRun(themes=(), seen_case_ids=frozenset())
    first = match_themes(SAME, empty, lens="all")
    repeated = match_themes(list(reversed(SAME)), PreviousRun(themes=(), seen_case_ids=cases(1, 99)), lens="all")
    other_lens = match_themes(SAME, empty, lens="helped")
    assert first == tuple(reversed(repeated))
    assert not set(first) & set(other_lens)


def test_theme_id_is_never_reused() -> None:
    first = matched_ids(SAME, [])
    repeated = match_themes(
        SAME, PreviousRun(themes=(), seen_case_ids=frozenset(), used_theme_ids=set(first)), lens="all"
    )
    assert len({*first, *repeated}) == 6


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1_000_000))
def test_theme_ids_are_unique_over_any_history(seed: int) -> None:
    """Random partitions of a growing set of cases never give an id to two themes."""
    draw = random.Random(seed)
    former: list[Theme] = []
    used_ids: set[str] = set()
    seen: set[str] = set()
    for _ in range(6):
        case_ids = [f"c-{number:02d}" for number in range(len(seen) + draw.randint(0, 8))]
        groups = _random_groups(draw, case_ids)
        previous = PreviousRun(themes=former, seen_case_ids=frozenset(seen), used_theme_ids=used_ids)
        ids = match_themes(groups, previous, lens="all")
        changes = describe_changes(groups, ids, previous)
        assert len(set(ids)) == len(groups)
        new_ids = set(ids) - {old.id for old in former}
        assert not new_ids & used_ids
        assert {old.id for old in former} == {change.theme_id for change in changes} - new_ids
        assert len(changes) == len({change.theme_id for change in changes})
        assert all(explain_change(change, {}) for change in changes)
        used_ids |= new_ids
        seen = set(case_ids)
        words = {change.theme_id: change.lineage for change in changes}
        alive = [
            replace(theme(id, cluster.case_ids, int(cluster.centroid.argmax())), lineage=words[id])
            for id, cluster in zip(ids, groups, strict=True)
        ]
        former = alive + [mark_dormant(old, words[old.id]) for old in former if old.id not in set(ids)]


def _random_groups(draw: random.Random, case_ids: list[str]) -> list[ClusterGroup]:
    """Return random groups of at least three cases, each with a direction; some cases are in no group."""
    draw.shuffle(case_ids)
    groups: list[ClusterGroup] = []
    while len(case_ids) >= 3 and draw.random() < 0.9:
        size = draw.randint(3, max(3, len(case_ids) // 2))
        groups.append(group(case_ids[:size], draw.randrange(D)))
        case_ids = case_ids[size:]
    return groups
