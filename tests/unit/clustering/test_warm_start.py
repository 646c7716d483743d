"""A warm start: new rows go where the fits would have them, and a theme born among them is seen at once."""

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
from patternmind.clustering.stability import NOT_DRAWN
from patternmind.clustering.warm_start import (
    MAX_DRIFT,
    WarmStart,
    count_drift,
    extend_fits,
    hash_rows,
    warm_start_fits,
)
from patternmind.domain.stored_fits import FitLabels, StoredFits
from patternmind.domain.themes import OUTLIER, Partition, Vectors

untyped: Any = metrics
adjusted_rand_score = untyped.adjusted_rand_score
N_OLD, D = 1200, 48


def planted(sizes: Sequence[int], *, seed: int, spread: float = 0.13) -> Vectors:
    """Groups around random directions, one after the other, with groups that shade into each other among them."""
    rng = np.random.default_rng(seed)
    middles = rng.standard_normal((len(sizes), D))
    rows = np.repeat(middles / np.linalg.norm(middles, axis=1, keepdims=True), sizes, axis=0)
    rows = rows + spread * rng.standard_normal(rows.shape)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


OLD = planted([100] * 12, seed=1)
NEIGHBOURS = find_nearest_neighbours(OLD, default_n_neighbours(N_OLD))
FITS = make_fits(NEIGHBOURS, seed=0)


def ids(rows: Sequence[int] | NDArray[np.intp]) -> list[str]:
    return [f"c-{row:05d}" for row in rows]


KEPT = StoredFits(
    run_id="run-0001",
    config_hash="",
    row_digests=hash_rows(ids(range(N_OLD)), OLD),
    baseline_digests=hash_rows(ids(range(N_OLD)), OLD),
    neighbours=NEIGHBOURS,
    labels=FITS,
)


def started(vectors: Vectors, kept: StoredFits = KEPT, case_ids: Sequence[str] | None = None) -> WarmStart:
    warm = warm_start_fits(kept, vectors, hash_rows(case_ids or ids(range(len(vectors))), vectors), seed=0)
    assert warm is not None
    return warm


def judged(vectors: Vectors, warm: WarmStart) -> Partition:
    return partition_rows(vectors, warm.neighbours, engine="graph", seed=0, fits=warm.fits)


def nudged(vectors: Vectors, *, seed: int) -> Vectors:
    rows = vectors + 0.01 * np.random.default_rng(seed).standard_normal(vectors.shape)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_a_partition_is_the_same_whether_its_fits_are_made_in_it_or_before() -> None:
    within = partition_rows(OLD, NEIGHBOURS, engine="graph", seed=0)
    before = partition_rows(OLD, NEIGHBOURS, engine="graph", seed=0, fits=FITS)
    for name in ("labels", "areas", "strength", "stability", "second", "outlier_score", "why"):
        assert np.array_equal(getattr(within, name), getattr(before, name)), name


def test_where_nothing_changed_the_warm_partition_is_the_former_one() -> None:
    warm = started(OLD)
    assert warm.n_new == 0
    assert np.array_equal(warm.fits.edge_fits, FITS.edge_fits)
    assert np.array_equal(
        judged(OLD, warm).labels, partition_rows(OLD, NEIGHBOURS, engine="graph", seed=0, fits=FITS).labels
    )


def test_a_copy_of_an_old_row_joins_its_community_in_nearly_every_fit() -> None:
    copied = np.arange(0, N_OLD, 100)
    fits = started(np.concatenate([OLD, nudged(OLD[copied], seed=2)])).fits
    assert (fits.edge_fits[:, N_OLD:] == fits.edge_fits[:, copied]).mean() > 0.95
    both = (fits.row_fits[:, N_OLD:] > OUTLIER) & (fits.row_fits[:, copied] > OUTLIER)
    assert (fits.row_fits[:, N_OLD:] == fits.row_fits[:, copied])[both].mean() > 0.95
    assert 0.6 < (fits.row_fits[:, N_OLD:] != NOT_DRAWN).mean() < 0.95


def test_a_group_born_among_the_new_rows_is_a_theme_at_once() -> None:
    born = planted([12], seed=9, spread=0.06)
    some = nudged(OLD[::100], seed=4)
    vectors = np.concatenate([OLD, born, some])
    labels = judged(vectors, started(vectors)).labels
    mine = labels[N_OLD : N_OLD + 12]
    assert (mine == mine[0]).mean() > 0.8
    assert mine[0] != OUTLIER
    assert not (labels[:N_OLD] == mine[0]).any()


def test_a_new_row_like_no_other_stands_alone() -> None:
    vectors = np.concatenate([OLD, planted([1, 1, 1], seed=11)])
    assert (judged(vectors, started(vectors)).labels[N_OLD:] == OUTLIER).all()


