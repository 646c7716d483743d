"""Which cases stand alone. A case is judged by its own evidence, not by what the partition did with it."""

import numpy as np
from numpy.typing import NDArray

from patternmind.model.themes import Neighbours

CLOSEST = 5
SPREADS = 1.75
"""Spreads below the median at which a case counts as alone: in a bell curve 4 %, in a long tail more."""

MOST = 0.2
"""Never more than this share stands alone by evidence of distance; a network where more do has no such tail."""

ALIKE = 0.95
"""Neighbours closer than this tell the same story twice; they say nothing about whether others share it."""


def closeness(neighbours: Neighbours) -> NDArray[np.float32]:
    """Mean cosine of each row to its five closest neighbours, (n,)."""
    return neighbours.similarity[:, :CLOSEST].mean(axis=1, dtype=np.float64).astype(np.float32)


def stands_alone(neighbours: Neighbours) -> NDArray[np.bool_]:
    """Rows whose closest neighbours are unusually far for this network, (n,).

    Measured against the plain partition's own evidence (strength, reciprocity, local density ratio), the mean cosine
    to five neighbours ordered planted strangers best on three of four trials (AUROC .90-.99).
    """
    close = closeness(neighbours).astype(np.float64)
    middle = np.median(close)
    spread = 1.4826 * np.median(np.abs(close - middle))
    line = max(middle - SPREADS * spread, np.quantile(close, 0.0))
    return close < min(line, np.quantile(close, MOST))
