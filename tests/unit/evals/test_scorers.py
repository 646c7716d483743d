"""The scorers on groupings, names, quotes and texts made by hand."""

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


def values(scores: Sequence[Score]) -> dict[str, float]:
    return {score.name: round(score.value, 4) for score in scores}


def grouping(labels: Sequence[int], nearest: Sequence[int] | None = None) -> Grouping:
    return Grouping(np.asarray(labels, np.int32), np.asarray(labels if nearest is None else nearest, np.int32))


# Themes --------------------------------------------------------------------------------------------------------------


def test_outliers_are_singletons_or_filled_into_their_nearest_theme() -> None:
    found = grouping([0, 0, 1, -1, -1], nearest=[0, 0, 1, 1, -1])
    assert found.singletons.tolist() == [0, 0, 1, 2, 3]
    assert found.filled.tolist() == [0, 0, 1, 1, 2]
    assert (found.n_themes, found.outlier_share, found.largest_share) == (2, 0.4, 0.4)


def test_a_grouping_is_made_of_theme_ids() -> None:
    found = Grouping.of(["t-b", None, "t-a"], ["t-b", "t-a", "t-a"])
    assert (found.labels.tolist(), found.nearest.tolist()) == ([1, -1, 0], [1, 0, 0])


def test_the_same_partition_under_other_numbers_agrees_wholly() -> None:
    assert score_agreement_measures(["x", "x", "y", "z"], np.asarray([7, 7, 2, 0], np.int32)) == pytest.approx(
        {"AMI": 1, "ARI": 1, "V": 1}
    )


def test_agreement_is_counted_over_the_labelled_cases_alone() -> None:
    gold = ["a", "a", "b", "b", "b", None]
    found = grouping([0, 0, 0, 1, -1, 1], nearest=[0, 0, 0, 1, 1, 1])
    told = values(score_agreement("sample", found, gold))
    assert list(told) == ["AMI", "ARI", "V", "AMI filled", "ARI filled", "V filled"]
    assert told["ARI"] == round((1 - 4 * 3 / 10) / ((4 + 3) / 2 - 4 * 3 / 10), 4), (
        "pairs together: both 1, gold 4, found 3"
    )
    assert told["ARI filled"] == round((2 - 4 * 4 / 10) / (4 - 4 * 4 / 10), 4), "both 2, gold 4, found 4"


def test_only_banking77_filled_is_promised_an_agreement() -> None:
    found = grouping([0, 0, 1, 1])
    limits = {
        (on, score.name): score.limit for on in ("banking77", "bills") for score in score_agreement(on, found, "aabb")
    }
    assert {key: limit for key, limit in limits.items() if limit is not None} == {("banking77", "AMI filled"): 0.77}


def test_bounds_are_a_quarter_of_the_cases_half_outliers_and_no_blob_where_it_is_large() -> None:
    found = grouping([0] * 6 + [1] * 3 + [-1] * 3)
    large = {score.name: (score.value, score.limit) for score in score_bounds("lessons", found, is_large=True)}
    assert large == {"themes found": (2, 3), "outlier share": (0.25, 0.5), "largest theme": (0.5, 0.5)}
    assert [score.limit for score in score_bounds("sample", found, is_large=False)] == [3, 0.5, None]


def test_nothing_is_asked_of_the_engine_that_is_only_compared() -> None:
    scores = as_reference(score_agreement("banking77", grouping([0, 0, 1, 1]), "aabb"), "hdbscan")
    assert [score.name for score in scores] == [
        "AMI, hdbscan",
        "ARI, hdbscan",
        "AMI filled, hdbscan",
        "ARI filled, hdbscan",
    ]
    assert {score.limit for score in scores} == {None}


def test_strangers_left_outside_are_counted_both_ways() -> None:
    found = grouping([-1, -1, 0, -1, 0, 0])
    gold = [None, None, None, "a", "a", "a"]
    assert values(score_outliers("sample", found, gold)) == {
        "belongs nowhere, left outside": 0.6667,
        "left outside, belongs nowhere": 0.6667,
    }


def test_near_duplicates_found_and_false_ones() -> None:
    planted = frozenset({frozenset("ab"), frozenset("cd")})
    assert values(score_duplicates("sample", frozenset({frozenset("ab"), frozenset("xy")}), planted)) == {
        "near-duplicate pairs found": 0.5,
        "false near-duplicates": 1,
    }


def test_a_lost_row_breaks_a_promise() -> None:
    lost = score_conservation("lessons", 1052, 1053)
    assert (lost.limit, lost.value < 1) == (1.0, True)


# Stability -----------------------------------------------------------------------------------------------------------


