"""Very many rows: a sample of them is partitioned, and every other row goes where its neighbours are.

What a run takes its time for, the fits, then costs what they cost at the size of the sample; the search goes over all
rows. The price is the smallest theme that can be seen, which the partition says. Figures: docs/decisions/0014.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from patternmind.clustering.centroids import compute_centroids
from patternmind.clustering.graph import Communities, build_edges
from patternmind.clustering.levels import group_into_areas
from patternmind.clustering.neighbours import find_nearest_neighbours
from patternmind.clustering.outliers import Outliers, find_outliers
from patternmind.clustering.partition import MIN_CASES, default_n_neighbours, partition_rows
from patternmind.clustering.placement import (
    HALF_WEIGHT_RANK,
    MIN_SECOND_SHARE,
    MIN_VOTER_STRENGTH,
    SIMILARITY_EXPONENT,
)
from patternmind.clustering.recurrence import find_recurring_rows
from patternmind.domain.themes import (
    OUTLIER,
    Neighbours,
    OutlierReason,
    Partition,
    Vectors,
)

MIN_SAMPLED_ROWS = 15
"""Rows of a theme that have to be in the sample for the fits to see it: as many as a row of it has neighbours. Of close
groups planted among 38,000 arXiv rows over half of those of 15 to 30 rows were found, of 12 rows 15 %, of 8 none."""

CONFIDENCE_Z = 1.645
"""Standard deviations by which they are: in 95 of 100 samples."""


def draw_sample(n: int, size: int, *, seed: int) -> NDArray[np.intp]:
    """Rows of a random sample in rising order; the same for the same numbers."""
    return np.sort(np.random.default_rng([seed, n, size]).choice(n, size, replace=False))


def smallest_visible_theme(n: int, size: int) -> int:
    """Rows that a theme among n must have for ``SEEN`` of them to be, nearly always, in a sample of ``size``."""
    share = size / n
    spread = CONFIDENCE_Z * math.sqrt(1 - share)
    least = ((spread + math.sqrt(spread**2 + 4 * MIN_SAMPLED_ROWS)) / 2) ** 2 / share
    return math.ceil(round(least, 6))


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
    """The partition of all rows by that of a sample, which is searched by itself.

    Rows of the sample are where that partition has them. Every other row goes where the rows tied to it are, and is
    left out by the rules of a full partition; its ``strength`` is that of the sampled rows with as many votes.

    Args:
        neighbours: of all rows.
        size: rows of the sample, at least ``FEWEST_CASES``.
        engine, seed, level, resample, repeats: as ``partition`` takes them.
    """
    rows = draw_sample(len(vectors), max(size, MIN_CASES), seed=seed)
    drawn = vectors[rows]
    found = partition_rows(
        drawn,
        find_nearest_neighbours(drawn, default_n_neighbours(len(rows))),
        engine=engine,
        seed=seed,
        level=level,
        resample=resample,
        is_duplicate=None if is_duplicate is None else is_duplicate[rows],
    )
    del drawn  # half a gigabyte
    votes = _count_cluster_votes(neighbours, rows, found)
    home = votes.best.copy()
    home[rows] = found.nearest
    outliers = _find_outliers_by_votes(neighbours, home, votes.share)
    why = np.where(
        outliers.is_between & (found.why == OutlierReason.BETWEEN).any(), OutlierReason.BETWEEN, OutlierReason.PLACED
    )
    why = np.where(outliers.is_alone | (home == OUTLIER), OutlierReason.ALONE, why).astype(np.int8)
    why[rows] = found.why
    second = np.where(votes.second_share >= MIN_SECOND_SHARE, votes.second, OUTLIER).astype(np.int32)
    second_strength = np.where(second != OUTLIER, votes.second_share, 0).astype(np.float32)
    second[rows], second_strength[rows] = found.second, found.second_strength
    strength = _transfer_strength(votes.share, rows, found)
    order, number = _number_by_size(
        np.where(why == OutlierReason.PLACED, home, OUTLIER).astype(np.int32), found.n_clusters
    )
    labels = np.where(why == OutlierReason.PLACED, number[home], OUTLIER).astype(np.int32)
    centres = compute_centroids(vectors, labels)
    return Partition(
        labels=labels,
        areas=np.arange(len(order), dtype=np.int32) if level == "area" else group_into_areas(centres),
        strength=strength,
        nearest=number[home],
        centres=centres,
        stability=found.stability[order],
        second=number[second],
        second_strength=second_strength,
        outlier_score=outliers.score,
        why=why,
        recurring=find_recurring_rows(vectors, seed=seed),
        smallest_visible=smallest_visible_theme(len(vectors), len(rows)),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _ClusterVotes:
    """By row, (n,): the clusters with the most and the second most votes, ``OUTLIER`` for none, and their share."""

    best: NDArray[np.int32]
    share: NDArray[np.float64]
    second: NDArray[np.int32]
    second_share: NDArray[np.float64]


def _count_cluster_votes(neighbours: Neighbours, rows: NDArray[np.intp], sample_partition: Partition) -> _ClusterVotes:
    """How the rows tied to each row vote, as far as they know: a sampled row for its cluster, the others for what the
    sampled rows tied to them said, all by how firmly they sit.

    In one round, a row of 15 neighbours hears four voices from a quarter of all rows: AMI on arXiv .01 to .02 lower.
    """
    matrices: Any = sparse
    n = len(neighbours.index)
    tied = _vote_weights(neighbours)
    told = sample_partition.nearest != OUTLIER
    firm = np.maximum(sample_partition.strength[told], MIN_VOTER_STRENGTH).astype(np.float32)
    where = (rows[told], sample_partition.nearest[told])
    own = matrices.csr_matrix((firm, where), shape=(n, sample_partition.n_clusters))
    sampled = np.zeros(n, np.float32)
    sampled[rows] = 1
    heard = _safe_inverse(tied @ sampled) * (1 - sampled)
    votes = tied @ (own + matrices.diags(heard) @ (tied @ own))
    # a sampled row must not hear itself from those it told, or it would seem surer than a row that is new
    echo = tied.power(2) @ heard
    votes = votes - matrices.csr_matrix((firm * echo[where[0]], where), shape=votes.shape)
    weight = np.asarray(tied.sum(axis=1)).ravel() - sampled * echo
    return _top_two((matrices.diags(_safe_inverse(weight)) @ votes).tocsr())


def _vote_weights(neighbours: Neighbours) -> Any:
    """What each row's vote counts with another, sparse (n, n), by rank and similarity as in placing, both ways."""
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
    found: list[NDArray[Any]] = []
    for place in range(2):
        has = np.flatnonzero(count > place)
        label, part = np.full(n, OUTLIER, np.int32), np.zeros(n)
        label[has], part[has] = column[first[has] + place], np.clip(share[first[has] + place], 0, 1)
        found += [label, part]
    return _ClusterVotes(*found)


