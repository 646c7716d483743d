"""The hdbscan engine: vectors smoothed over their neighbours, brought to few dimensions, then HDBSCAN.

On raw 384-dimensional vectors HDBSCAN calls 51-80 % of every corpus noise; smoothed it stands beside the graph on wide
corpora. On narrow ones its usual choice of clusters falls to two with nearly everything in one; there the leaves of its
tree are taken, at the price of much noise (docs/decisions/0010). So it is the alternative, not the default.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from patternmind.domain.themes import OUTLIER, Neighbours, Vectors

SMOOTHING_ROUNDS = 4
N_COMPONENTS = 20
MIN_NEIGHBOURS, MAX_NEIGHBOURS = 5, 15
"""To smooth over; the graph's eighty would wash everything into one."""

MAX_LARGEST_SHARE = 0.5
"""Share of all rows in one cluster from which the leaves of the tree are taken instead."""


def cluster_by_density(
    vectors: Vectors, neighbours: Neighbours, *, seed: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Labels (n,), -1 for noise, and HDBSCAN's membership probabilities (n,) as strength."""
    import hdbscan  # 1.1 s
    from sklearn import decomposition

    density: Any = hdbscan
    untyped: Any = decomposition

    n, d = vectors.shape
    near = neighbours.top(min(MAX_NEIGHBOURS, max(MIN_NEIGHBOURS, round(np.sqrt(n) / 2)))).index
    smooth = vectors.astype(np.float64)
    for _ in range(SMOOTHING_ROUNDS):
        smooth = (smooth + smooth[near].mean(axis=1)) / 2
    reduced = untyped.PCA(min(N_COMPONENTS, d, n - 1), random_state=seed, svd_solver="full").fit_transform(smooth)
    fit = density.HDBSCAN(min_cluster_size=max(3, round(np.sqrt(n) / 2)), min_samples=3).fit(reduced)
    if np.bincount(fit.labels_[fit.labels_ != OUTLIER], minlength=1).max() > MAX_LARGEST_SHARE * n:
        smallest = max(3, round(np.sqrt(n) / 4))
        leaves = density.HDBSCAN(min_cluster_size=smallest, min_samples=3, cluster_selection_method="leaf").fit(reduced)
        fit = leaves if leaves.labels_.max() > fit.labels_.max() else fit
    return np.asarray(fit.labels_, np.int32), np.asarray(fit.probabilities_, np.float32)
