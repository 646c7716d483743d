"""The one place where the bench calls this project's clustering; it changes when `patternmind.clustering` does."""

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
    """``labels`` (n,) -1 for outliers; ``strength`` (n,) 0..1; ``outlier_score`` (n,) higher = more alone;
    ``tentative`` (k,); ``smallest_visible`` as a partition has it; ``seconds`` by step, "clustering" being search and
    partition together, "whole" what a run takes: that and the resampling."""

    labels: NDArray[np.int32]
    strength: NDArray[np.float64]
    outlier_score: NDArray[np.float64]
    tentative: NDArray[np.bool_]
    neighbours: Neighbours
    smallest_visible: int
    seconds: dict[str, float]


def cluster_timed(vectors: Vectors, *, engine: str = "graph", seed: int = 0, resample: bool = True) -> TimedClustering:
    """The steps of ``find_clusters`` one by one, at the defaults; rows in the order of their case ids.

    What resampling costs is the difference between a partition with and one without it.
    """
    started = time.perf_counter()
    neighbours = find_nearest_neighbours(vectors, default_n_neighbours(len(vectors)))
    searched = time.perf_counter()
    found = group_rows(vectors, neighbours, engine=engine, seed=seed, resample=False)
    ended = time.perf_counter()
    seconds = {"search": searched - started, "partition": ended - searched, "clustering": ended - started}
    if resample:
        found = group_rows(vectors, neighbours, engine=engine, seed=seed)
        seconds["resampling"] = time.perf_counter() - ended - seconds["partition"]
    seconds["whole"] = seconds["clustering"] + seconds.get("resampling", 0.0)
    return TimedClustering(
        labels=found.labels,
        strength=np.asarray(found.strength, np.float64),
        outlier_score=np.asarray(found.outlier_score, np.float64),
        tentative=found.tentative,
        neighbours=neighbours,
        smallest_visible=found.smallest_visible,
        seconds=seconds,
    )
