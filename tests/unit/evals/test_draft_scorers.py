"""Tests of the scorers of drafts without a model."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fixtures.builders import build_case, build_theme

from patternmind.domain.cases import CaseKind
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.evals.report import ScoreDirection
from patternmind.evals.scorers.name_informativeness import N_QUESTIONS, score_name_informativeness
from patternmind.evals.scorers.sentence_roles import MIN_SHARE, join_cases, score_sentence_roles
from patternmind.evals.scorers.shares import wilson_interval
from patternmind.text import Side

PARTS = "hose crane valve pump gate lamp belt motor brake wheel".split()
CASES = [
    build_case(
        f"c-{row}",
        {
            "title": "A leak",
            "what_happened": f"The {part} was dead on Monday and nobody had noticed the leak of the {part}.",
            "lesson": f"Always check the {part} and its {part}seal before a shift.",
        },
    )
    for row, part in enumerate(PARTS)
]


def test_join_cases_orders_fields_per_case_and_records_the_side_of_each_part() -> None:
    joined = join_cases(CASES, seed=0)
    assert set(joined) == {case.id for case in CASES}
    first_sides = {joined_case.side_spans[0][2] for joined_case in joined.values()}
    assert first_sides == {Side.PROBLEM, Side.HELPED}
    for case in CASES:
        joined_case = joined[case.id]
        text = joined_case.plain.text["problem"]
        assert joined_case.side_at(text.index(case.text["lesson"])) is Side.HELPED
        assert joined_case.side_at(text.index(case.text["what_happened"])) is Side.PROBLEM
        assert "title" not in joined_case.plain.text
    assert join_cases(CASES, seed=0) == joined


def test_join_cases_skips_recaps_and_cases_with_one_side() -> None:
    recap = replace(CASES[0], kind=CaseKind.RECAP)
    assert join_cases([recap, build_case("c-x", {"title": "x", "lesson": "Check it."})], seed=0) == {}


def test_sentence_roles_are_scored_with_simpler_choices_as_reference() -> None:
    theme = build_theme(case_ids=tuple(case.id for case in CASES))
    scores = score_sentence_roles("toy", [theme], CASES, {}, seed=0)
    by_name = {score.name: score for score in scores}
    assert by_name["Therefore from what helped"].value == 1.0
    assert by_name["problem from the problem"].value == 1.0
    assert by_name["Therefore from what helped"].limit == MIN_SHARE
    assert "1 themes, seed 0" in by_name["Therefore from what helped"].note
    assert by_name["Therefore from what helped, chance"].value == 0.5
    assert by_name["Therefore from what helped, chance"].direction is ScoreDirection.NONE
    assert score_sentence_roles("toy", [], CASES, {}, seed=0) == []


COLD = [f"The scanner battery is flat in the cold yard of hall {word}." for word in PARTS]
LABELS = [f"The label printer prints nothing after the update of desk {word}." for word in PARTS]


def test_name_informativeness_is_high_for_names_that_lead_to_unseen_cases() -> None:
    cases = [build_case(f"c-{row:02d}", text) for row, text in enumerate([*COLD, *LABELS])]
    ids = [case.id for case in cases]
    themes = [
        build_theme("t-1", case_ids=tuple(ids[:10]), nearest_theme_id="t-2"),
        build_theme("t-2", case_ids=tuple(ids[10:]), nearest_theme_id="t-1"),
    ]
    encoder = HashingEncoder()
    vectors = encoder.encode([case.text["problem"] for case in cases])
    (score,) = score_name_informativeness("toy", themes, cases, vectors, encoder, seed=0)
    assert score.value > 0.95
    assert f"of {N_QUESTIONS}" in score.note
    assert score_name_informativeness("toy", themes, cases, vectors, encoder, seed=0) == [score]
    alone = [replace(themes[0], nearest_theme_id=None)]
    assert score_name_informativeness("toy", alone, cases, vectors, encoder, seed=0) == []
    assert score_name_informativeness("toy", themes, cases, np.zeros_like(vectors), encoder, seed=0)[0].value == 0


@settings(max_examples=100, deadline=None)
@given(n=st.integers(1, 500), part=st.floats(0, 1))
def test_wilson_interval_contains_the_share_and_stays_within_bounds(n: int, part: float) -> None:
    hits = round(part * n)
    low, high = wilson_interval(hits, n)
    assert 0 <= low <= hits / n <= high <= 1
    assert low < high
    assert wilson_interval(0, 0) == (0.0, 1.0)