def by_sign(vectors: Vectors) -> Grouping:
    return grouping((vectors[:, 0] > 0).astype(int).tolist())


def test_fits_that_depend_on_the_cases_alone_are_wholly_stable() -> None:
    vectors = np.random.default_rng(0).standard_normal((50, 3)).astype(np.float32)
    assert values(score_stability("sample", vectors, by_sign, n_fits=3, seed=0)) == {
        "ARI between 3 fits": 1,
        "lowest ARI of 3 pairs": 1,
    }


def test_fits_by_chance_agree_no_better_than_chance() -> None:
    rng = np.random.default_rng(1)
    score, _ = score_stability(
        "sample",
        np.zeros((200, 2), np.float32),
        lambda rows: grouping(rng.integers(0, 4, len(rows)).tolist()),
        n_fits=4,
        seed=0,
    )
    assert abs(score.value) < 0.05


def test_samples_are_four_fifths_in_order_and_the_same_for_the_same_seed() -> None:
    first, second = draw_samples(10, n_fits=2, seed=3)
    assert (len(first), sorted(set(first.tolist()))) == (8, first.tolist())
    assert first.tolist() != second.tolist()
    assert draw_samples(10, n_fits=2, seed=3)[1].tolist() == second.tolist()


# Naming --------------------------------------------------------------------------------------------------------------


def theme(id: str, name: str, *case_ids: str) -> Theme:
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


def test_names_are_judged_by_the_cases_of_their_own_theme() -> None:
    texts = {"c1": "The scanner froze.", "c2": "Scanners in the cold.", "c3": "Nobody called back.", "c4": "A call."}
    themes = [
        theme("t1", "Frozen scanners", "c1", "c2"),
        theme("t2", "Various challenges in a long name of work", "c3", "c4"),
        theme("t3", "frozen scanners", "c3"),
        theme("t4", "gone", *()),
    ]
    assert values(score_theme_names("sample", themes, texts)) == {
        "distinct names": 0.3333,
        "like no other name": 0.3333,
        "fit better than the nearest theme": 0.3333,
        "hold a word of their cases": 0.3333,
        "pass the lint": 0.3333,
        "no word shared with nearest theme": 0.6667,
        "6 words or fewer": 0.6667,
    }


def test_where_there_is_no_theme_there_is_no_figure_on_names() -> None:
    assert score_theme_names("sample", [], {}) == []


# Grounding -----------------------------------------------------------------------------------------------------------


def told_case(id: str, **text: str) -> Case:
    return Case(id=id, kind=CaseKind.CASE, external_id=id, text=text)


CASES = [
    told_case(
        "c-1", problem="The 3 scanners didn’t start at minus twelve – nobody had told us. We rang [person 4] twice."
    ),
    told_case(
        "c-2", problem="A customer was promised a call by Friday.", lesson="Write the name and the time on the task."
    ),
]


def test_every_planted_false_quote_is_refused_and_every_true_one_kept() -> None:
    scores = score_planted_quotes(plant_quotes(CASES, n_sentences=10, seed=0), CASES)
    assert [(score.value, score.limit) for score in scores[:5]] == [(1, 1), (1, 1), (1, 1), (1, 1), (1, 0.995)]


def test_every_alteration_can_be_planted_in_some_sentence() -> None:
    hows = {one.alteration for one in plant_quotes(CASES, n_sentences=10, seed=0) if one.should_keep is False}
    assert set(ALTERATIONS) <= hows


def test_a_false_quote_stands_nowhere_in_its_case_and_a_true_one_does() -> None:
    by_id = {case.id: case for case in [*CASES, edge_case()]}
    for one in plant_quotes(CASES, n_sentences=10, seed=0):
        if one.quote.case_id in by_id and one.should_keep is not None:
            assert is_in_case(one.quote.text, by_id[one.quote.case_id]) is one.should_keep, one.alteration


def test_marks_and_spaces_say_the_same_but_a_superscript_does_not() -> None:
    assert normalize_quote("“don’t”\u00a0– so") == normalize_quote('"don\'t" - so')
    assert normalize_quote("10²") != normalize_quote("102")


def test_a_detector_that_errs_is_found_out_and_the_note_says_how() -> None:
    quote = next(one.quote for one in plant_quotes(CASES, n_sentences=2, seed=0) if one.alteration == "unchanged")
    missed, wrongly = (
        PlantedQuote(quote, "a true one called false", should_keep=False),
        PlantedQuote(quote, "unchanged", should_keep=True),
    )
    recall, *_ = score_planted_quotes([missed, wrongly], CASES)
    assert (recall.value, recall.note) == (
        0.0,
        "0 of 1 in 1 ways; 95 % 0.0000-0.7935; wrong: a true one called false: 1",
    )


