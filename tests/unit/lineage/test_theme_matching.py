"""Clusters of one run to themes that last: who continues whom, what became of the rest, ids that never come back."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fixtures.builders import NOON, build_theme

from patternmind.domain.themes import (
    Flow,
    Lineage,
    Theme,
    ThemeChange,
    Vectors,
)
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


def towards(direction: int) -> Vectors:
    return np.eye(D, dtype=np.float32)[direction]


def group(members: Iterable[str], direction: int = 0, n_new: int = 0) -> ClusterGroup:
    return ClusterGroup(frozenset(members), towards(direction), n_new)


def theme(id: str, members: Iterable[str], direction: int = 0, **known: object) -> Theme:
    centre = tuple(float(x) for x in towards(direction))
    return build_theme(id, case_ids=tuple(sorted(members)), centre=centre, lineage=Lineage.CONTINUED, **known)


def past(former: Sequence[Theme], known: Iterable[str] | None = None, **more: Any) -> PreviousRun:
    """Every case of the former themes is among this run's, unless ``known`` says otherwise."""
    seen = {case_id for one in former for case_id in members_of(one)} if known is None else known
    return PreviousRun(themes=former, seen_case_ids=frozenset(seen), used_theme_ids={one.id for one in former}, **more)


def carry(
    groups: Sequence[ClusterGroup], former: Sequence[Theme], known: Iterable[str] | None = None
) -> tuple[str, ...]:
    return match_themes(groups, past(former, known), lens="all")


def changes(
    groups: Sequence[ClusterGroup], former: Sequence[Theme], known: Iterable[str] | None = None, label: str = ""
) -> list[ThemeChange]:
    return describe_changes(groups, carry(groups, former, known), past(former, known), label=label)


OLD = [theme("t-a", cases(1, 10), 0), theme("t-b", cases(11, 18), 1), theme("t-c", cases(19, 24), 2)]
SAME = [group(cases(1, 10), 0), group(cases(11, 18), 1), group(cases(19, 24), 2)]


