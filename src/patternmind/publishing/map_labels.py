"""Place the names on a map: near their islands, over few dots, never over each other."""

import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LARGE_LETTERS, SMALL_LETTERS = 14.0, 12.0
"""Letter height of a name, with few and with many names."""

SMALL_LETTERS_ABOVE = 18
COUNT_SIZE_RATIO = 0.86
KEY_WIDTH_RATIO = 1.05
"""Space before a name for one dot of its island, in letter heights."""

LINE_HEIGHT_RATIO = 1.22
MAX_LINE_LETTERS = 24
MAX_LABEL_LINES = 2
MARGIN = 3.0

NARROW_LETTERS, WIDE_LETTERS = frozenset("iljtfrI.,:;'|!()[] "), frozenset("mwMW@%&")
"""Letters about 0.36 and 0.92 times as wide as high in the usual fonts."""

DISTANCES = (0.0, 8.0, 18.0, 34.0, 56.0, 84.0, 120.0)
N_DIRECTIONS = 32
MIN_LEADER_DISTANCE = 12.0
"""Distance from its island at which a name gets a leader line."""


@dataclass(frozen=True, slots=True)
class Rectangle:
    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: "Rectangle", *, gap: float = 0.0) -> bool:
        return (
            self.left < other.right + gap
            and other.left < self.right + gap
            and self.top < other.bottom + gap
            and other.top < self.bottom + gap
        )

    def contains(self, other: "Rectangle") -> bool:
        return (
            self.left <= other.left
            and self.top <= other.top
            and other.right <= self.right
            and other.bottom <= self.bottom
        )

    @property
    def center(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def nearest_point(self, x: float, y: float) -> tuple[float, float]:
        return min(max(x, self.left), self.right), min(max(y, self.top), self.bottom)


@dataclass(frozen=True, slots=True, eq=False)
class Island:
    """A drawn theme with its name, number of cases, bounding box, and dots (n, 2)."""

    name: str
    count_text: str
    box: Rectangle
    dots: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PlacedLabel:
    """A label with its letter height, and a leader line if distant from its island."""

    lines: tuple[str, ...]
    count_text: str
    size: float
    box: Rectangle
    leader: tuple[tuple[float, float], tuple[float, float]] | None


def place_labels(islands: Sequence[Island], dots: NDArray[np.float64], frame: Rectangle) -> list[PlacedLabel | None]:
    """Return a label for each island, or ``None`` without space; earlier islands choose first.

    Args:
        dots: (n, 2), all drawn dots in the units of ``frame``.
    """
    size = SMALL_LETTERS if len(islands) > SMALL_LETTERS_ABOVE else LARGE_LETTERS
    density = _DotDensityGrid(dots, frame)
    labels: list[PlacedLabel | None] = []
    for island in islands:
        placed = [label for label in labels if label]
        other_boxes = [other.box for other in islands if other is not island]
        labels.append(_cheapest_label(island, placed, other_boxes, density, size))
    return labels


def _cheapest_label(
    island: Island, placed: Sequence[PlacedLabel], others: Sequence[Rectangle], density: "_DotDensityGrid", size: float
) -> PlacedLabel | None:
    """Return the label near its island, over few dots, away from other islands."""
    best: tuple[float, PlacedLabel] | None = None
    for distance, label in _candidate_labels(island, size):
        if not density.frame.contains(label.box) or any(_collide(label, other) for other in placed):
            continue
        n_overlapping = sum(label.box.overlaps(other, gap=4) for other in others)
        n_crossed = sum(label.leader is not None and _line_crosses_box(label.leader, other) for other in others)
        cost = distance / 5 + 2.5 * math.sqrt(density.count_in(label.box)) + 5 * n_overlapping + 5 * n_crossed
        if best is None or cost < best[0]:
            best = cost, label
    return best[1] if best else None


def _candidate_labels(island: Island, size: float) -> Iterator[tuple[float, PlacedLabel]]:
    lines = wrap_name(island.name)
    width = max(
        text_width(island.count_text, size * COUNT_SIZE_RATIO), *(text_width(line, size, bold=True) for line in lines)
    )
    box_size = KEY_WIDTH_RATIO * size + width + 2 * MARGIN, LINE_HEIGHT_RATIO * size * (len(lines) + 1) + 2 * MARGIN
    for distance, box in _candidate_boxes(island.box, box_size):
        leader = _leader_line(box, island.dots) if distance > MIN_LEADER_DISTANCE else None
        yield distance, PlacedLabel(lines, island.count_text, size, box, leader)


def _candidate_boxes(island: Rectangle, size: tuple[float, float]) -> Iterator[tuple[float, Rectangle]]:
    """Yield boxes of this size around the island, first above it, then with growing distance."""
    across, down = island.center
    half_width, half_height = (island.right - island.left + size[0]) / 2, (island.bottom - island.top + size[1]) / 2
    for distance in DISTANCES:
        for turn in range(N_DIRECTIONS):
            angle = 2 * math.pi * (((turn + 1) // 2) * (-1) ** turn) / N_DIRECTIONS
            east, north = math.sin(angle), math.cos(angle)
            reach = min(
                (half_width + distance) / abs(east) if abs(east) > 1e-9 else math.inf,
                (half_height + distance) / abs(north) if abs(north) > 1e-9 else math.inf,
            )
            x, y = across + reach * east, down - reach * north
            yield distance, Rectangle(x - size[0] / 2, y - size[1] / 2, x + size[0] / 2, y + size[1] / 2)


def _leader_line(label: Rectangle, dots: NDArray[np.float64]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the line from the edge of the label to the nearest dot."""
    across, down = label.center
    x, y = dots[int(np.hypot(dots[:, 0] - across, dots[:, 1] - down).argmin())]
    return label.nearest_point(float(x), float(y)), (float(x), float(y))


def _collide(label: PlacedLabel, other: PlacedLabel) -> bool:
    if label.box.overlaps(other.box, gap=3):
        return True
    crossing = [(label.leader, other.box), (other.leader, label.box)]
    if any(line is not None and _line_crosses_box(line, box) for line, box in crossing):
        return True
    return label.leader is not None and other.leader is not None and _lines_cross(label.leader, other.leader)


def _line_crosses_box(line: tuple[tuple[float, float], tuple[float, float]], box: Rectangle) -> bool:
    """Return whether the line crosses the box, sampled in steps of a few units."""
    (x, y), (to_x, to_y) = line
    steps = max(2, int(math.hypot(to_x - x, to_y - y) / 4))
    return any(
        box.left < x + (to_x - x) * step / steps < box.right and box.top < y + (to_y - y) * step / steps < box.bottom
        for step in range(steps + 1)
    )


def _lines_cross(
    first: tuple[tuple[float, float], tuple[float, float]], second: tuple[tuple[float, float], tuple[float, float]]
) -> bool:
    def side(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
        return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])

    (a, b), (c, d) = first, second
    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0


class _DotDensityGrid:
    """Number of dots in a box, from a grid of cumulative sums."""

    def __init__(self, dots: NDArray[np.float64], frame: Rectangle, *, cell: float = 4.0) -> None:
        self.frame, self.cell = frame, cell
        shape = self._cell(frame.right, frame.left) + 1, self._cell(frame.bottom, frame.top) + 1
        column = np.clip(((dots[:, 0] - frame.left) / cell).astype(int), 0, shape[0] - 1)
        row = np.clip(((dots[:, 1] - frame.top) / cell).astype(int), 0, shape[1] - 1)
        counts = np.bincount(column * shape[1] + row, minlength=shape[0] * shape[1]).reshape(shape)
        self.sums = np.zeros((shape[0] + 1, shape[1] + 1), np.int64)
        self.sums[1:, 1:] = counts.cumsum(axis=0).cumsum(axis=1)

    def _cell(self, value: float, start: float) -> int:
        return int(max(0.0, value - start) / self.cell)

    def count_in(self, box: Rectangle) -> int:
        left, right = self._cell(box.left, self.frame.left), self._cell(box.right, self.frame.left) + 1
        top, bottom = self._cell(box.top, self.frame.top), self._cell(box.bottom, self.frame.top) + 1
        sums = self.sums
        right, bottom = min(right, sums.shape[0] - 1), min(bottom, sums.shape[1] - 1)
        return int(sums[right, bottom] - sums[left, bottom] - sums[right, top] + sums[left, top])


def wrap_name(name: str) -> tuple[str, ...]:
    """Wrap a name into at most two lines of about 24 letters; a longer name ends with an ellipsis."""
    lines: list[str] = []
    for word in name.split() or [""]:
        if lines and len(lines[-1]) + 1 + len(word) <= MAX_LINE_LETTERS:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    short = [
        line if len(line) <= MAX_LINE_LETTERS + 6 else f"{line[: MAX_LINE_LETTERS + 5]}…"
        for line in lines[:MAX_LABEL_LINES]
    ]
    return (*short[:-1], f"{short[-1].rstrip('…')}…") if len(lines) > MAX_LABEL_LINES else tuple(short)


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Estimate the width of a text; rather too wide, because the viewer's font is unknown."""
    return sum(map(_letter_width, text)) * size * (1.07 if bold else 1.0)


def _letter_width(char: str) -> float:
    if unicodedata.east_asian_width(char) in "WF":
        return 1.0
    if char in NARROW_LETTERS:
        return 0.36
    return 0.92 if char in WIDE_LETTERS else 0.7 if char.isupper() else 0.58
