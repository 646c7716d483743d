"""Tests of the selection of cases for a prompt."""

import random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fixtures.builders import build_case, planted_vectors

from patternmind.domain.cases import Case
from patternmind.drafting.case_selection import MAX_CASES_READ, MAX_CASES_SHOWN, MAX_COUNTER_EXAMPLES, select_cases

FAILED_REMEDY = "We bought larger batteries and that made it worse than before for everyone."


def build_cases(n: int, *, counter_examples: frozenset[int] = frozenset(), n_teams: int = 5) -> list[Case]:
    return [
        build_case(
            f"c-{number:03d}",
            {
                "problem": f"The scanner number {number} loses its battery.",
                "tried": FAILED_REMEDY if number in counter_examples else "It.",
            },
            team=f"team {number % n_teams}",
        )
        for number in range(n)
    ]


@settings(max_examples=40, deadline=None)
@given(n=st.integers(1, 60), limit=st.integers(1, 25), seed=st.integers(0, 9))
def test_select_cases_returns_distinct_cases_in_any_input_order(n: int, limit: int, seed: int) -> None:
    cases, (vectors, _) = build_cases(n, counter_examples=frozenset({1, 7})), planted_vectors([n])
    strength = [1 - number / 100 for number in range(n)]
    selection = select_cases(
        cases, vectors, strength, exemplar_ids=["c-000"], edge_case_id=f"c-{n - 1:03d}", limit=limit
    )
    ids = [selected.case.id for selected in selection]
    assert len(set(ids)) == len(ids) == min(n, limit)
    assert ids[0] == "c-000"
    order = random.Random(seed).sample(range(n), n)
    from_shuffled = select_cases(
        [cases[row] for row in order],
        vectors[order],
        [strength[row] for row in order],
        exemplar_ids=["c-000"],
        edge_case_id=f"c-{n - 1:03d}",
        limit=limit,
    )
    assert from_shuffled == selection


def test_select_cases_includes_central_edge_and_counter_examples_of_a_large_theme() -> None:
    cases, (vectors, _) = build_cases(500, counter_examples=frozenset(range(400, 420))), planted_vectors([500])
    selection = select_cases(
        cases, vectors, [1 - n / 1000 for n in range(500)], exemplar_ids=["c-003", "c-001"], edge_case_id="c-499"
    )
    reasons = [selected.selection_reason for selected in selection]
    assert len(selection) == MAX_CASES_SHOWN
    assert reasons[:3] == ["central", "central", "edge"]
    assert [selected.case.id for selected in selection[:3]] == ["c-003", "c-001", "c-499"]
    assert reasons.count("counter-example") == MAX_COUNTER_EXAMPLES
    assert reasons.count("varied") == MAX_CASES_SHOWN - 3 - MAX_COUNTER_EXAMPLES


def test_select_cases_covers_sparse_parts_of_a_theme() -> None:
    """Nine cases in ten are similar; the selection still includes the others."""
    vectors, groups = planted_vectors([180, 10, 10], spread=0.1)
    selection = select_cases(build_cases(200), vectors, [1.0] * 200)
    selected_groups = {int(groups[int(selected.case.id[2:])]) for selected in selection}
    assert selected_groups == {0, 1, 2}


def test_select_cases_prefers_the_stronger_of_two_similar_cases() -> None:
    vectors = np.asarray([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]], np.float32)
    selection = select_cases(build_cases(3, n_teams=3), vectors, [1.0, 0.2, 0.9], exemplar_ids=["c-000"], limit=2)
    assert [selected.case.id for selected in selection] == ["c-000", "c-002"]


def test_select_cases_samples_a_very_large_theme_and_keeps_central_cases() -> None:
    n = 3 * MAX_CASES_READ
    vectors, _ = planted_vectors([n])
    selection = select_cases(build_cases(n), vectors, [1.0] * n, exemplar_ids=["c-001"], edge_case_id="c-1799")
    ids = [selected.case.id for selected in selection]
    assert ids[:2] == ["c-001", "c-1799"]
    assert len(ids) == MAX_CASES_SHOWN
