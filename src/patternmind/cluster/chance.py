"""Whether anything recurs at all: are cases closer to each other than chance would bring them?

The null is a cloud with the same mean and the same spread in every direction, and no themes: surrogate rows are drawn
from the covariance of the real ones. Where themes recur, many rows have closer company than nearly every surrogate row
has; among strangers hardly any has (docs/decisions/0010).
"""

import numpy as np
from numpy.typing import NDArray

from patternmind.model.themes import Vectors

COMPANY = 3
SURROGATES = 5
BEYOND = 0.95
"""Quantile of the surrogates' closeness that a row must pass: one in twenty does by chance."""

MOST_ROWS = 1000
ENOUGH = 0.1


def recurring_rows(vectors: Vectors, *, seed: int) -> NDArray[np.bool_]:
    """Rows whose three closest rows are closer than chance brings them, (n,).

    Above ``MOST_ROWS`` rows, a sample answers for all: they recur, or nothing does.
    """
    n = len(vectors)
    if n > MOST_ROWS:
        rows = np.sort(np.random.default_rng(seed).choice(n, MOST_ROWS, replace=False))
        share = float(recurring_rows(vectors[rows], seed=seed).mean())
        return np.full(n, share >= ENOUGH)
    rng = np.random.default_rng(seed)
    real = vectors.astype(np.float64)
    middle = real.mean(axis=0)
    # a random sum of the centred rows has their covariance, and asks for no decomposition of it
    around = (real - middle) / np.sqrt(n)
    by_chance = [_closeness(middle + rng.standard_normal((n, n)) @ around) for _ in range(SURROGATES)]
    return _closeness(real) > np.quantile(by_chance, BEYOND)


def _closeness(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    unit = rows / np.where(norms > 0, norms, 1)
    cosine = unit @ unit.T
    np.fill_diagonal(cosine, -1)
    k = min(COMPANY, len(rows) - 1)
    return np.partition(cosine, len(rows) - k, axis=1)[:, len(rows) - k :].mean(axis=1)
