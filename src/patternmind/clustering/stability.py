"""How steady a partition is: fitted again and again on four fifths of the rows, and compared."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patternmind.clustering.graph import Edges, default_n_fits, find_communities
from patternmind.clustering.outliers import find_between_rows
from patternmind.domain.themes import OUTLIER

SAMPLE_SHARE = 0.8
NOT_DRAWN = -2
PRIOR_WEIGHT = 8.0
"""Resamples that the calibrated firmness of a row counts as, as many as the row was in. What a row saw is noisier than
what all rows as firm as it saw (AUROC against the majority label with 3 and with 8: banking77 .649, .659; bills .674,
.678)."""


@dataclass(frozen=True, slots=True, eq=False)
class StabilityEstimate:
    """``strength`` (n,) 0..1, the probability that a fit on other rows puts a row where it is; ``stability`` (k,)."""

    strength: NDArray[np.float32]
    stability: NDArray[np.float32]


def default_n_resamples(n: int) -> int:
    """Resampled fits for n rows: with a third of the fits each, about three times the cost of the partition."""
    return 10 if n <= 20_000 else 5


def fit_row_samples(edges: Edges, *, seed: int) -> NDArray[np.int32]:
    """Fit four fifths of the graph anew, ten times: labels (r, n), ``OUTLIER`` between themes, or ``NOT_DRAWN``."""
    n = edges.n
    rng = np.random.default_rng([seed, n])
    samples = np.full((default_n_resamples(n), n), NOT_DRAWN, np.int32)
    for draw, sample in enumerate(samples):
        rows = np.sort(rng.choice(n, round(SAMPLE_SHARE * n), replace=False))
        found = find_communities(
            edges.subgraph(rows), n_fits=max(3, default_n_fits(n) // 3), seed=seed + 1000 * (draw + 1)
        )
        sample[rows] = np.where(find_between_rows(found), OUTLIER, found.labels)
    return samples


def estimate_stability(
    samples: NDArray[np.int32],
    labels: NDArray[np.int32],
    nearest_cluster: NDArray[np.int32],
    cohesion: NDArray[np.float64],
) -> StabilityEstimate:
    """Who stays together in fits on parts of the rows.

    Args:
        samples: (r, n) as ``fit_samples`` gives them.
        labels: (n,) the clusters, ``OUTLIER`` for rows in none.
        home: (n,) the cluster of each row, or for an outlier the nearest.
        firmness: (n,) 0..1, what the partition itself says of each row; the resamples calibrate it.
    """
    n, k = len(labels), int(labels.max()) + 1
    drawn, stayed = np.zeros(n), np.zeros(n)
    overlaps: list[NDArray[np.float64]] = []
    for sample in samples:
        rows = np.flatnonzero(sample != NOT_DRAWN)
        theirs = sample[rows]
        overlap = _jaccard(labels[rows], theirs, k)
        overlaps.append(overlap.max(axis=1))
        match = _match_communities(overlap)
        drawn[rows] += 1
        stayed[rows] += match[nearest_cluster[rows]] == theirs
    return StabilityEstimate(
        strength=_calibrate(cohesion, drawn, stayed).astype(np.float32),
        stability=np.mean(overlaps, axis=0).astype(np.float32),
    )


def measure_stability(
    edges: Edges,
    labels: NDArray[np.int32],
    nearest_cluster: NDArray[np.int32],
    cohesion: NDArray[np.float64],
    *,
    seed: int,
) -> StabilityEstimate:
    """What fits on four fifths of the rows say of a partition; the arguments are those of ``judge_samples``."""
    return estimate_stability(fit_row_samples(edges, seed=seed), labels, nearest_cluster, cohesion)


def _jaccard(labels: NDArray[np.int32], communities: NDArray[np.int32], k: int) -> NDArray[np.float64]:
    """Jaccard index of every cluster with every community, (k, m), over the rows that are in a cluster."""
    inside = labels != OUTLIER
    ours, other = labels[inside].astype(np.int64), communities[inside].astype(np.int64) + 1
    m = int(communities.max()) + 2
    both = np.bincount(ours * m + other, minlength=k * m).reshape(k, m).astype(np.float64)
    union = both.sum(axis=1)[:, None] + both.sum(axis=0)[None, :] - both
    return (both / np.where(union > 0, union, 1))[:, 1:]


def _match_communities(overlap: NDArray[np.float64]) -> NDArray[np.int32]:
    """The community of each cluster, one to one, (k,); ``NOT_DRAWN``, which no drawn row is, where there is none."""
    from scipy import optimize  # 0.2 s

    untyped: Any = optimize
    ours, theirs = untyped.linear_sum_assignment(-overlap)
    match = np.full(len(overlap), NOT_DRAWN, np.int32)
    match[ours] = np.where(overlap[ours, theirs] > 0, theirs, NOT_DRAWN)
    return match


def _calibrate(
    cohesion: NDArray[np.float64], drawn: NDArray[np.float64], stayed: NDArray[np.float64]
) -> NDArray[np.float64]:
    """What a row's own resamples say, held together with what they say of all rows as firm as it."""
    from sklearn.isotonic import IsotonicRegression  # 0.5 s

    fit: Any = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
    seen = drawn > 0
    fit.fit(cohesion[seen], stayed[seen] / drawn[seen], sample_weight=drawn[seen])
    expected = np.asarray(fit.predict(cohesion), np.float64)
    return (stayed + PRIOR_WEIGHT * expected) / (drawn + PRIOR_WEIGHT)
