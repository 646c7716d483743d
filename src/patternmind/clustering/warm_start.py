"""Warm start: extend the fits of the last run to new rows instead of making all fits again.

The fits take most of the time; their evaluation is the same code as in a full run. New rows can form communities of
their own in every fit, so a new theme among them is visible at once. They do so where they are connected more to each
other than to any former community. Figures: docs/decisions/0013.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from patternmind.clustering.graph import EDGE_SAMPLE_SHARE, Edges, build_edges, fit_louvain
from patternmind.clustering.neighbour_update import REMOVED, update_neighbours
from patternmind.clustering.stability import SAMPLE_SHARE
from patternmind.domain.stored_fits import NOT_DRAWN, FitLabels, StoredFits
from patternmind.domain.themes import OUTLIER, Neighbours, Vectors

MIN_ROWS = 1000
"""Smallest network for a warm start; below it a full fit takes seconds, and a few new cases change much."""

MAX_DRIFT = 0.05
"""Largest share of rows added, removed or changed since the last full fit.

In a warm start, former communities can grow and shrink, and new ones can join them. A former community cannot split;
only the next full fit can detect that.
"""

NEW_ROWS_RESOLUTION = 1.0
"""Resolution of the fit of the new rows alone; such a group only has to be possible without the other rows."""

MAX_PROPAGATION_ROUNDS = 5
"""Rounds in which new rows follow other new rows; the chains are short, because few edges join new rows."""

UNASSIGNED = -3


@dataclass(frozen=True, slots=True, eq=False)
class WarmStart:
    """Neighbours and fits of the current rows, of which ``n_new`` are new."""

    neighbours: Neighbours
    fits: FitLabels
    n_new: int


def hash_rows(case_ids: Sequence[str], vectors: Vectors) -> NDArray[np.uint64]:
    """Hash id and vector of each case, (n, 2), to detect rows that changed."""
    id_hashes = [_hash(case_id.encode("utf-8", "surrogatepass")) for case_id in case_ids]
    vector_hashes = [_hash(row.tobytes()) for row in np.ascontiguousarray(vectors)]
    return np.array([id_hashes, vector_hashes], np.uint64).T.reshape(-1, 2)


def warm_start_fits(
    stored: StoredFits, vectors: Vectors, row_hashes: NDArray[np.uint64], *, seed: int
) -> WarmStart | None:
    """Extend the fits of an earlier run to the current rows.

    Args:
        stored: fits of the earlier run.
        vectors: (n, d) of the current rows, by rising case id.
        row_hashes: (n, 2) of the current rows, by rising case id like those of the earlier run.
        seed: seed of all random draws.

    Returns:
        The extended fits; None if there are fewer than ``MIN_ROWS`` rows or more than ``MAX_DRIFT`` changed.
    """
    n = len(row_hashes)
    if n < MIN_ROWS or count_drift(stored.baseline_digests, row_hashes) > MAX_DRIFT * n:
        return None
    new_positions = _find_new_positions(stored.row_digests, row_hashes)
    neighbours = update_neighbours(stored.neighbours, vectors, new_positions, k=stored.neighbours.index.shape[1])
    fits = extend_fits(stored.labels, build_edges(neighbours), new_positions, seed=seed)
    return WarmStart(neighbours, fits, n - int((new_positions != REMOVED).sum()))


def count_drift(baseline_hashes: NDArray[np.uint64], row_hashes: NDArray[np.uint64]) -> int:
    """Count the cases added, removed or with another vector between two sets of hashes."""
    before, after = dict(baseline_hashes.tolist()), dict(row_hashes.tolist())
    changed = sum(before[case] != vector for case, vector in after.items() if case in before)
    return len(before.keys() ^ after.keys()) + changed


def extend_fits(old: FitLabels, edges: Edges, new_positions: NDArray[np.int32], *, seed: int) -> FitLabels:
    """Remove missing rows from every fit and assign the new rows to its communities.

    Like any fit, each uses its own random part of the edges, or of the rows.

    Args:
        old: labels of the earlier fits.
        edges: edges of all current rows.
        new_positions: (n_old,) current position of each earlier row, or ``REMOVED``.
        seed: seed of all random draws.
    """
    rng = np.random.default_rng([seed, edges.n])
    new_edges = _edges_of_new_rows(edges, new_positions)
    edge_fits = np.full((len(old.edge_fits), edges.n), UNASSIGNED, np.int32)
    for fit, labels in enumerate(edge_fits):
        _copy_labels(labels, old.edge_fits[fit], new_positions)
        _assign_new_rows(labels, new_edges, rng.random(len(new_edges.weight)) < EDGE_SAMPLE_SHARE, seed + fit)
    row_fits = np.full((len(old.row_fits), edges.n), UNASSIGNED, np.int32)
    for fit, labels in enumerate(row_fits):
        labels[new_edges.new_rows] = np.where(rng.random(len(new_edges.new_rows)) < SAMPLE_SHARE, UNASSIGNED, NOT_DRAWN)
        _copy_labels(labels, old.row_fits[fit], new_positions)
        _assign_new_rows(labels, new_edges, np.ones(len(new_edges.weight), np.bool_), seed + fit)
    return FitLabels(edge_fits, row_fits)


def _hash(data: bytes) -> int:
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "little")


def _find_new_positions(former_hashes: NDArray[np.uint64], row_hashes: NDArray[np.uint64]) -> NDArray[np.int32]:
    """Return the current row of each earlier row, (n_old,).

    It is ``REMOVED`` if the case was removed or has another vector.
    """
    row_of = {(case, vector): row for row, (case, vector) in enumerate(row_hashes.tolist())}
    return np.array([row_of.get((case, vector), REMOVED) for case, vector in former_hashes.tolist()], np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class _NewRowEdges:
    """Edges with at least one new row; edges between two new rows come first.

    Attributes:
        new_rows: the new rows in rising order.
        new_subgraph: the graph of the new rows alone.
        left: left row of each edge.
        right: right row of each edge.
        weight: weight of each edge.
    """

    new_rows: NDArray[np.intp]
    new_subgraph: Edges
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    weight: NDArray[np.float64]


def _edges_of_new_rows(edges: Edges, new_positions: NDArray[np.int32]) -> _NewRowEdges:
    is_new = np.ones(edges.n, np.bool_)
    is_new[new_positions[new_positions != REMOVED]] = False
    n_ends = is_new[edges.left].astype(np.int8) + is_new[edges.right]
    selected = np.concatenate([np.flatnonzero(n_ends == 2), np.flatnonzero(n_ends == 1)])
    new_rows = np.flatnonzero(is_new)
    return _NewRowEdges(
        new_rows, edges.subgraph(new_rows), edges.left[selected], edges.right[selected], edges.weight[selected]
    )


def _copy_labels(labels: NDArray[np.int32], former: NDArray[np.int32], new_positions: NDArray[np.int32]) -> None:
    stays = new_positions != REMOVED
    labels[new_positions[stays]] = former[stays]


def _assign_new_rows(
    labels: NDArray[np.int32], new_edges: _NewRowEdges, edge_mask: NDArray[np.bool_], seed: int
) -> None:
    """Assign every unassigned row to a community, in place.

    It is a community of new rows alone, or the one to which most of the row's edge weight leads.
    """
    is_used = edge_mask & (labels[new_edges.left] != NOT_DRAWN) & (labels[new_edges.right] != NOT_DRAWN)
    weight = np.where(is_used, new_edges.weight, 0.0)
    is_drawn = labels[new_edges.new_rows] == UNASSIGNED
    rows = new_edges.new_rows[is_drawn]
    n_old = int(labels.max(initial=OUTLIER)) + 1
    new_communities = fit_louvain(
        new_edges.new_subgraph, weight[: len(new_edges.new_subgraph.left)], NEW_ROWS_RESOLUTION, seed
    )
    group = np.unique(new_communities[is_drawn], return_inverse=True)[1]
    labels[rows] = n_old + group
    weight_by_label = _weight_by_label(labels, new_edges, weight, rows)
    by_group = np.zeros((int(group.max(initial=-1)) + 1, weight_by_label.shape[1]))
    np.add.at(by_group, group, weight_by_label)
    inner_weight = by_group[np.arange(len(by_group)), n_old + 1 + np.arange(len(by_group))]
    is_own_community = inner_weight > by_group[:, : n_old + 1].max(axis=1, initial=0)
    _assign_by_neighbours(labels, new_edges, weight, rows[~is_own_community[group]])
    has_community = labels > OUTLIER
    labels[has_community] = np.unique(labels[has_community], return_inverse=True)[1]


def _assign_by_neighbours(
    labels: NDArray[np.int32], new_edges: _NewRowEdges, weight: NDArray[np.float64], rows: NDArray[np.intp]
) -> None:
    """Assign each row to the community with most of its edge weight.

    A row without edges to assigned rows becomes a community of its own.
    """
    labels[rows] = UNASSIGNED
    for _ in range(MAX_PROPAGATION_ROUNDS):
        weight_by_label = _weight_by_label(labels, new_edges, weight, rows)
        assigned = np.where(
            weight_by_label.max(axis=1, initial=0) > 0, weight_by_label.argmax(axis=1) + OUTLIER, UNASSIGNED
        )
        if np.array_equal(assigned, labels[rows]):
            break
        labels[rows] = assigned
    unassigned = rows[labels[rows] == UNASSIGNED]
    labels[unassigned] = int(labels.max(initial=OUTLIER)) + 1 + np.arange(len(unassigned))


def _weight_by_label(
    labels: NDArray[np.int32], new_edges: _NewRowEdges, weight: NDArray[np.float64], rows: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return the edge weight from each row to each label, (rows, k + 1); the first column is ``OUTLIER``."""
    width = int(labels.max(initial=OUTLIER)) + 2
    row_number = np.full(len(labels), -1, np.int64)
    row_number[rows] = np.arange(len(rows))
    row = row_number[np.concatenate([new_edges.left, new_edges.right])]
    label = labels[np.concatenate([new_edges.right, new_edges.left])]
    is_counted = (row >= 0) & (label >= OUTLIER)
    cell = row[is_counted] * width + label[is_counted] - OUTLIER
    edge_weight = np.concatenate([weight, weight])[is_counted]
    return np.asarray(np.bincount(cell, edge_weight, len(rows) * width), np.float64).reshape(len(rows), width)
