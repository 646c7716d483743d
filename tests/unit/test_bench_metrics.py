"""Tests of the bench measures, which are the same for all methods."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench.cells import BenchCell, append_result, is_finished, read_results
from bench.corpora import (
    ARXIV_PAIRS,
    ARXIV_PAIRS_SOURCE_ROWS,
    BenchPaths,
    CorpusRows,
    VectorsNotReady,
    draw_pairs,
    load_rows,
    load_vectors,
    prepare_corpus,
    write_rows,
)
from bench.outliers import N_NEAREST, StrangerPlanter, plant_pairs
from bench.quality import (
    auroc,
    build_grouping,
    calibration_error,
    find_agreeing_rows,
    find_majority_label_rows,
    measure_agreement,
    measure_pairwise_stability,
)
from bench.report import write_report
from bench.targets import evaluate_targets

from patternmind.domain.themes import Vectors

EAST, NORTH = (1.0, 0.0), (0.0, 1.0)


def directions(*rows: tuple[float, float]) -> Vectors:
    vectors = np.asarray(rows, np.float32)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def labels(*numbers: int) -> Any:
    return np.asarray(numbers, np.int32)


def test_grouping_fills_an_outlier_into_the_nearest_centroid() -> None:
    grouping = build_grouping(labels(0, 0, 1, -1), directions(EAST, EAST, NORTH, (1, 3)))
    assert grouping.filled.tolist() == [0, 0, 1, 1]
    assert grouping.singletons.tolist() == [0, 0, 1, 2]
    assert build_grouping(labels(-1, -1), directions(EAST, NORTH)).filled.tolist() == [1, 2]


def test_agreement_counts_outliers_as_singletons_or_filled() -> None:
    vectors = directions(EAST, EAST, EAST, NORTH, NORTH, NORTH)
    agreement = measure_agreement(build_grouping(labels(0, 0, -1, 1, 1, 1), vectors), list("aaabbb"))
    assert agreement["AMI filled"] == pytest.approx(1)
    assert agreement["AMI"] < 1


def test_agreement_ignores_rows_without_a_label() -> None:
    vectors = directions(EAST, EAST, NORTH, NORTH)
    assert measure_agreement(build_grouping(labels(0, 0, 1, 1), vectors), [None, None, None, None]) == {}
    assert measure_agreement(build_grouping(labels(0, 1, 1, 1), vectors), ["a", None, "b", "b"])[
        "ARI"
    ] == pytest.approx(1)


def test_stability_compares_only_common_rows() -> None:
    vectors = directions(EAST, EAST, NORTH, NORTH)
    full_labels, same_labels, other_labels = labels(0, 0, 1, 1), labels(1, 1, 0), labels(0, 1, 1)
    first, rows = np.arange(4), np.asarray([0, 1, 2])
    stability = measure_pairwise_stability(
        [first, rows], [build_grouping(full_labels, vectors), build_grouping(same_labels, vectors[rows])]
    )
    assert stability == {"stability": 1, "stability_lowest": 1, "sample_k": [2, 2]}
    assert (
        measure_pairwise_stability(
            [first, rows], [build_grouping(full_labels, vectors), build_grouping(other_labels, vectors[rows])]
        )["stability"]
        < 1
    )


def test_calibration_error_is_zero_for_perfect_predictions() -> None:
    predicted = np.asarray([0.75] * 4 + [1.0] * 2)
    assert calibration_error(predicted, np.asarray([True, True, True, False, True, True])) == 0
    assert calibration_error(predicted, np.zeros(6, np.bool_)) == pytest.approx((3 + 2) / 6)


def test_auroc_needs_both_kinds() -> None:
    score = np.asarray([0.1, 0.9])
    assert auroc(score, np.asarray([False, True])) == 1
    assert auroc(score, np.asarray([True, True])) is None


def test_agreeing_rows_ignore_cluster_numbers() -> None:
    themes = labels(0, 0, 0, 1, 1, -1)
    assert find_agreeing_rows(themes, labels(5, 5, 2, 2, 2, 2)).tolist() == [True, True, False, True, True, False]
    assert find_agreeing_rows(themes, labels(-1, -1, -1, -1, -1, -1)).tolist() == [False] * 6


def test_majority_label_is_the_most_common_of_the_theme() -> None:
    assert find_majority_label_rows(labels(0, 0, 0, 1, -1), ["a", "a", "b", "b", "a"]).tolist() == [
        True,
        True,
        False,
        True,
        False,
    ]


def test_planted_rows_are_never_nearest_to_each_other() -> None:
    rng = np.random.default_rng(0)
    centroids = rng.standard_normal((40, 8))
    names = np.repeat([f"intent {i:02}" for i in range(40)], 30)
    vectors = (np.repeat(centroids, 30, axis=0) + 2 * rng.standard_normal((1200, 8))).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    planted, background = plant_pairs(vectors, names, rng)
    assert len(planted) == 34
    assert not set(names[planted]) & set(names[background])
    rows = np.concatenate([planted, background])
    cosine = vectors[rows] @ vectors[rows].T
    np.fill_diagonal(cosine, -1)
    nearest = np.argsort(-cosine[:34], axis=1)[:, :N_NEAREST]
    assert (nearest >= 34).all()


def test_planted_row_is_never_planted_twice() -> None:
    background = directions(*[EAST] * 20)
    planter = StrangerPlanter(directions(EAST, NORTH), background)
    assert planter.plant([0])
    assert not planter.plant([0])


def test_pairs_have_two_rows_of_the_same_label() -> None:
    names = ["a", "b", "a", "c", "b", "a"]
    pairs: list[list[int]] = draw_pairs(names, 200, seed=0).tolist()
    assert all(names[left] == names[right] and left != right for left, right in pairs)


def test_arxiv_pairs_are_unit_means_of_two_rows_of_a_label(tmp_path: Path) -> None:
    ready, cache = tmp_path / "ready", tmp_path / "cache"
    ready.mkdir()
    cache.mkdir()
    write_rows(
        cache / f"arxiv-{ARXIV_PAIRS_SOURCE_ROWS}.rows.json", CorpusRows(["1", "2", "3"], ["a", "a", "b"], ["", "", ""])
    )
    (ready / "arxiv.json").write_text(json.dumps([["1", "a"], ["2", "a"], ["3", "b"]]), encoding="utf-8")
    np.save(ready / "arxiv.npy", directions(EAST, NORTH, EAST))
    vectors, rows = prepare_corpus(ARXIV_PAIRS, 5, BenchPaths(tmp_path, cache, ready))
    assert load_vectors(vectors, 0) == pytest.approx(directions(*[(1, 1)] * 5))
    assert load_rows(rows).labels == ["a"] * 5


def test_precomputed_vectors_of_other_rows_are_rejected(tmp_path: Path) -> None:
    write_rows(tmp_path / "bills-0.rows.json", CorpusRows(["1"], [None], ["one"]))
    (tmp_path / "bills.json").write_text(json.dumps([["2", None]]), encoding="utf-8")
    np.save(tmp_path / "bills.npy", directions(EAST))
    with pytest.raises(VectorsNotReady):
        prepare_corpus("bills", 0, BenchPaths(tmp_path, tmp_path, tmp_path))


def build_result(cell: BenchCell, status: str = "ok", **values: Any) -> dict[str, Any]:
    return {
        "cell": asdict(cell),
        "status": status,
        "values": values,
        "seconds": 1.0,
        "at": "2026-01-01T00:00:00+00:00",
        "fingerprint": {"machine": "one"},
    }


def test_cell_is_measured_again_when_its_fingerprint_changed(tmp_path: Path) -> None:
    cell = BenchCell(part="peers", method="EVoC", corpus="bills")
    file = tmp_path / "lines.jsonl"
    append_result(file, build_result(cell, "failed"))
    assert not is_finished(read_results(file)[cell.key], {"machine": "one"})
    append_result(file, build_result(cell))
    result = read_results(file)[cell.key]
    assert is_finished(result, {"machine": "one"})
    assert not is_finished(result, {"machine": "two"})


def test_target_without_a_result_is_not_met() -> None:
    assert {target.is_met for target in evaluate_targets([])} == {None}


def test_target_is_evaluated_by_its_result() -> None:
    results = [
        build_result(
            BenchCell(part="scale", method=method, corpus="banking77"), warm_seconds=seconds, steps={}, peak_gb=1.0
        )
        for method, seconds in (("patternmind", 1.0), ("BERTopic", 9.0))
    ]
    is_met = {target.requirement: target.is_met for target in evaluate_targets(results)}
    assert is_met["banking77: at least 8 times faster than BERTopic, warm"] is True


def test_report_lists_a_failed_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Path] = []

    def draw(results: object, path: Path) -> None:
        del results  # drawing needs packages of the bench environment
        drawn.append(path)

    monkeypatch.setattr("bench.report.draw_quality_against_time", draw)
    write_report([build_result(BenchCell(part="peers", method="EVoC", corpus="bills"), "failed")], tmp_path)
    assert "| EVoC (defaults) | failed |" in (tmp_path / "bench.md").read_text(encoding="utf-8")
    assert drawn == [tmp_path / "bench.svg"]
