"""Incremental neighbour search, with the same result as a full search."""

import numpy as np
from numpy.typing import NDArray

from patternmind.clustering.neighbours import BLOCK_BYTES, QUANTIZATION_STEPS, find_nearest_neighbours, quantize, top_k
from patternmind.domain.themes import Neighbours, Vectors

REMOVED = -1

MAX_SEARCHED_SHARE = 0.5
"""Share of rows to search above which a full search is as fast."""


def update_neighbours(old: Neighbours, vectors: Vectors, new_positions: NDArray[np.int32], *, k: int) -> Neighbours:
    """Find the k nearest neighbours of every row, starting from an earlier search.

    New rows, and rows that lost a neighbour, are compared with all rows. The lists of the other rows only gain the new
    rows that are close enough.

    Args:
        old: result of an earlier exact search.
        vectors: (n, d) of the current rows.
        new_positions: (n_old,) current position of each earlier row; ``REMOVED`` if it was removed or its vector
            changed.
        k: number of neighbours, reduced to n - 1 in small networks.

    Returns:
        The same bits as an exact ``find_nearest_neighbours``. A full search replaces the update where ``old`` has too
        short a list, where rows changed their order, or where too many rows need a search.
    """
    n = len(vectors)
    k = max(0, min(k, n - 1))
    remaining = np.flatnonzero(new_positions != REMOVED)
    if k == 0 or len(remaining) == 0 or old.index.shape[1] < k or (np.diff(new_positions[remaining]) <= 0).any():
        return find_nearest_neighbours(vectors, k)
    former_index = new_positions[old.index[:, :k]]
    complete = remaining[(former_index[remaining] != REMOVED).all(axis=1)]
    reused_rows, new_rows = new_positions[complete], _complement(n, new_positions[remaining])
    searched_rows = _complement(n, reused_rows)
    if len(searched_rows) > MAX_SEARCHED_SHARE * n:
        return find_nearest_neighbours(vectors, k)
    index = np.zeros((n, k), np.int32)
    similarity = np.zeros((n, k), np.float32)
    index[reused_rows], similarity[reused_rows] = former_index[complete], old.similarity[complete, :k]
    quantized = quantize(vectors)
    _search_rows(index, similarity, quantized, searched_rows)
    _insert_new_rows(index, similarity, quantized, reused_rows, new_rows)
    return Neighbours(index, similarity)


def _complement(n: int, rows: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.setdiff1d(np.arange(n, dtype=np.int32), rows)


def _search_rows(
    index: NDArray[np.int32], similarity: NDArray[np.float32], quantized: NDArray[np.float32], rows: NDArray[np.int32]
) -> None:
    """Write the nearest neighbours of some rows among all rows."""
    block = max(1, BLOCK_BYTES // (4 * len(quantized)))
    for start in range(0, len(rows), block):
        block_rows = rows[start : start + block]
        dots = quantized[block_rows] @ quantized.T
        dots[np.arange(len(block_rows)), block_rows] = -np.inf
        index[block_rows], best = top_k(dots, index.shape[1])
        similarity[block_rows] = best / np.float32(QUANTIZATION_STEPS * QUANTIZATION_STEPS)


def _insert_new_rows(
    index: NDArray[np.int32],
    similarity: NDArray[np.float32],
    quantized: NDArray[np.float32],
    rows: NDArray[np.int32],
    new_rows: NDArray[np.int32],
) -> None:
    """Insert the new rows into the lists of other rows; few are close enough to any row."""
    block = max(1, BLOCK_BYTES // (4 * max(1, len(new_rows))))
    new_vectors = quantized[new_rows]
    for start in range(0, len(rows) if len(new_rows) else 0, block):
        block_rows = rows[start : start + block]
        cosine = quantized[block_rows] @ new_vectors.T / np.float32(QUANTIZATION_STEPS * QUANTIZATION_STEPS)
        row_of_pair, column_of_pair = np.nonzero(cosine >= similarity[block_rows, -1:])
        if len(row_of_pair):
            _merge_neighbours(
                index,
                similarity,
                block_rows[row_of_pair],
                new_rows[column_of_pair],
                cosine[row_of_pair, column_of_pair],
            )


def _merge_neighbours(
    index: NDArray[np.int32],
    similarity: NDArray[np.float32],
    row: NDArray[np.int32],
    column: NDArray[np.int32],
    value: NDArray[np.float32],
) -> None:
    """Insert new neighbours into the lists of rows, nearest first, ties by row.

    Each list keeps its length, so its last entries drop out.
    """
    k = index.shape[1]
    changed_rows = np.unique(row)
    row = np.concatenate([np.repeat(changed_rows, k), row])
    column = np.concatenate([index[changed_rows].ravel(), column])
    value = np.concatenate([similarity[changed_rows].ravel(), value])
    order = np.lexsort((column, -value, row))
    first = np.searchsorted(row[order], changed_rows)
    retained = order[first[:, None] + np.arange(k)]
    index[changed_rows], similarity[changed_rows] = column[retained], value[retained]