def _find_outliers_by_votes(
    neighbours: Neighbours, nearest_cluster: NDArray[np.int32], share: NDArray[np.float64]
) -> Outliers:
    """Who stands alone or between clusters, by the rules of a full partition, votes standing for what fits agree on."""
    edges = build_edges(neighbours)
    together = (nearest_cluster[edges.left] == nearest_cluster[edges.right]).astype(np.float64)
    return find_outliers(neighbours, Communities(nearest_cluster, share, edges, together))


def _transfer_strength(
    share: NDArray[np.float64], rows: NDArray[np.intp], sample_partition: Partition
) -> NDArray[np.float32]:
    """Of a sampled row what its partition says; of another what it says of the sampled rows with as many votes."""
    from sklearn.isotonic import IsotonicRegression  # 0.5 s

    fit: Any = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
    fit.fit(share[rows], sample_partition.strength)
    strength = np.asarray(fit.predict(share), np.float32)
    strength[rows] = sample_partition.strength
    return strength


def _number_by_size(labels: NDArray[np.int32], k: int) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
    """The clusters by falling size, ties by first row; and the number of each then, (k + 1,), the last for none."""
    found, first, size = np.unique(labels[labels != OUTLIER], return_index=True, return_counts=True)
    order = found[np.lexsort((first, -size))].astype(np.intp)
    number = np.full(k + 1, OUTLIER, np.int32)
    number[order] = np.arange(len(order), dtype=np.int32)
    return order, number


__all__ = ["draw_sample", "partition_sample", "smallest_visible_theme"]
