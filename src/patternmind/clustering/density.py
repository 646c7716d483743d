"""The hdbscan engine: smooth vectors over their neighbours, reduce dimensions, run HDBSCAN.

On raw 384-dimensional vectors, HDBSCAN labels 51-80 % of every corpus as noise. On smoothed vectors it matches the
graph engine on wide corpora. On narrow corpora its default selection falls to two clusters, with nearly all rows in
one. The leaves of its tree are used there, at the price of much noise (docs/decisions/0010). So this engine is the
alternative, not the default.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from patternmind.domain.themes import OUTLIER, Neighbours, Vectors

SMOOTHING_ROUNDS = 4
N_COMPONENTS = 20
MIN_NEIGHBOURS, MAX_NEIGHBOURS = 5, 15
"""Number of neighbours to smooth over; with the 80 of the graph engine, all rows fall into one cluster."""

MAX_LARGEST_SHARE = 0.5
"""Largest share of rows in one cluster; above it, the leaves of the tree are used."""


def cluster_by_density(
    vectors: Vectors, neighbours: Neighbours, *, seed: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return labels (n,), -1 for noise, and HDBSCAN's membership probabilities (n,)."""
    import hdbscan  # takes 1.1 s
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
