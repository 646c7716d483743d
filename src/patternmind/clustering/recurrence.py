"""Test for recurrence: compare the similarity of cases with similarity by chance.

The null model is a cloud without themes, with the same mean and the same spread in every direction: surrogate rows are
drawn from the covariance of the real rows. If themes recur, many rows have closer neighbours than nearly every
surrogate row. Among unrelated rows hardly any has (docs/decisions/0010).
"""

import numpy as np
from numpy.typing import NDArray

from patternmind.domain.themes import Vectors

N_NEIGHBOURS = 3
N_SURROGATES = 5
SURROGATE_QUANTILE = 0.95
"""Quantile of the surrogates' mean similarity that a row must exceed; by chance one row in twenty does."""

MAX_ROWS = 1000
MIN_RECURRING_SHARE = 0.1


def find_recurring_rows(vectors: Vectors, *, seed: int) -> NDArray[np.bool_]:
    """Return a mask (n,) of rows whose three nearest rows are closer than by chance.

    Above ``MAX_ROWS`` rows, a sample decides for all rows together: either every row recurs, or no row does.
    """
    n = len(vectors)
    if n > MAX_ROWS:
        rows = np.sort(np.random.default_rng(seed).choice(n, MAX_ROWS, replace=False))
        share = float(find_recurring_rows(vectors[rows], seed=seed).mean())
        return np.full(n, share >= MIN_RECURRING_SHARE)
    rng = np.random.default_rng(seed)
    real = vectors.astype(np.float64)
    mean = real.mean(axis=0)
    # a random sum of the centred rows has their covariance, without a decomposition
    centred = (real - mean) / np.sqrt(n)
    surrogate_similarity = [
        _mean_neighbour_similarity(mean + rng.standard_normal((n, n)) @ centred) for _ in range(N_SURROGATES)
    ]
    return _mean_neighbour_similarity(real) > np.quantile(surrogate_similarity, SURROGATE_QUANTILE)


def _mean_neighbour_similarity(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    unit = rows / np.where(norms > 0, norms, 1)
    cosine = unit @ unit.T
    np.fill_diagonal(cosine, -1)
    k = min(N_NEIGHBOURS, len(rows) - 1)
    return np.partition(cosine, len(rows) - k, axis=1)[:, len(rows) - k :].mean(axis=1)
