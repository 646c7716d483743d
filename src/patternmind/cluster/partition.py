"""The whole step: vectors in canonical order to a partition with areas, strengths, outliers and nearest clusters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from patternmind.cluster.centres import centres_of
from patternmind.cluster.chance import recurring_rows
from patternmind.cluster.density import find_dense_regions
from patternmind.cluster.graph import Communities, fit_parts, judge_fits, memberships, n_fits, neighbour_edges
from patternmind.cluster.levels import group_into_areas
from patternmind.cluster.neighbours import similarity
from patternmind.cluster.outliers import find_outliers
from patternmind.cluster.resampling import fit_samples, judge_samples, measure_steadiness
from patternmind.model.fits import Fits
from patternmind.model.themes import OUTLIER, Neighbours, Partition, Vectors, Why

FEWEST_CASES = 20
"""Below this the answer is "too few to group"."""

SMALLEST_CLUSTER = 3

FEWEST_NEIGHBOURS, MOST_NEIGHBOURS, LARGE_NEIGHBOURS = 5, 80, 15
SMALL, LARGE = 800, 4000
FALLS = 0.7
"""How steeply above 4,000 rows. Falling with n itself, four fifths of banking77 had 70 themes, and all of it 100."""

SECOND = 0.25
"""Share of a row's ties that a second theme must hold for the row to belong to it as well."""


def n_neighbours(n: int) -> int:
    """Neighbours a case is compared with: a tenth of the network, between 5 and 80, and fewer again above 4,000.

    What counts as near is a share of the network while it is small: a fixed 15 on 120 cases runs themes of ten
    together, and on 1,000 leaves the themes to chance. Very large networks hold finer themes, and the fifteenth
    neighbour is as near there as the eightieth is here.
    """
    if n > LARGE:
        return max(LARGE_NEIGHBOURS, round(MOST_NEIGHBOURS * (LARGE / n) ** FALLS))
    return min(MOST_NEIGHBOURS, max(FEWEST_NEIGHBOURS, round(n * MOST_NEIGHBOURS / SMALL)))


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """What an engine hands over: communities of all rows, and which rows it calls noise, (n,).

    ``samples`` (r, n) are fits on parts of the rows where they were made before; ``resampled`` says whether they are
    to be made.
    """

    communities: Communities
    noise: NDArray[np.bool_]
    resampled: bool
    samples: NDArray[np.int32] | None = None


def make_fits(neighbours: Neighbours, *, seed: int) -> Fits:
    """All the fits that the graph engine judges by: what takes the time in a run, and what the next may continue."""
    edges = neighbour_edges(neighbours)
    found = fit_parts(edges, fits=n_fits(edges.n), seed=seed)
    return Fits(np.array(found, np.int32).reshape(-1, edges.n), fit_samples(edges, seed=seed))


def fit_graph(vectors: Vectors, neighbours: Neighbours, seed: int, fits: Fits | None = None) -> Fit:
    del vectors  # the graph holds all it needs
    edges = neighbour_edges(neighbours)
    found = fit_parts(edges, fits=n_fits(edges.n), seed=seed) if fits is None else list(fits.parts)
    noise = np.zeros(edges.n, np.bool_)
    return Fit(judge_fits(edges, found, seed=seed), noise, resampled=True, samples=fits.samples if fits else None)


def fit_hdbscan(vectors: Vectors, neighbours: Neighbours, seed: int, fits: Fits | None = None) -> Fit:
    del fits  # it makes one
    labels, probability = find_dense_regions(vectors, neighbours, seed=seed)
    edges = neighbour_edges(neighbours)
    own = np.where(labels == OUTLIER, labels.max() + 1, labels)
    together = (own[edges.left] == own[edges.right]).astype(np.float64)
    communities = Communities(own, probability.astype(np.float64), edges, together)
    return Fit(communities, labels == OUTLIER, resampled=False)


ENGINES: Mapping[str, Callable[[Vectors, Neighbours, int, Fits | None], Fit]] = {
    "graph": fit_graph,
    "hdbscan": fit_hdbscan,
}


