"""Placement of new rows in the clusters of the last run, without a new run.

A row is placed by the votes of its closest rows, weighted like the edges of the graph. The thresholds for alone and
between themes are calibrated on the run itself: each of its rows is placed as if it were new, and compared with the
result of the run. Figures: docs/decisions/0011.
"""

from collections.abc import Collection
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from patternmind.clustering.graph import HALF_WEIGHT_RANK
from patternmind.clustering.neighbours import BLOCK_BYTES, QUANTIZATION_STEPS, quantize, top_k
from patternmind.clustering.partition import default_n_neighbours
from patternmind.domain.themes import OUTLIER, OutlierReason, Vectors

N_CLOSEST = 5
"""Number of closest rows whose mean similarity measures isolation."""

MAX_VOTERS = 40
"""Maximum number of voting rows.

Among 15, 40 and 80 voters, and similarity to the powers 0, 2 and 4, these agree best with the next run. The differences
are small.
"""

SIMILARITY_EXPONENT = 4
"""Power of the similarity in the weight of a vote; the weight also decreases with rank, like an edge of the graph."""

N_CANDIDATES = 5
"""Number of candidate clusters per row, best first."""

MIN_SECOND_SHARE = 1 / 3
"""Share of the votes that makes a row belong to a second cluster too: 6-11 % of the rows of four corpora."""

MIN_FALLBACK_STRENGTH = 0.36
"""Strength required of the next-best cluster if the best is excluded: a fifth of the votes."""

ALONE_SPREADS, MAX_ALONE_QUANTILE = 3.0, 0.2
"""Range of the threshold for alone.

It is between this number of robust standard deviations below the placed rows' median similarity and this quantile.
"""

MIN_VOTER_STRENGTH = 0.01
"""Minimum strength of a voter: a voter without strength still votes for its cluster."""

MAX_CALIBRATION_ROWS = 2_000
"""Maximum number of rows for the calibration of both thresholds: two seconds at 100,000 rows."""


@dataclass(frozen=True, slots=True, eq=False)
class PlacementModel:
    """Rows of a run, prepared for the placement of new rows.

    Attributes:
        quantized: (n, d) vectors from ``quantize``.
        nearest_cluster: (n,) the cluster of each row; for an outlier the nearest, or ``OUTLIER`` if there is none.
        strength: (n,) 0..1.
        alone_below: mean similarity below which a row is alone.
        between_below: share of the possible votes for the best cluster below which a row is between clusters.
    """

    quantized: NDArray[np.float32]
    nearest_cluster: NDArray[np.int32]
    strength: NDArray[np.float32]
    alone_below: float = float("-inf")
    between_below: float = 0.0

    @property
    def n_clusters(self) -> int:
        return int(self.nearest_cluster.max(initial=OUTLIER)) + 1


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """Clusters of new rows.

    Attributes:
        labels: (m,) cluster of each row, or ``OUTLIER``.
        outlier_reason: (m,) an ``OutlierReason``.
        second: (m,) a further cluster of the row, mostly ``OUTLIER``.
        candidates: (m, N_CANDIDATES) clusters with votes, best first, excluded ones last, then ``OUTLIER``.
        strength: (m, N_CANDIDATES) 0..1, about how often the next run agrees: 1 - (1 - share of the votes) ** 2.
        mean_similarity: (m,) mean cosine to the closest rows.
        closest_rows: (m, N_CLOSEST) those rows, closest first; fewer columns if there are fewer rows.
    """

    labels: NDArray[np.int32]
    outlier_reason: NDArray[np.int8]
    second: NDArray[np.int32]
    candidates: NDArray[np.int32]
    strength: NDArray[np.float32]
    mean_similarity: NDArray[np.float32]
    closest_rows: NDArray[np.int32]


