"""How far a share measured on few cases may be off."""

from math import sqrt

Z95 = 1.959964


def wilson(part: int, whole: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share; it holds at 0 and at 1 too, where the usual one has no width."""
    if whole == 0:
        return 0.0, 1.0
    share, square = part / whole, Z95**2
    middle = (share + square / (2 * whole)) / (1 + square / whole)
    half = Z95 * sqrt(share * (1 - share) / whole + square / (4 * whole**2)) / (1 + square / whole)
    return max(0.0, middle - half), min(1.0, middle + half)
