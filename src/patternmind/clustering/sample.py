"""Partition of very many rows: partition a sample and assign the other rows by their neighbours.

The fits take most of the time of a run, and then cost only as much as for the sample; the neighbour search covers all
rows. The price is a larger smallest visible theme, which the partition reports. Figures: docs/decisions/0014.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from patternmind.clustering.centroids import compute_centroids
from patternmind.clustering.graph import HALF_WEIGHT_RANK, Communities, build_edges
from patternmind.clustering.levels import group_into_areas
from patternmind.clustering.neighbours import find_nearest_neighbours
from patternmind.clustering.outliers import Outliers, find_outliers
from patternmind.clustering.partition import MIN_CASES, default_n_neighbours, partition_rows
from patternmind.clustering.placement import MIN_SECOND_SHARE, MIN_VOTER_STRENGTH, SIMILARITY_EXPONENT
from patternmind.clustering.recurrence import find_recurring_rows
from patternmind.domain.themes import OUTLIER, Neighbours, OutlierReason, Partition, Vectors

MIN_SAMPLED_ROWS = 15
"""Rows of a theme that the sample must contain for the fits to detect it: as many as a row has neighbours.

Of close groups planted among 38,000 arXiv rows, the fits found over half with 15 to 30 rows, 15 % with 12 rows, and no
group with 8 rows.
"""

CONFIDENCE_Z = 1.645
"""Standard deviations for this to hold in 95 of 100 samples."""


def draw_sample(n: int, size: int, *, seed: int) -> NDArray[np.intp]:
    """Draw rows of a random sample, in rising order; the same arguments give the same rows."""
    return np.sort(np.random.default_rng([seed, n, size]).choice(n, size, replace=False))


def smallest_visible_theme(n: int, size: int) -> int:
    """Return the smallest theme among n rows that a sample of ``size`` rows reliably shows.

    At this size the sample contains ``MIN_SAMPLED_ROWS`` of its rows in 95 of 100 draws.
    """
    share = size / n
    spread = CONFIDENCE_Z * math.sqrt(1 - share)
    min_rows = ((spread + math.sqrt(spread**2 + 4 * MIN_SAMPLED_ROWS)) / 2) ** 2 / share
    return math.ceil(round(min_rows, 6))


def partition_sample(
    vectors: Vectors,
    neighbours: Neighbours,
    *,
    size: int,
    engine: str,
    seed: int,
    level: str = "theme",
    resample: bool = True,
    is_duplicate: NDArray[np.bool_] | None = None,
) -> Partition:
    """Partition all rows by means of a sample, whose neighbours are searched separately.

    Rows of the sample keep their cluster. Every other row gets the cluster of the rows connected to it. It is an
    outlier by the rules of a full partition, and its ``strength`` is that of sampled rows with the same share of votes.

    Args:
        vectors: (n, d) in an order that does not depend on the order of the input.
        neighbours: neighbours of all rows.
        size: number of sampled rows, at least ``MIN_CASES``.
        engine: as for ``partition_rows``.
        seed: as for ``partition_rows``.
        level: as for ``partition_rows``.
        resample: as for ``partition_rows``.
        is_duplicate: as for ``partition_rows``.
    """
    rows = draw_sample(len(vectors), max(size, MIN_CASES), seed=seed)
    sampled_vectors = vectors[rows]
    sample_partition = partition_rows(
        sampled_vectors,
        find_nearest_neighbours(sampled_vectors, default_n_neighbours(len(rows))),
        engine=engine,
        seed=seed,
        level=level,
        resample=resample,
        is_duplicate=None if is_duplicate is None else is_duplicate[rows],
    )
    del sampled_vectors  # frees half a gigabyte
    votes = _count_cluster_votes(neighbours, rows, sample_partition)
    nearest_cluster = votes.best.copy()
    nearest_cluster[rows] = sample_partition.nearest
    outliers = _find_outliers_by_votes(neighbours, nearest_cluster, votes.share)
    outlier_reason = np.where(
        outliers.is_between & (sample_partition.why == OutlierReason.BETWEEN).any(),
        OutlierReason.BETWEEN,
        OutlierReason.PLACED,
    )
    outlier_reason = np.where(
        outliers.is_alone | (nearest_cluster == OUTLIER), OutlierReason.ALONE, outlier_reason
    ).astype(np.int8)
    outlier_reason[rows] = sample_partition.why
    second = np.where(votes.second_share >= MIN_SECOND_SHARE, votes.second, OUTLIER).astype(np.int32)
    second_strength = np.where(second != OUTLIER, votes.second_share, 0).astype(np.float32)
    second[rows], second_strength[rows] = sample_partition.second, sample_partition.second_strength
    strength = _transfer_strength(votes.share, rows, sample_partition)
    order, new_number = _number_by_size(
        np.where(outlier_reason == OutlierReason.PLACED, nearest_cluster, OUTLIER).astype(np.int32),
        sample_partition.n_clusters,
    )
    labels = np.where(outlier_reason == OutlierReason.PLACED, new_number[nearest_cluster], OUTLIER).astype(np.int32)
    centroids = compute_centroids(vectors, labels)
    return Partition(
        labels=labels,
        areas=np.arange(len(order), dtype=np.int32) if level == "area" else group_into_areas(centroids),
        strength=strength,
        nearest=new_number[nearest_cluster],
        centres=centroids,
        stability=sample_partition.stability[order],
        second=new_number[second],
        second_strength=second_strength,
        outlier_score=outliers.score,
        why=outlier_reason,
        recurring=find_recurring_rows(vectors, seed=seed),
        smallest_visible=smallest_visible_theme(len(vectors), len(rows)),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _ClusterVotes:
    """Clusters with the most and second most votes of each row, (n,), and their shares.

    A cluster is ``OUTLIER`` if there are no votes.
    """

    best: NDArray[np.int32]
    share: NDArray[np.float64]
    second: NDArray[np.int32]
    second_share: NDArray[np.float64]


def _count_cluster_votes(neighbours: Neighbours, rows: NDArray[np.intp], sample_partition: Partition) -> _ClusterVotes:
    """Count the votes of the rows connected to each row, weighted by their strength.

    A sampled row votes for its cluster, another row for the clusters of the sampled rows connected to it. With a single
    round instead, and a sample of a quarter of all rows, a row with 15 neighbours gets four votes: AMI on arXiv is .01
    to .02 lower.
    """
    matrices: Any = sparse
    n = len(neighbours.index)
    vote_weights = _vote_weights(neighbours)
    has_cluster = sample_partition.nearest != OUTLIER
    strength = np.maximum(sample_partition.strength[has_cluster], MIN_VOTER_STRENGTH).astype(np.float32)
    where = (rows[has_cluster], sample_partition.nearest[has_cluster])
    own = matrices.csr_matrix((strength, where), shape=(n, sample_partition.n_clusters))
    sampled = np.zeros(n, np.float32)
    sampled[rows] = 1
    votes_heard = _safe_inverse(vote_weights @ sampled) * (1 - sampled)
    votes = vote_weights @ (own + matrices.diags(votes_heard) @ (vote_weights @ own))
    # a sampled row must not get its own vote back through other rows, or it would seem stronger than a new row
    echo = vote_weights.power(2) @ votes_heard
    votes = votes - matrices.csr_matrix((strength * echo[where[0]], where), shape=votes.shape)
    weight = np.asarray(vote_weights.sum(axis=1)).ravel() - sampled * echo
    return _top_two((matrices.diags(_safe_inverse(weight)) @ votes).tocsr())


def _vote_weights(neighbours: Neighbours) -> Any:
    """Return the weight of each row's vote for other rows, sparse (n, n), symmetric.

    It depends on rank and similarity, as in ``placement``.
    """
    matrices: Any = sparse
    n, k = neighbours.index.shape
    rank = HALF_WEIGHT_RANK / (HALF_WEIGHT_RANK + np.arange(k, dtype=np.float32))
    weight = rank * np.maximum(neighbours.similarity, 0) ** SIMILARITY_EXPONENT
    starts = k * np.arange(n + 1, dtype=np.int64)
    directed = matrices.csr_matrix((weight.ravel(), neighbours.index.ravel(), starts), shape=(n, n))
    return (directed + directed.T).tocsr()


def _safe_inverse(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.where(values > 0, 1 / np.where(values > 0, values, 1), 0).astype(np.float32)


def _top_two(votes: Any) -> _ClusterVotes:
    n = votes.shape[0]
    votes.eliminate_zeros()
    row = np.repeat(np.arange(n, dtype=np.int32), np.diff(votes.indptr))
    order = np.lexsort((votes.indices, -votes.data, row))
    column, share = votes.indices[order], votes.data[order]
    count, first = np.diff(votes.indptr), votes.indptr[:-1]
    columns: list[NDArray[Any]] = []
    for i in range(2):
        rows_with_votes = np.flatnonzero(count > i)
        label, label_share = np.full(n, OUTLIER, np.int32), np.zeros(n)
        label[rows_with_votes], label_share[rows_with_votes] = (
            column[first[rows_with_votes] + i],
            np.clip(share[first[rows_with_votes] + i], 0, 1),
        )
        columns += [label, label_share]
    return _ClusterVotes(*columns)


def _find_outliers_by_votes(
    neighbours: Neighbours, nearest_cluster: NDArray[np.int32], share: NDArray[np.float64]
) -> Outliers:
    """Find rows that are alone or between clusters by the rules of a full partition.

    Shares of votes replace the consensus of fits.
    """
    edges = build_edges(neighbours)
    agreement = (nearest_cluster[edges.left] == nearest_cluster[edges.right]).astype(np.float64)
    return find_outliers(neighbours, Communities(nearest_cluster, share, edges, agreement))


def _transfer_strength(
    share: NDArray[np.float64], rows: NDArray[np.intp], sample_partition: Partition
) -> NDArray[np.float32]:
    """Return the strength of each row, (n,).

    A sampled row keeps its strength. Another row gets the strength of sampled rows with the same share of votes.
    """
    from sklearn.isotonic import IsotonicRegression  # takes 0.5 s

    fit: Any = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
    fit.fit(share[rows], sample_partition.strength)
    strength = np.asarray(fit.predict(share), np.float32)
    strength[rows] = sample_partition.strength
    return strength


def _number_by_size(labels: NDArray[np.int32], k: int) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
    """Return the clusters by descending size, and the new number of each, (k + 1,).

    Ties are ordered by first row. The last number is for rows without a cluster.
    """
    clusters, first, size = np.unique(labels[labels != OUTLIER], return_index=True, return_counts=True)
    order = clusters[np.lexsort((first, -size))].astype(np.intp)
    new_number = np.full(k + 1, OUTLIER, np.int32)
    new_number[order] = np.arange(len(order), dtype=np.int32)
    return order, new_number