def fit_placement(
    vectors: Vectors,
    nearest_cluster: NDArray[np.int32],
    strength: NDArray[np.float32],
    outlier_reason: NDArray[np.int8],
) -> PlacementModel:
    """Build the placement model of a run; it takes 1.5 KB per row.

    Args:
        vectors: (n, d) of the run, unit norm.
        nearest_cluster: (n,) ``Partition.nearest``.
        strength: (n,) ``Partition.strength``.
        outlier_reason: (n,) ``Partition.why``.
    """
    model = PlacementModel(quantize(vectors), nearest_cluster.astype(np.int32), strength.astype(np.float32))
    rows = np.linspace(0, len(vectors) - 1, min(len(vectors), MAX_CALIBRATION_ROWS)).astype(np.int64)
    if not (outlier_reason[rows] == OutlierReason.PLACED).any():
        return model
    votes = _count_votes(model, model.quantized[rows], own_rows=rows)
    is_placed = outlier_reason[rows] == OutlierReason.PLACED
    median, high = np.quantile(votes.mean_similarity[is_placed], [0.5, MAX_ALONE_QUANTILE])
    low = median - ALONE_SPREADS * 1.4826 * np.median(np.abs(votes.mean_similarity[is_placed] - median))
    return replace(
        model,
        alone_below=_best_threshold(
            votes.mean_similarity,
            is_placed,
            outlier_reason[rows] == OutlierReason.ALONE,
            min(float(low), float(high)),
            float(high),
        ),
        between_below=_best_threshold(
            votes.votes.max(axis=1), is_placed, outlier_reason[rows] == OutlierReason.BETWEEN, 0.0, 1.0
        ),
    )


def predict(vectors: Vectors, model: PlacementModel, *, excluded: Collection[int] = ()) -> Placement:
    """Place new rows; the result of each row does not depend on the other new rows.

    Args:
        vectors: (m, d), unit norm.
        model: the rows of the last run.
        excluded: clusters that accept no rows. A row whose best cluster is excluded becomes an outlier, unless another
            cluster has at least ``MIN_FALLBACK_STRENGTH``.
    """
    block = max(1, BLOCK_BYTES // (4 * max(1, len(model.nearest_cluster))))
    quantized = quantize(vectors)
    parts = [
        _predict_block(quantized[start : start + block], model, excluded)
        for start in range(0, max(len(quantized), 1), block)
    ]
    return Placement(
        **{field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Placement)}
    )


