"""Which cases of a theme a model sees: central, against a remedy, varied; the same for any order of the cases."""

import random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fixtures.builders import build_case, planted_vectors

from patternmind.domain.cases import Case
from patternmind.drafting.case_selection import (
    MAX_CASES_READ,
    MAX_CASES_SHOWN,
    MAX_COUNTER_EXAMPLES,
    select_cases,
)

AGAINST = "We bought larger batteries and that made it worse than before for everyone."


def members(n: int, *, against: frozenset[int] = frozenset(), n_teams: int = 5) -> list[Case]:
    return [
        build_case(
            f"c-{number:03d}",
            {
                "problem": f"The scanner number {number} loses its battery.",
                "tried": AGAINST if number in against else "It.",
            },
            team=f"team {number % n_teams}",
        )
        for number in range(n)
    ]


@settings(max_examples=40, deadline=None)
@given(n=st.integers(1, 60), limit=st.integers(1, 25), seed=st.integers(0, 9))
def test_as_many_as_wanted_each_once_whatever_the_order(n: int, limit: int, seed: int) -> None:
    cases, (vectors, _) = members(n, against=frozenset({1, 7})), planted_vectors([n])
    strength = [1 - number / 100 for number in range(n)]
    chosen = select_cases(cases, vectors, strength, exemplar_ids=["c-000"], edge_case_id=f"c-{n - 1:03d}", limit=limit)
    ids = [one.case.id for one in chosen]
    assert len(set(ids)) == len(ids) == min(n, limit)
    assert ids[0] == "c-000"
    order = random.Random(seed).sample(range(n), n)
    shuffled = select_cases(
        [cases[row] for row in order],
        vectors[order],
        [strength[row] for row in order],
        exemplar_ids=["c-000"],
        edge_case_id=f"c-{n - 1:03d}",
        limit=limit,
    )
    assert shuffled == chosen


def test_a_theme_of_five_hundred_shows_its_centre_its_edge_and_what_speaks_against() -> None:
    cases, (vectors, _) = members(500, against=frozenset(range(400, 420))), planted_vectors([500])
    chosen = select_cases(
        cases, vectors, [1 - n / 1000 for n in range(500)], exemplar_ids=["c-003", "c-001"], edge_case_id="c-499"
    )
    why = [one.selection_reason for one in chosen]
    assert len(chosen) == MAX_CASES_SHOWN
    assert why[:3] == ["central", "central", "edge"]
    assert [one.case.id for one in chosen[:3]] == ["c-003", "c-001", "c-499"]
    assert why.count("counter-example") == MAX_COUNTER_EXAMPLES
    assert why.count("varied") == MAX_CASES_SHOWN - 3 - MAX_COUNTER_EXAMPLES


def test_every_side_of_a_theme_is_shown_not_the_densest_alone() -> None:
    """Nine cases in ten tell the same; the few that tell something else are among the chosen all the same."""
    vectors, side = planted_vectors([180, 10, 10], spread=0.1)
    chosen = select_cases(members(200), vectors, [1.0] * 200)
    shown = {int(side[int(one.case.id[2:])]) for one in chosen}
    assert shown == {0, 1, 2}


def test_a_firm_case_comes_before_a_loose_one_that_says_the_same() -> None:
    vectors = np.asarray([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]], np.float32)
    chosen = select_cases(members(3, n_teams=3), vectors, [1.0, 0.2, 0.9], exemplar_ids=["c-000"], limit=2)
    assert [one.case.id for one in chosen] == ["c-000", "c-002"]


def test_of_a_very_large_theme_every_nth_case_is_read_and_the_central_ones_always() -> None:
    n = 3 * MAX_CASES_READ
    chosen = select_cases(members(n), planted_vectors([n])[0], [1.0] * n, exemplar_ids=["c-001"], edge_case_id="c-1799")
    ids = [one.case.id for one in chosen]
    assert ids[:2] == ["c-001", "c-1799"]
    assert len(ids) == MAX_CASES_SHOWN
