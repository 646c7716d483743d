"""Which cases stand alone. A case is judged by its own evidence, not only by what the partition did with it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from patternmind.clustering.graph import Communities
from patternmind.domain.themes import Neighbours

N_DISTANCE_NEIGHBOURS = 3
N_NEIGHBOURS = 5
NEIGHBOURHOOD_SIZE = 15
DISAGREEMENT_WEIGHT = 0.5
"""Weight of disagreement beside the two kinds of distance; .25 to 1 order planted strangers alike."""

MIN_ALONE_Z_SCORE = 2.6
"""Robust spreads of the score above its median at which a case stands alone."""

MAX_BETWEEN_COHESION = 0.55
"""A case is between themes when the fits keep it with less than this part of what they keep its theme's median case
with: it would sit elsewhere in the next fit, and counting it in makes every theme unsteady."""

MAX_LEFTOVER_Z_SCORE = 1.2
"""Spreads below the median at which a whole cluster is what was left over: strangers who are only alike in being unlike
the rest. Themes of the real corpora lie above -0.95, groups of strangers between -1.35 and -1.8."""

MAX_SHARE = 0.12
"""Never more than this share stands alone by its score, and never more than this share is between themes."""

MAX_TOTAL_SHARE = 0.2
"""Never more than this share is left out in all: rows between themes stay in theirs before that."""


@dataclass(frozen=True, slots=True, eq=False)
class Outliers:
    """By row: ``score`` (n,) 0..1, 1 for the row that stands most alone; ``alone`` and ``between`` (n,) apart."""

    score: NDArray[np.float32]
    is_alone: NDArray[np.bool_]
    is_between: NDArray[np.bool_]


def mean_neighbour_similarity(neighbours: Neighbours) -> NDArray[np.float64]:
    """Mean cosine of each row to its five closest neighbours, (n,)."""
    return neighbours.similarity[:, :N_NEIGHBOURS].mean(axis=1, dtype=np.float64)


def isolation_score(neighbours: Neighbours, communities: Communities) -> NDArray[np.float64]:
    """How much each row stands alone, (n,), higher is more; without unit.

    Three kinds of evidence: its closest neighbours are far; they have closer company of their own than it; and the fits
    put it and its neighbours into different communities. Planted strangers in banking77: AUROC .926, where the mean
    cosine to five neighbours has .907 (docs/decisions/0010).
    """
    s = neighbours.similarity.astype(np.float64)
    k = s.shape[1]
    circle = min(NEIGHBOURHOOD_SIZE, k) - 1
    far = -s[:, :N_DISTANCE_NEIGHBOURS].mean(axis=1)
    theirs = s[:, circle][neighbours.index[:, :N_NEIGHBOURS]]
    intrudes = (theirs - s[:, :N_NEIGHBOURS]).mean(axis=1)
    return (
        _standardise(far)
        + _standardise(intrudes)
        + DISAGREEMENT_WEIGHT * _standardise(-_agreed_edge_share(communities))
    )


def find_outliers(neighbours: Neighbours, communities: Communities) -> Outliers:
    score = isolation_score(neighbours, communities)
    spreads = _robust_z_scores(score)
    alone = spreads > max(MIN_ALONE_Z_SCORE, float(np.quantile(spreads, 1 - MAX_SHARE)))
    distance = _robust_z_scores(mean_neighbour_similarity(neighbours))
    alone |= _community_medians(distance, communities.labels) < -MAX_LEFTOVER_Z_SCORE
    room = max(0.0, min(MAX_SHARE, MAX_TOTAL_SHARE - float(alone.mean())))
    return Outliers(_scaled_ranks(score), alone, find_between_rows(communities, max_share=room) & ~alone)


def find_between_rows(communities: Communities, *, max_share: float = MAX_SHARE) -> NDArray[np.bool_]:
    """Rows that the fits keep with much less of their community than its median row; at most ``most`` of all."""
    middle = _community_medians(communities.cohesion, communities.labels)
    relative = np.where(middle > 0, communities.cohesion / np.where(middle > 0, middle, 1), 1.0)
    return relative < min(MAX_BETWEEN_COHESION, float(np.quantile(relative, max_share)))


def _agreed_edge_share(communities: Communities) -> NDArray[np.float64]:
    """The share of a row's edges, by weight, that the fits kept together, (n,)."""
    edges = communities.edges
    kept = edges.weight * communities.agreement
    held = np.bincount(edges.left, kept, edges.n) + np.bincount(edges.right, kept, edges.n)
    total = np.bincount(edges.left, edges.weight, edges.n) + np.bincount(edges.right, edges.weight, edges.n)
    return held / np.where(total > 0, total, 1)


def _community_medians(values: NDArray[np.float64], labels: NDArray[np.int32]) -> NDArray[np.float64]:
    """The median of each row's community, (n,); sorted once, for there may be thousands of communities."""
    _, number, size = np.unique(labels, return_inverse=True, return_counts=True)
    ordered = values[np.lexsort((values, number))]
    first = np.cumsum(size) - size
    return ((ordered[first + (size - 1) // 2] + ordered[first + size // 2]) / 2)[number]


def _standardise(values: NDArray[np.float64]) -> NDArray[np.float64]:
    spread = float(values.std())
    return (values - values.mean()) / spread if spread > 1e-9 else np.zeros_like(values)


def _robust_z_scores(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """How many robust standard deviations each value lies above the median; 0 for all where they do not vary."""
    from_middle = values - np.median(values)
    spread = 1.4826 * np.median(np.abs(from_middle))
    return from_middle / spread if spread > 1e-9 else np.zeros_like(values)


def _scaled_ranks(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """The share of rows with a smaller value, ties alike, scaled to 0..1."""
    _, where, count = np.unique(values, return_inverse=True, return_counts=True)
    below = np.concatenate([[0], np.cumsum(count)[:-1]])[where]
    return (below / max(1, len(values) - 1)).astype(np.float32)