def test_old_rows_stay_where_they_were_more_than_a_full_fit_would_leave_them() -> None:
    rng = np.random.default_rng(5)
    loose = planted([60] * 20, seed=6, spread=0.22)
    near = find_nearest_neighbours(loose, default_n_neighbours(N_OLD))
    marks = hash_rows(ids(range(N_OLD)), loose)
    kept = replace(KEPT, row_digests=marks, baseline_digests=marks, neighbours=near, fits=make_fits(near, seed=0))
    before = partition_rows(loose, near, engine="graph", seed=0, fits=kept.labels).labels
    vectors = np.concatenate([loose, nudged(loose[rng.choice(N_OLD, 12, replace=False)], seed=7)])
    warm = judged(vectors, started(vectors, kept)).labels
    full = partition_rows(
        vectors,
        find_nearest_neighbours(vectors, default_n_neighbours(len(vectors))),
        engine="graph",
        seed=0,
        resample=False,
    ).labels
    held = adjusted_rand_score(before, warm[:N_OLD])
    assert held >= adjusted_rand_score(before, full[:N_OLD])
    assert held > 0.9


def test_what_new_cases_are_called_changes_no_partition() -> None:
    new = np.concatenate([planted([12], seed=9), nudged(OLD[::100], seed=4)])
    order = np.random.default_rng(3).permutation(len(new))
    found: list[NDArray[np.int32]] = []
    for rows in (np.arange(len(new)), order):
        vectors = np.concatenate([OLD, new[rows]])
        labels = judged(vectors, started(vectors)).labels
        found.append(np.concatenate([labels[:N_OLD], labels[N_OLD:][np.argsort(rows)]]))
    assert adjusted_rand_score(found[0], found[1]) > 0.98


def test_the_same_state_and_rows_give_the_same_fits_twice() -> None:
    vectors = np.concatenate([OLD, planted([12], seed=9)])
    one, two = started(vectors), started(vectors)
    assert np.array_equal(one.fits.edge_fits, two.fits.edge_fits)
    assert np.array_equal(one.fits.row_fits, two.fits.row_fits)


def test_rows_that_are_gone_drop_out_and_changed_ones_are_new() -> None:
    stays = np.setdiff1d(np.arange(N_OLD), [3, 700])
    vectors = OLD[stays].copy()
    vectors[10] = OLD[1100]
    warm = started(vectors, case_ids=ids(stays))
    assert warm.n_new == 1
    assert warm.fits.edge_fits.shape == (len(FITS.edge_fits), N_OLD - 2)
    assert (warm.fits.edge_fits[:, 10] == warm.fits.edge_fits[:, 1098]).mean() > 0.95
    assert warm.neighbours.index.max() < N_OLD - 2


def test_drift_counts_what_came_went_and_changed() -> None:
    first = hash_rows(ids(range(5)), OLD[:5])
    assert count_drift(first, first) == 0
    assert count_drift(first, hash_rows(ids(range(1, 7)), np.concatenate([OLD[1:4], OLD[50:53]]))) == 4
    assert hash_rows([], OLD[:0]).shape == (0, 2)


def test_too_much_drift_or_too_few_rows_ask_for_a_full_fit() -> None:
    many = np.concatenate([OLD, planted([80], seed=9)])
    assert len(many) - N_OLD > MAX_DRIFT * len(many)
    assert warm_start_fits(KEPT, many, hash_rows(ids(range(len(many))), many), seed=0) is None
    few = OLD[:900]
    marks = hash_rows(ids(range(900)), few)
    assert warm_start_fits(replace(KEPT, row_digests=marks, baseline_digests=marks), few, marks, seed=0) is None


def test_a_row_tied_to_nothing_is_a_community_of_its_own() -> None:
    old = FitLabels(np.zeros((2, 2), np.int32), np.array([[0, NOT_DRAWN], [0, OUTLIER]], np.int32))
    near = find_nearest_neighbours(np.eye(4, dtype=np.float32)[[0, 0, 2, 3]], 1)
    edges = build_edges(near)
    found = extend_fits(old, edges, np.array([0, 1], np.int32), seed=0)
    assert found.edge_fits[:, :2].tolist() == [[0, 0], [0, 0]]
    assert len(set(found.edge_fits[0].tolist())) == 3
    assert extend_fits(old, edges.subgraph(np.arange(2)), np.array([REMOVED, 0], np.int32), seed=0).edge_fits.shape == (
        2,
        2,
    )


@pytest.mark.parametrize("n_new", [1, 2, 30])
def test_every_label_of_extended_fits_is_used(n_new: int) -> None:
    fits = started(np.concatenate([OLD, planted([n_new], seed=n_new)])).fits
    for labels in [*fits.edge_fits, *fits.row_fits]:
        placed = labels[labels > OUTLIER]
        assert set(placed.tolist()) == set(range(int(placed.max()) + 1))
