"""Granularity of the clusters: merge neighbouring clusters that the fits keep together.

No single resolution suits every network, or all parts of one. So the final fit is fine-grained, and its clusters form a
tree by the weight of the edges between them (Paris). A branch becomes one cluster where the resampled fits reproduce it
about as well as its parts. Agreement thus chooses the resolution of each branch (docs/decisions/0012).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

MIN_JACCARD_GAIN = 0.18
"""Gain in mean Jaccard index over its parts that makes a branch one cluster.

Fits reproduce a larger group more easily than a smaller one, whether or not the parts are real.
"""

LARGE_SHARE, MAX_SMALL_BRANCH, MIN_LARGE_JACCARD = 0.25, 15, 0.75
"""Share and number of rows of a large branch, and its required Jaccard index.

A theme with a quarter of the cases says little. Planted groups of a third reach .77 to .90; large branches of corpora
stay below .6.
"""

SELF_LOOP_WEIGHT = 1e-12

BLOCK_BYTES = 32 << 20
"""Memory of one block of nodes by communities.

Without any structure, there are nearly as many of both as there are rows.
"""


def merge_agreed_clusters(
    labels: NDArray[np.int32],
    edges: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]],
    fits: Sequence[NDArray[np.int32]],
) -> NDArray[np.int32]:
    """Merge clusters that the fits keep together.

    Args:
        labels: (n,) the clusters from 0; each has at least one row.
        edges: left rows, right rows and weights of the graph's edges.
        fits: labels (n,) of the same rows in other fits.

    Returns:
        (n,) the merged clusters.
    """
    k = int(labels.max(initial=-1)) + 1
    if k < 3 or not fits:
        return labels
    tree = _build_tree(labels, edges, k)
    size = np.zeros(2 * k - 1)
    size[:k] = np.bincount(labels, minlength=k)
    for step, (left, right) in enumerate(tree):
        size[k + step] = size[left] + size[right]
    mean_jaccard = np.mean([_best_jaccard(labels, fit, tree, size) for fit in fits], axis=0)
    return _select_branches(tree, size, mean_jaccard)[labels]


def _build_tree(
    labels: NDArray[np.int32], edges: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]], k: int
) -> list[tuple[int, int]]:
    """Return the two branches of each inner node, from node ``k`` up, bottom first."""
    from sknetwork import hierarchy  # takes 0.4 s

    left, right, weight = edges
    matrices: Any = sparse
    trees: Any = hierarchy
    half = matrices.csr_matrix((weight, (labels[left], labels[right])), shape=(k, k))
    loops = matrices.identity(k, format="csr") * SELF_LOOP_WEIGHT  # Paris requires a weight for every node
    joined: list[list[float]] = trees.Paris().fit_predict(half + half.T + loops).tolist()
    return [(int(first), int(second)) for first, second, *_ in joined]


def _best_jaccard(
    labels: NDArray[np.int32], fit: NDArray[np.int32], tree: Sequence[tuple[int, int]], size: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the highest Jaccard index of each node with any community, (2k - 1,)."""
    k, n_communities = len(tree) + 1, int(fit.max()) + 1
    community_size = np.bincount(fit, minlength=n_communities)
    best = np.zeros(2 * k - 1)
    block = max(1, BLOCK_BYTES // (8 * len(best)))
    for start in range(0, n_communities, block):
        m = min(block, n_communities - start)
        inside = (fit >= start) & (fit < start + m)
        shared = np.zeros((2 * k - 1, m))
        pair = labels[inside].astype(np.int64) * m + (fit[inside] - start)
        shared[:k] = np.bincount(pair, minlength=k * m).reshape(k, m)
        for step, (left, right) in enumerate(tree):
            shared[k + step] = shared[left] + shared[right]
        jaccard = shared / (size[:, None] + community_size[start : start + m] - shared)
        best = np.maximum(best, jaccard.max(axis=1))
    return best


def _select_branches(
    tree: Sequence[tuple[int, int]], size: NDArray[np.float64], mean_jaccard: NDArray[np.float64]
) -> NDArray[np.int32]:
    """Return the cluster of each leaf, (k,).

    A node is one cluster if the fits reproduce it better than its branches, weighted by size.
    """
    k = len(tree) + 1
    best = size * mean_jaccard
    is_cluster = np.ones(2 * k - 1, np.bool_)
    for node, (left, right) in enumerate(tree, start=k):
        parts = best[left] + best[right]
        is_allowed = (
            size[node] <= max(MAX_SMALL_BRANCH, LARGE_SHARE * size[-1]) or mean_jaccard[node] >= MIN_LARGE_JACCARD
        )
        is_cluster[node] = is_allowed and best[node] > parts + MIN_JACCARD_GAIN * size[node]
        best[node] = best[node] if is_cluster[node] else parts
    cluster = np.full(2 * k - 1, -1, np.int32)
    next_free = 0
    for node in range(2 * k - 2, -1, -1):
        if cluster[node] < 0 and is_cluster[node]:
            cluster[node] = next_free
            next_free += 1
        if node >= k:
            left, right = tree[node - k]
            cluster[left] = cluster[right] = cluster[node]
    return cluster[:k]
