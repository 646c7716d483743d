"""Tests of the partition of very many rows by a sample."""

import numpy as np
import pytest
from tests.fixtures.builders import planted_vectors

from patternmind.clustering.centroids import compute_centroids
from patternmind.clustering.clusterer import group_rows
from patternmind.clustering.neighbours import find_nearest_neighbours
from patternmind.clustering.partition import ENGINES, default_n_neighbours, partition_rows
from patternmind.clustering.sample import MIN_SAMPLED_ROWS, draw_sample, smallest_visible_theme
from patternmind.domain.themes import OUTLIER, Neighbours, OutlierReason, Partition, Vectors

FIELDS = ("labels", "areas", "strength", "nearest", "centres", "stability", "second", "outlier_score", "why")


def neighbours_of(vectors: Vectors) -> Neighbours:
    return find_nearest_neighbours(vectors, default_n_neighbours(len(vectors)))


def partition_by_sample(
    vectors: Vectors, size: int, *, engine: str = "graph", level: str = "theme", seed: int = 0, resample: bool = False
) -> Partition:
    neighbours = neighbours_of(vectors)
    return group_rows(
        vectors, neighbours, engine=engine, seed=seed, level=level, resample=resample, max_fitted_rows=size
    )


def assert_same(left: Partition, right: Partition) -> None:
    for name in FIELDS:
        assert np.array_equal(getattr(left, name), getattr(right, name)), name


def test_sample_partition_assigns_other_rows_to_the_theme_of_their_group() -> None:
    vectors, truth = planted_vectors([240, 200, 160, 120, 80], spread=0.5)
    partition = partition_by_sample(vectors, 300)
    is_member = partition.labels != OUTLIER
    assert is_member.mean() > 0.85
    assert np.mean(partition.labels[is_member] == truth[is_member]) > 0.99  # both are numbered by descending size
    assert np.mean(partition.nearest == truth) > 0.99


def test_sample_partition_gives_other_rows_a_similar_strength() -> None:
    vectors, _ = planted_vectors([240, 200, 160, 120, 80], spread=0.5)
    partition = partition_by_sample(vectors, 300, resample=True)
    rows = draw_sample(len(vectors), 300, seed=0)
    other_rows = np.setdiff1d(np.arange(len(vectors)), rows)
    assert partition.strength[other_rows].mean() == pytest.approx(partition.strength[rows].mean(), abs=0.05)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("level", ["theme", "area"])
def test_sample_partition_gives_every_row_a_theme_or_a_reason(engine: str, level: str) -> None:
    vectors, _ = planted_vectors([90, 80, 70, 60, 50, 40], n_outliers=40, spread=0.6)
    partition = partition_by_sample(vectors, 200, engine=engine, level=level)
    assert ((partition.labels == OUTLIER) == (partition.why != OutlierReason.PLACED)).all()
    sizes = np.bincount(partition.labels[partition.labels != OUTLIER], minlength=partition.n_clusters)
    assert (np.diff(sizes) <= 0).all()
    assert (sizes > 0).all()
    assert len(partition.areas) == len(partition.centres) == len(partition.stability) == partition.n_clusters
    assert partition.second.max() < partition.n_clusters
    assert (partition.second[partition.second != OUTLIER] != partition.nearest[partition.second != OUTLIER]).all()
    assert (partition.nearest[partition.labels != OUTLIER] == partition.labels[partition.labels != OUTLIER]).all()
    assert np.allclose(partition.centres, compute_centroids(vectors, partition.labels))
    for values in (partition.strength, partition.outlier_score, partition.second_strength):
        assert values.min() >= 0
        assert values.max() <= 1


def test_sample_partition_scores_unrelated_rows_above_rows_of_groups() -> None:
    vectors, truth = planted_vectors([150, 140, 130, 120], n_outliers=30, spread=0.5)
    partition = partition_by_sample(vectors, 250)
    assert np.median(partition.outlier_score[truth == OUTLIER]) > 0.94
    assert np.median(partition.outlier_score[truth != OUTLIER]) < 0.55


def test_sample_partition_is_reproducible_with_the_same_seed() -> None:
    vectors, _ = planted_vectors([60, 50, 40], n_outliers=10, spread=0.7)
    assert_same(partition_by_sample(vectors, 80), partition_by_sample(vectors, 80))
    assert not np.array_equal(
        partition_by_sample(vectors, 80).outlier_score, partition_by_sample(vectors, 80, seed=1).outlier_score
    )


def test_group_rows_fits_all_rows_up_to_the_limit() -> None:
    vectors, _ = planted_vectors([20, 15, 10], spread=0.4)
    full_partition = partition_rows(vectors, neighbours_of(vectors), engine="graph", seed=0)
    assert_same(partition_by_sample(vectors, len(vectors), resample=True), full_partition)
    assert_same(group_rows(vectors, neighbours_of(vectors), engine="graph", seed=0), full_partition)
    assert full_partition.smallest_visible == 0


def test_sample_partition_has_only_outliers_when_the_sample_shows_nothing() -> None:
    vectors = np.zeros((60, 8), np.float32)
    vectors[np.arange(60), np.arange(60) % 8] = 1
    partition = partition_by_sample(vectors, 20)
    assert ((partition.labels == OUTLIER) == (partition.why != OutlierReason.PLACED)).all()


def test_smallest_visible_theme_is_reported_and_has_enough_sampled_rows() -> None:
    vectors, _ = planted_vectors([60, 50, 40], spread=0.5)
    assert partition_by_sample(vectors, 75).smallest_visible == smallest_visible_theme(150, 75)
    assert smallest_visible_theme(1_000, 1_000) == MIN_SAMPLED_ROWS
    min_size = smallest_visible_theme(10_000, 2_500)
    is_visible = [(draw_sample(10_000, 2_500, seed=seed) < min_size).sum() >= MIN_SAMPLED_ROWS for seed in range(400)]
    assert 0.92 < np.mean(is_visible) < 0.99


def test_centroids_are_the_same_for_any_column_block(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, truth = planted_vectors([20, 15], n_outliers=5)
    centroids = compute_centroids(vectors, truth)
    monkeypatch.setattr("patternmind.clustering.centroids.COLUMN_BLOCK", 7)
    assert np.array_equal(compute_centroids(vectors, truth), centroids)
    mean = vectors[truth == 1].astype(np.float64).mean(axis=0)
    assert centroids[1] == pytest.approx(mean / np.linalg.norm(mean))
