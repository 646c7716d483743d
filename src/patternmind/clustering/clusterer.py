"""The cluster step whole: vectors in canonical order to their neighbours and clusters, however many they are."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from patternmind.clustering.neighbours import find_nearest_neighbours
from patternmind.clustering.partition import default_n_neighbours, partition_rows
from patternmind.clustering.sample import partition_sample
from patternmind.domain.themes import Neighbours, Partition, Vectors

MAX_FITTED_ROWS = 300_000
"""Rows up to which all are fitted; above, a sample of so many (docs/decisions/0014)."""


class ClusteringResult(NamedTuple):
    """What the step finds in rows; the neighbours are of all rows, whoever was fitted."""

    neighbours: Neighbours
    partition: Partition


def find_clusters(
    vectors: Vectors, *, engine: str, seed: int, level: str = "theme", resample: bool = True
) -> ClusteringResult:
    """Search and group the rows, which lie in an order that does not depend on how they came in.

    The arguments are those of ``partition``.
    """
    neighbours = find_nearest_neighbours(vectors, default_n_neighbours(len(vectors)))
    return ClusteringResult(
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
    is_duplicate: NDArray[np.bool_] | None = None,
    max_fitted_rows: int = MAX_FITTED_ROWS,
) -> Partition:
    """``partition``, or above ``most_fitted`` rows that of a sample of so many, with all others placed by it."""
    if len(vectors) <= max_fitted_rows:
        return partition_rows(
            vectors, neighbours, engine=engine, seed=seed, level=level, resample=resample, is_duplicate=is_duplicate
        )
    return partition_sample(
        vectors,
        neighbours,
        size=max_fitted_rows,
        engine=engine,
        seed=seed,
        level=level,
        resample=resample,
        is_duplicate=is_duplicate,
    )


__all__ = ["MAX_FITTED_ROWS", "ClusteringResult", "find_clusters", "group_rows"]