def _predict_block(quantized: NDArray[np.float32], model: PlacementModel, excluded: Collection[int]) -> Placement:
    votes = _count_votes(model, quantized)
    candidates, strength = _rank_candidates(votes.votes, excluded)
    is_excluded = np.isin(candidates, list(excluded))
    best = np.where(is_excluded[:, 0], OUTLIER, candidates[:, 0])
    is_rejected = np.where(is_excluded, strength, 0).max(axis=1) > strength[:, 0]
    is_rejected &= strength[:, 0] < MIN_FALLBACK_STRENGTH
    outlier_reason = np.where(
        is_rejected | (votes.votes.max(axis=1, initial=0) < model.between_below),
        OutlierReason.BETWEEN,
        OutlierReason.PLACED,
    )
    outlier_reason = np.where(
        (votes.mean_similarity < model.alone_below) | (best == OUTLIER), OutlierReason.ALONE, outlier_reason
    )
    labels = np.where(outlier_reason == OutlierReason.PLACED, best, OUTLIER).astype(np.int32)
    has_second = (labels != OUTLIER) & ~is_excluded[:, 1] & (votes.share(candidates[:, 1]) >= MIN_SECOND_SHARE)
    second = np.where(has_second, candidates[:, 1], OUTLIER).astype(np.int32)
    return Placement(
        labels, outlier_reason.astype(np.int8), second, candidates, strength, votes.mean_similarity, votes.closest_rows
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Votes:
    """Votes of the closest rows of each row.

    Attributes:
        votes: (m, k) 0..1; the sum of a row is at most 1.
        mean_similarity: (m,) mean cosine to the closest rows.
        closest_rows: (m, N_CLOSEST) those rows, closest first.
    """

    votes: NDArray[np.float32]
    mean_similarity: NDArray[np.float32]
    closest_rows: NDArray[np.int32]

    def share(self, clusters: NDArray[np.int32]) -> NDArray[np.float64]:
        """Return the share of all votes for one given cluster of each row, (m,)."""
        total = self.votes.sum(axis=1)
        cluster_votes = self.votes[np.arange(len(clusters)), clusters] if self.votes.shape[1] else total
        return np.where(clusters != OUTLIER, cluster_votes, 0) / np.where(total > 0, total, 1)


def _count_votes(
    model: PlacementModel, quantized: NDArray[np.float32], *, own_rows: NDArray[np.int64] | None = None
) -> _Votes:
    """Count the votes for each cluster.

    Args:
        model: the rows of the last run, which vote.
        quantized: (m, d) vectors of the rows to place.
        own_rows: (m,) positions of these rows in the run if they belong to it; a row does not vote for itself.
    """
    n = len(model.nearest_cluster)
    block = max(1, BLOCK_BYTES // (4 * max(1, n)))
    if len(quantized) > block:
        parts = [
            _count_votes(
                model,
                quantized[start : start + block],
                own_rows=None if own_rows is None else own_rows[start : start + block],
            )
            for start in range(0, len(quantized), block)
        ]
        return _Votes(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(_Votes)))
    cosine = quantized @ model.quantized.T / np.float32(QUANTIZATION_STEPS * QUANTIZATION_STEPS)
    if own_rows is not None:
        cosine[np.arange(len(own_rows)), own_rows] = -np.inf
    voters, similarity = _closest_rows(cosine, min(MAX_VOTERS, default_n_neighbours(n), n - (own_rows is not None)))
    similarity: NDArray[np.float32] = np.maximum(similarity, 0)
    weight: NDArray[np.float64] = similarity.astype(np.float64) ** SIMILARITY_EXPONENT * (
        HALF_WEIGHT_RANK / (HALF_WEIGHT_RANK + np.arange(similarity.shape[1], dtype=np.float64))
    )
    total = weight.sum(axis=1, keepdims=True)
    share = weight * np.maximum(model.strength[voters], MIN_VOTER_STRENGTH) / np.where(total > 0, total, 1)
    votes: NDArray[np.float64] = np.zeros((len(quantized), model.n_clusters + 1))
    # voters without a cluster (-1) go to the last column
    np.add.at(votes, (np.arange(len(quantized))[:, None], model.nearest_cluster[voters]), share)
    mean_similarity = (
        similarity[:, :N_CLOSEST].mean(axis=1) if similarity.shape[1] else np.zeros(len(quantized), np.float32)
    )
    return _Votes(votes[:, :-1].astype(np.float32), mean_similarity, voters[:, :N_CLOSEST])


def _closest_rows(cosine: NDArray[np.float32], k: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    if k > 0:
        return top_k(cosine, k)
    return np.zeros((len(cosine), 0), np.int32), np.zeros((len(cosine), 0), np.float32)


def _rank_candidates(
    votes: NDArray[np.float32], excluded: Collection[int]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return clusters with votes by descending share, excluded ones last, and their strengths."""
    m, k = votes.shape
    is_excluded = np.isin(np.arange(k, dtype=np.int32), list(excluded))
    rank = np.where(votes > 0, votes, np.float32(-9)) - np.float32(2) * is_excluded.astype(np.float32)
    order = np.argsort(-rank, axis=1, kind="stable")[:, :N_CANDIDATES]
    share = np.take_along_axis(votes, order, axis=1)
    candidates = np.full((m, N_CANDIDATES), OUTLIER, np.int32)
    strength = np.zeros((m, N_CANDIDATES), np.float32)
    candidates[:, : order.shape[1]] = np.where(share > 0, order, OUTLIER)
    strength[:, : order.shape[1]] = 1 - (1 - share) ** 2
    return candidates, strength


def _best_threshold(
    values: NDArray[np.float32], is_placed: NDArray[np.bool_], is_other: NDArray[np.bool_], low: float, high: float
) -> float:
    """Return the threshold from ``low`` to ``high`` that best separates placed from other rows."""
    thresholds = np.unique(np.concatenate([[low], values[is_other & (values >= low) & (values < high)]]))
    thresholds = np.nextafter(thresholds, np.inf)
    errors = np.searchsorted(np.sort(values[is_placed]), thresholds) - np.searchsorted(
        np.sort(values[is_other]), thresholds
    )
    return float(thresholds[int(errors.argmin())])
