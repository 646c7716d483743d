"""Whether anything recurs at all: are cases closer to each other than chance would bring them?

The null is a cloud with the same mean and the same spread in every direction, and no themes: surrogate rows are drawn
from the covariance of the real ones. Where themes recur, many rows have closer company than nearly every surrogate row
has; among strangers hardly any has (docs/decisions/0010).
"""

import numpy as np
from numpy.typing import NDArray

from patternmind.domain.themes import Vectors

N_NEIGHBOURS = 3
N_SURROGATES = 5
SURROGATE_QUANTILE = 0.95
"""Quantile of the surrogates' closeness that a row must pass: one in twenty does by chance."""

MAX_ROWS = 1000
MIN_RECURRING_SHARE = 0.1


def find_recurring_rows(vectors: Vectors, *, seed: int) -> NDArray[np.bool_]:
    """Rows whose three closest rows are closer than chance brings them, (n,).

    Above ``MOST_ROWS`` rows, a sample answers for all: they recur, or nothing does.
    """
    n = len(vectors)
    if n > MAX_ROWS:
        rows = np.sort(np.random.default_rng(seed).choice(n, MAX_ROWS, replace=False))
        share = float(find_recurring_rows(vectors[rows], seed=seed).mean())
        return np.full(n, share >= MIN_RECURRING_SHARE)
    rng = np.random.default_rng(seed)
    real = vectors.astype(np.float64)
    middle = real.mean(axis=0)
    # a random sum of the centred rows has their covariance, and asks for no decomposition of it
    around = (real - middle) / np.sqrt(n)
    by_chance = [_mean_neighbour_similarity(middle + rng.standard_normal((n, n)) @ around) for _ in range(N_SURROGATES)]
    return _mean_neighbour_similarity(real) > np.quantile(by_chance, SURROGATE_QUANTILE)


def _mean_neighbour_similarity(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    unit = rows / np.where(norms > 0, norms, 1)
    cosine = unit @ unit.T
    np.fill_diagonal(cosine, -1)
    k = min(N_NEIGHBOURS, len(rows) - 1)
    return np.partition(cosine, len(rows) - k, axis=1)[:, len(rows) - k :].mean(axis=1)
