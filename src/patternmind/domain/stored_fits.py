"""Stored resampled fits of a run, which the next run can continue."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from patternmind.domain.themes import Neighbours

NOT_DRAWN = -2
"""Label of a row that is not in the sample of a fit."""


@dataclass(frozen=True, slots=True, eq=False)
class FitLabels:
    """Labels by row of each fit.

    Attributes:
        edge_fits: (f, n), fits on subsets of the edges.
        row_fits: (r, n), fits on subsets of the rows; -1 is between themes, -2 was not drawn.
    """

    edge_fits: NDArray[np.int32]
    row_fits: NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StoredFits:
    """Fits of the newest run of a lens: numbers only, without text or names of a case.

    Attributes:
        run_id: run that made or continued the fits.
        config_hash: hash of everything the fits depend on except the rows; a run with another hash makes its own fits.
        row_digests: (n, 2) uint64, for each row a digest of the case's id and a digest of its vector.
        baseline_digests: (m, 2), row digests of the last run that made all fits; drift is counted from there.
        neighbours: neighbours of the rows, as many as that run used.
    """

    run_id: str
    config_hash: str
    row_digests: NDArray[np.uint64]
    baseline_digests: NDArray[np.uint64]
    neighbours: Neighbours
    labels: FitLabels


__all__ = ["NOT_DRAWN", "FitLabels", "StoredFits"]
