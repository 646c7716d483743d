"""How fine the clusters are: where the fits keep neighbouring clusters together, they are one.

One resolution suits no network, and hardly the whole of one. So the last fit is fine, its clusters form a tree by how
tightly they are tied (Paris), and a branch is one cluster where the resampled fits find the whole branch again about as
well as its parts: the resolution is chosen by agreement, branch by branch (docs/decisions/0012).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

MIN_JACCARD_GAIN = 0.18
"""How much better, in mean Jaccard index, a branch must be found again than its parts to be one cluster. A larger
group is found again more easily than a smaller one whether or not the parts are real."""

LARGE_SHARE, MAX_SMALL_BRANCH, MIN_LARGE_JACCARD = 0.25, 15, 0.75
"""A branch with more than this share of all rows, and more than a few rows, must be found again this well: a theme of a
quarter of the cases says little. Planted groups of a third are at .77 to .90, large branches of corpora below .6."""

SELF_LOOP_WEIGHT = 1e-12

BLOCK_BYTES = 32 << 20
"""Nodes by communities that are compared at once: where nothing holds together, both are nearly as many as the rows."""


def merge_agreed_clusters(
    labels: NDArray[np.int32],
    edges: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]],
    fits: Sequence[NDArray[np.int32]],
) -> NDArray[np.int32]:
    """Join clusters that the fits hold together, (n,).

    Args:
        labels: (n,) the clusters from 0, none empty.
        ties: left rows, right rows and weight of the graph's edges.
        fits: labels (n,) of the same rows in other fits.
    """
    k = int(labels.max(initial=-1)) + 1
    if k < 3 or not fits:
        return labels
    tree = _build_tree(labels, edges, k)
    size = np.zeros(2 * k - 1)
    size[:k] = np.bincount(labels, minlength=k)
    for step, (left, right) in enumerate(tree):
        size[k + step] = size[left] + size[right]
    found_again = np.mean([_best_jaccard(labels, fit, tree, size) for fit in fits], axis=0)
    return _select_branches(tree, size, found_again)[labels]


def _build_tree(
    labels: NDArray[np.int32], edges: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]], k: int
) -> list[tuple[int, int]]:
    """The two branches of each inner node, ``k`` onwards, bottom up."""
    from sknetwork import hierarchy  # 0.4 s

    left, right, weight = edges
    matrices: Any = sparse
    trees: Any = hierarchy
    half = matrices.csr_matrix((weight, (labels[left], labels[right])), shape=(k, k))
    loops = matrices.identity(k, format="csr") * SELF_LOOP_WEIGHT  # Paris asks that every node has a weight
    joined: list[list[float]] = trees.Paris().fit_predict(half + half.T + loops).tolist()
    return [(int(one), int(other)) for one, other, *_ in joined]


def _best_jaccard(
    labels: NDArray[np.int32], fit: NDArray[np.int32], tree: Sequence[tuple[int, int]], size: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The Jaccard index of each node with the community of the fit that is most like it, (2k - 1,)."""
    k, n_communities = len(tree) + 1, int(fit.max()) + 1
    theirs = np.bincount(fit, minlength=n_communities)
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
        jaccard = shared / (size[:, None] + theirs[start : start + m] - shared)
        best = np.maximum(best, jaccard.max(axis=1))
    return best


def _select_branches(
    tree: Sequence[tuple[int, int]], size: NDArray[np.float64], mean_jaccard: NDArray[np.float64]
) -> NDArray[np.int32]:
    """The cluster of each leaf, (k,): of a node and its branches the one found again better, by size."""
    k = len(tree) + 1
    best = size * mean_jaccard
    whole = np.ones(2 * k - 1, np.bool_)
    for node, (left, right) in enumerate(tree, start=k):
        parts = best[left] + best[right]
        fits = size[node] <= max(MAX_SMALL_BRANCH, LARGE_SHARE * size[-1]) or mean_jaccard[node] >= MIN_LARGE_JACCARD
        whole[node] = fits and best[node] > parts + MIN_JACCARD_GAIN * size[node]
        best[node] = best[node] if whole[node] else parts
    cluster = np.full(2 * k - 1, -1, np.int32)
    next_free = 0
    for node in range(2 * k - 2, -1, -1):
        if cluster[node] < 0 and whole[node]:
            cluster[node] = next_free
            next_free += 1
        if node >= k:
            left, right = tree[node - k]
            cluster[left] = cluster[right] = cluster[node]
    return cluster[:k]
