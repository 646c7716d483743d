"""Entry point of clustering: clusters of any number of vectors."""

import numpy as np
from numpy.typing import NDArray

from patternmind.clustering.partition import partition_rows
from patternmind.clustering.sample import partition_sample
from patternmind.domain.themes import Neighbours, Partition, Vectors

MAX_FITTED_ROWS = 300_000
"""Largest number of rows that are all fitted; above it, a sample of this size is fitted (docs/decisions/0014)."""


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

    Rows outside the sample are assigned by the votes of their neighbours. The other arguments are those of
    ``partition_rows``.
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
