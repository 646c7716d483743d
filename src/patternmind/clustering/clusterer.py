"""Entry point of clustering: neighbours and clusters of any number of vectors."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from patternmind.clustering.neighbours import find_nearest_neighbours
from patternmind.clustering.partition import default_n_neighbours, partition_rows
from patternmind.clustering.sample import partition_sample
from patternmind.domain.themes import Neighbours, Partition, Vectors

MAX_FITTED_ROWS = 300_000
"""Largest number of rows that are all fitted; above it, a sample of this size is fitted (docs/decisions/0014)."""


class ClusteringResult(NamedTuple):
    """Neighbours and clusters of all rows. The neighbours cover all rows, also where only a sample was fitted."""

    neighbours: Neighbours
    partition: Partition


def find_clusters(
    vectors: Vectors, *, engine: str, seed: int, level: str = "theme", resample: bool = True
) -> ClusteringResult:
    """Search the neighbours of the rows and group them.

    The order of the rows must not depend on the order of the input. The other arguments are those of
    ``partition_rows``.
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
    """Partition the rows, or a sample of them above ``max_fitted_rows``.

    Rows outside the sample are assigned by the votes of their neighbours.
    """
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
