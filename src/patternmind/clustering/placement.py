"""New rows among those of the last run: which clusters they belong to, or that they stand alone, without a new run.

A row is placed by the vote of its closest rows, as the graph would tie it. Where being alone or between themes begins
is learnt from the run itself: its own rows, each as if it were new, against what the run said of them.
Figures: docs/decisions/0011.
"""

from collections.abc import Collection
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from patternmind.clustering.neighbours import (
    BLOCK_BYTES,
    QUANTIZATION_STEPS,
    quantize,
    top_k,
)
from patternmind.clustering.partition import default_n_neighbours
from patternmind.domain.themes import OUTLIER, OutlierReason, Vectors

N_CLOSEST = 5
"""Rows whose mean similarity says how alone a row stands."""

MAX_VOTERS = 40
"""Most rows that vote. Among 15, 40 and 80, and similarity to the powers 0, 2 and 4, these agreed best with the next
run; the differences are small."""

HALF_WEIGHT_RANK, SIMILARITY_EXPONENT = 5.0, 4
"""A vote falls with rank as an edge of the graph does, and with this power of the similarity."""

N_CANDIDATES = 5
"""Clusters listed for a row, best first."""

MIN_SECOND_SHARE = 1 / 3
"""Share of the votes from which a row belongs to a second cluster too: 6-11 % of the rows of four corpora."""

MIN_FALLBACK_STRENGTH = 0.36
"""Strength that puts a row into a cluster where a better one may not take it in: a fifth of the votes."""

ALONE_SPREADS, MAX_ALONE_QUANTILE = 3.0, 0.2
"""Standing alone begins between so many robust spreads below the placed rows' median closeness and this quantile."""

MIN_VOTER_STRENGTH = 0.01
"""A voter that sits nowhere firmly still says where it is."""

MAX_CALIBRATION_ROWS = 2_000
"""Rows of a run that the two limits are learnt from: at 100,000 rows two seconds."""


@dataclass(frozen=True, slots=True, eq=False)
class PlacementModel:
    """The rows of a run, ready to have others compared with them.

    ``grid`` (n, d) vectors as ``on_grid`` has them; ``home`` (n,) the cluster of each row or, for an outlier, the
    nearest, ``OUTLIER`` where there is none; ``strength`` (n,) 0..1; a row stands alone whose closeness is under
    ``alone_below``, and between clusters where the best has less than ``between_below`` of what could be voted.
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
    """Where each new row belongs.

    Attributes:
        labels: (m,) its cluster, ``OUTLIER`` where it is in none; ``why`` (m,) a ``Why`` says the reason.
        second: (m,) a further cluster it belongs to, mostly ``OUTLIER``.
        offered: (m, OFFERED) the clusters it has votes for, best first, closed ones last, then ``OUTLIER``.
        strength: (m, OFFERED) of each, 0..1, about how often the next run agrees: 1 - (1 - share of the votes) ** 2.
        closeness: (m,) mean cosine to its closest rows.
        closest: (m, CLOSEST) those rows, closest first; fewer columns where there are fewer rows.
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
    """The rows of a run, (n, d), as ``Partition.nearest``, ``strength`` and ``why`` have them; 1.5 KB a row is kept."""
    known = PlacementModel(quantize(vectors), nearest_cluster.astype(np.int32), strength.astype(np.float32))
    rows = np.linspace(0, len(vectors) - 1, min(len(vectors), MAX_CALIBRATION_ROWS)).astype(np.int64)
    if not (outlier_reason[rows] == OutlierReason.PLACED).any():
        return known
    seen = _count_votes(known, known.quantized[rows], own_rows=rows)
    placed = outlier_reason[rows] == OutlierReason.PLACED
    middle, high = np.quantile(seen.closeness[placed], [0.5, MAX_ALONE_QUANTILE])
    low = middle - ALONE_SPREADS * 1.4826 * np.median(np.abs(seen.closeness[placed] - middle))
    return replace(
        known,
        alone_below=_best_threshold(
            seen.closeness,
            placed,
            outlier_reason[rows] == OutlierReason.ALONE,
            min(float(low), float(high)),
            float(high),
        ),
        between_below=_best_threshold(
            seen.votes.max(axis=1), placed, outlier_reason[rows] == OutlierReason.BETWEEN, 0.0, 1.0
        ),
    )


