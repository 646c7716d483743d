"""Clusters of one run to themes that last: who continues whom, what became of the rest, ids that never come back."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import a_theme

from patternmind.carry import Carried, Group, carry_themes, describe_changes
from patternmind.model.themes import Lineage, Theme, ThemeChange, Vectors

D = 16


def cases(first: int, last: int) -> frozenset[str]:
    return frozenset(f"c-{number:02d}" for number in range(first, last + 1))


def towards(direction: int) -> Vectors:
    return np.eye(D, dtype=np.float32)[direction]


def group(members: Iterable[str], direction: int = 0) -> Group:
    return Group(frozenset(members), towards(direction))


def theme(id: str, members: Iterable[str], direction: int = 0, **known: object) -> Theme:
    centre = tuple(float(x) for x in towards(direction))
    return a_theme(id, case_ids=tuple(sorted(members)), centre=centre, lineage=Lineage.CONTINUED, **known)


def carry(groups: Sequence[Group], former: Sequence[Theme], known: Iterable[str] | None = None) -> Carried:
    seen = {case_id for one in former for case_id in one.case_ids} if known is None else known
    return carry_themes(groups, former, lens="all", taken={one.id for one in former}, known_cases=set(seen))


def changes(groups: Sequence[Group], former: Sequence[Theme], known: Iterable[str] | None = None) -> list[ThemeChange]:
    return describe_changes(groups, carry(groups, former, known), former)


OLD = [theme("t-a", cases(1, 10), 0), theme("t-b", cases(11, 18), 1), theme("t-c", cases(19, 24), 2)]
SAME = [group(cases(1, 10), 0), group(cases(11, 18), 1), group(cases(19, 24), 2)]


def test_the_same_clusters_keep_their_themes() -> None:
    carried = carry(SAME, OLD)
    assert carried == Carried(theme_ids=("t-a", "t-b", "t-c"), continues=tuple(OLD), vanished=())
    assert changes(SAME, OLD)[0] == ThemeChange(
        theme_id="t-a", lineage=Lineage.CONTINUED, n_before=10, n_after=10, n_shared=10, overlap=1.0, similarity=1.0
    )


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_another_order_of_clusters_and_themes_gives_every_cluster_the_same_theme(seed: int) -> None:
    draw = random.Random(seed)
    groups, former = draw.sample(SAME, 3), draw.sample(OLD, 3)
    placed = dict(zip((one.case_ids for one in groups), carry(groups, former).theme_ids, strict=True))
    assert placed == {one.case_ids: id for one, id in zip(SAME, ("t-a", "t-b", "t-c"), strict=True)}


def test_without_former_themes_every_theme_is_new() -> None:
    assert [change.lineage for change in changes(SAME, [])] == [Lineage.NEW] * 3
    assert carry([], []) == Carried(theme_ids=(), continues=(), vanished=())


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


def test_a_split_keeps_the_theme_on_the_larger_part_and_names_where_the_other_came_from() -> None:
    halves = [group(cases(1, 6), 0), group(cases(7, 10), 3)]
    kept, off = changes(halves, OLD[:1])
    assert (kept.theme_id, kept.lineage, kept.n_shared) == ("t-a", Lineage.SHRANK, 6)
    assert off.theme_id not in {"t-a", "t-b", "t-c"}
    assert (off.lineage, off.others, off.n_after) == (Lineage.SPLIT, ("t-a",), 4)


def test_a_merger_keeps_the_theme_that_gave_more_and_says_what_became_of_the_other() -> None:
    merged, gone = changes([group(cases(1, 18), 0)], OLD[:2])
    assert (merged.theme_id, merged.lineage, merged.others) == ("t-a", Lineage.MERGED, ("t-b",))
    assert gone == ThemeChange(theme_id="t-b", lineage=Lineage.MERGED, others=("t-a",), n_before=8)


def test_a_theme_whose_cases_went_nowhere_together_is_dormant() -> None:
    *_, gone = changes(SAME[:2], OLD)
    assert gone == ThemeChange(theme_id="t-c", lineage=Lineage.DORMANT, n_before=6)


def test_what_was_merged_stays_merged_in_later_runs() -> None:
    merged_away = replace(OLD[1], case_ids=(), lineage=Lineage.MERGED)
    former = [theme("t-a", cases(1, 18), 0), merged_away]
    assert changes([group(cases(1, 18), 0)], former)[1].lineage is Lineage.MERGED


def test_a_dormant_theme_returns_with_its_id_when_its_subject_comes_back() -> None:
    asleep = replace(OLD[2], case_ids=(), lineage=Lineage.DORMANT)
    change = changes([*SAME[:2], group(cases(40, 44), 2)], [*OLD[:2], asleep])[2]
    assert (change.theme_id, change.lineage) == ("t-c", Lineage.RETURNED)


def test_a_quiet_theme_returns_with_a_new_case_and_not_without_one() -> None:
    quiet = replace(OLD[0], lineage=Lineage.DORMANT)
    assert changes([group(cases(1, 11))], [quiet], cases(1, 10))[0].lineage is Lineage.RETURNED
    assert changes([group(cases(1, 10))], [quiet])[0].lineage is Lineage.CONTINUED


def test_a_merged_theme_that_comes_apart_again_returns() -> None:
    former = [theme("t-a", cases(1, 18), 0), replace(OLD[1], case_ids=(), lineage=Lineage.MERGED)]
    change = changes(SAME[:2], former)[1]
    assert (change.theme_id, change.lineage) == ("t-b", Lineage.RETURNED)


@pytest.mark.parametrize("still_there", [True, False])
def test_what_a_person_retired_stays_retired(still_there: bool) -> None:
    retired = replace(OLD[0], lineage=Lineage.RETIRED)
    assert changes(SAME[:1] if still_there else [], [retired])[0].lineage is Lineage.RETIRED


def test_a_run_of_other_cases_matches_by_the_centre() -> None:
    narrowed = [group(cases(50, 55), 1), group(cases(56, 60), 5)]
    carried = carry(narrowed, OLD)
    assert carried.theme_ids[0] == "t-b"
    assert carried.continues == (OLD[1], None)


def test_of_two_clusters_with_the_same_centre_one_continues_the_theme() -> None:
    twins = [group(cases(50, 55), 1), group(cases(56, 60), 1)]
    assert carry(twins, OLD).continues == (OLD[1], None)


def test_a_run_narrowed_to_some_cases_keeps_the_themes_of_those_it_holds() -> None:
    """Counted over the cases both runs knew: two of ten is all that the narrowed run has of the theme."""
    few = [group(cases(1, 2) | cases(50, 52), 7)]
    assert carry(few, OLD[:1], cases(1, 2)).theme_ids == ("t-a",)


def test_a_match_is_not_given_up_for_two_that_are_none() -> None:
    """The best sum of overlaps may pair everybody badly; only pairs that hold count towards it."""
    former = [theme("t-1", cases(1, 10), 3), theme("t-2", cases(11, 20), 4)]
    groups = [group(cases(1, 6) | cases(11, 14), 0), group(cases(7, 10) | cases(21, 24), 1)]
    assert carry(groups, former, cases(1, 24)).continues == (former[0], None)


# ids


def test_an_id_depends_on_lens_and_members_alone() -> None:
    first = carry_themes(SAME, [], lens="all", taken=set(), known_cases=set())
    again = carry_themes(list(reversed(SAME)), [], lens="all", taken=set(), known_cases=cases(1, 99))
    helped = carry_themes(SAME, [], lens="helped", taken=set(), known_cases=set())
    assert first.theme_ids == tuple(reversed(again.theme_ids))
    assert not set(first.theme_ids) & set(helped.theme_ids)


def test_an_id_once_given_is_not_given_again() -> None:
    first = carry(SAME, []).theme_ids
    again = carry_themes(SAME, [], lens="all", taken=set(first), known_cases=set()).theme_ids
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
        carried = carry_themes(groups, former, lens="all", taken=given_ids, known_cases=known)
        described = describe_changes(groups, carried, former)
        assert len(set(carried.theme_ids)) == len(groups)
        fresh = {id for id, before in zip(carried.theme_ids, carried.continues, strict=True) if before is None}
        assert not fresh & given_ids
        assert all(b is None or b.id == i for i, b in zip(carried.theme_ids, carried.continues, strict=True))
        assert {one.id for one in former} == {one.theme_id for one in described} - fresh
        assert len(described) == len({one.theme_id for one in described})
        given_ids |= fresh
        known = set(everything)
        alive = [
            theme(id, one.case_ids, int(one.centre.argmax())) for id, one in zip(carried.theme_ids, groups, strict=True)
        ]
        former = alive + [replace(one, case_ids=(), lineage=Lineage.DORMANT) for one in carried.vanished]


def _random_groups(draw: random.Random, everything: list[str]) -> list[Group]:
    """Three cases or more a group, some cases in none, and a direction each."""
    draw.shuffle(everything)
    groups: list[Group] = []
    while len(everything) >= 3 and draw.random() < 0.9:
        size = draw.randint(3, max(3, len(everything) // 2))
        groups.append(group(everything[:size], draw.randrange(D)))
        everything = everything[size:]
    return groups
