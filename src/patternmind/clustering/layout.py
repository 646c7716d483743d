"""Layout of the theme map: a 2-D position for every case, stable from run to run.

Neighbours attract each other as in t-SNE, more strongly inside a theme. Each theme pulls its cases slightly to its
centre, and all cases repel each other. Cases of the last map start at their former position and are anchored to it.
Only a first jitter is random, and no multi-threaded library sums anything. Figures: docs/decisions/0008.
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
"""Attraction between neighbours of one theme, relative to neighbours of different themes.

At 1, a third of the cases are closer to the centre of another theme than to their own. At 8, the layout no longer
preserves neighbours inside a theme.
"""

CENTROID_PULL = 0.05
"""Pull of a theme's centre on its cases, relative to the pull of their neighbours.

It gathers the last scattered pieces; six times as much makes themes too dense to read.
"""

COUNTER_PULL = 0.3
"""Additional pull of the centre, per unit of the pull towards other themes.

So a case that a person moved is shown inside its new theme. In a first map this holds for a third of such cases at 0,
for half at .1 and for all at .3.
"""

EARLY_EXAGGERATION_STEPS, EARLY_EXAGGERATION = 80, 12.0
"""Number of first steps with stronger attraction, and its factor; the overall shape forms in them."""

FINAL_STEPS = 220
WARM_START_STEPS = 100
FEW_CHANGES_STEPS = 30
"""Steps that suffice if nearly every case was on the last map."""


ANCHOR_PULL = 0.03
"""Pull of a case's former position, relative to the pull of its neighbours."""

MAX_ANCHOR_SPREADS = 2.5
"""Distance from its theme's centre, in median distances, above which a case is not anchored: its theme has changed."""

MIN_MAP_SIZE, SIZE_FACTOR, MAX_SIZE_STEPS = 1.0, 1.1, 70
"""Sizes at which a former map is tried before it is optimised: 1 to 800 units from its centre to its edge."""

MAX_ROWS = 120_000
"""Largest number of rows laid out; above it, the remaining rows are positioned by their neighbours."""

MAX_THEMES = 2_000
"""Number of themes positioned before their cases, largest first; neighbours determine the positions of the others."""

SIZE_STRIDE = 4
"""Step between the sizes tried first; the sizes before the first that fits are tried next."""

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
    """Compute the position of each row on the map.

    Args:
        neighbours: neighbours of the rows, in an order that does not depend on the order of the input.
        labels: (n,) theme of each row by rank of size, ``OUTLIER`` for rows without a theme.
        centroids: (k, d) of the themes, unit norm.
        former: (n, 2) positions in the last map of the same lens, NaN for new rows.
        seed: seed of the jitter.
        steps: number of steps if there is a former map.

    Returns:
        (n, 2), from -1 to 1 for a first map. A later map keeps the scale and the orientation of the former map and may
        extend beyond it. The same input gives the same bits for any number of threads.
    """
    n = len(labels)
    if n < 2:
        return np.zeros((n, 2), np.float32)
    former_positions = _as_positions(former, n)
    if n > MAX_ROWS:
        positions = _compute_sampled_layout(neighbours, labels, centroids, former_positions, seed, steps)
    else:
        positions = _compute_full_layout(
            _LayoutGraph(neighbours.index, labels), centroids, former_positions, seed, steps
        )
    return np.round(np.stack([positions.real, positions.imag], axis=1), 5).astype(np.float32)


