"""Tests of the incremental neighbour search: the same bits as a full search."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from patternmind.clustering import neighbour_update
from patternmind.clustering.neighbour_update import REMOVED, update_neighbours
from patternmind.clustering.neighbours import find_nearest_neighbours
from patternmind.domain.themes import Neighbours, Vectors


def coarse_vectors(n: int, d: int, seed: int) -> Vectors:
    """Return vectors of few different values, so that many similarities are tied."""
    rows = np.random.default_rng(seed).integers(-2, 3, (n, d)).astype(np.float64)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(norms > 0, norms, 1)).astype(np.float32)


def assert_same(actual: Neighbours, expected: Neighbours) -> None:
    assert np.array_equal(actual.index, expected.index)
    assert np.array_equal(actual.similarity, expected.similarity)


def changed_network(
    n: int, seed: int, share_removed: float, n_new: int, d: int = 6
) -> tuple[Vectors, Vectors, NDArray[np.int32]]:
    """Return vectors before and after a change, and the new position of each earlier row."""
    rng = np.random.default_rng(seed)
    before = coarse_vectors(n, d, seed)
    remains = rng.random(n) >= share_removed
    positions = np.sort(rng.permutation(remains.sum() + n_new)[: remains.sum()])
    after = coarse_vectors(len(positions) + n_new, d, seed + 1)
    after[positions] = before[remains]
    new_positions = np.full(n, REMOVED, np.int32)
    new_positions[remains] = positions
    return before, after, new_positions


@settings(max_examples=150, deadline=None)
@given(
    n=st.integers(1, 80),
    k=st.integers(0, 12),
    n_extra=st.integers(0, 3),
    seed=st.integers(0, 1000),
    share_removed=st.sampled_from([0.0, 0.02, 0.1, 0.6]),
    n_new=st.integers(0, 20),
)
def test_update_neighbours_equals_a_full_search(
    n: int, k: int, n_extra: int, seed: int, share_removed: float, n_new: int
) -> None:
    before, after, new_positions = changed_network(n, seed, share_removed, n_new)
    old = find_nearest_neighbours(before, k + n_extra)
    assert_same(update_neighbours(old, after, new_positions, k=k), find_nearest_neighbours(after, k))


def test_update_neighbours_equals_a_full_search_after_many_updates() -> None:
    vectors = coarse_vectors(300, 12, 1)
    neighbours = find_nearest_neighbours(vectors[:200], 9)
    for n in range(200, 300, 5):
        neighbours = update_neighbours(neighbours, vectors[: n + 5], np.arange(n, dtype=np.int32), k=9)
    assert_same(neighbours, find_nearest_neighbours(vectors, 9))


def test_update_neighbours_searches_only_new_rows_and_rows_that_lost_a_neighbour(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, after, new_positions = changed_network(60, 3, 0.0, 2)
    new_positions[5] = REMOVED
    n_searched: list[int] = []
    real_top_k = neighbour_update.top_k

    def counting_top_k(rows: NDArray[np.float32], k: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        n_searched.append(len(rows))
        return real_top_k(rows, k)

    old = find_nearest_neighbours(before, 4)
    expected = find_nearest_neighbours(after, 4)
    monkeypatch.setattr(neighbour_update, "top_k", counting_top_k)
    assert_same(update_neighbours(old, after, new_positions, k=4), expected)
    lost_a_neighbour = {
        int(new_positions[row]) for row in range(60) if new_positions[row] != REMOVED and 5 in old.index[row]
    }
    new_rows = set(range(62)) - {int(row) for row in new_positions if row != REMOVED}
    assert sum(n_searched) == len(lost_a_neighbour | new_rows) < 31


def test_update_neighbours_searches_all_rows_when_order_changed_or_lists_are_short() -> None:
    vectors = coarse_vectors(30, 6, 0)
    old = find_nearest_neighbours(vectors, 4)
    order = np.random.default_rng(0).permutation(30).astype(np.int32)
    reordered = np.empty_like(vectors)
    reordered[order] = vectors
    assert_same(update_neighbours(old, reordered, order, k=4), find_nearest_neighbours(reordered, 4))
    assert_same(
        update_neighbours(old, vectors, np.arange(30, dtype=np.int32), k=9), find_nearest_neighbours(vectors, 9)
    )
