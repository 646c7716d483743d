"""Centroids of clusters."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from patternmind.domain.themes import OUTLIER, Vectors

COLUMN_BLOCK = 48
"""Number of columns summed at once.

The library converts its operands to float64, and all columns of a million rows take 3 GB. Each sum runs over the rows
in order, so the block size does not change any bit of the result.
"""


def compute_centroids(vectors: Vectors, labels: NDArray[np.int32]) -> Vectors:
    """Return the unit-norm mean of each cluster, (k, d).

    A row is zero where the members cancel each other out or are all zero.
    """
    matrices: Any = sparse
    k = int(labels.max(initial=OUTLIER)) + 1
    inside = np.flatnonzero(labels != OUTLIER)
    member = matrices.csr_matrix((np.ones(len(inside)), (labels[inside], inside)), shape=(k, len(labels)))
    sums = np.zeros((k, vectors.shape[1]))
    for start in range(0, vectors.shape[1], COLUMN_BLOCK):
        sums[:, start : start + COLUMN_BLOCK] = member @ vectors[:, start : start + COLUMN_BLOCK]
    norms = np.linalg.norm(sums, axis=1, keepdims=True)
    return (sums / np.where(norms > 0, norms, 1)).astype(np.float32)
