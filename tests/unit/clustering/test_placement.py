"""Tests of the placement of new rows: cluster, second cluster, or reason for no cluster."""

import numpy as np
import pytest
from tests.fixtures.builders import planted_vectors

from patternmind.clustering import placement
from patternmind.clustering.neighbours import find_nearest_neighbours
from patternmind.clustering.partition import default_n_neighbours, partition_rows
from patternmind.clustering.placement import N_CANDIDATES, PlacementModel, fit_placement, predict
from patternmind.domain.themes import OUTLIER, OutlierReason, Partition, Vectors


def partition_of(vectors: Vectors) -> Partition:
    return partition_rows(
        vectors, find_nearest_neighbours(vectors, default_n_neighbours(len(vectors))), engine="graph", seed=0
    )


def model_of(vectors: Vectors, partition: Partition) -> PlacementModel:
    return fit_placement(vectors, partition.nearest, partition.strength, partition.why)


def grouped_network() -> tuple[Vectors, Partition, Vectors, list[int]]:
    """Return 120 grouped rows, their partition, and 40 further rows with expected labels."""
    vectors, truth = planted_vectors([40, 40, 40, 40], spread=0.6)
    is_fitted = np.arange(160) % 4 != 0
    partition = partition_of(vectors[is_fitted])
    label_of = {int(group): int(label) for group, label in zip(truth[is_fitted], partition.nearest, strict=True)}
    return vectors[is_fitted], partition, vectors[~is_fitted], [label_of[int(group)] for group in truth[~is_fitted]]


def midpoint_of(vectors: Vectors, partition: Partition, first: int, second: int) -> Vectors:
    centroid_sum = partition.centres[[first]] + partition.centres[[second]]
    return (centroid_sum / np.linalg.norm(centroid_sum)).astype(np.float32)


def test_placement_assigns_new_rows_to_their_group_and_unrelated_rows_to_none() -> None:
    vectors, partition, new, expected = grouped_network()
    placement_result = predict(new, model_of(vectors, partition))
    assert placement_result.candidates[:, 0].tolist() == expected
    assert (placement_result.labels != OUTLIER).mean() > 0.9
    assert (placement_result.strength[:, 0] > 0.8).mean() > 0.9
    unrelated = np.linalg.qr(np.vstack([partition.centres, np.ones((1, 64))]).T)[0][:, -1:].T.astype(np.float32)
    unrelated_result = predict(unrelated, model_of(vectors, partition))
    assert (unrelated_result.labels[0], unrelated_result.outlier_reason[0]) == (OUTLIER, OutlierReason.ALONE)
    assert unrelated_result.closest_rows.shape == (1, placement.N_CLOSEST)


def test_placement_gives_a_row_between_two_groups_both() -> None:
    vectors, partition, _, _ = grouped_network()
    result = predict(
        midpoint_of(vectors, partition, 0, 1),
        PlacementModel(model_of(vectors, partition).quantized, partition.nearest, partition.strength),
    )
    assert {int(result.labels[0]), int(result.second[0])} == {0, 1}


def test_placement_of_a_row_is_independent_of_other_new_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, partition, new, _ = grouped_network()
    model = model_of(vectors, partition)
    result = predict(new, model)
    assert [int(predict(new[[row]], model).labels[0]) for row in range(len(new))] == result.labels.tolist()
    monkeypatch.setattr(placement, "BLOCK_BYTES", 4 * 120 * 7)
    assert np.array_equal(predict(new, model).strength, result.strength)
    assert np.array_equal(model_of(vectors, partition).quantized, model.quantized)
    assert model_of(vectors, partition).alone_below == model.alone_below


def test_placement_never_assigns_to_an_excluded_cluster_and_lists_it_last() -> None:
    vectors, partition, new, expected = grouped_network()
    model = PlacementModel(model_of(vectors, partition).quantized, partition.nearest, partition.strength)
    result = predict(new, model, excluded={expected[0]})
    is_excluded = np.asarray(expected) == expected[0]
    assert (result.labels[is_excluded] == OUTLIER).all()
    assert result.labels[~is_excluded].tolist() == [label for label in expected if label != expected[0]]
    between = predict(midpoint_of(vectors, partition, 0, 1), model, excluded={0})
    assert (between.labels[0], between.second[0]) == (1, OUTLIER)
    assert between.candidates[0].tolist()[:2] == [1, 0]


def test_placement_candidates_have_descending_strength_and_end_with_outlier() -> None:
    vectors, partition, new, _ = grouped_network()
    result = predict(new, model_of(vectors, partition))
    assert result.candidates.shape == result.strength.shape == (len(new), N_CANDIDATES)
    assert (np.diff(result.strength, axis=1) <= 0).all()
    assert ((result.strength > 0) == (result.candidates != OUTLIER)).all()
    assert result.strength.max() <= 1


@pytest.mark.parametrize("n", [0, 1, 4, 19])
def test_placement_assigns_no_row_when_nothing_recurs(n: int) -> None:
    vectors = planted_vectors([20])[0]
    model = model_of(vectors[:n], partition_of(vectors[:n]))
    result = predict(vectors[10:12], model)
    assert result.labels.tolist() == [OUTLIER, OUTLIER]
    assert result.outlier_reason.tolist() == [OutlierReason.ALONE, OutlierReason.ALONE]
    assert (result.candidates == OUTLIER).all()


def test_placement_of_no_rows_is_empty() -> None:
    vectors, partition, new, _ = grouped_network()
    result = predict(new[:0], model_of(vectors, partition))
    assert (len(result.labels), result.candidates.shape) == (0, (0, N_CANDIDATES))
