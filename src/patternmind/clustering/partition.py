"""Partition of vectors in canonical order: clusters, areas, strengths, outliers and nearest clusters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from patternmind.clustering.centroids import compute_centroids
from patternmind.clustering.density import cluster_by_density
from patternmind.clustering.graph import (
    Communities,
    build_consensus,
    build_edges,
    compute_memberships,
    default_n_fits,
    fit_edge_samples,
)
from patternmind.clustering.levels import group_into_areas
from patternmind.clustering.neighbours import cosine_similarity
from patternmind.clustering.outliers import find_outliers
from patternmind.clustering.recurrence import find_recurring_rows
from patternmind.clustering.stability import estimate_stability, fit_row_samples
from patternmind.domain.stored_fits import FitLabels
from patternmind.domain.themes import OUTLIER, Neighbours, OutlierReason, Partition, Vectors

MIN_CASES = 20
"""Smallest number of cases that are grouped; with fewer, all are outliers (too few to group)."""

MIN_CLUSTER_SIZE = 3

MIN_NEIGHBOURS, MAX_NEIGHBOURS, MIN_NEIGHBOURS_LARGE = 5, 80, 15
SMALL_NETWORK_ROWS, LARGE_NETWORK_ROWS = 800, 4000
NEIGHBOUR_DECAY = 0.7
"""Exponent of the decrease above 4,000 rows.

With an exponent of 1, four fifths of banking77 had 70 themes, and all of it 100.
"""

MIN_SECOND_SHARE = 0.25
"""Minimum share of a row's edge weight for a second theme of the row."""


def default_n_neighbours(n: int) -> int:
    """Return the number of neighbours for n rows.

    It is a tenth of the network, from 5 to 80, and decreases again above 4,000 rows. In a small network, nearness is
    relative to its size: a fixed 15 merges themes of ten in 120 cases, and leaves themes to chance in 1,000. Very large
    networks have finer themes; their fifteenth neighbour is as near as the eightieth here.
    """
    if n > LARGE_NETWORK_ROWS:
        return max(MIN_NEIGHBOURS_LARGE, round(MAX_NEIGHBOURS * (LARGE_NETWORK_ROWS / n) ** NEIGHBOUR_DECAY))
    return min(MAX_NEIGHBOURS, max(MIN_NEIGHBOURS, round(n * MAX_NEIGHBOURS / SMALL_NETWORK_ROWS)))


@dataclass(frozen=True, slots=True, eq=False)
class EngineFit:
    """Result of an engine.

    Attributes:
        communities: communities of all rows.
        is_noise: (n,) rows that the engine itself excludes.
        needs_resampling: True if strength and stability come from fits on parts of the rows.
        samples: (r, n) labels of such fits, if they exist already.
    """

    communities: Communities
    is_noise: NDArray[np.bool_]
    needs_resampling: bool
    samples: NDArray[np.int32] | None = None


def make_fits(neighbours: Neighbours, *, seed: int) -> FitLabels:
    """Make all fits of the graph engine. They take most of the time of a run; the next run can extend them instead."""
    edges = build_edges(neighbours)
    edge_fits = fit_edge_samples(edges, n_fits=default_n_fits(edges.n), seed=seed)
    return FitLabels(np.array(edge_fits, np.int32).reshape(-1, edges.n), fit_row_samples(edges, seed=seed))


def fit_graph(vectors: Vectors, neighbours: Neighbours, seed: int, fits: FitLabels | None) -> EngineFit:
    del vectors  # the graph is enough
    edges = build_edges(neighbours)
    edge_fits = (
        fit_edge_samples(edges, n_fits=default_n_fits(edges.n), seed=seed) if fits is None else list(fits.edge_fits)
    )
    consensus = build_consensus(edges, edge_fits, seed=seed)
    samples = fits.row_fits if fits else None
    return EngineFit(consensus, np.zeros(edges.n, np.bool_), needs_resampling=True, samples=samples)


