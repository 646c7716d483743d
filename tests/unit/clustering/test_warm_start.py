"""Tests of the warm start: assignment of new rows, and new themes among them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics

from patternmind.clustering.graph import build_edges
from patternmind.clustering.neighbour_update import REMOVED
from patternmind.clustering.neighbours import find_nearest_neighbours
from patternmind.clustering.partition import default_n_neighbours, make_fits, partition_rows
from patternmind.clustering.warm_start import MAX_DRIFT, WarmStart, count_drift, extend_fits, hash_rows, warm_start_fits
from patternmind.domain.stored_fits import NOT_DRAWN, FitLabels, StoredFits
from patternmind.domain.themes import OUTLIER, Partition, Vectors

untyped: Any = metrics
adjusted_rand_score = untyped.adjusted_rand_score
N_OLD, D = 1200, 48


def random_groups(sizes: Sequence[int], *, seed: int, spread: float = 0.13) -> Vectors:
    """Return groups around random directions, one after the other; some of them overlap."""
    rng = np.random.default_rng(seed)
    directions = rng.standard_normal((len(sizes), D))
    rows = np.repeat(directions / np.linalg.norm(directions, axis=1, keepdims=True), sizes, axis=0)
    rows = rows + spread * rng.standard_normal(rows.shape)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


OLD = random_groups([100] * 12, seed=1)
NEIGHBOURS = find_nearest_neighbours(OLD, default_n_neighbours(N_OLD))
FITS = make_fits(NEIGHBOURS, seed=0)


def ids(rows: Sequence[int] | NDArray[np.intp]) -> list[str]:
    return [f"c-{row:05d}" for row in rows]


STORED_FITS = StoredFits(
    run_id="run-0001",
    config_hash="",
    row_digests=hash_rows(ids(range(N_OLD)), OLD),
    baseline_digests=hash_rows(ids(range(N_OLD)), OLD),
    neighbours=NEIGHBOURS,
    labels=FITS,
)


def warm_start_of(
    vectors: Vectors, stored: StoredFits = STORED_FITS, case_ids: Sequence[str] | None = None
) -> WarmStart:
    warm_start = warm_start_fits(stored, vectors, hash_rows(case_ids or ids(range(len(vectors))), vectors), seed=0)
    assert warm_start is not None
    return warm_start


def partition_of(vectors: Vectors, warm_start: WarmStart) -> Partition:
    return partition_rows(vectors, warm_start.neighbours, engine="graph", seed=0, fits=warm_start.fits)


def perturbed(vectors: Vectors, *, seed: int) -> Vectors:
    rows = vectors + 0.01 * np.random.default_rng(seed).standard_normal(vectors.shape)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_partition_is_the_same_with_fits_made_before() -> None:
    own_fits = partition_rows(OLD, NEIGHBOURS, engine="graph", seed=0)
    given_fits = partition_rows(OLD, NEIGHBOURS, engine="graph", seed=0, fits=FITS)
    for name in ("labels", "areas", "strength", "stability", "second", "outlier_score", "why"):
        assert np.array_equal(getattr(own_fits, name), getattr(given_fits, name)), name


def test_warm_partition_is_the_former_one_when_nothing_changed() -> None:
    warm = warm_start_of(OLD)
    assert warm.n_new == 0
    assert np.array_equal(warm.fits.edge_fits, FITS.edge_fits)
    assert np.array_equal(
        partition_of(OLD, warm).labels, partition_rows(OLD, NEIGHBOURS, engine="graph", seed=0, fits=FITS).labels
    )


def test_extended_fits_put_a_copy_of_an_old_row_into_its_community() -> None:
    copied = np.arange(0, N_OLD, 100)
    fits = warm_start_of(np.concatenate([OLD, perturbed(OLD[copied], seed=2)])).fits
    assert (fits.edge_fits[:, N_OLD:] == fits.edge_fits[:, copied]).mean() > 0.95
    is_drawn = (fits.row_fits[:, N_OLD:] > OUTLIER) & (fits.row_fits[:, copied] > OUTLIER)
    assert (fits.row_fits[:, N_OLD:] == fits.row_fits[:, copied])[is_drawn].mean() > 0.95
    assert 0.6 < (fits.row_fits[:, N_OLD:] != NOT_DRAWN).mean() < 0.95


def test_warm_partition_finds_a_theme_of_new_rows_at_once() -> None:
    new_group = random_groups([12], seed=9, spread=0.06)
    copies = perturbed(OLD[::100], seed=4)
    vectors = np.concatenate([OLD, new_group, copies])
    labels = partition_of(vectors, warm_start_of(vectors)).labels
    new_group_labels = labels[N_OLD : N_OLD + 12]
    assert (new_group_labels == new_group_labels[0]).mean() > 0.8
    assert new_group_labels[0] != OUTLIER
    assert not (labels[:N_OLD] == new_group_labels[0]).any()


def test_warm_partition_leaves_an_unrelated_new_row_alone() -> None:
    vectors = np.concatenate([OLD, random_groups([1, 1, 1], seed=11)])
    assert (partition_of(vectors, warm_start_of(vectors)).labels[N_OLD:] == OUTLIER).all()


def test_warm_partition_moves_fewer_old_rows_than_a_full_fit() -> None:
    rng = np.random.default_rng(5)
    overlapping = random_groups([60] * 20, seed=6, spread=0.22)
    neighbours = find_nearest_neighbours(overlapping, default_n_neighbours(N_OLD))
    row_hashes = hash_rows(ids(range(N_OLD)), overlapping)
    stored = replace(
        STORED_FITS,
        row_digests=row_hashes,
        baseline_digests=row_hashes,
        neighbours=neighbours,
        labels=make_fits(neighbours, seed=0),
    )
    former_labels = partition_rows(overlapping, neighbours, engine="graph", seed=0, fits=stored.labels).labels
    vectors = np.concatenate([overlapping, perturbed(overlapping[rng.choice(N_OLD, 12, replace=False)], seed=7)])
    warm_labels = partition_of(vectors, warm_start_of(vectors, stored)).labels
    full_labels = partition_rows(
        vectors,
        find_nearest_neighbours(vectors, default_n_neighbours(len(vectors))),
        engine="graph",
        seed=0,
        resample=False,
    ).labels
    agreement = adjusted_rand_score(former_labels, warm_labels[:N_OLD])
    assert agreement >= adjusted_rand_score(former_labels, full_labels[:N_OLD])
    assert agreement > 0.9


def test_warm_partition_is_independent_of_new_case_ids() -> None:
    new = np.concatenate([random_groups([12], seed=9), perturbed(OLD[::100], seed=4)])
    order = np.random.default_rng(3).permutation(len(new))
    partitions: list[NDArray[np.int32]] = []
    for rows in (np.arange(len(new)), order):
        vectors = np.concatenate([OLD, new[rows]])
        labels = partition_of(vectors, warm_start_of(vectors)).labels
        partitions.append(np.concatenate([labels[:N_OLD], labels[N_OLD:][np.argsort(rows)]]))
    assert adjusted_rand_score(partitions[0], partitions[1]) > 0.98


def test_warm_start_is_reproducible() -> None:
    vectors = np.concatenate([OLD, random_groups([12], seed=9)])
    first, second = warm_start_of(vectors), warm_start_of(vectors)
    assert np.array_equal(first.fits.edge_fits, second.fits.edge_fits)
    assert np.array_equal(first.fits.row_fits, second.fits.row_fits)


def test_warm_start_drops_removed_rows_and_treats_changed_rows_as_new() -> None:
    remaining = np.setdiff1d(np.arange(N_OLD), [3, 700])
    vectors = OLD[remaining].copy()
    vectors[10] = OLD[1100]
    warm_start = warm_start_of(vectors, case_ids=ids(remaining))
    assert warm_start.n_new == 1
    assert warm_start.fits.edge_fits.shape == (len(FITS.edge_fits), N_OLD - 2)
    assert (warm_start.fits.edge_fits[:, 10] == warm_start.fits.edge_fits[:, 1098]).mean() > 0.95
    assert warm_start.neighbours.index.max() < N_OLD - 2


def test_drift_counts_added_removed_and_changed_rows() -> None:
    first = hash_rows(ids(range(5)), OLD[:5])
    assert count_drift(first, first) == 0
    assert count_drift(first, hash_rows(ids(range(1, 7)), np.concatenate([OLD[1:4], OLD[50:53]]))) == 4
    assert hash_rows([], OLD[:0]).shape == (0, 2)


def test_warm_start_is_refused_with_too_much_drift_or_too_few_rows() -> None:
    drifted = np.concatenate([OLD, random_groups([80], seed=9)])
    assert len(drifted) - N_OLD > MAX_DRIFT * len(drifted)
    assert warm_start_fits(STORED_FITS, drifted, hash_rows(ids(range(len(drifted))), drifted), seed=0) is None
    small = OLD[:900]
    row_hashes = hash_rows(ids(range(900)), small)
    assert (
        warm_start_fits(
            replace(STORED_FITS, row_digests=row_hashes, baseline_digests=row_hashes), small, row_hashes, seed=0
        )
        is None
    )


def test_extended_fits_make_an_isolated_row_its_own_community() -> None:
    old = FitLabels(np.zeros((2, 2), np.int32), np.array([[0, NOT_DRAWN], [0, OUTLIER]], np.int32))
    neighbours = find_nearest_neighbours(np.eye(4, dtype=np.float32)[[0, 0, 2, 3]], 1)
    edges = build_edges(neighbours)
    fits = extend_fits(old, edges, np.array([0, 1], np.int32), seed=0)
    assert fits.edge_fits[:, :2].tolist() == [[0, 0], [0, 0]]
    assert len(set(fits.edge_fits[0].tolist())) == 3
    assert extend_fits(old, edges.subgraph(np.arange(2)), np.array([REMOVED, 0], np.int32), seed=0).edge_fits.shape == (
        2,
        2,
    )


@pytest.mark.parametrize("n_new", [1, 2, 30])
def test_extended_fits_use_every_label(n_new: int) -> None:
    fits = warm_start_of(np.concatenate([OLD, random_groups([n_new], seed=n_new)])).fits
    for labels in [*fits.edge_fits, *fits.row_fits]:
        used = labels[labels > OUTLIER]
        assert set(used.tolist()) == set(range(int(used.max()) + 1))
