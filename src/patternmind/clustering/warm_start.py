"""A warm start: the fits of the last run, extended to the rows that are new since, instead of fits made anew.

What takes the time is making the fits; what is judged from them is the same code as in a full run. So that a theme
born among the new rows is seen at once, they may form communities of their own in every fit, and do so where they are
tied more to each other than to any community there was. Figures: docs/decisions/0013.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from patternmind.clustering.graph import (
    EDGE_SAMPLE_SHARE,
    Edges,
    build_edges,
    fit_louvain,
)
from patternmind.clustering.neighbour_update import REMOVED, update_neighbours
from patternmind.clustering.stability import NOT_DRAWN, SAMPLE_SHARE
from patternmind.domain.stored_fits import FitLabels, StoredFits
from patternmind.domain.themes import OUTLIER, Neighbours, Vectors

MIN_ROWS = 1000
"""Below, a full fit costs seconds, and a few new cases change much of what there is."""

MAX_DRIFT = 0.05
"""Share of the rows that may have come, gone or changed since all fits were made. Old communities can grow and shrink
and new ones join them, but an old one cannot fall apart: that is for the next full fit to see."""

NEW_ROWS_RESOLUTION = 1.0
"""Resolution at which the new rows alone are grouped: a group only has to be one that could stand by itself."""

MAX_PROPAGATION_ROUNDS = 5
"""New rows that are tied to other new rows follow those; chains are short, for few ties are among new rows."""

UNASSIGNED = -3


@dataclass(frozen=True, slots=True, eq=False)
class WarmStart:
    """What a run goes on with: neighbours and fits of the rows as they are now, of which ``n_new`` are new."""

    neighbours: Neighbours
    fits: FitLabels
    n_new: int


def hash_rows(case_ids: Sequence[str], vectors: Vectors) -> NDArray[np.uint64]:
    """A digest of each case's id and one of its vector, (n, 2): enough to see whether a row is the one it was."""
    said = [_hash(case_id.encode("utf-8", "surrogatepass")) for case_id in case_ids]
    seen = [_hash(row.tobytes()) for row in np.ascontiguousarray(vectors)]
    return np.array([said, seen], np.uint64).T.reshape(-1, 2)


def warm_start_fits(
    stored: StoredFits, vectors: Vectors, row_hashes: NDArray[np.uint64], *, seed: int
) -> WarmStart | None:
    """The fits of an earlier run brought up to date; None where the rows are too few, or too much has changed.

    Args:
        marks: (n, 2) of the rows as they are now, by rising case id as those before were.
    """
    n = len(row_hashes)
    if n < MIN_ROWS or count_drift(stored.baseline_digests, row_hashes) > MAX_DRIFT * n:
        return None
    now = _find_new_positions(stored.row_digests, row_hashes)
    neighbours = update_neighbours(stored.neighbours, vectors, now, k=stored.neighbours.index.shape[1])
    fits = extend_fits(stored.labels, build_edges(neighbours), now, seed=seed)
    return WarmStart(neighbours, fits, n - int((now != REMOVED).sum()))


def count_drift(baseline_hashes: NDArray[np.uint64], row_hashes: NDArray[np.uint64]) -> int:
    """How many cases have come, gone or changed their vector between two sets of marks."""
    before, after = dict(baseline_hashes.tolist()), dict(row_hashes.tolist())
    changed = sum(before[case] != vector for case, vector in after.items() if case in before)
    return len(before.keys() ^ after.keys()) + changed


def extend_fits(old: FitLabels, edges: Edges, new_positions: NDArray[np.int32], *, seed: int) -> FitLabels:
    """Every fit with the rows that are gone left out and the new ones put where it would have them.

    Like any fit, each sees its own random part of the edges, or of the rows.

    Args:
        edges: of all rows as they are now.
        now: (n_old,) where each earlier row is now, or ``GONE``.
    """
    rng = np.random.default_rng([seed, edges.n])
    ties = _edges_of_new_rows(edges, new_positions)
    parts = np.full((len(old.edge_fits), edges.n), UNASSIGNED, np.int32)
    for fit, labels in enumerate(parts):
        _copy_labels(labels, old.edge_fits[fit], new_positions)
        _assign_new_rows(labels, ties, rng.random(len(ties.weight)) < EDGE_SAMPLE_SHARE, seed + fit)
    samples = np.full((len(old.row_fits), edges.n), UNASSIGNED, np.int32)
    for fit, labels in enumerate(samples):
        labels[ties.new] = np.where(rng.random(len(ties.new)) < SAMPLE_SHARE, UNASSIGNED, NOT_DRAWN)
        _copy_labels(labels, old.row_fits[fit], new_positions)
        _assign_new_rows(labels, ties, np.ones(len(ties.weight), np.bool_), seed + fit)
    return FitLabels(parts, samples)


def _hash(data: bytes) -> int:
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "little")


