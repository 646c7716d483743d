"""Timed clustering of patternmind; the only caller of `patternmind.clustering` in most of the bench."""

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from patternmind.clustering.clusterer import group_rows
from patternmind.clustering.neighbours import find_nearest_neighbours
from patternmind.clustering.partition import default_n_neighbours
from patternmind.domain.themes import Neighbours, Vectors


@dataclass(frozen=True, slots=True, eq=False)
class TimedClustering:
    """Clustering result with its time per step.

    Attributes:
        labels: (n,) -1 for outliers.
        strength: (n,) 0..1.
        outlier_score: (n,) higher is more isolated.
        tentative: (k,).
        neighbours: neighbours of all rows.
        smallest_visible: as in a ``Partition``.
        seconds: by step. "clustering" is search and partition together; "whole" is the time of a run, which includes
            resampling.
    """

    labels: NDArray[np.int32]
    strength: NDArray[np.float64]
    outlier_score: NDArray[np.float64]
    tentative: NDArray[np.bool_]
    neighbours: Neighbours
    smallest_visible: int
    seconds: dict[str, float]


def cluster_timed(vectors: Vectors, *, engine: str = "graph", seed: int = 0, resample: bool = True) -> TimedClustering:
    """Run the steps of clustering separately at the defaults; rows in the order of their case ids.

    The time of resampling is the difference between a partition with and without it.
    """
    started = time.perf_counter()
    neighbours = find_nearest_neighbours(vectors, default_n_neighbours(len(vectors)))
    searched = time.perf_counter()
    partition = group_rows(vectors, neighbours, engine=engine, seed=seed, resample=False)
    ended = time.perf_counter()
    seconds = {"search": searched - started, "partition": ended - searched, "clustering": ended - started}
    if resample:
        partition = group_rows(vectors, neighbours, engine=engine, seed=seed)
        seconds["resampling"] = time.perf_counter() - ended - seconds["partition"]
    seconds["whole"] = seconds["clustering"] + seconds.get("resampling", 0.0)
    return TimedClustering(
        labels=partition.labels,
        strength=np.asarray(partition.strength, np.float64),
        outlier_score=np.asarray(partition.outlier_score, np.float64),
        tentative=partition.tentative,
        neighbours=neighbours,
        smallest_visible=partition.smallest_visible,
        seconds=seconds,
    )
