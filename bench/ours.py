"""The one place where the bench calls this project's clustering; it changes when `patternmind.cluster` does."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patternmind.cluster.neighbours import nearest_neighbours
from patternmind.cluster.outliers import closeness
from patternmind.cluster.partition import n_neighbours, partition
from patternmind.model.themes import Neighbours, Vectors

TENTATIVE_BELOW = 0.5
"""Stability under which a theme counts as tentative while the partition does not say so itself."""


@dataclass(frozen=True, slots=True, eq=False)
class Clustered:
    """``labels`` (n,) -1 for outliers; ``strength`` (n,) 0..1; ``outlier_score`` (n,) higher = more alone;
    ``tentative`` (k,); ``seconds`` by step, "clustering" being search and partition together."""

    labels: NDArray[np.int32]
    strength: NDArray[np.float64]
    outlier_score: NDArray[np.float64]
    tentative: NDArray[np.bool_]
    neighbours: Neighbours
    seconds: dict[str, float]


def cluster(vectors: Vectors, *, engine: str = "graph", seed: int = 0) -> Clustered:
    """Search and partition as a run does, at the defaults; rows in the order of their case ids."""
    started = time.perf_counter()
    neighbours = nearest_neighbours(vectors, n_neighbours(len(vectors)))
    searched = time.perf_counter()
    found: Any = partition(vectors, neighbours, engine=engine, seed=seed)
    ended = time.perf_counter()
    resampling = float(getattr(found, "resampling_seconds", 0.0))
    seconds = {
        "search": searched - started,
        "partition": ended - searched - resampling,
        "clustering": ended - started - resampling,
    }
    if resampling:
        seconds["resampling"] = resampling
    scores = getattr(found, "outlier_score", None)
    tentative = getattr(found, "tentative", None)
    return Clustered(
        labels=found.labels,
        strength=np.asarray(found.strength, np.float64),
        outlier_score=1 - closeness(neighbours) if scores is None else np.asarray(scores, np.float64),
        tentative=found.stability < TENTATIVE_BELOW if tentative is None else np.asarray(tentative, np.bool_),
        neighbours=neighbours,
        seconds=seconds,
    )
