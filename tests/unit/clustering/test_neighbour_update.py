"""A search brought up to date gives, bit by bit, what a full search gives."""

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
    """Of few different values, so that many similarities are tied."""
    rows = np.random.default_rng(seed).integers(-2, 3, (n, d)).astype(np.float64)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(norms > 0, norms, 1)).astype(np.float32)


def assert_same(found: Neighbours, wanted: Neighbours) -> None:
    assert np.array_equal(found.index, wanted.index)
    assert np.array_equal(found.similarity, wanted.similarity)


def history(n: int, seed: int, share_gone: float, n_new: int, d: int = 6) -> tuple[Vectors, Vectors, NDArray[np.int32]]:
    """Vectors before and after, and where each earlier row went: some gone, new ones strewn among those that stay."""
    rng = np.random.default_rng(seed)
    before = coarse_vectors(n, d, seed)
    stays = rng.random(n) >= share_gone
    places = np.sort(rng.permutation(stays.sum() + n_new)[: stays.sum()])
    after = coarse_vectors(len(places) + n_new, d, seed + 1)
    after[places] = before[stays]
    now = np.full(n, REMOVED, np.int32)
    now[stays] = places
    return before, after, now


@settings(max_examples=150, deadline=None)
@given(
    n=st.integers(1, 80),
    k=st.integers(0, 12),
    wider=st.integers(0, 3),
    seed=st.integers(0, 1000),
    share_gone=st.sampled_from([0.0, 0.02, 0.1, 0.6]),
    n_new=st.integers(0, 20),
)
def test_an_update_equals_a_full_search(n: int, k: int, wider: int, seed: int, share_gone: float, n_new: int) -> None:
    before, after, now = history(n, seed, share_gone, n_new)
    old = find_nearest_neighbours(before, k + wider)
    assert_same(update_neighbours(old, after, now, k=k), find_nearest_neighbours(after, k))


def test_many_updates_one_after_the_other_stay_equal() -> None:
    whole = coarse_vectors(300, 12, 1)
    found = find_nearest_neighbours(whole[:200], 9)
    for n in range(200, 300, 5):
        found = update_neighbours(found, whole[: n + 5], np.arange(n, dtype=np.int32), k=9)
    assert_same(found, find_nearest_neighbours(whole, 9))


def test_only_new_rows_and_rows_that_lost_a_neighbour_are_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    before, after, now = history(60, 3, 0.0, 2)
    now[5] = REMOVED
    searched: list[int] = []
    real = neighbour_update.top_k

    def counted(rows: NDArray[np.float32], k: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        searched.append(len(rows))
        return real(rows, k)

    old = find_nearest_neighbours(before, 4)
    wanted = find_nearest_neighbours(after, 4)
    monkeypatch.setattr(neighbour_update, "top_k", counted)
    assert_same(update_neighbours(old, after, now, k=4), wanted)
    lost = {int(now[row]) for row in range(60) if now[row] != REMOVED and 5 in old.index[row]}
    fresh = set(range(62)) - {int(row) for row in now if row != REMOVED}
    assert sum(searched) == len(lost | fresh) < 31


def test_rows_in_another_order_or_lists_that_are_too_short_are_searched_in_full() -> None:
    vectors = coarse_vectors(30, 6, 0)
    old = find_nearest_neighbours(vectors, 4)
    order = np.random.default_rng(0).permutation(30).astype(np.int32)
    moved = np.empty_like(vectors)
    moved[order] = vectors
    assert_same(update_neighbours(old, moved, order, k=4), find_nearest_neighbours(moved, 4))
    assert_same(
        update_neighbours(old, vectors, np.arange(30, dtype=np.int32), k=9), find_nearest_neighbours(vectors, 9)
    )
