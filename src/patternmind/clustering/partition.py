"""The whole step: vectors in canonical order to a partition with areas, strengths, outliers and nearest clusters."""

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
from patternmind.clustering.stability import estimate_stability, fit_row_samples, measure_stability
from patternmind.domain.stored_fits import FitLabels
from patternmind.domain.themes import (
    OUTLIER,
    Neighbours,
    OutlierReason,
    Partition,
    Vectors,
)

MIN_CASES = 20
"""Below this the answer is "too few to group"."""

MIN_CLUSTER_SIZE = 3

MIN_NEIGHBOURS, MAX_NEIGHBOURS, MIN_NEIGHBOURS_LARGE = 5, 80, 15
SMALL_NETWORK_ROWS, LARGE_NETWORK_ROWS = 800, 4000
NEIGHBOUR_DECAY = 0.7
"""How steeply above 4,000 rows. Falling with n itself, four fifths of banking77 had 70 themes, and all of it 100."""

MIN_SECOND_SHARE = 0.25
"""Share of a row's ties that a second theme must hold for the row to belong to it as well."""


def default_n_neighbours(n: int) -> int:
    """Neighbours a case is compared with: a tenth of the network, between 5 and 80, and fewer again above 4,000.

    What counts as near is a share of the network while it is small: a fixed 15 on 120 cases runs themes of ten
    together, and on 1,000 leaves the themes to chance. Very large networks hold finer themes, and the fifteenth
    neighbour is as near there as the eightieth is here.
    """
    if n > LARGE_NETWORK_ROWS:
        return max(MIN_NEIGHBOURS_LARGE, round(MAX_NEIGHBOURS * (LARGE_NETWORK_ROWS / n) ** NEIGHBOUR_DECAY))
    return min(MAX_NEIGHBOURS, max(MIN_NEIGHBOURS, round(n * MAX_NEIGHBOURS / SMALL_NETWORK_ROWS)))


@dataclass(frozen=True, slots=True, eq=False)
class EngineFit:
    """What an engine hands over: communities of all rows, and which rows it calls noise, (n,).

    ``samples`` (r, n) are fits on parts of the rows where they were made before; ``resampled`` says whether they are
    to be made.
    """

    communities: Communities
    is_noise: NDArray[np.bool_]
    needs_resampling: bool
    samples: NDArray[np.int32] | None = None


def make_fits(neighbours: Neighbours, *, seed: int) -> FitLabels:
    """All the fits that the graph engine judges by: what takes the time in a run, and what the next may continue."""
    edges = build_edges(neighbours)
    found = fit_edge_samples(edges, n_fits=default_n_fits(edges.n), seed=seed)
    return FitLabels(np.array(found, np.int32).reshape(-1, edges.n), fit_row_samples(edges, seed=seed))


def fit_graph(vectors: Vectors, neighbours: Neighbours, seed: int, fits: FitLabels | None = None) -> EngineFit:
    del vectors  # the graph holds all it needs
    edges = build_edges(neighbours)
    found = fit_edge_samples(edges, n_fits=default_n_fits(edges.n), seed=seed) if fits is None else list(fits.edge_fits)
    noise = np.zeros(edges.n, np.bool_)
    return EngineFit(
        build_consensus(edges, found, seed=seed), noise, needs_resampling=True, samples=fits.row_fits if fits else None
    )