def test_the_same_clusters_keep_their_themes() -> None:
    assert carry(SAME, OLD) == ("t-a", "t-b", "t-c")
    assert changes(SAME, OLD)[0] == ThemeChange(
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
def test_another_order_of_clusters_and_themes_gives_every_cluster_the_same_theme(seed: int) -> None:
    draw = random.Random(seed)
    groups, former = draw.sample(SAME, 3), draw.sample(OLD, 3)
    placed = dict(zip((one.case_ids for one in groups), carry(groups, former), strict=True))
    assert placed == {one.case_ids: id for one, id in zip(SAME, ("t-a", "t-b", "t-c"), strict=True)}


def test_without_former_themes_every_theme_is_new() -> None:
    assert [change.lineage for change in changes(SAME, [])] == [Lineage.NEW] * 3
    assert carry([], []) == ()


def test_new_cases_make_a_theme_grow_and_do_not_count_against_it() -> None:
    grown = [group(cases(1, 10) | cases(30, 60), 0), *SAME[1:]]
    change = changes(grown, OLD)[0]
    assert (change.theme_id, change.lineage) == ("t-a", Lineage.GREW)
    assert (change.n_before, change.n_after, change.n_shared) == (10, 41, 10)


@pytest.mark.parametrize(("last", "lineage"), [(8, Lineage.SHRANK), (9, Lineage.CONTINUED)])
def test_a_theme_that_lost_a_fifth_of_its_cases_shrank(last: int, lineage: Lineage) -> None:
    assert changes([group(cases(1, last))], OLD[:1])[0].lineage is lineage


def test_one_more_case_in_a_small_theme_is_no_growth() -> None:
    small = theme("t-s", cases(1, 3))
    assert changes([group(cases(1, 4))], [small])[0].lineage is Lineage.CONTINUED


def test_a_split_keeps_the_theme_on_the_larger_part_and_names_both_sides() -> None:
    halves = [group(cases(1, 6), 0), group(cases(7, 10), 3)]
    kept, off = changes(halves, OLD[:1])
    assert (kept.theme_id, kept.lineage, kept.others, kept.n_shared) == ("t-a", Lineage.SPLIT, (off.theme_id,), 6)
    assert kept.went == (
        Flow(theme_id="t-a", n_cases=6, share=0.6),
        Flow(theme_id=off.theme_id, n_cases=4, share=0.4),
    )
    assert off.theme_id not in {"t-a", "t-b", "t-c"}
    assert (off.lineage, off.others, off.n_after) == (Lineage.SPLIT, ("t-a",), 4)


def test_a_theme_that_lost_a_small_piece_goes_on_and_the_piece_says_where_it_came_from() -> None:
    old = [theme("t-a", cases(1, 30))]
    kept, off = changes([group(cases(1, 27)), group(cases(28, 30), 3)], old)
    assert (kept.lineage, off.lineage, off.others) == (Lineage.CONTINUED, Lineage.SPLIT, ("t-a",))


def test_of_a_theme_that_shatters_the_largest_piece_keeps_the_id_and_all_say_split() -> None:
    """No piece reaches the Jaccard threshold: 6, 5, 5 and 4 of 20."""
    pieces = [group(cases(1, 5)), group(cases(6, 11), 1), group(cases(12, 16), 2), group(cases(17, 20), 3)]
    told = changes(pieces, [theme("t-a", cases(1, 20))])
    assert [change.lineage for change in told] == [Lineage.SPLIT] * 4
    assert told[1].theme_id == "t-a"
    assert set(told[1].others) == {told[0].theme_id, told[2].theme_id, told[3].theme_id}
    assert [change.others for change in told if change.n_before == 0] == [("t-a",)] * 3


def test_of_many_themes_that_run_together_the_largest_keeps_its_id_and_names_the_rest() -> None:
    """No part reaches the Jaccard threshold: 6, 5, 5 and 5 of 21."""
    parts = [theme("t-1", cases(1, 5)), theme("t-2", cases(6, 11), 1)]
    parts += [theme("t-3", cases(12, 16), 2), theme("t-4", cases(17, 21), 3)]
    whole, *gone = changes([group(cases(1, 21))], parts)
    assert (whole.theme_id, whole.lineage, whole.others) == ("t-2", Lineage.MERGED, ("t-1", "t-3", "t-4"))
    assert [(change.lineage, change.others) for change in gone] == [(Lineage.MERGED, ("t-2",))] * 3
    assert [(flow.theme_id, flow.share) for flow in whole.came[:2]] == [("t-2", 0.2857), ("t-1", 0.2381)]


def test_a_theme_whose_cases_were_shared_out_among_others_was_split_up() -> None:
    others = [theme("t-b", cases(11, 20), 1), theme("t-c", cases(21, 30), 2)]
    groups = [group(cases(11, 20) | cases(1, 4), 1), group(cases(21, 30) | cases(5, 8), 2)]
    gone = changes(groups, [OLD[0], *others])[-1]
    assert (gone.theme_id, gone.lineage, gone.others) == ("t-a", Lineage.SPLIT, ("t-b", "t-c"))


def test_most_of_a_theme_that_is_most_of_a_group_is_the_theme_whatever_overlaps_more() -> None:
    """The small theme lies whole in the group and has the higher Jaccard index, 8 of 17 against 9 of 24."""
    former = [theme("t-a", cases(1, 16), 0), theme("t-b", cases(17, 24), 1)]
    assert carry([group(cases(1, 9) | cases(17, 24))], former) == ("t-a",)


def test_a_theme_that_mostly_left_into_another_does_not_live_on_in_a_splinter() -> None:
    former = [theme("t-a", cases(1, 20), 0), theme("t-b", cases(21, 50), 1)]
    told = changes([group(cases(1, 15) | cases(21, 50), 1), group(cases(16, 18), 2)], former)
    assert [(change.lineage, change.others) for change in told] == [
        (Lineage.MERGED, ("t-a",)),
        (Lineage.SPLIT, ("t-a",)),
        (Lineage.MERGED, ("t-b",)),
    ]


def test_a_new_group_with_one_stray_old_case_is_new() -> None:
    assert changes([SAME[0], group(cases(40, 48) | cases(11, 11), 9)], OLD[:2])[1].lineage is Lineage.NEW


def test_a_theme_that_drifts_keeps_its_id_as_long_as_most_of_its_cases_stay_from_run_to_run() -> None:
    former, seen = [theme("t-a", cases(1, 10))], set(cases(1, 10))
    for step in range(1, 9):
        now = cases(1 + 3 * step, 10 + 3 * step)
        assert carry([group(now, step)], former, seen & now) == ("t-a",)
        former, seen = [theme("t-a", now, step)], seen | now


def test_a_merger_keeps_the_theme_that_gave_more_and_says_what_became_of_the_other() -> None:
    merged, gone = changes([group(cases(1, 18), 0)], OLD[:2])
    assert (merged.theme_id, merged.lineage, merged.others) == ("t-a", Lineage.MERGED, ("t-b",))
    assert (gone.theme_id, gone.lineage, gone.others, gone.n_before) == ("t-b", Lineage.MERGED, ("t-a",), 8)


def test_a_theme_whose_cases_went_nowhere_together_is_dormant() -> None:
    *_, gone = changes(SAME[:2], OLD)
    assert (gone.theme_id, gone.lineage, gone.others) == ("t-c", Lineage.DORMANT, ())
    assert gone.went == (Flow(theme_id=None, n_cases=6, share=1.0),)


def test_what_was_merged_stays_merged_in_later_runs() -> None:
    former = [theme("t-a", cases(1, 18), 0), mark_dormant(OLD[1], Lineage.MERGED)]
    kept, gone = changes([group(cases(1, 18), 0)], former)
    assert (kept.lineage, gone.lineage, gone.others) == (Lineage.CONTINUED, Lineage.MERGED, ())
    assert (kept.is_reportable, gone.is_reportable) == (True, False)


def test_a_dormant_theme_returns_with_its_id_when_its_subject_comes_back() -> None:
    asleep = mark_dormant(OLD[2], Lineage.DORMANT)
    change = changes([*SAME[:2], group(cases(40, 44), 2)], [*OLD[:2], asleep], cases(1, 18))[2]
    assert (change.theme_id, change.lineage) == ("t-c", Lineage.RETURNED)


def test_a_dormant_theme_returns_when_its_old_cases_come_together_again_wherever_they_lie_now() -> None:
    asleep = mark_dormant(OLD[2], Lineage.DORMANT)
    change = changes([*SAME[:2], group(cases(19, 22) | cases(40, 44), 9)], [*OLD[:2], asleep])[2]
    assert (change.theme_id, change.lineage, change.n_shared) == ("t-c", Lineage.RETURNED, 4)


def test_a_quiet_theme_returns_with_a_new_case_and_not_without_one() -> None:
    quiet = replace(OLD[0], lineage=Lineage.DORMANT)
    assert changes([group(cases(1, 11), n_new=1)], [quiet], cases(1, 10))[0].lineage is Lineage.RETURNED
    assert changes([group(cases(1, 11))], [quiet], cases(1, 11))[0].lineage is Lineage.DORMANT
    assert changes([group(cases(1, 10))], [quiet])[0].lineage is Lineage.DORMANT


def test_a_theme_is_dormant_after_two_labelled_periods_without_a_new_case_though_it_shrank_meanwhile() -> None:
    once = replace(OLD[0], new_by_period=(("Q1", 10), ("Q2", 0)), quiet_runs=1)
    smaller = [group(cases(1, 7))]
    assert changes(smaller, [once], label="Q2")[0].lineage is Lineage.SHRANK, "the same period counts once"
    assert changes(smaller, [once])[0].lineage is Lineage.SHRANK
    assert changes(smaller, [once], label="Q3")[0].lineage is Lineage.DORMANT
    assert changes([group(cases(1, 7), n_new=1)], [once], label="Q3")[0].quiet_runs == 0


def test_a_run_that_did_not_look_at_a_theme_does_not_say_it_sleeps_until_two_periods_passed() -> None:
    some = [theme("t-a", cases(1, 10), new_by_period=(("Q1", 10),))]
    assert [change.lineage for change in changes([], some, cases(1, 4), label="Q2")] == [Lineage.CONTINUED]
    quiet = [replace(some[0], new_by_period=(("Q1", 10), ("Q2", 0)))]
    assert [change.lineage for change in changes([], quiet, cases(1, 4), label="Q3")] == [Lineage.DORMANT]


def test_after_a_narrowed_run_a_theme_is_known_by_all_its_cases() -> None:
    narrowed = keep_unseen_members(theme("t-a", cases(8, 10)), OLD[0], cases(8, 30))
    assert members_of(narrowed) == cases(1, 10)
    change = changes([group(cases(1, 7), 5), group(cases(8, 10), 6)], [narrowed])[0]
    assert (change.theme_id, change.n_before, change.n_shared) == ("t-a", 10, 7)


def test_a_merged_theme_that_comes_apart_again_returns() -> None:
    former = [theme("t-a", cases(1, 18), 0), mark_dormant(OLD[1], Lineage.MERGED)]
    change = changes(SAME[:2], former)[1]
    assert (change.theme_id, change.lineage) == ("t-b", Lineage.RETURNED)


@pytest.mark.parametrize("still_there", [True, False])
def test_what_a_person_retired_stays_retired(still_there: bool) -> None:
    retired = replace(OLD[0], lineage=Lineage.RETIRED)
    assert changes(SAME[:1] if still_there else [], [retired])[0].lineage is Lineage.RETIRED


def test_a_run_of_other_cases_matches_by_the_centre() -> None:
    narrowed = [group(cases(50, 55), 1), group(cases(56, 60), 5)]
    told = changes(narrowed, OLD, ())
    assert told[0].theme_id == "t-b"
    assert (told[0].n_known, told[0].similarity) == (0, 1.0)
    assert told[1].lineage is Lineage.NEW


def test_of_two_clusters_with_the_same_centre_one_continues_the_theme() -> None:
    twins = [group(cases(50, 55), 1), group(cases(56, 60), 1)]
    assert carry(twins, OLD, ())[0] == "t-b"
    assert carry(twins[::-1], OLD, ())[1] == "t-b"


def test_a_theme_whose_exemplars_are_in_another_group_does_not_return_by_its_centre() -> None:
    gone = replace(mark_dormant(OLD[1], Lineage.MERGED), former_exemplars=("c-11", "c-12", "c-13"))
    former = [theme("t-a", cases(1, 18), 0), gone]
    assert carry([group(cases(1, 18), 0), group(cases(50, 55), 1)], former)[1] not in {"t-a", "t-b"}


def test_exemplars_in_a_group_make_up_for_a_centre_that_is_only_alike() -> None:
    """Seven new cases took the centre away, and three old ones of twelve are too few to say it by their number."""
    former = [replace(theme("t-a", cases(1, 12)), exemplars=("c-01", "c-02", "c-03"))]
    came = cases(1, 2) | cases(50, 59)
    mixed = 0.75 * towards(0) + 0.66 * towards(1)
    towards_both = (mixed / np.linalg.norm(mixed)).astype(np.float32)
    assert carry([ClusterGroup(came, towards_both)], former) == ("t-a",)
    assert carry([ClusterGroup(came, towards_both)], [replace(former[0], exemplars=("c-10", "c-11"))]) != ("t-a",)


def test_centres_of_another_encoder_are_not_compared_and_cases_are() -> None:
    """Another number of dimensions, or the same number and another meaning."""
    for centre in ((1.0, 0.0), tuple(float(x) for x in towards(3))):
        old = [replace(theme("t-a", cases(1, 10)), centre=centre, encoder="old")]
        now = [group(cases(1, 8), 5), group(cases(50, 55), 3)]
        told = describe_changes(now, match_themes(now, past(old, encoder="new"), lens="all"), past(old, encoder="new"))
        assert (told[0].theme_id, told[0].similarity, told[1].lineage) == ("t-a", 0.0, Lineage.NEW)


def test_after_a_change_of_encoder_the_centre_is_made_anew_from_the_cases_that_are_there() -> None:
    old = [replace(mark_dormant(OLD[0], Lineage.DORMANT), encoder="old")]
    before = past(old, encoder="new", vectors={case_id: towards(5) for case_id in cases(1, 10)})
    assert match_themes([group(cases(50, 55), 5)], before, lens="all") == ("t-a",)
    assert match_themes([group(cases(50, 55), 0)], before, lens="all") != ("t-a",)


def test_a_run_narrowed_to_some_cases_keeps_the_themes_of_those_it_holds() -> None:
    """Counted over the cases both runs knew: two of ten is all that the narrowed run has of the theme."""
    few = [group(cases(1, 2) | cases(50, 52), 7)]
    assert carry(few, OLD[:1], cases(1, 2)) == ("t-a",)


def test_a_match_is_not_given_up_for_two_that_are_none() -> None:
    """The best sum of overlaps may pair everybody badly; only pairs that hold count towards it."""
    former = [theme("t-1", cases(1, 10), 3), theme("t-2", cases(11, 20), 4)]
    groups = [group(cases(1, 6) | cases(11, 14), 0), group(cases(7, 10) | cases(21, 24), 1)]
    assert carry(groups, former, cases(1, 24))[0] == "t-1"


# areas


def test_an_area_keeps_its_id_by_the_cases_of_its_themes_and_a_new_one_has_its_own() -> None:
    former = [replace(one, area_id=area) for one, area in zip(OLD, ("a-x", "a-x", "a-y"), strict=True)]
    new = group(cases(40, 44), 4)
    assert match_areas(SAME, [0, 0, 1], past(former), lens="all") == {0: "a-x", 1: "a-y"}
    kept = match_areas([*SAME, new], [1, 1, 0, 2], past(former), lens="all")
    assert (kept[1], kept[0]) == ("a-x", "a-y")
    assert kept[2] not in {"a-x", "a-y"}


def test_of_an_area_that_comes_apart_the_part_with_more_cases_keeps_the_id() -> None:
    former = [replace(one, area_id="a-x") for one in OLD]
    parts = match_areas(SAME, [0, 1, 1], past(former), lens="all")
    assert parts[1] == "a-x"
    assert parts[0] != "a-x"


# periods


def a_run(number: int, label: str = "", lens: str = "all", state: str = "finished") -> RunRecord:
    known = RunParameters(label=label, lens=lens)
    return RunRecord(id=f"run-{number}", number=number, parameters=known, state=state, started_at=NOON)


@pytest.mark.parametrize(
    ("runs", "label", "closed"),
    [
        ([], "Q1", None),
        ([a_run(1), a_run(2)], "", 2),
        ([a_run(1), a_run(2)], "Q1", None),
        ([a_run(1, "Q1"), a_run(2)], "Q2", 1),
        ([a_run(1, "Q1"), a_run(2)], "", 1),
        ([a_run(1, "Q1"), a_run(2, "Q2"), a_run(3, "Q2")], "Q2", 1),
        ([a_run(1, "Q1"), a_run(2, "Q2"), a_run(3, "Q2")], "", 3),
        ([a_run(1, "Q1"), a_run(2, "Q2", state="failed")], "Q3", 1),
        ([a_run(1, "Q1", "problem"), a_run(2, "Q2", "problem")], "Q2", 1),
        ([a_run(1, "Q1"), a_run(2, "Q2", "problem")], "Q3", 1),
    ],
)
def test_a_case_is_new_that_no_run_up_to_the_last_label_saw(
    runs: list[RunRecord], label: str, closed: int | None
) -> None:
    found = last_closed_run(runs, lens="all", label=label)
    assert (found.number if found else None) == closed


def test_a_period_is_counted_once_however_often_it_is_run() -> None:
    before = None
    for label, n_new, periods in (
        ("Q1", 5, (("Q1", 5),)),
        ("", 2, (("Q1", 5),)),
        ("Q2", 0, (("Q1", 5), ("Q2", 0))),
        ("Q2", 3, (("Q1", 5), ("Q2", 3))),
        ("Q3", 0, (("Q1", 5), ("Q2", 3), ("Q3", 0))),
    ):
        assert extend_periods(before, label=label, n_new=n_new) == periods
        before = theme("t-a", cases(1, 3), new_by_period=periods)


def test_a_theme_of_the_first_release_keeps_its_quiet_periods() -> None:
    old = theme("t-a", cases(1, 3), quiet_runs=1)
    assert changes([group(cases(1, 3))], [old], label="Q3")[0].lineage is Lineage.DORMANT


# in words


@pytest.mark.parametrize(
    ("groups", "former", "said"),
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
        (
            [],
            OLD[:1],
            [
                "Dormant: no group of this run continues it. Its cases are now: 10 in no theme.",
            ],
        ),
        ([group(cases(1, 1) | cases(60, 62))], [], ["New with 4 cases."]),
    ],
)
def test_a_change_is_told_in_plain_words(groups: list[ClusterGroup], former: list[Theme], said: list[str]) -> None:
    told = changes(groups, former)
    names = {"t-a": "Pallets", "t-b": "Pumps", **{change.theme_id: "Lanes" for change in told[1:2] if groups[1:]}}
    assert [explain_change(change, names) for change in told] == said


