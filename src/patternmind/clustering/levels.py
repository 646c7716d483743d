"""Broad areas over the clusters: nested by construction, because an area is a set of whole clusters."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from patternmind.domain.themes import Vectors


def group_into_areas(centroids: Vectors) -> NDArray[np.int32]:
    """The area of each cluster, (k,), numbered by first appearance; about the square root of k of them.

    Average linkage on the centres: among a few dozen centres it is exact, deterministic and needs no resolution.
    """
    k = len(centroids)
    wanted = max(1, round(np.sqrt(k)))
    if k <= 2 or wanted == 1:
        return np.zeros(k, np.int32)
    from sklearn.cluster import AgglomerativeClustering  # 0.6 s

    fit: Any = AgglomerativeClustering(n_clusters=wanted, metric="cosine", linkage="average")
    fit.fit(centroids)
    found: dict[int, int] = {}
    return np.asarray([found.setdefault(int(label), len(found)) for label in fit.labels_], np.int32)
