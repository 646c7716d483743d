"""What the fits of one run said, kept so that the next run can continue them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from patternmind.domain.themes import Neighbours

NOT_DRAWN = -2
"""Label of a row that is not in the sample of a fit."""


@dataclass(frozen=True, slots=True, eq=False)
class FitLabels:
    """Labels by row: ``parts`` (f, n) of fits on parts of the edges, ``samples`` (r, n) on parts of the rows.

    In ``samples`` -1 is between themes and -2 was not drawn.
    """

    edge_fits: NDArray[np.int32]
    row_fits: NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StoredFits:
    """The fits of the newest run of a lens. Numbers alone: no case's text, and none of its names.

    Attributes:
        run_id: of the run that judged by them.
        holds_for: hash of all that fits depend on beside the rows; a run of another one makes its own.
        marks: (n, 2) uint64, by row a digest of the case's id and one of its vector.
        first: (m, 2) the marks of the last run that made all fits: drift is counted from there.
        neighbours: of the rows; as many as that run looked at.
    """

    run_id: str
    config_hash: str
    row_digests: NDArray[np.uint64]
    baseline_digests: NDArray[np.uint64]
    neighbours: Neighbours
    labels: FitLabels


__all__ = ["NOT_DRAWN", "FitLabels", "StoredFits"]