def _as_positions(former: NDArray[np.float32] | None, n: int) -> Positions:
    if former is None:
        return np.full(n, np.nan + 0j)
    return former[:, 0].astype(np.float64) + 1j * former[:, 1].astype(np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class _LayoutGraph:
    """Graph to lay out.

    Attributes:
        index: (n, k) neighbours; may contain repeats and the row itself.
        labels: (n,) theme of each row.
    """

    index: NDArray[np.int32]
    labels: NDArray[np.int32]


def _compute_full_layout(
    graph: _LayoutGraph, centroids: Vectors, former: Positions, seed: int, steps: int
) -> Positions:
    if np.isnan(former).sum() > len(former) - 3:
        return _normalise_positions(_optimise_new(graph, _initial_positions(graph, centroids, seed)))
    is_anchored = _find_anchored_rows(graph.labels, former)
    return _align_to_former(_optimise_from_former(graph, former, is_anchored, seed, steps), former, is_anchored)


def _initial_positions(graph: _LayoutGraph, centroids: Vectors, seed: int) -> Positions:
    """Return start positions: small, jittered, near the theme or, without a theme, near the neighbours."""
    n = len(graph.labels)
    theme_positions = _theme_positions(centroids[:MAX_THEMES])
    has_theme_position = (graph.labels != OUTLIER) & (graph.labels < len(theme_positions))
    positions = np.full(n, np.nan + 0j)
    positions[has_theme_position] = theme_positions[graph.labels[has_theme_position]]
    positions = _fill_from_neighbours(graph.index, positions) + _jitter(n, seed)
    for _ in range(10 if graph.index.shape[1] else 0):
        positions = (positions + positions[graph.index].mean(axis=1)) / 2
    positions -= positions.mean()
    return 0.1 * positions / (np.sqrt((np.abs(positions) ** 2).mean()) + 1e-12)


def _theme_positions(centroids: Vectors) -> Positions:
    """Return positions of themes along the two main directions of their similarity, within distance 1.

    Power iteration replaces LAPACK, whose last bits depend on the number of threads.
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
    positions = axes[:, 0] + 1j * axes[:, 1]
    return positions / (np.abs(positions).max() + 1e-12)


def _jitter(n: int, seed: int) -> Positions:
    """Return random offsets, because two rows at the same position would never separate."""
    offsets = np.random.default_rng(seed).standard_normal((n, 2))
    return 0.1 * (offsets[:, 0] + 1j * offsets[:, 1])


def _fill_from_neighbours(index: NDArray[np.int32], positions: Positions) -> Positions:
    """Position the remaining rows (NaN) at the mean of their neighbours.

    Rows that no neighbour reaches go to the centre of all rows.
    """
    positions = _propagate_positions(index, positions)
    missing = np.isnan(positions)
    positions[missing] = 0 if missing.all() else positions[~missing].mean()
    return positions


def _propagate_positions(index: NDArray[np.int32], positions: Positions) -> Positions:
    """Position rows at the mean of their neighbours until no more can be reached."""
    positions = positions.copy()
    while (missing := np.flatnonzero(np.isnan(positions))).size:
        neighbour_positions = positions[index[missing]]
        is_known = ~np.isnan(neighbour_positions)
        is_reachable = is_known.any(axis=1)
        if not is_reachable.any():
            break
        positions[missing[is_reachable]] = (
            np.where(is_known, neighbour_positions, 0).sum(axis=1)[is_reachable] / is_known.sum(axis=1)[is_reachable]
        )
    return positions


class _Attraction:
    """Attraction by neighbours and by theme centres; the weights of all rows sum to 1."""

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
        outward_pull = np.bincount(self.left, outward, n) + np.bincount(self.right, outward, n)
        self.centroid_weight = CENTROID_PULL / n + COUNTER_PULL * outward_pull[self.member]

    def __call__(self, positions: Positions) -> Positions:
        """Return the pull on every row, (n,)."""
        difference = positions[self.right] - positions[self.left]
        difference *= self.weight / (1 + difference.real**2 + difference.imag**2)
        pull = _sum_by_group(self.left, difference, self.n) - _sum_by_group(self.right, difference, self.n)
        if self.member.size:
            centre = _sum_by_group(self.label, positions[self.member], len(self.size)) / self.size
            to_centre = centre[self.label] - positions[self.member]
            pull[self.member] += self.centroid_weight * to_centre / (1 + np.abs(to_centre))
        return pull


def _sum_by_group(group: NDArray[Any], values: Positions, n: int) -> Positions:
    return np.bincount(group, values.real, n) + 1j * np.bincount(group, values.imag, n)


def _optimise_new(graph: _LayoutGraph, positions: Positions) -> Positions:
    """Optimise a first map, with stronger attraction while its overall shape forms."""
    attraction, repulsion = _Attraction(graph), Repulsion()
    velocity = np.zeros_like(positions)
    for step in range(EARLY_EXAGGERATION_STEPS + FINAL_STEPS):
        exaggeration, drag = (EARLY_EXAGGERATION, 0.5) if step < EARLY_EXAGGERATION_STEPS else (1.0, 0.8)
        force = exaggeration * attraction(positions) + repulsion(positions)
        velocity = _clip_steps(drag * velocity + len(positions) / exaggeration * force)
        positions = positions + velocity
    return positions


def _optimise_from_former(
    graph: _LayoutGraph, former: Positions, is_anchored: NDArray[np.bool_], seed: int, steps: int
) -> Positions:
    """Optimise a map from former positions, with anchored rows tied to theirs.

    Other rows start near their theme or their neighbours.
    """
    attraction, repulsion = _Attraction(graph), Repulsion()
    n = len(former)
    start = _fill_from_neighbours(graph.index, np.where(is_anchored, former, _theme_medians(graph.labels, former)))
    start -= start[is_anchored].mean()
    start *= _balanced_scale(start, attraction, repulsion)
    anchor_weight = np.where(is_anchored, ANCHOR_PULL / n, 0)
    positions = start + np.where(is_anchored, 0, 1) * _jitter(n, seed)
    velocity = np.zeros_like(positions)
    for _ in range(steps):
        force = attraction(positions) + repulsion(positions) + anchor_weight * (start - positions)
        velocity = _clip_steps(0.8 * velocity + n * force)
        positions = positions + velocity
    return positions


def _find_anchored_rows(labels: NDArray[np.int32], former: Positions) -> NDArray[np.bool_]:
    """Return a mask (n,) of rows to anchor.

    These are the rows with a former position, except those whose theme is now elsewhere.
    """
    distance = np.abs(former - _theme_medians(labels, former))
    return ~np.isnan(former) & ~(distance > MAX_ANCHOR_SPREADS * _theme_spreads(labels, distance))


def _theme_medians(labels: NDArray[np.int32], former: Positions) -> Positions:
    """Return the median former position of each row's theme, (n,); NaN if there is none."""
    medians = np.full(len(labels), np.nan + 0j)
    for rows in _rows_by_theme(labels):
        known_positions = former[rows[~np.isnan(former[rows])]]
        if known_positions.size:
            medians[rows] = np.median(known_positions.real) + 1j * np.median(known_positions.imag)
    return medians


def _theme_spreads(labels: NDArray[np.int32], distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the median distance within each row's theme, (n,), without NaN; infinite for rows without a theme."""
    spread = np.full(len(labels), np.inf)
    for rows in _rows_by_theme(labels):
        known_distances = distance[rows][~np.isnan(distance[rows])]
        if known_distances.size:
            spread[rows] = np.median(known_distances)
    return spread


def _rows_by_theme(labels: NDArray[np.int32]) -> list[NDArray[np.int64]]:
    """Return the rows of each theme, by label."""
    order = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[order], np.arange(int(labels.max()) + 2))
    return [order[start:end] for start, end in itertools.pairwise(starts.tolist())]


def _balanced_scale(positions: Positions, attraction: _Attraction, repulsion: Repulsion) -> float:
    """Return the scale at which attraction and repulsion of the positions balance.

    It is the first such size, from small to large. At large sizes hardly any two rows are near, and only the error of
    the grid would decide.
    """
    sizes = [MIN_MAP_SIZE / (float(np.abs(positions).max()) + 1e-12)]
    for _ in range(MAX_SIZE_STEPS):
        sizes.append(sizes[-1] * SIZE_FACTOR)

    def is_balanced(size: float) -> bool:
        scaled = size * positions
        return float((scaled.conj() * (attraction(scaled) + repulsion(scaled))).real.sum()) <= 0

    first = next((i for i in range(0, MAX_SIZE_STEPS, SIZE_STRIDE) if is_balanced(sizes[i])), MAX_SIZE_STEPS)
    return next((size for size in sizes[max(0, first - SIZE_STRIDE + 1) : first] if is_balanced(size)), sizes[first])


def _clip_steps(velocity: Positions) -> Positions:
    return velocity * np.minimum(1, MAX_STEP / (np.abs(velocity) + 1e-12))


def _normalise_positions(positions: Positions) -> Positions:
    """Rotate positions so that the longer side is horizontal, and scale them to -1..1."""
    positions = positions - positions.mean()
    positions = positions * np.exp(-0.5j * np.angle((positions**2).sum()))
    centre = (_midpoint(positions.real) + 1j * _midpoint(positions.imag)) if len(positions) else 0
    positions = positions - centre
    return positions / (float(max(np.abs(positions.real).max(), np.abs(positions.imag).max())) + 1e-12)


def _midpoint(values: NDArray[np.float64]) -> float:
    return (float(values.min()) + float(values.max())) / 2


def _align_to_former(positions: Positions, former: Positions, is_anchored: NDArray[np.bool_]) -> Positions:
    """Rotate, scale and shift positions to the best fit with the former map."""
    centre, former_centre = positions[is_anchored].mean(), former[is_anchored].mean()
    offset = positions[is_anchored] - centre
    rotation = (offset.conj() * (former[is_anchored] - former_centre)).sum() / (
        float((np.abs(offset) ** 2).sum()) + 1e-12
    )
    return (positions - centre) * rotation + former_centre


def _compute_sampled_layout(
    neighbours: Neighbours, labels: NDArray[np.int32], centroids: Vectors, former: Positions, seed: int, steps: int
) -> Positions:
    """Lay out a sample and position the other rows near their neighbours.

    Only neighbours of the same theme count. Outliers are positioned near any neighbours. Rows outside the sample keep a
    former position.
    """
    n = len(labels)
    sample = np.sort(np.random.default_rng(seed).choice(n, MAX_ROWS, replace=False))
    representative = _nearest_sampled_rows(sample, neighbours.index)
    graph = _LayoutGraph(representative[neighbours.index[sample]], labels[sample])
    positions = former.copy()
    positions[sample] = _compute_full_layout(graph, centroids, former[sample], seed, steps)
    is_usable = (labels[neighbours.index] == labels[:, None]) | (labels == OUTLIER)[:, None]
    positions = _propagate_positions(
        np.where(is_usable, neighbours.index, np.arange(n, dtype=np.int32)[:, None]), positions
    )
    positions = np.where(np.isnan(positions), _theme_medians(labels, positions), positions)
    return _fill_from_neighbours(neighbours.index, positions)


def _nearest_sampled_rows(sample: NDArray[np.int64], index: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the nearest sampled row of each row, as its position in the sample, (n,).

    A sampled row represents itself.
    """
    representative = np.full(len(index), -1, np.int32)
    representative[sample] = np.arange(len(sample), dtype=np.int32)
    while (missing := np.flatnonzero(representative < 0)).size:
        neighbour_representatives = representative[index[missing]]
        first = (neighbour_representatives >= 0).argmax(axis=1)
        nearest = neighbour_representatives[np.arange(len(missing)), first]
        if not (nearest >= 0).any():
            representative[missing] = missing % len(sample)
            break
        representative[missing] = nearest
    return representative


def _load_sparse() -> Any:
    from scipy import sparse

    return sparse