@pytest.mark.parametrize("lineage", Lineage)
@pytest.mark.parametrize(("n_before", "n_after"), [(0, 4), (4, 0), (4, 4)])
def test_every_change_has_a_sentence_without_names_or_evidence_too(
    lineage: Lineage, n_before: int, n_after: int
) -> None:
    change = ThemeChange(theme_id="t-1", lineage=lineage, others=("t-2",), n_before=n_before, n_after=n_after)
    assert explain_change(change, {}).endswith(".")


# ids


def test_an_id_depends_on_lens_and_members_alone() -> None:
    nothing = PreviousRun(themes=(), seen_case_ids=frozenset())
    first = match_themes(SAME, nothing, lens="all")
    again = match_themes(list(reversed(SAME)), PreviousRun(themes=(), seen_case_ids=cases(1, 99)), lens="all")
    helped = match_themes(SAME, nothing, lens="helped")
    assert first == tuple(reversed(again))
    assert not set(first) & set(helped)


def test_an_id_once_given_is_not_given_again() -> None:
    first = carry(SAME, [])
    again = match_themes(SAME, PreviousRun(themes=(), seen_case_ids=frozenset(), used_theme_ids=set(first)), lens="all")
    assert len({*first, *again}) == 6


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1_000_000))
def test_over_any_history_every_theme_has_one_id_that_no_other_ever_bears(seed: int) -> None:
    """Random partitions of a growing set of cases: a theme id is only ever borne by the theme that continues it."""
    draw = random.Random(seed)
    former: list[Theme] = []
    given_ids: set[str] = set()
    known: set[str] = set()
    for _ in range(6):
        everything = [f"c-{number:02d}" for number in range(len(known) + draw.randint(0, 8))]
        groups = _random_groups(draw, everything)
        before = PreviousRun(themes=former, seen_case_ids=frozenset(known), used_theme_ids=given_ids)
        ids = match_themes(groups, before, lens="all")
        described = describe_changes(groups, ids, before)
        assert len(set(ids)) == len(groups)
        fresh = set(ids) - {one.id for one in former}
        assert not fresh & given_ids
        assert {one.id for one in former} == {one.theme_id for one in described} - fresh
        assert len(described) == len({one.theme_id for one in described})
        assert all(explain_change(one, {}) for one in described)
        given_ids |= fresh
        known = set(everything)
        words = {one.theme_id: one.lineage for one in described}
        alive = [
            replace(theme(id, one.case_ids, int(one.centroid.argmax())), lineage=words[id])
            for id, one in zip(ids, groups, strict=True)
        ]
        former = alive + [mark_dormant(one, words[one.id]) for one in former if one.id not in set(ids)]


def _random_groups(draw: random.Random, everything: list[str]) -> list[ClusterGroup]:
    """Three cases or more a group, some cases in none, and a direction each."""
    draw.shuffle(everything)
    groups: list[ClusterGroup] = []
    while len(everything) >= 3 and draw.random() < 0.9:
        size = draw.randint(3, max(3, len(everything) // 2))
        groups.append(group(everything[:size], draw.randrange(D)))
        everything = everything[size:]
    return groups
