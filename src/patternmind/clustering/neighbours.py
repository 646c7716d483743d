"""The one neighbour search that clusters, outliers, near-duplicates, the map and exemplars all read."""

import numpy as np
from numpy.typing import NDArray

from patternmind.clustering.approximate_search import find_candidate_neighbours
from patternmind.domain.themes import Neighbours, Vectors

QUANTIZATION_STEPS = 4000
"""Vectors are rounded to multiples of 1/4000 before they are multiplied.

Every product and every partial sum is then a whole number below 2**24, which float32 holds exactly: the similarity is
the same bits whatever the block, the order of summation, the number of threads or the library. The rounding moves a
cosine by about 0.00015, as much as bf16 does against fp32.
"""

MAX_EXACT_ROWS = 40_000
"""Rows up to which every pair is compared: there the approximate search is no quicker (docs/decisions/0010)."""

BLOCK_BYTES = 32 << 20
GROUPS_PER_NEIGHBOUR = 8
"""Columns are looked through in 8 k groups: the k-th best of the groups' best is a bound that few others pass."""


def quantize(vectors: Vectors) -> NDArray[np.float32]:
    """Whole numbers as float32, (n, d); ``on_grid(a) @ on_grid(b).T / GRID**2`` is the cosine, exactly repeatable."""
    scaled = np.asarray(vectors * np.float32(QUANTIZATION_STEPS), np.float32)
    return np.rint(scaled, out=scaled)


def cosine_similarity(left: Vectors, right: Vectors) -> NDArray[np.float32]:
    """Cosine of every row of ``left`` with every row of ``right``, (n, m), the same bits on every machine."""
    return quantize(left) @ quantize(right).T / np.float32(QUANTIZATION_STEPS * QUANTIZATION_STEPS)


def find_nearest_neighbours(vectors: Vectors, k: int, *, max_exact_rows: int = MAX_EXACT_ROWS) -> Neighbours:
    """The k nearest other rows of every row: all pairs compared, or above ``most_exact`` by candidates.

    Args:
        k: lowered to n - 1 where there are fewer rows.

    Returns:
        Nearest first, ties by row. The approximate search finds at least .95 of them (docs/decisions/0010), and its
        similarities are as exact as those of the other.
    """
    n = len(vectors)
    k = max(0, min(k, n - 1))
    if k == 0:
        return Neighbours(np.zeros((n, 0), np.int32), np.zeros((n, 0), np.float32))
    return _search_approximate(vectors, k) if n > max_exact_rows else _search_exact(vectors, k)


def _search_exact(vectors: Vectors, k: int) -> Neighbours:
    n = len(vectors)
    index = np.zeros((n, k), np.int32)
    found = np.zeros((n, k), np.float32)
    grid = quantize(vectors)
    block = max(1, BLOCK_BYTES // (4 * n))
    for start in range(0, n, block):
        rows = grid[start : start + block] @ grid.T
        rows[np.arange(len(rows)), np.arange(start, start + len(rows))] = -np.inf
        index[start : start + block], best = top_k(rows, k)
        found[start : start + block] = best / np.float32(QUANTIZATION_STEPS * QUANTIZATION_STEPS)
    return Neighbours(index, found)


def _search_approximate(vectors: Vectors, k: int) -> Neighbours:
    """The best k of each row's candidates, their similarities computed anew so that no bit depends on the search."""
    candidates = find_candidate_neighbours(vectors, k)
    n, m = candidates.shape
    index = np.zeros((n, k), np.int32)
    found = np.zeros((n, k), np.float32)
    grid = _quantize_int16(vectors)
    block = max(1, BLOCK_BYTES // (4 * m * vectors.shape[1]))
    for start in range(0, n, block):
        theirs = np.sort(candidates[start : start + block], axis=1)
        own = grid[start : start + block].astype(np.float32)
        dots = np.matmul(grid[theirs].astype(np.float32), own[:, :, None])[:, :, 0]
        dots[theirs == np.arange(start, start + len(own))[:, None]] = -np.inf
        order = np.argsort(-dots, axis=1, kind="stable")[:, :k]
        index[start : start + block] = np.take_along_axis(theirs, order, axis=1)
        found[start : start + block] = np.take_along_axis(dots, order, axis=1) / np.float32(
            QUANTIZATION_STEPS * QUANTIZATION_STEPS
        )
    return Neighbours(index, found)


def _quantize_int16(vectors: Vectors) -> NDArray[np.int16]:
    """``on_grid`` at half the size: no number of a row of norm 1 is above ``GRID``."""
    grid = np.empty(vectors.shape, np.int16)
    block = max(1, BLOCK_BYTES // (4 * vectors.shape[1]))
    for start in range(0, len(vectors), block):
        grid[start : start + block] = quantize(vectors[start : start + block])
    return grid


def top_k(rows: NDArray[np.float32], k: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The columns of the k largest values of each row and the values, (b, k), largest first, ties by column.

    Few values pass the k-th best of the groups' best, so that little is left to sort: 5 times as quick as
    ``argpartition`` on a row of 13,000.
    """
    b, m = rows.shape
    n_groups = k * GROUPS_PER_NEIGHBOUR
    if m < 2 * n_groups:
        order = np.argsort(-rows, axis=1, kind="stable")[:, :k]
        return order.astype(np.int32), np.take_along_axis(rows, order, axis=1)
    whole = m // n_groups * n_groups
    best = rows[:, :whole].reshape(b, m // n_groups, n_groups).max(axis=1)
    bound = np.partition(best, n_groups - k, axis=1)[:, n_groups - k]
    passed = np.flatnonzero(rows >= bound[:, None])
    row: NDArray[np.intp] = passed // m
    column: NDArray[np.intp] = passed - row * m
    value = rows.ravel()[passed]
    order = np.lexsort((column, -value, row))
    chosen = order[np.searchsorted(row, np.arange(b, dtype=np.intp))[:, None] + np.arange(k)]
    return column[chosen].astype(np.int32), value[chosen]