def predict(vectors: Vectors, model: PlacementModel, *, excluded: Collection[int] = ()) -> Placement:
    """Where new rows belong, each by itself: the same whatever other rows are asked about with it.

    Args:
        vectors: (m, d), unit norm.
        closed: clusters that take no row in; a row that would belong to one is in none, unless another one has at
            least the strength ``LEAST``.
    """
    block = max(1, BLOCK_BYTES // (4 * max(1, len(model.nearest_cluster))))
    grid = quantize(vectors)
    parts = [
        _predict_block(grid[start : start + block], model, excluded) for start in range(0, max(len(grid), 1), block)
    ]
    return Placement(
        **{one.name: np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(Placement)}
    )


def _predict_block(quantized: NDArray[np.float32], model: PlacementModel, excluded: Collection[int]) -> Placement:
    seen = _count_votes(model, quantized)
    offered, strength = _rank_candidates(seen.votes, excluded)
    shut = np.isin(offered, list(excluded))
    best = np.where(shut[:, 0], OUTLIER, offered[:, 0])
    turned_away = np.where(shut, strength, 0).max(axis=1) > strength[:, 0]
    turned_away &= strength[:, 0] < MIN_FALLBACK_STRENGTH
    why = np.where(
        turned_away | (seen.votes.max(axis=1, initial=0) < model.between_below),
        OutlierReason.BETWEEN,
        OutlierReason.PLACED,
    )
    why = np.where((seen.closeness < model.alone_below) | (best == OUTLIER), OutlierReason.ALONE, why)
    labels = np.where(why == OutlierReason.PLACED, best, OUTLIER).astype(np.int32)
    with_second = (labels != OUTLIER) & ~shut[:, 1] & (seen.share(offered[:, 1]) >= MIN_SECOND_SHARE)
    second = np.where(with_second, offered[:, 1], OUTLIER).astype(np.int32)
    return Placement(labels, why.astype(np.int8), second, offered, strength, seen.closeness, seen.closest)


@dataclass(frozen=True, slots=True, eq=False)
class _Votes:
    """What rows look like from where they are: ``votes`` (m, k) 0..1, a row of them at most 1 together."""

    votes: NDArray[np.float32]
    closeness: NDArray[np.float32]
    closest: NDArray[np.int32]

    def share(self, clusters: NDArray[np.int32]) -> NDArray[np.float64]:
        """The share of all votes that one cluster of each row has, (m,)."""
        total = self.votes.sum(axis=1)
        own = self.votes[np.arange(len(clusters)), clusters] if self.votes.shape[1] else total
        return np.where(clusters != OUTLIER, own, 0) / np.where(total > 0, total, 1)


def _count_votes(
    model: PlacementModel, quantized: NDArray[np.float32], *, own_rows: NDArray[np.int64] | None = None
) -> _Votes:
    """Args:
    itself: (m,) the rows that these are, where they are of the run.
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
        return _Votes(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(_Votes)))
    cosine = quantized @ model.quantized.T / np.float32(QUANTIZATION_STEPS * QUANTIZATION_STEPS)
    if own_rows is not None:
        cosine[np.arange(len(own_rows)), own_rows] = -np.inf
    voters, near = _closest_rows(cosine, min(MAX_VOTERS, default_n_neighbours(n), n - (own_rows is not None)))
    near: NDArray[np.float32] = np.maximum(near, 0)
    weight: NDArray[np.float64] = near.astype(np.float64) ** SIMILARITY_EXPONENT * (
        HALF_WEIGHT_RANK / (HALF_WEIGHT_RANK + np.arange(near.shape[1], dtype=np.float64))
    )
    total = weight.sum(axis=1, keepdims=True)
    share = weight * np.maximum(model.strength[voters], MIN_VOTER_STRENGTH) / np.where(total > 0, total, 1)
    votes: NDArray[np.float64] = np.zeros((len(quantized), model.n_clusters + 1))
    np.add.at(
        votes, (np.arange(len(quantized))[:, None], model.nearest_cluster[voters]), share
    )  # no home votes into the last column
    closeness = near[:, :N_CLOSEST].mean(axis=1) if near.shape[1] else np.zeros(len(quantized), np.float32)
    return _Votes(votes[:, :-1].astype(np.float32), closeness, voters[:, :N_CLOSEST])


def _closest_rows(cosine: NDArray[np.float32], k: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    if k > 0:
        return top_k(cosine, k)
    return np.zeros((len(cosine), 0), np.int32), np.zeros((len(cosine), 0), np.float32)


def _rank_candidates(
    votes: NDArray[np.float32], excluded: Collection[int]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Clusters with votes, by falling share, the closed ones last; and the shares."""
    m, k = votes.shape
    shut = np.isin(np.arange(k, dtype=np.int32), list(excluded))
    rank = np.where(votes > 0, votes, np.float32(-9)) - np.float32(2) * shut.astype(np.float32)
    order = np.argsort(-rank, axis=1, kind="stable")[:, :N_CANDIDATES]
    share = np.take_along_axis(votes, order, axis=1)
    offered = np.full((m, N_CANDIDATES), OUTLIER, np.int32)
    strength = np.zeros((m, N_CANDIDATES), np.float32)
    offered[:, : order.shape[1]] = np.where(share > 0, order, OUTLIER)
    strength[:, : order.shape[1]] = 1 - (1 - share) ** 2
    return offered, strength


def _best_threshold(
    values: NDArray[np.float32], placed: NDArray[np.bool_], others: NDArray[np.bool_], low: float, high: float
) -> float:
    """The value within ``low`` and ``high`` under which most of the others and fewest of the placed lie."""
    tried = np.unique(np.concatenate([[low], values[others & (values >= low) & (values < high)]]))
    tried = np.nextafter(tried, np.inf)
    lost = np.searchsorted(np.sort(values[placed]), tried) - np.searchsorted(np.sort(values[others]), tried)
    return float(tried[int(lost.argmin())])


__all__ = ["Placement", "PlacementModel", "fit_placement", "predict"]
