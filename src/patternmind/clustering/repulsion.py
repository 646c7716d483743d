"""How rows of a map push each other apart: every pair at once, by way of a grid.

Spreading the rows over a grid, convolving it with the push of one row, and reading the result back where the rows are
costs n plus the grid instead of n squared, draws nothing at random, and sums in one fixed order.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.complex128]
"""A place on the map each, x + iy: one array to gather from, and turning is a product."""

CELL_WIDTH = 0.5
"""Width of a cell where the push of a row falls off at distance 1: the push is 7-14 % off, at half of it 2-4 %."""

MAX_CELLS = 512
"""Cells along a side; a wider map has wider cells."""

MIN_CELLS = 32


@dataclass(frozen=True, slots=True, eq=False)
class _RepulsionGrid:
    """The push of one row over a grid of ``cells`` by ``cells``, doubled so that it does not wrap round."""

    cells: int
    width: float
    kernel: NDArray[np.float64]
    kernel_corner: NDArray[np.float64]
    kernel_spectrum: Any
    force_spectrum: Any


class Repulsion:
    """Pushes the rows of a map apart as t-SNE does; keeps the grid of the last call, which the next mostly needs."""

    def __init__(self) -> None:
        self._grid: _RepulsionGrid | None = None

    def __call__(self, places: Positions) -> Positions:
        """The push on every row, (n,): the sum of d / (1 + d^2)^2 over the others, by the total of 1 / (1 + d^2)."""
        x, y = places.real, places.imag
        grid = self._grid_for(float(max(np.ptp(x), np.ptp(y))))
        side = 2 * grid.cells
        cell, weight, inside = _spread_to_cells(x, y, grid)
        laid = np.bincount(cell.ravel(), weight.ravel(), side * side).reshape(side, side)
        spectrum = _load_fft().fft2(laid)
        total = float((np.abs(spectrum) ** 2 * grid.kernel_spectrum.real).sum()) / (side * side)
        pushed = _load_fft().ifft2(spectrum * grid.force_spectrum).ravel()
        return (pushed[cell] * weight).sum(axis=0) / max(total - _self_interaction(inside, grid.kernel_corner), 1e-9)

    def _grid_for(self, span: float) -> _RepulsionGrid:
        wanted = 2 ** math.ceil(math.log2(span / CELL_WIDTH + 3))
        cells = min(max(wanted, MIN_CELLS), MAX_CELLS)
        width = CELL_WIDTH
        while span / width + 3 > cells:
            width *= 1.25
        if self._grid is None or (self._grid.cells, self._grid.width) != (cells, width):
            self._grid = _build_grid(cells, width)
        return self._grid


def _build_grid(cells: int, width: float) -> _RepulsionGrid:
    steps = np.arange(2 * cells)
    steps = np.where(steps >= cells, steps - 2 * cells, steps) * width
    away = steps[:, None] + 1j * steps[None, :]
    near = 1 / (1 + np.abs(away) ** 2)
    return _RepulsionGrid(cells, width, near, near[:2, :2], _load_fft().fft2(near), _load_fft().fft2(away * near**2))


def _spread_to_cells(
    x: NDArray[np.float64], y: NDArray[np.float64], grid: _RepulsionGrid
) -> tuple[NDArray[np.int64], NDArray[np.float64], tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """The four cells round each row (4, n), its share in each (4, n), and how far into its cell it lies."""
    column, right = _locate_in_cells(x, grid)
    row, up = _locate_in_cells(y, grid)
    first = column * (2 * grid.cells) + row
    cell = np.stack([first, first + 1, first + 2 * grid.cells, first + 2 * grid.cells + 1])
    weight = np.stack([(1 - right) * (1 - up), (1 - right) * up, right * (1 - up), right * up])
    return cell, weight, (right, up)


def _locate_in_cells(x: NDArray[np.float64], grid: _RepulsionGrid) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    middle = (float(x.min()) + float(x.max())) / 2
    place = (x - middle) / grid.width + grid.cells / 2
    cell = np.floor(place)
    return cell.astype(np.int64), place - cell


def _self_interaction(
    cell_offsets: tuple[NDArray[np.float64], NDArray[np.float64]], kernel_corner: NDArray[np.float64]
) -> float:
    """What the rows' nearness to themselves adds up to on the grid: they lie on four cells, not on one."""
    same = [part**2 + (1 - part) ** 2 for part in cell_offsets]
    next_to = [2 * part * (1 - part) for part in cell_offsets]
    terms = (
        kernel_corner[0, 0] * same[0] * same[1]
        + kernel_corner[1, 0] * next_to[0] * same[1]
        + kernel_corner[0, 1] * same[0] * next_to[1]
        + kernel_corner[1, 1] * next_to[0] * next_to[1]
    )
    return float(terms.sum())


def _load_fft() -> Any:
    from scipy import fft  # 0.1 s

    return fft