def _find_new_positions(former_hashes: NDArray[np.uint64], row_hashes: NDArray[np.uint64]) -> NDArray[np.int32]:
    """The row of each earlier row, (n_old,), ``GONE`` where the case is gone or has another vector."""
    places = {(case, vector): row for row, (case, vector) in enumerate(row_hashes.tolist())}
    return np.array([places.get((case, vector), REMOVED) for case, vector in former_hashes.tolist()], np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class _NewRowEdges:
    """The edges that touch a new row, those among new rows first.

    ``new`` are the new rows in rising order; ``inner`` the edges among them, as a graph of its own, and ``n_inner``
    their number.
    """

    new: NDArray[np.intp]
    inner: Edges
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    weight: NDArray[np.float64]


def _edges_of_new_rows(edges: Edges, new_positions: NDArray[np.int32]) -> _NewRowEdges:
    is_new = np.ones(edges.n, np.bool_)
    is_new[new_positions[new_positions != REMOVED]] = False
    n_ends = is_new[edges.left].astype(np.int8) + is_new[edges.right]
    touching = np.concatenate([np.flatnonzero(n_ends == 2), np.flatnonzero(n_ends == 1)])
    new = np.flatnonzero(is_new)
    return _NewRowEdges(new, edges.subgraph(new), edges.left[touching], edges.right[touching], edges.weight[touching])


def _copy_labels(labels: NDArray[np.int32], former: NDArray[np.int32], new_positions: NDArray[np.int32]) -> None:
    stays = new_positions != REMOVED
    labels[new_positions[stays]] = former[stays]


def _assign_new_rows(
    labels: NDArray[np.int32], new_edges: _NewRowEdges, edge_mask: NDArray[np.bool_], seed: int
) -> None:
    """Give every unplaced row a community: one of new rows alone, or the one to which most of its weight leads."""
    seen = edge_mask & (labels[new_edges.left] != NOT_DRAWN) & (labels[new_edges.right] != NOT_DRAWN)
    weight = np.where(seen, new_edges.weight, 0.0)
    drawn = labels[new_edges.new] == UNASSIGNED
    rows = new_edges.new[drawn]
    n_old = int(labels.max(initial=OUTLIER)) + 1
    alone = fit_louvain(new_edges.inner, weight[: len(new_edges.inner.left)], NEW_ROWS_RESOLUTION, seed)
    group = np.unique(alone[drawn], return_inverse=True)[1]
    labels[rows] = n_old + group
    led = _weight_by_label(labels, new_edges, weight, rows)
    by_group = np.zeros((int(group.max(initial=-1)) + 1, led.shape[1]))
    np.add.at(by_group, group, led)
    inside = by_group[np.arange(len(by_group)), n_old + 1 + np.arange(len(by_group))]
    stands = inside > by_group[:, : n_old + 1].max(axis=1, initial=0)
    _assign_by_neighbours(labels, new_edges, weight, rows[~stands[group]])
    used = labels > OUTLIER
    labels[used] = np.unique(labels[used], return_inverse=True)[1]


def _assign_by_neighbours(
    labels: NDArray[np.int32], new_edges: _NewRowEdges, weight: NDArray[np.float64], rows: NDArray[np.intp]
) -> None:
    """Put each row where most of its weight leads; one that is tied to nothing placed stays by itself."""
    labels[rows] = UNASSIGNED
    for _ in range(MAX_PROPAGATION_ROUNDS):
        led = _weight_by_label(labels, new_edges, weight, rows)
        found = np.where(led.max(axis=1, initial=0) > 0, led.argmax(axis=1) + OUTLIER, UNASSIGNED)
        if np.array_equal(found, labels[rows]):
            break
        labels[rows] = found
    lost = rows[labels[rows] == UNASSIGNED]
    labels[lost] = int(labels.max(initial=OUTLIER)) + 1 + np.arange(len(lost))


def _weight_by_label(
    labels: NDArray[np.int32], new_edges: _NewRowEdges, weight: NDArray[np.float64], rows: NDArray[np.intp]
) -> NDArray[np.float64]:
    """The weight that leads from each of the rows to each label, (rows, k + 1), the first column to ``OUTLIER``."""
    width = int(labels.max(initial=OUTLIER)) + 2
    place = np.full(len(labels), -1, np.int64)
    place[rows] = np.arange(len(rows))
    row = place[np.concatenate([new_edges.left, new_edges.right])]
    label = labels[np.concatenate([new_edges.right, new_edges.left])]
    leads = (row >= 0) & (label >= OUTLIER)
    where = row[leads] * width + label[leads] - OUTLIER
    both = np.concatenate([weight, weight])[leads]
    return np.asarray(np.bincount(where, both, len(rows) * width), np.float64).reshape(len(rows), width)


__all__ = ["MAX_DRIFT", "MIN_ROWS", "WarmStart", "count_drift", "extend_fits", "hash_rows", "warm_start_fits"]
