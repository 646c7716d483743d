"""A place for every case on a flat map: neighbours side by side, every theme an island, the same from run to run.

Neighbours pull each other as in t-SNE, harder inside a theme; each theme pulls its cases a little to its middle; all
push each other apart. Cases known from the last map start where they were and are held there. Nothing is drawn at
random but a first jitter, and nothing is summed by a library that shares work among threads.
Figures: docs/decisions/0008.
"""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patternmind.clustering.neighbours import cosine_similarity
from patternmind.clustering.repulsion import Positions, Repulsion
from patternmind.domain.themes import OUTLIER, Neighbours, Vectors

SAME_THEME_PULL = 3.0
"""How much harder two neighbours of one theme pull than two of different themes: at 1 a third of the cases lie nearer
to the middle of another theme than to their own, at 8 neighbours inside a theme are no longer kept."""

CENTROID_PULL = 0.05
"""Pull of a theme's middle on its cases beside that of their neighbours: brings home the last scattered pieces; six
times as much makes themes too dense to read."""

COUNTER_PULL = 0.3
"""Further pull of the middle for each unit by which a case's neighbours draw it to other themes: so a case that a
person moved lies where it was moved to. At 0 a third of such cases do in a first map, at .1 half, at .3 all."""

EARLY_EXAGGERATION_STEPS, EARLY_EXAGGERATION = 80, 12.0
"""First steps, with every pull so many times stronger, in which the large shape settles."""

FINAL_STEPS = 220
WARM_START_STEPS = 100
FEW_CHANGES_STEPS = 30
"""Enough where nearly every case was on the last map and few new ones have to find their place among them."""


ANCHOR_PULL = 0.03
"""Pull of a case's former place beside that of its neighbours."""

MAX_ANCHOR_SPREADS = 2.5
"""Middle distances from its theme's middle at which a former place no longer holds a case: its theme has changed."""

MIN_MAP_SIZE, SIZE_FACTOR, MAX_SIZE_STEPS = 1.0, 1.1, 70
"""Sizes at which a former map is tried before it is moved on: 1 to 800 units from its middle to its edge."""

MAX_ROWS = 120_000
"""Above, so many rows are laid out and the rest placed among their neighbours."""

MAX_THEMES = 2_000
"""Themes that are placed before their cases, largest first; the rest find their places through their neighbours."""

SIZE_STRIDE = 4
"""Sizes tried at first are so far apart; those between are tried before the first that will do."""

MAX_STEP = 5.0


def compute_layout(
    neighbours: Neighbours,
    labels: NDArray[np.int32],
    centroids: Vectors,
    *,
    former: NDArray[np.float32] | None = None,
    seed: int = 0,
    steps: int = WARM_START_STEPS,
) -> NDArray[np.float32]:
    """Where each row lies on the map.

    Args:
        neighbours: of rows in an order that does not depend on how they came in.
        labels: (n,) theme of each row by rank of size, ``OUTLIER`` for none.
        centres: (k, d) of the themes, unit norm.
        former: (n, 2) places in the last map of the same lens, NaN for rows it did not have.
        steps: in which all come to rest where there is a former map.

    Returns:
        (n, 2), within -1..1 for a first map; a later one keeps the scale and the bearing of the one before it and may
        grow beyond. The same input gives the same bits, whatever the number of threads.
    """
    n = len(labels)
    if n < 2:
        return np.zeros((n, 2), np.float32)
    known = _as_positions(former, n)
    if n > MAX_ROWS:
        places = _compute_sampled_layout(neighbours, labels, centroids, known, seed, steps)
    else:
        places = _compute_full_layout(_LayoutGraph(neighbours.index, labels), centroids, known, seed, steps)
    return np.round(np.stack([places.real, places.imag], axis=1), 5).astype(np.float32)