def fit_hdbscan(vectors: Vectors, neighbours: Neighbours, seed: int, fits: FitLabels | None = None) -> EngineFit:
    del fits  # it makes one
    labels, probability = cluster_by_density(vectors, neighbours, seed=seed)
    edges = build_edges(neighbours)
    own = np.where(labels == OUTLIER, labels.max() + 1, labels)
    together = (own[edges.left] == own[edges.right]).astype(np.float64)
    communities = Communities(own, probability.astype(np.float64), edges, together)
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
    """Group the rows; every row ends in one cluster or as an outlier.

    Args:
        vectors: in an order that does not depend on how they came in (by case id).
        engine: a key of ``ENGINES``.
        level: "theme", or "area" to take the broad areas as the clusters.
        resample: whether to measure strength and stability on resampled fits, at about three times the cost of the
            partition; without, and under hdbscan, they are what the engine itself says of a row, and its mean.
        fits: what the graph engine judges by, as ``make_fits`` or ``extend_fits`` gives them; made here where None.
        repeats: (n,) rows that tell again what another row tells; they make no cluster large enough to be one.

    Returns:
        Fewer than ``FEWEST_CASES`` rows give no cluster at all.
    """
    n = len(vectors)
    if n < MIN_CASES:
        return _empty_partition(n, vectors.shape[1])
    fit = ENGINES[engine](vectors, neighbours, seed, fits)
    found = find_outliers(neighbours, fit.communities)
    between = found.is_between & fit.needs_resampling  # the other engine says by itself whom it leaves out
    why = np.where(
        found.is_alone | fit.is_noise,
        OutlierReason.ALONE,
        np.where(between, OutlierReason.BETWEEN, OutlierReason.PLACED),
    ).astype(np.int8)
    told_once = np.ones(n, np.bool_) if is_duplicate is None else ~is_duplicate
    labels, home = _number_by_size(
        np.where(why == OutlierReason.PLACED, fit.communities.labels, OUTLIER),
        fit.communities.labels,
        told_once,
        n // 4,
    )
    areas = group_into_areas(compute_centroids(vectors, labels))
    if level == "area":
        area_of = np.append(areas, OUTLIER)
        labels, home = _number_by_size(area_of[labels], area_of[home], told_once, n // 4)
        areas = np.arange(labels.max() + 1, dtype=np.int32)
    why = np.where((labels == OUTLIER) & (why == OutlierReason.PLACED), OutlierReason.SMALL, why).astype(np.int8)
    centres = compute_centroids(vectors, labels)
    nearest = _nearest_clusters(vectors, labels, home, centres)
    strength, stability = _measure_strength_and_stability(fit, labels, nearest, seed=seed, resample=resample)
    second, second_strength = _find_second_clusters(fit.communities, labels, nearest, len(centres))
    return Partition(
        labels=labels,
        areas=areas,
        strength=strength,
        nearest=nearest,
        centres=centres,
        stability=stability,
        second=second,
        second_strength=second_strength,
        outlier_score=found.score,
        why=why,
        recurring=find_recurring_rows(vectors, seed=seed),
    )


def _empty_partition(n: int, d: int) -> Partition:
    none = np.full(n, OUTLIER, np.int32)
    return Partition(
        labels=none,
        areas=np.zeros(0, np.int32),
        strength=np.zeros(n, np.float32),
        nearest=none,
        centres=np.zeros((0, d), np.float32),
        stability=np.zeros(0, np.float32),
        why=np.full(n, OutlierReason.TOO_FEW, np.int8),
    )


def _number_by_size(
    labels: NDArray[np.int32], nearest_cluster: NDArray[np.int32], is_unique: NDArray[np.bool_], max_clusters: int
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Number the clusters by falling size, ties by first row; the too small, and those past ``most``, dissolve.

    Small is by rows ``told_once`` (n,): one story told three times is no theme. ``home`` (n,), where each row would be
    were it no outlier, is numbered alike.
    """
    inside = labels != OUTLIER
    found, first, size = np.unique(labels[inside], return_index=True, return_counts=True)
    told = np.bincount(labels[inside & is_unique], minlength=int(labels.max(initial=0)) + 1)[found]
    kept = [i for i in np.lexsort((first, -size)) if told[i] >= MIN_CLUSTER_SIZE][:max_clusters]
    renumber = np.full(int(max(labels.max(), nearest_cluster.max(), 0)) + 2, OUTLIER, np.int32)
    renumber[found[kept]] = np.arange(len(kept), dtype=np.int32)
    return renumber[labels], renumber[nearest_cluster]


def _nearest_clusters(
    vectors: Vectors, labels: NDArray[np.int32], nearest_cluster: NDArray[np.int32], centroids: Vectors
) -> NDArray[np.int32]:
    """A member's own cluster; for an outlier the one the fit had put it in, or else the one whose centre is closest."""
    nearest = np.where(labels == OUTLIER, nearest_cluster, labels)
    lost = np.flatnonzero(nearest == OUTLIER)
    if len(centroids) and len(lost):
        nearest[lost] = cosine_similarity(vectors[lost], centroids).argmax(axis=1)
    return nearest


def _measure_strength_and_stability(
    fit: EngineFit, labels: NDArray[np.int32], nearest: NDArray[np.int32], *, seed: int, resample: bool
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    k = int(labels.max()) + 1
    firmness = np.clip(fit.communities.cohesion, 0, 1)
    if k and fit.needs_resampling and resample:
        if fit.samples is None:
            steady = measure_stability(fit.communities.edges, labels, nearest, firmness, seed=seed)
        else:
            steady = estimate_stability(fit.samples, labels, nearest, firmness)
        return steady.strength, steady.stability
    inside = labels != OUTLIER
    size = np.bincount(labels[inside], minlength=k)
    mean = np.bincount(labels[inside], firmness[inside], k) / np.maximum(size, 1)
    return firmness.astype(np.float32), mean[:k].astype(np.float32)


def _find_second_clusters(
    communities: Communities, labels: NDArray[np.int32], nearest: NDArray[np.int32], k: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The cluster that holds most of a row's ties beside its own, where it holds many, and their share."""
    n = len(labels)
    if not k:
        return np.full(n, OUTLIER, np.int32), np.zeros(n, np.float32)
    edges = communities.edges
    shares = compute_memberships(edges, edges.weight * communities.agreement, labels, k).tocoo()
    other = shares.col != nearest[shares.row]
    row, column, share = shares.row[other], shares.col[other], shares.data[other]
    order = np.lexsort((column, -share, row))
    row, first = np.unique(row[order], return_index=True)
    column, share = column[order][first], share[order][first]
    many = share >= MIN_SECOND_SHARE
    second = np.full(n, OUTLIER, np.int32)
    strength = np.zeros(n, np.float32)
    second[row[many]] = column[many]
    strength[row[many]] = share[many]
    return second, strength
