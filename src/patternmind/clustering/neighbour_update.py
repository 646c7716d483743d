"""A neighbour search brought up to date: only what is new is searched, and the answer is that of a full search."""

import numpy as np
from numpy.typing import NDArray

from patternmind.clustering.neighbours import (
    BLOCK_BYTES,
    QUANTIZATION_STEPS,
    find_nearest_neighbours,
    quantize,
    top_k,
)
from patternmind.domain.themes import Neighbours, Vectors

REMOVED = -1

MAX_SEARCHED_SHARE = 0.5
"""Share of rows to be searched from which a full search is as quick."""


def update_neighbours(old: Neighbours, vectors: Vectors, new_positions: NDArray[np.int32], *, k: int) -> Neighbours:
    """The k nearest neighbours of every row, from those of an earlier search.

    A row that was not in that search, or that has lost one of its neighbours, is searched among all; the others take
    the new rows that are close enough into their lists.

    Args:
        old: of the earlier rows, every pair compared.
        vectors: (n, d) of the rows as they are now.
        now: (n_old,) where each earlier row is now, ``GONE`` where it was taken out or has another vector.

    Returns:
        What ``nearest_neighbours`` finds where it compares every pair, bit by bit. It is asked where ``old`` does not
        lead there: too short a list, rows in another order, or too much to search.
    """
    n = len(vectors)
    k = max(0, min(k, n - 1))
    stays = np.flatnonzero(new_positions != REMOVED)
    if k == 0 or len(stays) == 0 or old.index.shape[1] < k or (np.diff(new_positions[stays]) <= 0).any():
        return find_nearest_neighbours(vectors, k)
    theirs = new_positions[old.index[:, :k]]
    whole = stays[(theirs[stays] != REMOVED).all(axis=1)]
    known, new = new_positions[whole], _complement(n, new_positions[stays])
    searched = _complement(n, known)
    if len(searched) > MAX_SEARCHED_SHARE * n:
        return find_nearest_neighbours(vectors, k)
    index = np.zeros((n, k), np.int32)
    found = np.zeros((n, k), np.float32)
    index[known], found[known] = theirs[whole], old.similarity[whole, :k]
    grid = quantize(vectors)
    _search_rows(index, found, grid, searched)
    _insert_new_rows(index, found, grid, known, new)
    return Neighbours(index, found)


def _complement(n: int, rows: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.setdiff1d(np.arange(n, dtype=np.int32), rows)


def _search_rows(
    index: NDArray[np.int32], similarity: NDArray[np.float32], quantized: NDArray[np.float32], rows: NDArray[np.int32]
) -> None:
    """Put down the nearest of some rows among all."""
    block = max(1, BLOCK_BYTES // (4 * len(quantized)))
    for start in range(0, len(rows), block):
        part = rows[start : start + block]
        dots = quantized[part] @ quantized.T
        dots[np.arange(len(part)), part] = -np.inf
        index[part], best = top_k(dots, index.shape[1])
        similarity[part] = best / np.float32(QUANTIZATION_STEPS * QUANTIZATION_STEPS)


def _insert_new_rows(
    index: NDArray[np.int32],
    similarity: NDArray[np.float32],
    quantized: NDArray[np.float32],
    rows: NDArray[np.int32],
    new_rows: NDArray[np.int32],
) -> None:
    """Put the new rows where they belong in the lists of others; few are close enough to any one row."""
    block = max(1, BLOCK_BYTES // (4 * max(1, len(new_rows))))
    theirs = quantized[new_rows]
    for start in range(0, len(rows) if len(new_rows) else 0, block):
        part = rows[start : start + block]
        cosine = quantized[part] @ theirs.T / np.float32(QUANTIZATION_STEPS * QUANTIZATION_STEPS)
        where, which = np.nonzero(cosine >= similarity[part, -1:])
        if len(where):
            _merge_neighbours(index, similarity, part[where], new_rows[which], cosine[where, which])


def _merge_neighbours(
    index: NDArray[np.int32],
    similarity: NDArray[np.float32],
    row: NDArray[np.int32],
    column: NDArray[np.int32],
    value: NDArray[np.float32],
) -> None:
    """Put pairs of a row and a new neighbour into the lists, nearest first, ties by row; the last drop out."""
    k = index.shape[1]
    touched = np.unique(row)
    row = np.concatenate([np.repeat(touched, k), row])
    column = np.concatenate([index[touched].ravel(), column])
    value = np.concatenate([similarity[touched].ravel(), value])
    order = np.lexsort((column, -value, row))
    first = np.searchsorted(row[order], touched)
    kept = order[first[:, None] + np.arange(k)]
    index[touched], similarity[touched] = column[kept], value[kept]


__all__ = ["REMOVED", "update_neighbours"]
