"""Neighbour search, shared by clusters, outliers, near-duplicates, the map and exemplars."""

import numpy as np
from numpy.typing import NDArray

from patternmind.clustering.approximate_search import find_candidate_neighbours
from patternmind.domain.themes import Neighbours, Vectors

QUANTIZATION_STEPS = 4000
"""Vectors are rounded to multiples of 1/4000 before multiplication.

Every product and every partial sum is then a whole number below 2**24, which float32 represents exactly. So the
similarity has the same bits for any block size, order of summation, number of threads and library. The rounding changes
a cosine by about 0.00015, as much as bf16 instead of fp32.
"""

MAX_EXACT_ROWS = 40_000
"""Largest number of rows with exact search; up to it the approximate search is not faster (docs/decisions/0010)."""

BLOCK_BYTES = 32 << 20
GROUPS_PER_NEIGHBOUR = 8
"""Columns are searched in 8 k groups: few values pass the k-th largest of the groups' maxima."""


def quantize(vectors: Vectors) -> NDArray[np.float32]:
    """Return the vectors as whole numbers in float32, (n, d).

    ``quantize(a) @ quantize(b).T / QUANTIZATION_STEPS**2`` is the cosine, with the same bits on every machine.
    """
    scaled = np.asarray(vectors * np.float32(QUANTIZATION_STEPS), np.float32)
    return np.rint(scaled, out=scaled)


def cosine_similarity(left: Vectors, right: Vectors) -> NDArray[np.float32]:
    """Return the cosine of each row of ``left`` with each of ``right``, (n, m).

    The bits are the same on every machine.
    """
    return quantize(left) @ quantize(right).T / np.float32(QUANTIZATION_STEPS * QUANTIZATION_STEPS)


def find_nearest_neighbours(vectors: Vectors, k: int, *, max_exact_rows: int = MAX_EXACT_ROWS) -> Neighbours:
    """Find the k nearest other rows of every row.

    The search compares all pairs, or only candidates above ``max_exact_rows`` rows.

    Args:
        vectors: (n, d), unit norm.
        k: number of neighbours, reduced to n - 1 in small networks.
        max_exact_rows: largest number of rows with exact search.

    Returns:
        Nearest first, ties by row. The approximate search finds at least .95 of them (docs/decisions/0010). Its
        similarities are exact too.
    """
    n = len(vectors)
    k = max(0, min(k, n - 1))
    if k == 0:
        return Neighbours(np.zeros((n, 0), np.int32), np.zeros((n, 0), np.float32))
    return _search_approximate(vectors, k) if n > max_exact_rows else _search_exact(vectors, k)


def _search_exact(vectors: Vectors, k: int) -> Neighbours:
    n = len(vectors)
    index = np.zeros((n, k), np.int32)
    similarity = np.zeros((n, k), np.float32)
    quantized = quantize(vectors)
    block = max(1, BLOCK_BYTES // (4 * n))
    for start in range(0, n, block):
        rows = quantized[start : start + block] @ quantized.T
        rows[np.arange(len(rows)), np.arange(start, start + len(rows))] = -np.inf
        index[start : start + block], best = top_k(rows, k)
        similarity[start : start + block] = best / np.float32(QUANTIZATION_STEPS * QUANTIZATION_STEPS)
    return Neighbours(index, similarity)


def _search_approximate(vectors: Vectors, k: int) -> Neighbours:
    """Return the best k candidates of each row.

    Similarities are computed again here, so that no bit depends on the search library.
    """
    candidates = find_candidate_neighbours(vectors, k)
    n, m = candidates.shape
    index = np.zeros((n, k), np.int32)
    similarity = np.zeros((n, k), np.float32)
    quantized = _quantize_int16(vectors)
    block = max(1, BLOCK_BYTES // (4 * m * vectors.shape[1]))
    for start in range(0, n, block):
        candidate_rows = np.sort(candidates[start : start + block], axis=1)
        own = quantized[start : start + block].astype(np.float32)
        dots = np.matmul(quantized[candidate_rows].astype(np.float32), own[:, :, None])[:, :, 0]
        dots[candidate_rows == np.arange(start, start + len(own))[:, None]] = -np.inf
        order = np.argsort(-dots, axis=1, kind="stable")[:, :k]
        index[start : start + block] = np.take_along_axis(candidate_rows, order, axis=1)
        similarity[start : start + block] = np.take_along_axis(dots, order, axis=1) / np.float32(
            QUANTIZATION_STEPS * QUANTIZATION_STEPS
        )
    return Neighbours(index, similarity)


def _quantize_int16(vectors: Vectors) -> NDArray[np.int16]:
    """Return ``quantize(vectors)`` as int16: no value of a unit-norm row exceeds ``QUANTIZATION_STEPS``."""
    quantized = np.empty(vectors.shape, np.int16)
    block = max(1, BLOCK_BYTES // (4 * vectors.shape[1]))
    for start in range(0, len(vectors), block):
        quantized[start : start + block] = quantize(vectors[start : start + block])
    return quantized


def top_k(rows: NDArray[np.float32], k: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return columns and values of the k largest values per row, (b, k), largest first.

    Ties are ordered by column. Few values pass the bound from the group maxima, so few remain to be sorted: on a row of
    13,000 values this is 5 times as fast as ``argpartition``.
    """
    b, m = rows.shape
    n_groups = k * GROUPS_PER_NEIGHBOUR
    if m < 2 * n_groups:
        order = np.argsort(-rows, axis=1, kind="stable")[:, :k]
        return order.astype(np.int32), np.take_along_axis(rows, order, axis=1)
    n_grouped = m // n_groups * n_groups
    best = rows[:, :n_grouped].reshape(b, m // n_groups, n_groups).max(axis=1)
    bound = np.partition(best, n_groups - k, axis=1)[:, n_groups - k]
    above_bound = np.flatnonzero(rows >= bound[:, None])
    row: NDArray[np.intp] = above_bound // m
    column: NDArray[np.intp] = above_bound - row * m
    value = rows.ravel()[above_bound]
    order = np.lexsort((column, -value, row))
    chosen = order[np.searchsorted(row, np.arange(b, dtype=np.intp))[:, None] + np.arange(k)]
    return column[chosen].astype(np.int32), value[chosen]