def fit_hdbscan(vectors: Vectors, neighbours: Neighbours, seed: int, fits: FitLabels | None) -> EngineFit:
    del fits  # this engine makes its own single fit
    labels, probability = cluster_by_density(vectors, neighbours, seed=seed)
    edges = build_edges(neighbours)
    communities_of_rows = np.where(labels == OUTLIER, labels.max() + 1, labels)
    agreement = (communities_of_rows[edges.left] == communities_of_rows[edges.right]).astype(np.float64)
    communities = Communities(communities_of_rows, probability.astype(np.float64), edges, agreement)
    return EngineFit(communities, labels == OUTLIER, needs_resampling=False)


ENGINES: Mapping[str, Callable[[Vectors, Neighbours, int, FitLabels | None], EngineFit]] = {
    "graph": fit_graph,
    "hdbscan": fit_hdbscan,
}


def partition_rows(
    vectors: Vectors,
    neighbours: Neighbours,
    *,
    engine: str,
    seed: int,
    level: str = "theme",
    resample: bool = True,
    fits: FitLabels | None = None,
    is_duplicate: NDArray[np.bool_] | None = None,
) -> Partition:
    """Group the rows: each row is in one cluster or is an outlier.

    Args:
        vectors: (n, d) in an order that does not depend on the order of the input (by case id).
        neighbours: nearest neighbours of the rows.
        engine: a key of ``ENGINES``.
        seed: seed of all random draws.
        level: "theme", or "area" to use the broad areas as the clusters.
        resample: True to measure strength and stability on resampled fits, at about three times the cost of the
            partition. Otherwise, and with hdbscan, strength is the engine's own value and stability its mean.
        fits: fits for the graph engine, from ``make_fits`` or ``extend_fits``; None to make them here.
        is_duplicate: (n,) rows that repeat another row; they do not count towards ``MIN_CLUSTER_SIZE``.

    Returns:
        The partition; without clusters if there are fewer than ``MIN_CASES`` rows.
    """
    n = len(vectors)
    if n < MIN_CASES:
        return _empty_partition(n, vectors.shape[1])
    fit = ENGINES[engine](vectors, neighbours, seed, fits)
    outliers = find_outliers(neighbours, fit.communities)
    is_between = outliers.is_between & fit.needs_resampling  # the hdbscan engine reports its own noise
    reason = np.where(
        outliers.is_alone | fit.is_noise,
        OutlierReason.ALONE,
        np.where(is_between, OutlierReason.BETWEEN, OutlierReason.PLACED),
    ).astype(np.int8)
    is_unique = np.ones(n, np.bool_) if is_duplicate is None else ~is_duplicate
    labels, nearest_cluster = _number_by_size(
        np.where(reason == OutlierReason.PLACED, fit.communities.labels, OUTLIER),
        fit.communities.labels,
        is_unique,
        n // 4,
    )
    areas = group_into_areas(compute_centroids(vectors, labels))
    if level == "area":
        area_of = np.append(areas, OUTLIER)
        labels, nearest_cluster = _number_by_size(area_of[labels], area_of[nearest_cluster], is_unique, n // 4)
        areas = np.arange(labels.max() + 1, dtype=np.int32)
    reason = np.where((labels == OUTLIER) & (reason == OutlierReason.PLACED), OutlierReason.SMALL, reason).astype(
        np.int8
    )
    centroids = compute_centroids(vectors, labels)
    nearest = _nearest_clusters(vectors, labels, nearest_cluster, centroids)
    strength, stability = _measure_strength_and_stability(fit, labels, nearest, seed=seed, resample=resample)
    second, second_strength = _find_second_clusters(fit.communities, labels, nearest, len(centroids))
    return Partition(
        labels=labels,
        areas=areas,
        strength=strength,
        nearest=nearest,
        centres=centroids,
        stability=stability,
        second=second,
        second_strength=second_strength,
        outlier_score=outliers.score,
        why=reason,
        recurring=find_recurring_rows(vectors, seed=seed),
    )


def _empty_partition(n: int, d: int) -> Partition:
    no_cluster = np.full(n, OUTLIER, np.int32)
    return Partition(
        labels=no_cluster,
        areas=np.zeros(0, np.int32),
        strength=np.zeros(n, np.float32),
        nearest=no_cluster,
        centres=np.zeros((0, d), np.float32),
        stability=np.zeros(0, np.float32),
        why=np.full(n, OutlierReason.TOO_FEW, np.int8),
    )


def _number_by_size(
    labels: NDArray[np.int32], nearest_cluster: NDArray[np.int32], is_unique: NDArray[np.bool_], max_clusters: int
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Renumber the clusters by descending size, ties by first row.

    Clusters that are too small, and those beyond ``max_clusters``, are dissolved. Size counts only rows of
    ``is_unique`` (n,): one incident reported three times does not make a theme. ``nearest_cluster`` (n,), the cluster
    of each row if outliers had one too, gets the same numbers.
    """
    is_member = labels != OUTLIER
    clusters, first, size = np.unique(labels[is_member], return_index=True, return_counts=True)
    n_unique = np.bincount(labels[is_member & is_unique], minlength=int(labels.max(initial=0)) + 1)[clusters]
    retained = [i for i in np.lexsort((first, -size)) if n_unique[i] >= MIN_CLUSTER_SIZE][:max_clusters]
    renumber = np.full(int(max(labels.max(), nearest_cluster.max(), 0)) + 2, OUTLIER, np.int32)
    renumber[clusters[retained]] = np.arange(len(retained), dtype=np.int32)
    return renumber[labels], renumber[nearest_cluster]


def _nearest_clusters(
    vectors: Vectors, labels: NDArray[np.int32], nearest_cluster: NDArray[np.int32], centroids: Vectors
) -> NDArray[np.int32]:
    """Return the nearest cluster of each row, (n,).

    For a member it is its own cluster. For an outlier it is the cluster of the fit, or else the one with the closest
    centroid.
    """
    nearest = np.where(labels == OUTLIER, nearest_cluster, labels)
    unassigned = np.flatnonzero(nearest == OUTLIER)
    if len(centroids) and len(unassigned):
        nearest[unassigned] = cosine_similarity(vectors[unassigned], centroids).argmax(axis=1)
    return nearest


def _measure_strength_and_stability(
    fit: EngineFit, labels: NDArray[np.int32], nearest: NDArray[np.int32], *, seed: int, resample: bool
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    k = int(labels.max()) + 1
    consensus = np.clip(fit.communities.consensus, 0, 1)
    if k and fit.needs_resampling and resample:
        samples = fit_row_samples(fit.communities.edges, seed=seed) if fit.samples is None else fit.samples
        estimate = estimate_stability(samples, labels, nearest, consensus)
        return estimate.strength, estimate.stability
    is_member = labels != OUTLIER
    size = np.bincount(labels[is_member], minlength=k)
    mean = np.bincount(labels[is_member], consensus[is_member], k) / np.maximum(size, 1)
    return consensus.astype(np.float32), mean[:k].astype(np.float32)


def _find_second_clusters(
    communities: Communities, labels: NDArray[np.int32], nearest: NDArray[np.int32], k: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return each row's second cluster and its share of the row's edge weight, both (n,).

    It is the other cluster with the largest share, or ``OUTLIER`` where that share is below ``MIN_SECOND_SHARE``.
    """
    n = len(labels)
    if not k:
        return np.full(n, OUTLIER, np.int32), np.zeros(n, np.float32)
    edges = communities.edges
    shares = compute_memberships(edges, edges.weight * communities.agreement, labels, k).tocoo()
    is_other = shares.col != nearest[shares.row]
    row, column, share = shares.row[is_other], shares.col[is_other], shares.data[is_other]
    order = np.lexsort((column, -share, row))
    row, first = np.unique(row[order], return_index=True)
    column, share = column[order][first], share[order][first]
    is_enough = share >= MIN_SECOND_SHARE
    second = np.full(n, OUTLIER, np.int32)
    strength = np.zeros(n, np.float32)
    second[row[is_enough]] = column[is_enough]
    strength[row[is_enough]] = share[is_enough]
    return second, strength
