"""Shares and their confidence intervals."""

import math
from collections.abc import Iterable

Z_95 = 1.959964
"""Number of standard errors of a 95 % interval."""


def share_of_hits(outcomes: Iterable[bool]) -> float:
    """Return the share of true outcomes; 0 without any outcome."""
    hits = list(outcomes)
    return sum(hits) / max(1, len(hits))


def wilson_interval(hits: int, n: int) -> tuple[float, float]:
    """Compute the 95 % interval of a share (Wilson, 1927).

    It stays within 0..1 even if all of a few, or none of them, are hits.
    """
    if n == 0:
        return 0.0, 1.0
    share, z2 = hits / n, Z_95 * Z_95
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z_95 * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return middle - half if hits else 0.0, middle + half if hits < n else 1.0


def format_share(hits: int, n: int) -> str:
    """Format a share with its 95 % interval: ``47 of 49, .86-.99``."""
    if not n:
        return "0 of 0"
    low, high = (f"{end:.3f}".removeprefix("0") for end in wilson_interval(hits, n))
    return f"{hits} of {n}, {low}-{high}"
