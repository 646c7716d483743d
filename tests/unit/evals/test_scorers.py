"""Tests of the scorers on small groupings, names, quotes and texts."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from patternmind.domain.cases import Case, CaseKind
from patternmind.domain.themes import Theme, Vectors
from patternmind.evals.datasets.corpora import SampleNetwork, gold_labels
from patternmind.evals.datasets.planted_quotes import (
    ALTERATIONS,
    PlantedQuote,
    edge_case,
    is_in_case,
    normalize_quote,
    plant_quotes,
)
from patternmind.evals.gates import Score
from patternmind.evals.scorers.grounding import score_planted_quotes
from patternmind.evals.scorers.planted_facts import measure_refusals
from patternmind.evals.scorers.redaction import (
    AnnotatedText,
    LabelledSpan,
    annotate,
    is_whole_word,
    phone_numbers,
    redacted_spans,
    score_pii,
    score_type,
)
from patternmind.evals.scorers.retrieval import middle_sentence, precision, reciprocal_rank
from patternmind.evals.scorers.stability import draw_samples, score_stability
from patternmind.evals.scorers.theme_names import score_theme_names
from patternmind.evals.scorers.themes import (
    as_reference,
    score_agreement,
    score_bounds,
    score_conservation,
    score_duplicates,
    score_outliers,
)
from patternmind.evals.steps.groupings import Grouping, score_agreement_measures
from patternmind.ingestion.redaction.roster import Roster


def values_by_name(scores: Sequence[Score]) -> dict[str, float]:
    return {score.name: round(score.value, 4) for score in scores}


def make_grouping(labels: Sequence[int], nearest: Sequence[int] | None = None) -> Grouping:
    return Grouping(np.asarray(labels, np.int32), np.asarray(labels if nearest is None else nearest, np.int32))


# Themes --------------------------------------------------------------------------------------------------------------


def test_grouping_counts_outliers_as_singletons_or_fills_them() -> None:
    grouping = make_grouping([0, 0, 1, -1, -1], nearest=[0, 0, 1, 1, -1])
    assert grouping.singletons.tolist() == [0, 0, 1, 2, 3]
    assert grouping.filled.tolist() == [0, 0, 1, 1, 2]
    assert (grouping.n_themes, grouping.outlier_share, grouping.largest_share) == (2, 0.4, 0.4)


def test_grouping_of_numbers_theme_ids() -> None:
    grouping = Grouping.of(["t-b", None, "t-a"], ["t-b", "t-a", "t-a"])
    assert (grouping.labels.tolist(), grouping.nearest.tolist()) == ([1, -1, 0], [1, 0, 0])


def test_agreement_is_1_for_the_same_partition_with_other_numbers() -> None:
    assert score_agreement_measures(["x", "x", "y", "z"], np.asarray([7, 7, 2, 0], np.int32)) == pytest.approx(
        {"AMI": 1, "ARI": 1, "V": 1}
    )


def test_agreement_counts_labelled_cases_only() -> None:
    gold = ["a", "a", "b", "b", "b", None]
    grouping = make_grouping([0, 0, 0, 1, -1, 1], nearest=[0, 0, 0, 1, 1, 1])
    scores = values_by_name(score_agreement("sample", grouping, gold))
    assert list(scores) == ["AMI", "ARI", "V", "AMI filled", "ARI filled", "V filled"]
    assert scores["ARI"] == round((1 - 4 * 3 / 10) / ((4 + 3) / 2 - 4 * 3 / 10), 4), (
        "pairs together: both 1, gold 4, found 3"
    )
    assert scores["ARI filled"] == round((2 - 4 * 4 / 10) / (4 - 4 * 4 / 10), 4), "both 2, gold 4, found 4"


def test_agreement_has_a_limit_for_banking77_filled_only() -> None:
    grouping = make_grouping([0, 0, 1, 1])
    limits = {
        (dataset, score.name): score.limit
        for dataset in ("banking77", "bills")
        for score in score_agreement(dataset, grouping, "aabb")
    }
    assert {key: limit for key, limit in limits.items() if limit is not None} == {("banking77", "AMI filled"): 0.77}


def test_bounds_limit_themes_outliers_and_in_large_networks_the_largest_theme() -> None:
    grouping = make_grouping([0] * 6 + [1] * 3 + [-1] * 3)
    large = {score.name: (score.value, score.limit) for score in score_bounds("lessons", grouping, is_large=True)}
    assert large == {"themes found": (2, 3), "outlier share": (0.25, 0.5), "largest theme": (0.5, 0.5)}
    assert [score.limit for score in score_bounds("sample", grouping, is_large=False)] == [3, 0.5, None]


def test_reference_engine_has_no_limits() -> None:
    scores = as_reference(score_agreement("banking77", make_grouping([0, 0, 1, 1]), "aabb"), "hdbscan")
    assert [score.name for score in scores] == [
        "AMI, hdbscan",
        "ARI, hdbscan",
        "AMI filled, hdbscan",
        "ARI filled, hdbscan",
    ]
    assert {score.limit for score in scores} == {None}


def test_outlier_scores_count_in_both_directions() -> None:
    grouping = make_grouping([-1, -1, 0, -1, 0, 0])
    gold = [None, None, None, "a", "a", "a"]
    assert values_by_name(score_outliers("sample", grouping, gold)) == {
        "belongs nowhere, left outside": 0.6667,
        "left outside, belongs nowhere": 0.6667,
    }


def test_duplicate_scores_count_detected_and_false_pairs() -> None:
    planted = frozenset({frozenset("ab"), frozenset("cd")})
    assert values_by_name(score_duplicates("sample", frozenset({frozenset("ab"), frozenset("xy")}), planted)) == {
        "near-duplicate pairs found": 0.5,
        "false near-duplicates": 1,
    }


def test_conservation_falls_below_its_limit_when_a_row_is_lost() -> None:
    score = score_conservation("lessons", 1052, 1053)
    assert (score.limit, score.value < 1) == (1.0, True)


# Stability -----------------------------------------------------------------------------------------------------------


def by_sign(vectors: Vectors) -> Grouping:
    return make_grouping((vectors[:, 0] > 0).astype(int).tolist())


def test_stability_is_1_when_fits_depend_on_the_cases_alone() -> None:
    vectors = np.random.default_rng(0).standard_normal((50, 3)).astype(np.float32)
    assert values_by_name(score_stability("sample", vectors, by_sign, n_fits=3, seed=0)) == {
        "ARI between 3 fits": 1,
        "lowest ARI of 3 pairs": 1,
    }


def test_stability_is_near_0_for_random_fits() -> None:
    rng = np.random.default_rng(1)
    score, _ = score_stability(
        "sample",
        np.zeros((200, 2), np.float32),
        lambda rows: make_grouping(rng.integers(0, 4, len(rows)).tolist()),
        n_fits=4,
        seed=0,
    )
    assert abs(score.value) < 0.05


def test_draw_samples_returns_ordered_four_fifths_and_repeats_for_a_seed() -> None:
    first, second = draw_samples(10, n_fits=2, seed=3)
    assert (len(first), sorted(set(first.tolist()))) == (8, first.tolist())
    assert first.tolist() != second.tolist()
    assert draw_samples(10, n_fits=2, seed=3)[1].tolist() == second.tolist()


# Naming --------------------------------------------------------------------------------------------------------------


def make_theme(id: str, name: str, *case_ids: str) -> Theme:
    n = len(case_ids)
    return Theme(
        id=id,
        lens="all",
        area_id="a",
        name=name,
        case_ids=case_ids,
        n_cases=n,
        n_teams=1,
        n_contributors=1,
        nearest_theme_id="t2",
    )


def test_theme_names_are_scored_against_their_own_cases() -> None:
    texts = {"c1": "The scanner froze.", "c2": "Scanners in the cold.", "c3": "Nobody called back.", "c4": "A call."}
    themes = [
        make_theme("t1", "Frozen scanners", "c1", "c2"),
        make_theme("t2", "Various challenges in a long name of work", "c3", "c4"),
        make_theme("t3", "frozen scanners", "c3"),
        make_theme("t4", "gone", *()),
    ]
    assert values_by_name(score_theme_names("sample", themes, texts)) == {
        "distinct names": 0.3333,
        "like no other name": 0.3333,
        "fit better than the nearest theme": 0.3333,
        "hold a word of their cases": 0.3333,
        "pass the lint": 0.3333,
        "no word shared with nearest theme": 0.6667,
        "6 words or fewer": 0.6667,
    }


def test_theme_names_have_no_scores_without_themes() -> None:
    assert score_theme_names("sample", [], {}) == []


# Grounding -----------------------------------------------------------------------------------------------------------


def make_case(id: str, **text: str) -> Case:
    return Case(id=id, kind=CaseKind.CASE, external_id=id, text=text)


CASES = [
    make_case(
        "c-1", problem="The 3 scanners didn’t start at minus twelve – nobody had told us. We rang [person 4] twice."
    ),
    make_case(
        "c-2", problem="A customer was promised a call by Friday.", lesson="Write the name and the time on the task."
    ),
]


def test_grounding_refuses_every_false_quote_and_accepts_every_true_one() -> None:
    scores = score_planted_quotes(plant_quotes(CASES, n_sentences=10, seed=0), CASES)
    assert [(score.value, score.limit) for score in scores[:5]] == [(1, 1), (1, 1), (1, 1), (1, 1), (1, 0.995)]


def test_plant_quotes_applies_every_alteration() -> None:
    applied = {
        planted_quote.alteration
        for planted_quote in plant_quotes(CASES, n_sentences=10, seed=0)
        if planted_quote.should_keep is False
    }
    assert set(ALTERATIONS) <= applied


def test_plant_quotes_labels_quotes_by_their_occurrence_in_the_case() -> None:
    by_id = {case.id: case for case in [*CASES, edge_case()]}
    for planted_quote in plant_quotes(CASES, n_sentences=10, seed=0):
        if planted_quote.quote.case_id in by_id and planted_quote.should_keep is not None:
            assert (
                is_in_case(planted_quote.quote.text, by_id[planted_quote.quote.case_id]) is planted_quote.should_keep
            ), planted_quote.alteration


def test_normalize_quote_unifies_marks_and_spaces_but_not_superscripts() -> None:
    assert normalize_quote("“don’t”\u00a0– so") == normalize_quote('"don\'t" - so')
    assert normalize_quote("10²") != normalize_quote("102")


def test_planted_quote_scores_expose_errors_and_name_the_alteration() -> None:
    quote = next(
        planted_quote.quote
        for planted_quote in plant_quotes(CASES, n_sentences=2, seed=0)
        if planted_quote.alteration == "unchanged"
    )
    mislabelled, correct = (
        PlantedQuote(quote, "a true one called false", should_keep=False),
        PlantedQuote(quote, "unchanged", should_keep=True),
    )
    recall, *_ = score_planted_quotes([mislabelled, correct], CASES)
    assert (recall.value, recall.note) == (
        0.0,
        "0 of 1 in 1 ways; 95 % 0.0000-0.7935; wrong: a true one called false: 1",
    )


def test_measure_refusals_refuses_altered_facts_and_accepts_rephrased_ones() -> None:
    lines = list(measure_refusals(CASES, n_sentences=10, seed=0))
    assert [line.split(" (")[0] for line in lines[-2:]] == [
        "  true claims accepted: 3 of 3 = 1.0000",
        "  false claims refused: 2 of 2 = 1.0000",
    ]
    assert any("another number" in line for line in lines)


# Retrieval -----------------------------------------------------------------------------------------------------------


def test_precision_and_reciprocal_rank() -> None:
    assert precision(["a", None, "a", "b"], "a") == 0.5
    assert precision([], "a") == 0
    assert reciprocal_rank(["b", None, "a", "a"], "a") == pytest.approx(1 / 3)
    assert reciprocal_rank(["b"], "a") == 0


def test_middle_sentence_is_neither_first_nor_last() -> None:
    text = (
        "The first sentence of this long story. The middle of it tells more than that. And it ends like this, quietly."
    )
    assert middle_sentence(make_case("c", problem=text)) == "The middle of it tells more than that."
    assert middle_sentence(make_case("c", problem="Only one sentence stands here, alone.")) is None


# Redaction -----------------------------------------------------------------------------------------------------------


def test_redacted_spans_use_offsets_of_the_original_text() -> None:
    text = "Mail ola@example.org or ring (+47) 22 33 44 55."
    spans = list(redacted_spans(text, "Mail [email] or ring ([phone]."))
    assert [(span.type, text[span.start : span.end]) for span in spans] == [
        ("email", "ola@example.org"),
        ("phone", "+47) 22 33 44 55"),
    ]
    assert list(redacted_spans("nothing", "nothing")) == []


def test_annotated_text_leaks_a_span_when_one_letter_is_left() -> None:
    text = "Ring 22 33 44 55 now"
    whole, half = LabelledSpan("phone", 5, 16), LabelledSpan("phone", 5, 10)
    assert not AnnotatedText(text, (), (whole,)).leaks(LabelledSpan("PHONE_NUMBER", 5, 16))
    assert AnnotatedText(text, (), (half,)).leaks(LabelledSpan("PHONE_NUMBER", 5, 16))


def test_score_type_counts_recall_over_gold_and_precision_over_redactions() -> None:
    redacted = AnnotatedText("a@b.no", (LabelledSpan("EMAIL_ADDRESS", 0, 6),), (LabelledSpan("email", 0, 6),))
    missed = AnnotatedText("c@d.no", (LabelledSpan("EMAIL_ADDRESS", 0, 6),), ())
    false_alarm = AnnotatedText("e@f.no", (), (LabelledSpan("email", 0, 6),))
    assert values_by_name(score_type([redacted, missed, false_alarm], "EMAIL_ADDRESS", "email")) == {
        "email: taken out (recall)": 0.5,
        "email: rightly (precision)": 0.5,
    }


def test_score_pii_reports_leaked_names_without_a_roster_only(tmp_path: Path) -> None:
    path = tmp_path / "pii.jsonl"
    span = {"type": "PERSON", "start": 5, "end": 18, "value": "Faina Yefremo"}
    path.write_text(json.dumps({"id": "1", "text": "Call Faina Yefremo back.", "spans": [span]}) + "\n")
    scores = values_by_name(score_pii(path))
    assert (scores["names left, no roster"], scores["names left, all on the roster"]) == (1, 0)


def test_annotate_skips_gold_spans_of_a_decomposed_text() -> None:
    row = {"text": "Ame\u0301lie rang.", "spans": [{"type": "PERSON", "start": 0, "end": 7}]}
    assert annotate(row, Roster.of([])).gold == ()


def test_canary_search_matches_whole_words_and_phone_numbers() -> None:
    assert is_whole_word("Linh", "asked Linh's opinion")
    assert not is_whole_word("Tom", "the Tomorrow list")
    assert phone_numbers('"date": "2026-07-06", ring +47 22 33 44 55 or 4711') == {"4722334455"}


# Data sets -----------------------------------------------------------------------------------------------------------


def test_sample_network_is_complete() -> None:
    sample = SampleNetwork()
    assert sorted(sample.quarters) == ["2026Q3", "2026Q4"]
    assert (len(sample.themes_of_cases), len(sample.themes_of_recaps), len(sample.near_duplicates)) == (104, 14, 3)


def test_gold_labels_are_read_by_id_and_skip_unlabelled_rows(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"id": 1, "label": "a"}\n\n{"id": "2"}\n')
    assert gold_labels(path) == {"1": "a"}