def partition(
    vectors: Vectors,
    neighbours: Neighbours,
    *,
    engine: str,
    seed: int,
    level: str = "theme",
    resample: bool = True,
    fits: Fits | None = None,
    repeats: NDArray[np.bool_] | None = None,
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
    if n < FEWEST_CASES:
        return _nothing(n, vectors.shape[1])
    fit = ENGINES[engine](vectors, neighbours, seed, fits)
    found = find_outliers(neighbours, fit.communities)
    between = found.between & fit.resampled  # the other engine says by itself whom it leaves out
    why = np.where(found.alone | fit.noise, Why.ALONE, np.where(between, Why.BETWEEN, Why.PLACED)).astype(np.int8)
    told_once = np.ones(n, np.bool_) if repeats is None else ~repeats
    labels, home = _by_size(
        np.where(why == Why.PLACED, fit.communities.labels, OUTLIER), fit.communities.labels, told_once, n // 4
    )
    areas = group_into_areas(centres_of(vectors, labels))
    if level == "area":
        area_of = np.append(areas, OUTLIER)
        labels, home = _by_size(area_of[labels], area_of[home], told_once, n // 4)
        areas = np.arange(labels.max() + 1, dtype=np.int32)
    why = np.where((labels == OUTLIER) & (why == Why.PLACED), Why.SMALL, why).astype(np.int8)
    centres = centres_of(vectors, labels)
    nearest = _nearest(vectors, labels, home, centres)
    strength, stability = _steadiness(fit, labels, nearest, seed=seed, resample=resample)
    second, second_strength = _second(fit.communities, labels, nearest, len(centres))
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
        recurring=recurring_rows(vectors, seed=seed),
    )


def _nothing(n: int, d: int) -> Partition:
    none = np.full(n, OUTLIER, np.int32)
    return Partition(
        labels=none,
        areas=np.zeros(0, np.int32),
        strength=np.zeros(n, np.float32),
        nearest=none,
        centres=np.zeros((0, d), np.float32),
        stability=np.zeros(0, np.float32),
        why=np.full(n, Why.TOO_FEW, np.int8),
    )


def _by_size(
    labels: NDArray[np.int32], home: NDArray[np.int32], told_once: NDArray[np.bool_], most: int
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Number the clusters by falling size, ties by first row; the too small, and those past ``most``, dissolve.

    Small is by rows ``told_once`` (n,): one story told three times is no theme. ``home`` (n,), where each row would be
    were it no outlier, is numbered alike.
    """
    inside = labels != OUTLIER
    found, first, size = np.unique(labels[inside], return_index=True, return_counts=True)
    told = np.bincount(labels[inside & told_once], minlength=int(labels.max(initial=0)) + 1)[found]
    kept = [i for i in np.lexsort((first, -size)) if told[i] >= SMALLEST_CLUSTER][:most]
    renumber = np.full(int(max(labels.max(), home.max(), 0)) + 2, OUTLIER, np.int32)
    renumber[found[kept]] = np.arange(len(kept), dtype=np.int32)
    return renumber[labels], renumber[home]


def _nearest(
    vectors: Vectors, labels: NDArray[np.int32], home: NDArray[np.int32], centres: Vectors
) -> NDArray[np.int32]:
    """A member's own cluster; for an outlier the one the fit had put it in, or else the one whose centre is closest."""
    nearest = np.where(labels == OUTLIER, home, labels)
    lost = np.flatnonzero(nearest == OUTLIER)
    if len(centres) and len(lost):
        nearest[lost] = similarity(vectors[lost], centres).argmax(axis=1)
    return nearest


def _steadiness(
    fit: Fit, labels: NDArray[np.int32], nearest: NDArray[np.int32], *, seed: int, resample: bool
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    k = int(labels.max()) + 1
    firmness = np.clip(fit.communities.firmness, 0, 1)
    if k and fit.resampled and resample:
        if fit.samples is None:
            steady = measure_steadiness(fit.communities.edges, labels, nearest, firmness, seed=seed)
        else:
            steady = judge_samples(fit.samples, labels, nearest, firmness)
        return steady.strength, steady.stability
    inside = labels != OUTLIER
    size = np.bincount(labels[inside], minlength=k)
    mean = np.bincount(labels[inside], firmness[inside], k) / np.maximum(size, 1)
    return firmness.astype(np.float32), mean[:k].astype(np.float32)


def _second(
    communities: Communities, labels: NDArray[np.int32], nearest: NDArray[np.int32], k: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The cluster that holds most of a row's ties beside its own, where it holds many, and their share."""
    n = len(labels)
    if not k:
        return np.full(n, OUTLIER, np.int32), np.zeros(n, np.float32)
    edges = communities.edges
    shares = memberships(edges, edges.weight * communities.agreement, labels, k).tocoo()
    other = shares.col != nearest[shares.row]
    row, column, share = shares.row[other], shares.col[other], shares.data[other]
    order = np.lexsort((column, -share, row))
    row, first = np.unique(row[order], return_index=True)
    column, share = column[order][first], share[order][first]
    many = share >= SECOND
    second = np.full(n, OUTLIER, np.int32)
    strength = np.zeros(n, np.float32)
    second[row[many]] = column[many]
    strength[row[many]] = share[many]
    return second, strength
