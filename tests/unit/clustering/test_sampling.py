"""Very many rows: a sample is partitioned, and the rest placed by it."""

import numpy as np
import pytest
from tests.fixtures.builders import planted_vectors

from patternmind.clustering.centroids import compute_centroids
from patternmind.clustering.clusterer import find_clusters, group_rows
from patternmind.clustering.neighbours import find_nearest_neighbours
from patternmind.clustering.partition import ENGINES, default_n_neighbours, partition_rows
from patternmind.clustering.sample import MIN_SAMPLED_ROWS, draw_sample, smallest_visible_theme
from patternmind.domain.themes import (
    OUTLIER,
    Neighbours,
    OutlierReason,
    Partition,
    Vectors,
)

FIELDS = ("labels", "areas", "strength", "nearest", "centres", "stability", "second", "outlier_score", "why")


def searched(vectors: Vectors) -> Neighbours:
    return find_nearest_neighbours(vectors, default_n_neighbours(len(vectors)))


def sampled(
    vectors: Vectors, size: int, *, engine: str = "graph", level: str = "theme", seed: int = 0, resample: bool = False
) -> Partition:
    neighbours = searched(vectors)
    return group_rows(
        vectors, neighbours, engine=engine, seed=seed, level=level, resample=resample, max_fitted_rows=size
    )


def assert_same(one: Partition, other: Partition) -> None:
    for name in FIELDS:
        assert np.array_equal(getattr(one, name), getattr(other, name)), name


def test_rows_outside_the_sample_are_in_the_theme_of_their_group() -> None:
    vectors, truth = planted_vectors([240, 200, 160, 120, 80], spread=0.5)
    part = sampled(vectors, 300)
    inside = part.labels != OUTLIER
    assert inside.mean() > 0.85
    assert np.mean(part.labels[inside] == truth[inside]) > 0.99  # both are numbered by falling size
    assert np.mean(part.nearest == truth) > 0.99


def test_strength_of_placed_rows_is_like_that_of_the_sampled() -> None:
    vectors, _ = planted_vectors([240, 200, 160, 120, 80], spread=0.5)
    part = sampled(vectors, 300, resample=True)
    rows = draw_sample(len(vectors), 300, seed=0)
    rest = np.setdiff1d(np.arange(len(vectors)), rows)
    assert part.strength[rest].mean() == pytest.approx(part.strength[rows].mean(), abs=0.05)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("level", ["theme", "area"])
def test_every_row_is_in_a_theme_or_has_a_reason(engine: str, level: str) -> None:
    vectors, _ = planted_vectors([90, 80, 70, 60, 50, 40], n_outliers=40, spread=0.6)
    part = sampled(vectors, 200, engine=engine, level=level)
    assert ((part.labels == OUTLIER) == (part.why != OutlierReason.PLACED)).all()
    sizes = np.bincount(part.labels[part.labels != OUTLIER], minlength=part.n_clusters)
    assert (np.diff(sizes) <= 0).all()
    assert (sizes > 0).all()
    assert len(part.areas) == len(part.centres) == len(part.stability) == part.n_clusters
    assert part.second.max() < part.n_clusters
    assert (part.second[part.second != OUTLIER] != part.nearest[part.second != OUTLIER]).all()
    assert (part.nearest[part.labels != OUTLIER] == part.labels[part.labels != OUTLIER]).all()
    assert np.allclose(part.centres, compute_centroids(vectors, part.labels))
    for values in (part.strength, part.outlier_score, part.second_strength):
        assert values.min() >= 0
        assert values.max() <= 1


def test_strangers_score_higher_than_rows_of_groups() -> None:
    vectors, truth = planted_vectors([150, 140, 130, 120], n_outliers=30, spread=0.5)
    part = sampled(vectors, 250)
    assert np.median(part.outlier_score[truth == OUTLIER]) > 0.94
    assert np.median(part.outlier_score[truth != OUTLIER]) < 0.55


def test_the_same_rows_and_seed_give_the_same_partition() -> None:
    vectors, _ = planted_vectors([60, 50, 40], n_outliers=10, spread=0.7)
    assert_same(sampled(vectors, 80), sampled(vectors, 80))
    assert not np.array_equal(sampled(vectors, 80).outlier_score, sampled(vectors, 80, seed=1).outlier_score)


def test_up_to_the_limit_all_rows_are_fitted() -> None:
    vectors, _ = planted_vectors([20, 15, 10], spread=0.4)
    whole = partition_rows(vectors, searched(vectors), engine="graph", seed=0)
    assert_same(sampled(vectors, len(vectors), resample=True), whole)
    found = find_clusters(vectors, engine="graph", seed=0)
    assert_same(found.partition, whole)
    assert np.array_equal(found.neighbours.index, searched(vectors).index)
    assert whole.smallest_visible == 0


def test_where_the_sample_shows_nothing_every_row_stands_alone() -> None:
    vectors = np.zeros((60, 8), np.float32)
    vectors[np.arange(60), np.arange(60) % 8] = 1
    part = sampled(vectors, 20)
    assert ((part.labels == OUTLIER) == (part.why != OutlierReason.PLACED)).all()


def test_the_smallest_visible_theme_is_said_and_surely_has_rows_in_the_sample() -> None:
    vectors, _ = planted_vectors([60, 50, 40], spread=0.5)
    assert sampled(vectors, 75).smallest_visible == smallest_visible_theme(150, 75)
    assert smallest_visible_theme(1_000, 1_000) == MIN_SAMPLED_ROWS
    least = smallest_visible_theme(10_000, 2_500)
    drawn = [(draw_sample(10_000, 2_500, seed=seed) < least).sum() >= MIN_SAMPLED_ROWS for seed in range(400)]
    assert 0.92 < np.mean(drawn) < 0.99


def test_centres_are_the_same_however_many_columns_are_summed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, truth = planted_vectors([20, 15], n_outliers=5)
    whole = compute_centroids(vectors, truth)
    monkeypatch.setattr("patternmind.clustering.centroids.COLUMN_BLOCK", 7)
    assert np.array_equal(compute_centroids(vectors, truth), whole)
    mean = vectors[truth == 1].astype(np.float64).mean(axis=0)
    assert whole[1] == pytest.approx(mean / np.linalg.norm(mean))
