"""The graph engine: consensus of many resampled Louvain fits on a neighbour graph.

Each fit uses a random part of the edges and another resolution. An edge's weight in the final fit is its weight times
the square of its agreement: the share of fits that put both ends into one community. The final fit is fine-grained;
clusters that the fits keep together are merged again (`hierarchy`). The fits also measure the consensus of each row.
Figures: docs/decisions/0010 and 0012.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from patternmind.clustering.hierarchy import merge_agreed_clusters
from patternmind.domain.themes import Neighbours

EDGE_SAMPLE_SHARE = 0.6
RESOLUTION_RANGE = (0.6, 2.5)
"""Range of the fits' resolutions, spaced evenly on a logarithmic scale.

Outside it, fits give one large community or single edges, and do not agree. With random resolutions instead, the
adjusted Rand index of two subsamples of bills was .83 instead of .86.
"""

RESOLUTION_SCALING_FROM_ROWS = 4000
"""Number of rows above which the resolutions increase.

They grow with the square root of the number of rows, as the number of themes does. banking77, 13,000 rows: 80 themes
instead of 64, AMI .794 instead of .790; two subsamples agree to .90 instead of .88.
"""

HALF_WEIGHT_RANK = 5.0
"""Rank at which a neighbour has half the weight of the first.

Weights follow the rank, not the cosine: the cosines of the tenth and the sixtieth neighbour hardly differ, so both
would count the same. By rank, a wide graph stabilises small networks (lessons: .58 with 15 neighbours by cosine, .69
with 80 by rank) and does not blur them.
"""

FINAL_RESOLUTION = 2.3
"""Resolution of the final fits, fine on purpose: lessons has 17 clusters before any are merged."""


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """Edges of an undirected graph of ``n`` rows.

    ``left[i] < right[i]``, and every weight is above 0. The weight of a pair whose rows list each other is the sum of
    both directions.
    """

    n: int
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    weight: NDArray[np.float64]

    def subgraph(self, rows: NDArray[np.intp]) -> "Edges":
        """Return the graph of some of the rows, in rising order; its row i is ``rows[i]``."""
        new_number = np.full(self.n, -1, np.int32)
        new_number[rows] = np.arange(len(rows), dtype=np.int32)
        is_inside = (new_number[self.left] >= 0) & (new_number[self.right] >= 0)
        return Edges(
            len(rows), new_number[self.left[is_inside]], new_number[self.right[is_inside]], self.weight[is_inside]
        )


@dataclass(frozen=True, slots=True, eq=False)
class Communities:
    """Communities of all rows, with their support in the fits.

    Attributes:
        labels: (n,) from 0.
        consensus: (n,) 0..1, the mean share of a row's community that the fits keep with it.
        edges: the graph that was partitioned.
        agreement: (m,) 0..1, the share of fits that keep both ends of an edge together.
    """

    labels: NDArray[np.int32]
    consensus: NDArray[np.float64]
    edges: Edges
    agreement: NDArray[np.float64]


def default_n_fits(n: int) -> int:
    """Return the number of resampled fits for n rows: 60 up to 3,000 rows, fewer above, at least 6.

    Up to 3,000 rows, 60 fits cost a few seconds. More fits stabilise small networks, where two fits differ much (118
    rows: seeds agree to .86 with 30, .89 with 100). On 13,000 rows, 16 fits give the same result as 30.
    """
    return max(6, min(60, 200_000 // max(1, n)))


def default_n_final_fits(n: int) -> int:
    """Return the number of final fits for n rows: 10 up to 3,000 rows, 1 above 15,000.

    The final fit with the highest modularity is used.
    """
    return max(1, min(10, 30_000 // max(1, n)))


def find_communities(edges: Edges, *, n_fits: int, seed: int) -> Communities:
    """Partition the rows of a graph; the same arguments give the same result."""
    return build_consensus(edges, fit_edge_samples(edges, n_fits=n_fits, seed=seed), seed=seed)


def fit_edge_samples(edges: Edges, *, n_fits: int, seed: int) -> list[NDArray[np.int32]]:
    """Return the labels (n,) of each fit on a random part of the edges."""
    rng = np.random.default_rng(seed)
    scale = max(1.0, edges.n / RESOLUTION_SCALING_FROM_ROWS) ** 0.5
    resolutions = scale * np.geomspace(*RESOLUTION_RANGE, 2 * n_fits + 1)[1::2][rng.permutation(n_fits)]
    fits: list[NDArray[np.int32]] = []
    for fit in range(n_fits):
        is_sampled = rng.random(len(edges.left)) < EDGE_SAMPLE_SHARE
        fits.append(fit_louvain(edges, edges.weight * is_sampled, float(resolutions[fit]), seed + fit))
    return fits


def build_consensus(edges: Edges, fits: Sequence[NDArray[np.int32]], *, seed: int) -> Communities:
    """Return the communities on which fits of the graph agree; the fits may come from any source."""
    together = np.zeros(len(edges.left))
    for labels in fits:
        together += labels[edges.left] == labels[edges.right]
    agreement = together / max(1, len(fits))
    weight = edges.weight * agreement**2
    final_fits = [fit_louvain(edges, weight, FINAL_RESOLUTION, seed + i) for i in range(default_n_final_fits(edges.n))]
    best = max(final_fits, key=lambda labels: _modularity(edges, weight, labels, FINAL_RESOLUTION))
    labels = merge_agreed_clusters(best, (edges.left, edges.right, weight), fits)
    return Communities(labels, _consensus(labels, fits), edges, agreement)


def build_edges(neighbours: Neighbours) -> Edges:
    n, k = neighbours.index.shape
    rows, rank = np.indices((n, k), dtype=np.int32)
    matrices: Any = sparse
    weights = np.where(neighbours.similarity > 0, HALF_WEIGHT_RANK / (HALF_WEIGHT_RANK + rank), 0.0)
    directed = matrices.csr_matrix((weights.ravel(), (rows.ravel(), neighbours.index.ravel())), shape=(n, n))
    upper = matrices.triu(directed + directed.T, k=1).tocoo()
    is_edge = upper.data > 0
    return Edges(n, upper.row[is_edge].astype(np.int32), upper.col[is_edge].astype(np.int32), upper.data[is_edge])


def compute_memberships(edges: Edges, weight: NDArray[np.float64], labels: NDArray[np.int32], k: int) -> Any:
    """Return each row's share of edge weight to each community, sparse (n, k).

    Rows with a label below 0 belong to no community.
    """
    matrices: Any = sparse
    half = matrices.csr_matrix((weight, (edges.left, edges.right)), shape=(edges.n, edges.n))
    inside = np.flatnonzero(labels >= 0)
    member = matrices.csr_matrix((np.ones(len(inside)), (inside, labels[inside])), shape=(edges.n, k))
    weights = (half + half.T) @ member
    total = np.asarray(weights.sum(axis=1)).ravel()
    return (matrices.diags(1 / np.where(total > 0, total, 1)) @ weights).tocsr()


def fit_louvain(edges: Edges, weight: NDArray[np.float64], resolution: float, seed: int) -> NDArray[np.int32]:
    """Return the labels (n,) of one Louvain fit.

    The consensus corrects the same errors as Leiden's refinement, in half the time. That refinement also draws from the
    C library's unseeded ``rand()``.
    """
    from sknetwork import clustering  # takes 0.4 s

    matrices: Any = sparse
    communities: Any = clustering

    used = weight > 0
    if not used.any():
        return np.arange(edges.n, dtype=np.int32)
    half = matrices.csr_matrix((weight[used], (edges.left[used], edges.right[used])), shape=(edges.n, edges.n))
    fit = communities.Louvain(resolution=resolution, shuffle_nodes=True, random_state=seed)
    return np.asarray(fit.fit_predict(half + half.T), np.int32)


def _modularity(edges: Edges, weight: NDArray[np.float64], labels: NDArray[np.int32], resolution: float) -> float:
    total = float(weight.sum())
    if not total:
        return 0.0
    inside = float(weight[labels[edges.left] == labels[edges.right]].sum())
    degree = np.bincount(edges.left, weight, edges.n) + np.bincount(edges.right, weight, edges.n)
    return inside / total - resolution * float(((np.bincount(labels, degree) / (2 * total)) ** 2).sum())


def _consensus(labels: NDArray[np.int32], fits: Sequence[NDArray[np.int32]]) -> NDArray[np.float64]:
    size = np.bincount(labels)
    consensus = np.zeros(len(labels))
    for fit in fits:
        k = int(fit.max()) + 1
        pair = labels.astype(np.int64) * k + fit
        _, position, count = np.unique(pair, return_inverse=True, return_counts=True)
        consensus += count[position] / size[labels]
    return consensus / max(1, len(fits)) if fits else np.ones(len(labels))
