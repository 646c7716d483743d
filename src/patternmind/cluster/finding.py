"""The cluster step whole: vectors in canonical order to their neighbours and clusters, however many they are."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from patternmind.cluster.neighbours import nearest_neighbours
from patternmind.cluster.partition import n_neighbours, partition
from patternmind.cluster.sampling import partition_sample
from patternmind.model.themes import Neighbours, Partition, Vectors

MOST_FITTED = 300_000
"""Rows up to which all are fitted; above, a sample of so many (docs/decisions/0014)."""


class Clusters(NamedTuple):
    """What the step finds in rows; the neighbours are of all rows, whoever was fitted."""

    neighbours: Neighbours
    partition: Partition


def find_clusters(vectors: Vectors, *, engine: str, seed: int, level: str = "theme", resample: bool = True) -> Clusters:
    """Search and group the rows, which lie in an order that does not depend on how they came in.

    The arguments are those of ``partition``.
    """
    neighbours = nearest_neighbours(vectors, n_neighbours(len(vectors)))
    return Clusters(
        neighbours, group_rows(vectors, neighbours, engine=engine, seed=seed, level=level, resample=resample)
    )


def group_rows(
    vectors: Vectors,
    neighbours: Neighbours,
    *,
    engine: str,
    seed: int,
    level: str = "theme",
    resample: bool = True,
    repeats: NDArray[np.bool_] | None = None,
    most_fitted: int = MOST_FITTED,
) -> Partition:
    """``partition``, or above ``most_fitted`` rows that of a sample of so many, with all others placed by it."""
    if len(vectors) <= most_fitted:
        return partition(vectors, neighbours, engine=engine, seed=seed, level=level, resample=resample, repeats=repeats)
    return partition_sample(
        vectors,
        neighbours,
        size=most_fitted,
        engine=engine,
        seed=seed,
        level=level,
        resample=resample,
        repeats=repeats,
    )


__all__ = ["MOST_FITTED", "Clusters", "find_clusters", "group_rows"]
