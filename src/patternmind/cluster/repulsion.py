"""How rows of a map push each other apart: every pair at once, by way of a grid.

Spreading the rows over a grid, convolving it with the push of one row, and reading the result back where the rows are
costs n plus the grid instead of n squared, draws nothing at random, and sums in one fixed order.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.complex128]
"""A place on the map each, x + iy: one array to gather from, and turning is a product."""

CELL = 0.5
"""Width of a cell where the push of a row falls off at distance 1: the push is 7-14 % off, at half of it 2-4 %."""

MOST_CELLS = 512
"""Cells along a side; a wider map has wider cells."""

FEWEST_CELLS = 32


@dataclass(frozen=True, slots=True, eq=False)
class _Push:
    """The push of one row over a grid of ``cells`` by ``cells``, doubled so that it does not wrap round."""

    cells: int
    width: float
    kernel: NDArray[np.float64]
    near: NDArray[np.float64]
    nearness: Any
    push: Any


class Repulsion:
    """Pushes the rows of a map apart as t-SNE does; keeps the grid of the last call, which the next mostly needs."""

    def __init__(self) -> None:
        self._grid: _Push | None = None

    def __call__(self, places: Places) -> Places:
        """The push on every row, (n,): the sum of d / (1 + d^2)^2 over the others, by the total of 1 / (1 + d^2)."""
        x, y = places.real, places.imag
        grid = self._grid_for(float(max(np.ptp(x), np.ptp(y))))
        side = 2 * grid.cells
        cell, weight, inside = _spread(x, y, grid)
        laid = np.bincount(cell.ravel(), weight.ravel(), side * side).reshape(side, side)
        spectrum = _fourier().fft2(laid)
        total = float((np.abs(spectrum) ** 2 * grid.nearness.real).sum()) / (side * side)
        pushed = _fourier().ifft2(spectrum * grid.push).ravel()
        return (pushed[cell] * weight).sum(axis=0) / max(total - _with_itself(inside, grid.near), 1e-9)

    def _grid_for(self, span: float) -> _Push:
        wanted = 2 ** math.ceil(math.log2(span / CELL + 3))
        cells = min(max(wanted, FEWEST_CELLS), MOST_CELLS)
        width = CELL
        while span / width + 3 > cells:
            width *= 1.25
        if self._grid is None or (self._grid.cells, self._grid.width) != (cells, width):
            self._grid = _grid_of(cells, width)
        return self._grid


def _grid_of(cells: int, width: float) -> _Push:
    steps = np.arange(2 * cells)
    steps = np.where(steps >= cells, steps - 2 * cells, steps) * width
    away = steps[:, None] + 1j * steps[None, :]
    near = 1 / (1 + np.abs(away) ** 2)
    return _Push(cells, width, near, near[:2, :2], _fourier().fft2(near), _fourier().fft2(away * near**2))


def _spread(
    x: NDArray[np.float64], y: NDArray[np.float64], grid: _Push
) -> tuple[NDArray[np.int64], NDArray[np.float64], tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """The four cells round each row (4, n), its share in each (4, n), and how far into its cell it lies."""
    column, right = _in_cells(x, grid)
    row, up = _in_cells(y, grid)
    first = column * (2 * grid.cells) + row
    cell = np.stack([first, first + 1, first + 2 * grid.cells, first + 2 * grid.cells + 1])
    weight = np.stack([(1 - right) * (1 - up), (1 - right) * up, right * (1 - up), right * up])
    return cell, weight, (right, up)


def _in_cells(x: NDArray[np.float64], grid: _Push) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    middle = (float(x.min()) + float(x.max())) / 2
    place = (x - middle) / grid.width + grid.cells / 2
    cell = np.floor(place)
    return cell.astype(np.int64), place - cell


def _with_itself(inside: tuple[NDArray[np.float64], NDArray[np.float64]], near: NDArray[np.float64]) -> float:
    """What the rows' nearness to themselves adds up to on the grid: they lie on four cells, not on one."""
    same = [part**2 + (1 - part) ** 2 for part in inside]
    next_to = [2 * part * (1 - part) for part in inside]
    terms = (
        near[0, 0] * same[0] * same[1]
        + near[1, 0] * next_to[0] * same[1]
        + near[0, 1] * same[0] * next_to[1]
        + near[1, 1] * next_to[0] * next_to[1]
    )
    return float(terms.sum())


def _fourier() -> Any:
    from scipy import fft  # 0.1 s

    return fft
