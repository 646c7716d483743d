"""Outlier detection from a case's own evidence, not only from the partition."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from patternmind.clustering.graph import Communities
from patternmind.domain.themes import Neighbours

N_DISTANCE_NEIGHBOURS = 3
N_NEIGHBOURS = 5
NEIGHBOURHOOD_SIZE = 15
DISAGREEMENT_WEIGHT = 0.5
"""Weight of disagreement relative to the two distances; .25 to 1 rank planted outliers in the same way."""

MIN_ALONE_Z_SCORE = 2.6
"""Robust standard deviations of the score above its median at which a case is alone."""

MAX_BETWEEN_CONSENSUS = 0.55
"""Consensus relative to the theme's median case below which a case is between themes.

The next fit would put such a case elsewhere, and including it makes every theme unstable.
"""

MAX_LEFTOVER_Z_SCORE = 1.2
"""Robust standard deviations below the median at which a whole cluster counts as leftovers.

Leftovers are outliers that share only their distance from the rest. Themes of the real corpora are above -0.95, groups
of outliers between -1.35 and -1.8.
"""

MAX_SHARE = 0.12
"""Largest share of rows that are alone by their score, and largest share between themes."""

MAX_TOTAL_SHARE = 0.2
"""Largest total share of outliers; where it is reached, rows between themes stay in their theme."""


@dataclass(frozen=True, slots=True, eq=False)
class Outliers:
    """Outlier score and outlier type of each row.

    Attributes:
        score: (n,) 0..1, 1 for the most isolated row.
        is_alone: (n,) rows far from all others.
        is_between: (n,) rows between themes; disjoint from ``is_alone``.
    """

    score: NDArray[np.float32]
    is_alone: NDArray[np.bool_]
    is_between: NDArray[np.bool_]


def mean_neighbour_similarity(neighbours: Neighbours) -> NDArray[np.float64]:
    """Return the mean cosine of each row to its five nearest neighbours, (n,)."""
    return neighbours.similarity[:, :N_NEIGHBOURS].mean(axis=1, dtype=np.float64)


def isolation_score(neighbours: Neighbours, communities: Communities) -> NDArray[np.float64]:
    """Return the isolation of each row, (n,), without unit; higher is more isolated.

    The score adds three kinds of evidence. The nearest neighbours of the row are far away. They have nearer neighbours
    of their own. The fits put the row and its neighbours into different communities. Outliers planted in banking77:
    AUROC .926, where the mean cosine to five neighbours has .907 (docs/decisions/0010).
    """
    similarity = neighbours.similarity.astype(np.float64)
    k = similarity.shape[1]
    last_rank = min(NEIGHBOURHOOD_SIZE, k) - 1
    distance = -similarity[:, :N_DISTANCE_NEIGHBOURS].mean(axis=1)
    neighbourhood_radius = similarity[:, last_rank][neighbours.index[:, :N_NEIGHBOURS]]
    neighbour_density = (neighbourhood_radius - similarity[:, :N_NEIGHBOURS]).mean(axis=1)
    return (
        _standardise(distance)
        + _standardise(neighbour_density)
        + DISAGREEMENT_WEIGHT * _standardise(-_agreed_edge_share(communities))
    )


def find_outliers(neighbours: Neighbours, communities: Communities) -> Outliers:
    score = isolation_score(neighbours, communities)
    z_scores = _robust_z_scores(score)
    is_alone = z_scores > max(MIN_ALONE_Z_SCORE, float(np.quantile(z_scores, 1 - MAX_SHARE)))
    similarity_z_scores = _robust_z_scores(mean_neighbour_similarity(neighbours))
    is_alone |= _community_medians(similarity_z_scores, communities.labels) < -MAX_LEFTOVER_Z_SCORE
    max_between_share = max(0.0, min(MAX_SHARE, MAX_TOTAL_SHARE - float(is_alone.mean())))
    return Outliers(
        _scaled_ranks(score), is_alone, find_between_rows(communities, max_share=max_between_share) & ~is_alone
    )


def find_between_rows(communities: Communities, *, max_share: float = MAX_SHARE) -> NDArray[np.bool_]:
    """Return a mask (n,) of rows with far less consensus than their community's median.

    At most ``max_share`` of all rows are marked.
    """
    median = _community_medians(communities.consensus, communities.labels)
    relative = np.where(median > 0, communities.consensus / np.where(median > 0, median, 1), 1.0)
    return relative < min(MAX_BETWEEN_CONSENSUS, float(np.quantile(relative, max_share)))


def _agreed_edge_share(communities: Communities) -> NDArray[np.float64]:
    """Return the share, by weight, of each row's edges that the fits keep together, (n,)."""
    edges = communities.edges
    agreed = edges.weight * communities.agreement
    agreed_weight = np.bincount(edges.left, agreed, edges.n) + np.bincount(edges.right, agreed, edges.n)
    total = np.bincount(edges.left, edges.weight, edges.n) + np.bincount(edges.right, edges.weight, edges.n)
    return agreed_weight / np.where(total > 0, total, 1)


def _community_medians(values: NDArray[np.float64], labels: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return the median of each row's community, (n,).

    The values are sorted once, because there can be thousands of communities.
    """
    _, community, size = np.unique(labels, return_inverse=True, return_counts=True)
    ordered = values[np.lexsort((values, community))]
    first = np.cumsum(size) - size
    return ((ordered[first + (size - 1) // 2] + ordered[first + size // 2]) / 2)[community]


def _standardise(values: NDArray[np.float64]) -> NDArray[np.float64]:
    deviation = float(values.std())
    return (values - values.mean()) / deviation if deviation > 1e-9 else np.zeros_like(values)


def _robust_z_scores(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distance of each value above the median in robust standard deviations; 0 if values do not vary."""
    from_median = values - np.median(values)
    deviation = 1.4826 * np.median(np.abs(from_median))
    return from_median / deviation if deviation > 1e-9 else np.zeros_like(values)


def _scaled_ranks(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the share of rows with a smaller value, scaled to 0..1; ties get the same rank."""
    _, position, count = np.unique(values, return_inverse=True, return_counts=True)
    below = np.concatenate([[0], np.cumsum(count)[:-1]])[position]
    return (below / max(1, len(values) - 1)).astype(np.float32)
