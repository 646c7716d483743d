"""How sure a share is, from how many it was counted."""

import math

Z_95 = 1.959964
"""Standard errors of a 95 % interval."""


def wilson_interval(hits: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share, within 0..1 also where all or none of a few are hits (Wilson, 1927)."""
    if n == 0:
        return 0.0, 1.0
    share, z2 = hits / n, Z_95 * Z_95
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z_95 * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return middle - half if hits else 0.0, middle + half if hits < n else 1.0


__all__ = ["wilson_interval"]