def _as_positions(former: NDArray[np.float32] | None, n: int) -> Positions:
    if former is None:
        return np.full(n, np.nan + 0j)
    return former[:, 0].astype(np.float64) + 1j * former[:, 1].astype(np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class _LayoutGraph:
    """``index`` (n, k) neighbours, repeats and the row itself allowed; ``labels`` (n,)."""

    index: NDArray[np.int32]
    labels: NDArray[np.int32]


def _compute_full_layout(
    graph: _LayoutGraph, centroids: Vectors, former: Positions, seed: int, steps: int
) -> Positions:
    if np.isnan(former).sum() > len(former) - 3:
        return _normalise_positions(_optimise_new(graph, _initial_positions(graph, centroids, seed)))
    held = _find_anchored_rows(graph.labels, former)
    return _align_to_former(_optimise_from_former(graph, former, held, seed, steps), former, held)


def _initial_positions(graph: _LayoutGraph, centroids: Vectors, seed: int) -> Positions:
    """Every case near the place of its theme, and cases without one near their neighbours; small and jittered."""
    n = len(graph.labels)
    of_theme = _theme_positions(centroids[:MAX_THEMES])
    placed = (graph.labels != OUTLIER) & (graph.labels < len(of_theme))
    places = np.full(n, np.nan + 0j)
    places[placed] = of_theme[graph.labels[placed]]
    places = _fill_from_neighbours(graph.index, places) + _jitter(n, seed)
    for _ in range(10 if graph.index.shape[1] else 0):
        places = (places + places[graph.index].mean(axis=1)) / 2
    places -= places.mean()
    return 0.1 * places / (np.sqrt((np.abs(places) ** 2).mean()) + 1e-12)


def _theme_positions(centroids: Vectors) -> Positions:
    """Places of themes, farthest 1 from the middle: the two widest directions of their similarity, by power iteration.

    Not by LAPACK: its last bits depend on the number of threads.
    """
    k = len(centroids)
    if k < 2:
        return np.zeros(k, np.complex128)
    distance = 1 - cosine_similarity(centroids, centroids).astype(np.float64)
    inner = distance.mean(axis=0) + distance.mean(axis=1)[:, None] - distance.mean() - distance
    axes = np.random.default_rng(0).standard_normal((k, 2))
    for _ in range(200):
        axes = np.einsum("ij,ja->ia", inner, axes)
        axes[:, 0] /= np.sqrt((axes[:, 0] ** 2).sum()) + 1e-12
        axes[:, 1] -= axes[:, 0] * (axes[:, 0] * axes[:, 1]).sum()
        axes[:, 1] /= np.sqrt((axes[:, 1] ** 2).sum()) + 1e-12
    places = axes[:, 0] + 1j * axes[:, 1]
    return places / (np.abs(places).max() + 1e-12)


def _jitter(n: int, seed: int) -> Positions:
    """Parts rows that would start in one place, for two rows in one place never leave it."""
    drawn = np.random.default_rng(seed).standard_normal((n, 2))
    return 0.1 * (drawn[:, 0] + 1j * drawn[:, 1])


def _fill_from_neighbours(index: NDArray[np.int32], positions: Positions) -> Positions:
    """Rows without a place (NaN) put at the mean of their neighbours that have one; at the middle where none leads."""
    positions = _propagate_positions(index, positions)
    missing = np.isnan(positions)
    positions[missing] = 0 if missing.all() else positions[~missing].mean()
    return positions


def _propagate_positions(index: NDArray[np.int32], positions: Positions) -> Positions:
    """Rows without a place put at the mean of their neighbours that have one, until no more can be."""
    positions = positions.copy()
    while (missing := np.flatnonzero(np.isnan(positions))).size:
        around = positions[index[missing]]
        seen = ~np.isnan(around)
        found = seen.any(axis=1)
        if not found.any():
            break
        positions[missing[found]] = np.where(seen, around, 0).sum(axis=1)[found] / seen.sum(axis=1)[found]
    return positions


class _Attraction:
    """How neighbours, and the middles of themes, draw rows together; weights over all rows sum to 1."""

    def __init__(self, graph: _LayoutGraph) -> None:
        matrices = _load_sparse()
        n, k = graph.index.shape
        rows = np.indices((n, k))[0].ravel()
        directed = matrices.csr_matrix((np.ones(n * k), (rows, graph.index.ravel())), shape=(n, n))
        upper = matrices.triu(directed + directed.T, k=1).tocoo()
        self.n, self.left, self.right = n, upper.row, upper.col
        labels = graph.labels
        inside = (labels[self.left] == labels[self.right]) & (labels[self.left] != OUTLIER)
        weight = np.where(inside, SAME_THEME_PULL, 1.0) * upper.data
        self.weight = weight / max(2 * float(weight.sum()), 1)
        self.member = np.flatnonzero(labels != OUTLIER)
        self.label = labels[self.member]
        self.size = np.maximum(np.bincount(self.label), 1)
        outward = np.where(inside, 0, self.weight)
        away = np.bincount(self.left, outward, n) + np.bincount(self.right, outward, n)
        self.centroid_weight = CENTROID_PULL / n + COUNTER_PULL * away[self.member]

    def __call__(self, places: Positions) -> Positions:
        """The pull on every row, (n,)."""
        apart = places[self.right] - places[self.left]
        apart *= self.weight / (1 + apart.real**2 + apart.imag**2)
        pull = _sum_by_group(self.left, apart, self.n) - _sum_by_group(self.right, apart, self.n)
        if self.member.size:
            middle = _sum_by_group(self.label, places[self.member], len(self.size)) / self.size
            home = middle[self.label] - places[self.member]
            pull[self.member] += self.centroid_weight * home / (1 + np.abs(home))
        return pull


def _sum_by_group(group: NDArray[Any], values: Positions, n: int) -> Positions:
    return np.bincount(group, values.real, n) + 1j * np.bincount(group, values.imag, n)


def _optimise_new(graph: _LayoutGraph, positions: Positions) -> Positions:
    """From first places to a map: a strong pull while the large shape forms, then the plain one."""
    pull, push = _Attraction(graph), Repulsion()
    moving = np.zeros_like(positions)
    for step in range(EARLY_EXAGGERATION_STEPS + FINAL_STEPS):
        strength, drag = (EARLY_EXAGGERATION, 0.5) if step < EARLY_EXAGGERATION_STEPS else (1.0, 0.8)
        force = strength * pull(positions) + push(positions)
        moving = _clip_steps(drag * moving + len(positions) / strength * force)
        positions = positions + moving
    return positions


def _optimise_from_former(
    graph: _LayoutGraph, former: Positions, is_anchored: NDArray[np.bool_], seed: int, steps: int
) -> Positions:
    """New and strayed rows put beside their own, then all at rest again, the held ones tied to where they were."""
    pull, push = _Attraction(graph), Repulsion()
    n = len(former)
    start = _fill_from_neighbours(graph.index, np.where(is_anchored, former, _theme_medians(graph.labels, former)))
    start -= start[is_anchored].mean()
    start *= _balanced_scale(start, pull, push)
    tied = np.where(is_anchored, ANCHOR_PULL / n, 0)
    places = start + np.where(is_anchored, 0, 1) * _jitter(n, seed)
    moving = np.zeros_like(places)
    for _ in range(steps):
        force = pull(places) + push(places) + tied * (start - places)
        moving = _clip_steps(0.8 * moving + n * force)
        places = places + moving
    return places


def _find_anchored_rows(labels: NDArray[np.int32], former: Positions) -> NDArray[np.bool_]:
    """Rows that a former place still holds: all that had one, but for those whose theme now lies elsewhere."""
    distance = np.abs(former - _theme_medians(labels, former))
    return ~np.isnan(former) & ~(distance > MAX_ANCHOR_SPREADS * _theme_spreads(labels, distance))


def _theme_medians(labels: NDArray[np.int32], former: Positions) -> Positions:
    """The middle of each row's theme in the former map, by the median of its rows; NaN where there is none."""
    homes = np.full(len(labels), np.nan + 0j)
    for rows in _rows_by_theme(labels):
        there = former[rows[~np.isnan(former[rows])]]
        if there.size:
            homes[rows] = np.median(there.real) + 1j * np.median(there.imag)
    return homes


def _theme_spreads(labels: NDArray[np.int32], distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """The median distance within each row's theme, NaN left out; infinite for rows without a theme."""
    spread = np.full(len(labels), np.inf)
    for rows in _rows_by_theme(labels):
        known = distance[rows][~np.isnan(distance[rows])]
        if known.size:
            spread[rows] = np.median(known)
    return spread


def _rows_by_theme(labels: NDArray[np.int32]) -> list[NDArray[np.int64]]:
    """The rows of each theme, by label."""
    order = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[order], np.arange(int(labels.max()) + 2))
    return [order[start:end] for start, end in itertools.pairwise(starts.tolist())]


def _balanced_scale(positions: Positions, pull: _Attraction, push: Repulsion) -> float:
    """How far to blow places up so that, all in all, they are neither drawn together nor pushed apart.

    From small to large, to the first such size: where hardly any two rows are near, the grid's error alone decides.
    """
    sizes = [MIN_MAP_SIZE / (float(np.abs(positions).max()) + 1e-12)]
    for _ in range(MAX_SIZE_STEPS):
        sizes.append(sizes[-1] * SIZE_FACTOR)

    def rests(size: float) -> bool:
        blown = size * positions
        return float((blown.conj() * (pull(blown) + push(blown))).real.sum()) <= 0

    first = next((at for at in range(0, MAX_SIZE_STEPS, SIZE_STRIDE) if rests(sizes[at])), MAX_SIZE_STEPS)
    return next((size for size in sizes[max(0, first - SIZE_STRIDE + 1) : first] if rests(size)), sizes[first])


def _clip_steps(velocity: Positions) -> Positions:
    return velocity * np.minimum(1, MAX_STEP / (np.abs(velocity) + 1e-12))


def _normalise_positions(positions: Positions) -> Positions:
    """Turned so that the longer side lies flat, and brought within -1..1."""
    positions = positions - positions.mean()
    positions = positions * np.exp(-0.5j * np.angle((positions**2).sum()))
    middle = (_midpoint(positions.real) + 1j * _midpoint(positions.imag)) if len(positions) else 0
    positions = positions - middle
    return positions / (float(max(np.abs(positions.real).max(), np.abs(positions.imag).max())) + 1e-12)


def _midpoint(values: NDArray[np.float64]) -> float:
    return (float(values.min()) + float(values.max())) / 2


def _align_to_former(positions: Positions, former: Positions, is_anchored: NDArray[np.bool_]) -> Positions:
    """Turned, scaled and shifted so that the rows of the former map lie as near to it as they can."""
    here, there = positions[is_anchored].mean(), former[is_anchored].mean()
    away = positions[is_anchored] - here
    turn = (away.conj() * (former[is_anchored] - there)).sum() / (float((np.abs(away) ** 2).sum()) + 1e-12)
    return (positions - here) * turn + there


def _compute_sampled_layout(
    neighbours: Neighbours, labels: NDArray[np.int32], centroids: Vectors, former: Positions, seed: int, steps: int
) -> Positions:
    """A sample laid out, the rest beside those of their neighbours of the same theme that were, outliers beside any.

    Who had a place keeps it.
    """
    n = len(labels)
    sample = np.sort(np.random.default_rng(seed).choice(n, MAX_ROWS, replace=False))
    stands_for = _nearest_sampled_rows(sample, neighbours.index)
    graph = _LayoutGraph(stands_for[neighbours.index[sample]], labels[sample])
    places = former.copy()
    places[sample] = _compute_full_layout(graph, centroids, former[sample], seed, steps)
    kin = (labels[neighbours.index] == labels[:, None]) | (labels == OUTLIER)[:, None]
    places = _propagate_positions(np.where(kin, neighbours.index, np.arange(n, dtype=np.int32)[:, None]), places)
    places = np.where(np.isnan(places), _theme_medians(labels, places), places)
    return _fill_from_neighbours(neighbours.index, places)


def _nearest_sampled_rows(sample: NDArray[np.int64], index: NDArray[np.int32]) -> NDArray[np.int32]:
    """The sampled row, by its number in the sample, that stands for each row: itself, else the nearest by the graph."""
    stands = np.full(len(index), -1, np.int32)
    stands[sample] = np.arange(len(sample), dtype=np.int32)
    while (missing := np.flatnonzero(stands < 0)).size:
        around = stands[index[missing]]
        first = (around >= 0).argmax(axis=1)
        found = around[np.arange(len(missing)), first]
        if not (found >= 0).any():
            stands[missing] = missing % len(sample)
            break
        stands[missing] = found
    return stands


def _load_sparse() -> Any:
    from scipy import sparse

    return sparse


__all__ = ["compute_layout"]