def test_altered_facts_are_refused_and_the_same_facts_in_other_words_are_not() -> None:
    told = list(measure_refusals(CASES, n_sentences=10, seed=0))
    assert [line.split(" (")[0] for line in told[-2:]] == [
        "  true claims accepted: 3 of 3 = 1.0000",
        "  false claims refused: 2 of 2 = 1.0000",
    ]
    assert any("another number" in line for line in told)


# Retrieval -----------------------------------------------------------------------------------------------------------


def test_precision_and_reciprocal_rank() -> None:
    assert precision(["a", None, "a", "b"], "a") == 0.5
    assert precision([], "a") == 0
    assert reciprocal_rank(["b", None, "a", "a"], "a") == pytest.approx(1 / 3)
    assert reciprocal_rank(["b"], "a") == 0


def test_a_known_item_is_asked_for_by_a_sentence_that_is_neither_first_nor_last() -> None:
    text = (
        "The first sentence of this long story. The middle of it tells more than that. And it ends like this, quietly."
    )
    assert middle_sentence(told_case("c", problem=text)) == "The middle of it tells more than that."
    assert middle_sentence(told_case("c", problem="Only one sentence stands here, alone.")) is None


# Redaction -----------------------------------------------------------------------------------------------------------


def test_what_was_taken_out_is_found_in_the_offsets_of_the_text() -> None:
    text = "Mail ola@example.org or ring (+47) 22 33 44 55."
    spans = list(redacted_spans(text, "Mail [email] or ring ([phone]."))
    assert [(span.type, text[span.start : span.end]) for span in spans] == [
        ("email", "ola@example.org"),
        ("phone", "+47) 22 33 44 55"),
    ]
    assert list(redacted_spans("nothing", "nothing")) == []


def test_a_span_leaks_while_one_of_its_letters_is_left() -> None:
    text = "Ring 22 33 44 55 now"
    whole, half = LabelledSpan("phone", 5, 16), LabelledSpan("phone", 5, 10)
    assert not AnnotatedText(text, (), (whole,)).leaks(LabelledSpan("PHONE_NUMBER", 5, 16))
    assert AnnotatedText(text, (), (half,)).leaks(LabelledSpan("PHONE_NUMBER", 5, 16))


def test_recall_and_precision_of_a_type_are_counted_over_gold_and_over_what_was_taken() -> None:
    found = AnnotatedText("a@b.no", (LabelledSpan("EMAIL_ADDRESS", 0, 6),), (LabelledSpan("email", 0, 6),))
    missed = AnnotatedText("c@d.no", (LabelledSpan("EMAIL_ADDRESS", 0, 6),), ())
    wrong = AnnotatedText("e@f.no", (), (LabelledSpan("email", 0, 6),))
    assert values(score_type([found, missed, wrong], "EMAIL_ADDRESS", "email")) == {
        "email: taken out (recall)": 0.5,
        "email: rightly (precision)": 0.5,
    }


def test_names_leak_without_a_roster_and_not_with_one(tmp_path: Path) -> None:
    path = tmp_path / "pii.jsonl"
    span = {"type": "PERSON", "start": 5, "end": 18, "value": "Faina Yefremo"}
    path.write_text(json.dumps({"id": "1", "text": "Call Faina Yefremo back.", "spans": [span]}) + "\n")
    told = values(score_pii(path))
    assert (told["names left, no roster"], told["names left, all on the roster"]) == (1, 0)


def test_gold_spans_of_a_text_that_is_not_composed_are_left_out() -> None:
    row = {"text": "Ame\u0301lie rang.", "spans": [{"type": "PERSON", "start": 0, "end": 7}]}
    assert annotate(row, Roster.of([])).gold == ()


def test_canaries_are_looked_for_as_they_stand() -> None:
    assert is_whole_word("Linh", "asked Linh's opinion")
    assert not is_whole_word("Tom", "the Tomorrow list")
    assert phone_numbers('"date": "2026-07-06", ring +47 22 33 44 55 or 4711') == {"4722334455"}


# Data sets -----------------------------------------------------------------------------------------------------------


def test_the_sample_is_whole() -> None:
    sample = SampleNetwork()
    assert sorted(sample.quarters) == ["2026Q3", "2026Q4"]
    assert (len(sample.themes_of_cases), len(sample.themes_of_recaps), len(sample.near_duplicates)) == (104, 14, 3)


def test_labels_are_read_by_id_where_there_are_any(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"id": 1, "label": "a"}\n\n{"id": "2"}\n')
    assert gold_labels(path) == {"1": "a"}
