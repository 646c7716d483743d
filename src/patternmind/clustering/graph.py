"""The graph engine: a neighbour graph, many resampled Louvain fits, and one last fit on what they agree about.

Consensus on edges: each fit sees a random part of the edges at another resolution; the share of fits in which the two
ends of an edge fall together, squared, times its weight, is its weight in the last fit. That one is fine; what the fits
hold together is merged again (`merging`). The fits also say how firmly each row sits in its cluster. Figures:
docs/decisions/0010 and 0012.
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
"""Evenly spread on a logarithmic scale; outside, fits fall into one blob or into single edges and agree on nothing.
Drawn at random instead, they left the adjusted Rand index of two subsamples of bills at .83 instead of .86."""

RESOLUTION_SCALING_FROM_ROWS = 4000
"""Rows up to which these resolutions hold; above, they rise with the square root, as the number of themes does
(banking77, 13,000 rows: 80 themes instead of 64, AMI .794 instead of .790, two subsamples agree to .90 and .88)."""

HALF_WEIGHT_RANK = 5.0
"""Rank at which a neighbour counts half as much as the first. By rank, not by cosine: the cosines of the tenth and the
sixtieth neighbour hardly differ, and the sixtieth then counts as much; by rank a wide graph steadies small networks
(lessons: .58 with 15 neighbours by cosine, .69 with 80 by rank) and does not blur them."""

FINAL_RESOLUTION = 2.3
"""Fine: lessons 17 clusters, before any are merged."""


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """The undirected graph: ``left[i] < right[i]``, weight > 0; a pair that lists each other weighs both ways."""

    n: int
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    weight: NDArray[np.float64]

    def subgraph(self, rows: NDArray[np.intp]) -> "Edges":
        """The graph of some of the rows, in rising order; row i of it is ``rows[i]``."""
        place = np.full(self.n, -1, np.int32)
        place[rows] = np.arange(len(rows), dtype=np.int32)
        kept = (place[self.left] >= 0) & (place[self.right] >= 0)
        return Edges(len(rows), place[self.left[kept]], place[self.right[kept]], self.weight[kept])


@dataclass(frozen=True, slots=True, eq=False)
class Communities:
    """Every row in one community, with how firmly it sits there.

    ``labels`` (n,) from 0; ``firmness`` (n,) 0..1: the mean share of its community that the fits kept with it;
    ``edges`` with ``agreement`` (m,) 0..1, the share of fits that kept both ends together.
    """

    labels: NDArray[np.int32]
    cohesion: NDArray[np.float64]
    edges: Edges
    agreement: NDArray[np.float64]


def default_n_fits(n: int) -> int:
    """Resampled fits for n rows: 60 up to 3,000, where they cost a few seconds, down to 6 for very many.

    More steady small networks, where two fits differ much (118 rows: seeds agree to .86 with 30, .89 with 100); on
    13,000 rows 16 give what 30 give.
    """
    return max(6, min(60, 200_000 // max(1, n)))


def default_n_final_fits(n: int) -> int:
    """Last fits for n rows, of which the one of highest modularity is taken: 10 up to 3,000, one above 15,000."""
    return max(1, min(10, 30_000 // max(1, n)))


def find_communities(edges: Edges, *, n_fits: int, seed: int) -> Communities:
    """Partition the rows of a graph; the same graph, seed and number of fits give the same answer."""
    return build_consensus(edges, fit_edge_samples(edges, n_fits=n_fits, seed=seed), seed=seed)


def fit_edge_samples(edges: Edges, *, n_fits: int, seed: int) -> list[NDArray[np.int32]]:
    """The labels (n,) of each fit on a random part of the edges."""
    rng = np.random.default_rng(seed)
    finer = max(1.0, edges.n / RESOLUTION_SCALING_FROM_ROWS) ** 0.5
    resolutions = finer * np.geomspace(*RESOLUTION_RANGE, 2 * n_fits + 1)[1::2][rng.permutation(n_fits)]
    found: list[NDArray[np.int32]] = []
    for fit in range(n_fits):
        kept = rng.random(len(edges.left)) < EDGE_SAMPLE_SHARE
        found.append(fit_louvain(edges, edges.weight * kept, float(resolutions[fit]), seed + fit))
    return found


def build_consensus(edges: Edges, fits: Sequence[NDArray[np.int32]], *, seed: int) -> Communities:
    """The communities that fits of the graph agree about, however the fits were come by."""
    together = np.zeros(len(edges.left))
    for labels in fits:
        together += labels[edges.left] == labels[edges.right]
    agreement = together / max(1, len(fits))
    weight = edges.weight * agreement**2
    tried = [fit_louvain(edges, weight, FINAL_RESOLUTION, seed + i) for i in range(default_n_final_fits(edges.n))]
    best = max(tried, key=lambda labels: _modularity(edges, weight, labels, FINAL_RESOLUTION))
    labels = merge_agreed_clusters(best, (edges.left, edges.right, weight), fits)
    return Communities(labels, _cohesion(labels, fits), edges, agreement)


def build_edges(neighbours: Neighbours) -> Edges:
    n, k = neighbours.index.shape
    rows, rank = np.indices((n, k), dtype=np.int32)
    matrices: Any = sparse
    weights = np.where(neighbours.similarity > 0, HALF_WEIGHT_RANK / (HALF_WEIGHT_RANK + rank), 0.0)
    directed = matrices.csr_matrix((weights.ravel(), (rows.ravel(), neighbours.index.ravel())), shape=(n, n))
    upper = matrices.triu(directed + directed.T, k=1).tocoo()
    real = upper.data > 0
    return Edges(n, upper.row[real].astype(np.int32), upper.col[real].astype(np.int32), upper.data[real])


def compute_memberships(edges: Edges, weight: NDArray[np.float64], labels: NDArray[np.int32], k: int) -> Any:
    """Share of each row's edge weight that leads to each community, sparse (n, k); a label below 0 leads nowhere."""
    matrices: Any = sparse
    half = matrices.csr_matrix((weight, (edges.left, edges.right)), shape=(edges.n, edges.n))
    inside = np.flatnonzero(labels >= 0)
    member = matrices.csr_matrix((np.ones(len(inside)), (inside, labels[inside])), shape=(edges.n, k))
    led = (half + half.T) @ member
    total = np.asarray(led.sum(axis=1)).ravel()
    return (matrices.diags(1 / np.where(total > 0, total, 1)) @ led).tocsr()


def fit_louvain(edges: Edges, weight: NDArray[np.float64], resolution: float, seed: int) -> NDArray[np.int32]:
    """The labels (n,) of one fit.

    Louvain rather than Leiden: the consensus mends what Leiden's refinement would, at half the time, and the
    refinement draws from the C library's one unseeded ``rand()``.
    """
    from sknetwork import clustering  # 0.4 s

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


def _cohesion(labels: NDArray[np.int32], fits: Sequence[NDArray[np.int32]]) -> NDArray[np.float64]:
    size = np.bincount(labels)
    firmness = np.zeros(len(labels))
    for fit in fits:
        k = int(fit.max()) + 1
        pair = labels.astype(np.int64) * k + fit
        _, where, count = np.unique(pair, return_inverse=True, return_counts=True)
        firmness += count[where] / size[labels]
    return firmness / max(1, len(fits)) if fits else np.ones(len(labels))
