"""A neighbour search brought up to date: only what is new is searched, and the answer is that of a full search."""

import numpy as np
from numpy.typing import NDArray

from patternmind.cluster.neighbours import BLOCK_BYTES, GRID, best_of, nearest_neighbours, on_grid
from patternmind.model.themes import Neighbours, Vectors

GONE = -1

MOST_SEARCHED = 0.5
"""Share of rows to be searched from which a full search is as quick."""


def update_neighbours(old: Neighbours, vectors: Vectors, now: NDArray[np.int32], *, k: int) -> Neighbours:
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
    stays = np.flatnonzero(now != GONE)
    if k == 0 or len(stays) == 0 or old.index.shape[1] < k or (np.diff(now[stays]) <= 0).any():
        return nearest_neighbours(vectors, k)
    theirs = now[old.index[:, :k]]
    whole = stays[(theirs[stays] != GONE).all(axis=1)]
    known, new = now[whole], _others(n, now[stays])
    searched = _others(n, known)
    if len(searched) > MOST_SEARCHED * n:
        return nearest_neighbours(vectors, k)
    index = np.zeros((n, k), np.int32)
    found = np.zeros((n, k), np.float32)
    index[known], found[known] = theirs[whole], old.similarity[whole, :k]
    grid = on_grid(vectors)
    _search(index, found, grid, searched)
    _take_in(index, found, grid, known, new)
    return Neighbours(index, found)


def _others(n: int, rows: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.setdiff1d(np.arange(n, dtype=np.int32), rows)


def _search(
    index: NDArray[np.int32], found: NDArray[np.float32], grid: NDArray[np.float32], rows: NDArray[np.int32]
) -> None:
    """Put down the nearest of some rows among all."""
    block = max(1, BLOCK_BYTES // (4 * len(grid)))
    for start in range(0, len(rows), block):
        part = rows[start : start + block]
        dots = grid[part] @ grid.T
        dots[np.arange(len(part)), part] = -np.inf
        index[part], best = best_of(dots, index.shape[1])
        found[part] = best / np.float32(GRID * GRID)


def _take_in(
    index: NDArray[np.int32],
    found: NDArray[np.float32],
    grid: NDArray[np.float32],
    rows: NDArray[np.int32],
    new: NDArray[np.int32],
) -> None:
    """Put the new rows where they belong in the lists of others; few are close enough to any one row."""
    block = max(1, BLOCK_BYTES // (4 * max(1, len(new))))
    theirs = grid[new]
    for start in range(0, len(rows) if len(new) else 0, block):
        part = rows[start : start + block]
        cosine = grid[part] @ theirs.T / np.float32(GRID * GRID)
        where, which = np.nonzero(cosine >= found[part, -1:])
        if len(where):
            _merge(index, found, part[where], new[which], cosine[where, which])


def _merge(
    index: NDArray[np.int32],
    found: NDArray[np.float32],
    row: NDArray[np.int32],
    column: NDArray[np.int32],
    value: NDArray[np.float32],
) -> None:
    """Put pairs of a row and a new neighbour into the lists, nearest first, ties by row; the last drop out."""
    k = index.shape[1]
    touched = np.unique(row)
    row = np.concatenate([np.repeat(touched, k), row])
    column = np.concatenate([index[touched].ravel(), column])
    value = np.concatenate([found[touched].ravel(), value])
    order = np.lexsort((column, -value, row))
    first = np.searchsorted(row[order], touched)
    kept = order[first[:, None] + np.arange(k)]
    index[touched], found[touched] = column[kept], value[kept]


__all__ = ["GONE", "update_neighbours"]
