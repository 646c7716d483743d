"""The whole step: vectors in canonical order to a partition with areas, strengths, outliers and nearest clusters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from patternmind.cluster.density import find_dense_regions
from patternmind.cluster.graph import find_communities
from patternmind.cluster.levels import group_into_areas
from patternmind.cluster.neighbours import similarity
from patternmind.cluster.outliers import stands_alone
from patternmind.model.themes import OUTLIER, Neighbours, Partition, Vectors

FEWEST_CASES = 20
"""Below this the answer is "too few to group"."""

SMALLEST_CLUSTER = 3
MOST_NEIGHBOURS = 15


def n_neighbours(n: int) -> int:
    """Neighbours a case is compared with: half the root of n, between 5 and 15.

    A fixed 15 on 120 cases links every case to an eighth of the network, and themes of ten run together.
    """
    return min(MOST_NEIGHBOURS, max(5, round(np.sqrt(n) / 2)))


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """What an engine hands over: labels (n,), -1 for its own noise; strength (n,) 0..1."""

    labels: NDArray[np.int32]
    strength: NDArray[np.float32]


def fit_graph(vectors: Vectors, neighbours: Neighbours, seed: int) -> Fit:
    del vectors  # the graph holds all it needs
    communities = find_communities(neighbours, seed=seed)
    return Fit(communities.labels, communities.strength)


def fit_hdbscan(vectors: Vectors, neighbours: Neighbours, seed: int) -> Fit:
    return Fit(*find_dense_regions(vectors, neighbours, seed=seed))


ENGINES: Mapping[str, Callable[[Vectors, Neighbours, int], Fit]] = {"graph": fit_graph, "hdbscan": fit_hdbscan}


def partition(vectors: Vectors, neighbours: Neighbours, *, engine: str, seed: int, level: str = "theme") -> Partition:
    """Group the rows; every row ends in one cluster or as an outlier.

    Args:
        vectors: in an order that does not depend on how they came in (by case id).
        engine: a key of ``ENGINES``.
        level: "theme", or "area" to take the broad areas as the clusters.

    Returns:
        Fewer than ``FEWEST_CASES`` rows give no cluster at all.
    """
    n = len(vectors)
    if n < FEWEST_CASES:
        return _nothing(n, vectors.shape[1])
    fit = ENGINES[engine](vectors, neighbours, seed)
    labels = np.where(stands_alone(neighbours, fit.labels), OUTLIER, fit.labels)
    labels = _by_size(labels, most=n // 4)
    areas = group_into_areas(_centres(vectors, labels))
    if level == "area":
        labels = _by_size(np.where(labels == OUTLIER, OUTLIER, np.append(areas, 0)[labels]), most=n // 4)
        areas = np.arange(labels.max() + 1, dtype=np.int32)
    centres = _centres(vectors, labels)
    return Partition(
        labels=labels,
        areas=areas,
        strength=fit.strength,
        nearest=_nearest(vectors, labels, centres),
        centres=centres,
        stability=_mean_strength(fit.strength, labels, len(centres)),
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
    )


def _by_size(labels: NDArray[np.int32], *, most: int) -> NDArray[np.int32]:
    """Number the clusters by falling size, ties by first row; the too small, and those past ``most``, dissolve."""
    found, first, size = np.unique(labels[labels != OUTLIER], return_index=True, return_counts=True)
    kept = [i for i in np.lexsort((first, -size)) if size[i] >= SMALLEST_CLUSTER][:most]
    renumber = {int(found[i]): rank for rank, i in enumerate(kept)}
    return np.asarray([renumber.get(int(label), OUTLIER) for label in labels], np.int32)


def _centres(vectors: Vectors, labels: NDArray[np.int32]) -> Vectors:
    """Unit-norm means; zeros where the members cancel each other out or are all zero."""
    k = int(labels.max()) + 1
    sums = np.zeros((k, vectors.shape[1]))
    np.add.at(sums, labels[labels != OUTLIER], vectors[labels != OUTLIER].astype(np.float64))
    norms = np.linalg.norm(sums, axis=1, keepdims=True)
    return (sums / np.where(norms > 0, norms, 1)).astype(np.float32)


def _nearest(vectors: Vectors, labels: NDArray[np.int32], centres: Vectors) -> NDArray[np.int32]:
    """A member's own cluster; for an outlier the cluster whose centre is closest."""
    if not len(centres):
        return labels
    closest = similarity(vectors, centres).argmax(axis=1).astype(np.int32)
    return np.where(labels == OUTLIER, closest, labels)


def _mean_strength(strength: NDArray[np.float32], labels: NDArray[np.int32], k: int) -> NDArray[np.float32]:
    inside = labels != OUTLIER
    size = np.bincount(labels[inside], minlength=k)
    return (np.bincount(labels[inside], strength[inside], k) / np.maximum(size, 1)).astype(np.float32)
