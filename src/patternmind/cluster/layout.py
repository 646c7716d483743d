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

from patternmind.cluster.neighbours import similarity
from patternmind.cluster.repulsion import Places, Repulsion
from patternmind.model.themes import OUTLIER, Neighbours, Vectors

INSIDE = 3.0
"""How much harder two neighbours of one theme pull than two of different themes: at 1 a third of the cases lie nearer
to the middle of another theme than to their own, at 8 neighbours inside a theme are no longer kept."""

HELD_TOGETHER = 0.05
"""Pull of a theme's middle on its cases beside that of their neighbours: brings home the last scattered pieces; six
times as much makes themes too dense to read."""

CALLED_HOME = 0.3
"""Further pull of the middle for each unit by which a case's neighbours draw it to other themes: so a case that a
person moved lies where it was moved to. At 0 a third of such cases do in a first map, at .1 half, at .3 all."""

GATHER_STEPS, GATHER = 80, 12.0
"""First steps, with every pull so many times stronger, in which the large shape settles."""

SETTLE_STEPS = 220
WARM_STEPS = 100
QUICK_STEPS = 30
"""Enough where nearly every case was on the last map and few new ones have to find their place among them."""


ANCHOR = 0.03
"""Pull of a case's former place beside that of its neighbours."""

STRAYED = 2.5
"""Middle distances from its theme's middle at which a former place no longer holds a case: its theme has changed."""

SMALLEST_MAP, BLOWN_BY, MOST_BLOWN = 1.0, 1.1, 70
"""Sizes at which a former map is tried before it is moved on: 1 to 800 units from its middle to its edge."""

MOST_ROWS = 120_000
"""Above, so many rows are laid out and the rest placed among their neighbours."""

MOST_THEMES = 2_000
"""Themes that are placed before their cases, largest first; the rest find their places through their neighbours."""

STRIDE = 4
"""Sizes tried at first are so far apart; those between are tried before the first that will do."""

FARTHEST_STEP = 5.0


def lay_out(
    neighbours: Neighbours,
    labels: NDArray[np.int32],
    centres: Vectors,
    *,
    former: NDArray[np.float32] | None = None,
    seed: int = 0,
    steps: int = WARM_STEPS,
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
    known = _as_places(former, n)
    if n > MOST_ROWS:
        places = _lay_out_sample(neighbours, labels, centres, known, seed, steps)
    else:
        places = _lay_out_all(_Graph(neighbours.index, labels), centres, known, seed, steps)
    return np.round(np.stack([places.real, places.imag], axis=1), 5).astype(np.float32)


def _as_places(former: NDArray[np.float32] | None, n: int) -> Places:
    if former is None:
        return np.full(n, np.nan + 0j)
    return former[:, 0].astype(np.float64) + 1j * former[:, 1].astype(np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class _Graph:
    """``index`` (n, k) neighbours, repeats and the row itself allowed; ``labels`` (n,)."""

    index: NDArray[np.int32]
    labels: NDArray[np.int32]


def _lay_out_all(graph: _Graph, centres: Vectors, former: Places, seed: int, steps: int) -> Places:
    if np.isnan(former).sum() > len(former) - 3:
        return _fit(_settle(graph, _first_places(graph, centres, seed)))
    held = _still_at_home(graph.labels, former)
    return _align(_resettle(graph, former, held, seed, steps), former, held)


def _first_places(graph: _Graph, centres: Vectors, seed: int) -> Places:
    """Every case near the place of its theme, and cases without one near their neighbours; small and jittered."""
    n = len(graph.labels)
    of_theme = _theme_places(centres[:MOST_THEMES])
    placed = (graph.labels != OUTLIER) & (graph.labels < len(of_theme))
    places = np.full(n, np.nan + 0j)
    places[placed] = of_theme[graph.labels[placed]]
    places = _beside_neighbours(graph.index, places) + _jitter(n, seed)
    for _ in range(10 if graph.index.shape[1] else 0):
        places = (places + places[graph.index].mean(axis=1)) / 2
    places -= places.mean()
    return 0.1 * places / (np.sqrt((np.abs(places) ** 2).mean()) + 1e-12)


def _theme_places(centres: Vectors) -> Places:
    """Places of themes, farthest 1 from the middle: the two widest directions of their similarity, by power iteration.

    Not by LAPACK: its last bits depend on the number of threads.
    """
    k = len(centres)
    if k < 2:
        return np.zeros(k, np.complex128)
    distance = 1 - similarity(centres, centres).astype(np.float64)
    inner = distance.mean(axis=0) + distance.mean(axis=1)[:, None] - distance.mean() - distance
    axes = np.random.default_rng(0).standard_normal((k, 2))
    for _ in range(200):
        axes = np.einsum("ij,ja->ia", inner, axes)
        axes[:, 0] /= np.sqrt((axes[:, 0] ** 2).sum()) + 1e-12
        axes[:, 1] -= axes[:, 0] * (axes[:, 0] * axes[:, 1]).sum()
        axes[:, 1] /= np.sqrt((axes[:, 1] ** 2).sum()) + 1e-12
    places = axes[:, 0] + 1j * axes[:, 1]
    return places / (np.abs(places).max() + 1e-12)


def _jitter(n: int, seed: int) -> Places:
    """Parts rows that would start in one place, for two rows in one place never leave it."""
    drawn = np.random.default_rng(seed).standard_normal((n, 2))
    return 0.1 * (drawn[:, 0] + 1j * drawn[:, 1])


def _beside_neighbours(index: NDArray[np.int32], places: Places) -> Places:
    """Rows without a place (NaN) put at the mean of their neighbours that have one; at the middle where none leads."""
    places = _reach(index, places)
    missing = np.isnan(places)
    places[missing] = 0 if missing.all() else places[~missing].mean()
    return places


def _reach(index: NDArray[np.int32], places: Places) -> Places:
    """Rows without a place put at the mean of their neighbours that have one, until no more can be."""
    places = places.copy()
    while (missing := np.flatnonzero(np.isnan(places))).size:
        around = places[index[missing]]
        seen = ~np.isnan(around)
        found = seen.any(axis=1)
        if not found.any():
            break
        places[missing[found]] = np.where(seen, around, 0).sum(axis=1)[found] / seen.sum(axis=1)[found]
    return places


class _Pull:
    """How neighbours, and the middles of themes, draw rows together; weights over all rows sum to 1."""

    def __init__(self, graph: _Graph) -> None:
        matrices = _sparse()
        n, k = graph.index.shape
        rows = np.indices((n, k))[0].ravel()
        directed = matrices.csr_matrix((np.ones(n * k), (rows, graph.index.ravel())), shape=(n, n))
        upper = matrices.triu(directed + directed.T, k=1).tocoo()
        self.n, self.left, self.right = n, upper.row, upper.col
        labels = graph.labels
        inside = (labels[self.left] == labels[self.right]) & (labels[self.left] != OUTLIER)
        weight = np.where(inside, INSIDE, 1.0) * upper.data
        self.weight = weight / max(2 * float(weight.sum()), 1)
        self.member = np.flatnonzero(labels != OUTLIER)
        self.label = labels[self.member]
        self.size = np.maximum(np.bincount(self.label), 1)
        outward = np.where(inside, 0, self.weight)
        away = np.bincount(self.left, outward, n) + np.bincount(self.right, outward, n)
        self.homeward = HELD_TOGETHER / n + CALLED_HOME * away[self.member]

    def __call__(self, places: Places) -> Places:
        """The pull on every row, (n,)."""
        apart = places[self.right] - places[self.left]
        apart *= self.weight / (1 + apart.real**2 + apart.imag**2)
        pull = _sums(self.left, apart, self.n) - _sums(self.right, apart, self.n)
        if self.member.size:
            middle = _sums(self.label, places[self.member], len(self.size)) / self.size
            home = middle[self.label] - places[self.member]
            pull[self.member] += self.homeward * home / (1 + np.abs(home))
        return pull


def _sums(group: NDArray[Any], values: Places, n: int) -> Places:
    return np.bincount(group, values.real, n) + 1j * np.bincount(group, values.imag, n)


def _settle(graph: _Graph, places: Places) -> Places:
    """From first places to a map: a strong pull while the large shape forms, then the plain one."""
    pull, push = _Pull(graph), Repulsion()
    moving = np.zeros_like(places)
    for step in range(GATHER_STEPS + SETTLE_STEPS):
        strength, drag = (GATHER, 0.5) if step < GATHER_STEPS else (1.0, 0.8)
        force = strength * pull(places) + push(places)
        moving = _slowed(drag * moving + len(places) / strength * force)
        places = places + moving
    return places


def _resettle(graph: _Graph, former: Places, held: NDArray[np.bool_], seed: int, steps: int) -> Places:
    """New and strayed rows put beside their own, then all at rest again, the held ones tied to where they were."""
    pull, push = _Pull(graph), Repulsion()
    n = len(former)
    start = _beside_neighbours(graph.index, np.where(held, former, _homes(graph.labels, former)))
    start -= start[held].mean()
    start *= _balance(start, pull, push)
    tied = np.where(held, ANCHOR / n, 0)
    places = start + np.where(held, 0, 1) * _jitter(n, seed)
    moving = np.zeros_like(places)
    for _ in range(steps):
        force = pull(places) + push(places) + tied * (start - places)
        moving = _slowed(0.8 * moving + n * force)
        places = places + moving
    return places


def _still_at_home(labels: NDArray[np.int32], former: Places) -> NDArray[np.bool_]:
    """Rows that a former place still holds: all that had one, but for those whose theme now lies elsewhere."""
    distance = np.abs(former - _homes(labels, former))
    return ~np.isnan(former) & ~(distance > STRAYED * _spread_of(labels, distance))


def _homes(labels: NDArray[np.int32], former: Places) -> Places:
    """The middle of each row's theme in the former map, by the median of its rows; NaN where there is none."""
    homes = np.full(len(labels), np.nan + 0j)
    for rows in _themes(labels):
        there = former[rows[~np.isnan(former[rows])]]
        if there.size:
            homes[rows] = np.median(there.real) + 1j * np.median(there.imag)
    return homes


def _spread_of(labels: NDArray[np.int32], distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """The median distance within each row's theme, NaN left out; infinite for rows without a theme."""
    spread = np.full(len(labels), np.inf)
    for rows in _themes(labels):
        known = distance[rows][~np.isnan(distance[rows])]
        if known.size:
            spread[rows] = np.median(known)
    return spread


def _themes(labels: NDArray[np.int32]) -> list[NDArray[np.int64]]:
    """The rows of each theme, by label."""
    order = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[order], np.arange(int(labels.max()) + 2))
    return [order[start:end] for start, end in itertools.pairwise(starts.tolist())]


def _balance(places: Places, pull: _Pull, push: Repulsion) -> float:
    """How far to blow places up so that, all in all, they are neither drawn together nor pushed apart.

    From small to large, to the first such size: where hardly any two rows are near, the grid's error alone decides.
    """
    sizes = [SMALLEST_MAP / (float(np.abs(places).max()) + 1e-12)]
    for _ in range(MOST_BLOWN):
        sizes.append(sizes[-1] * BLOWN_BY)

    def rests(size: float) -> bool:
        blown = size * places
        return float((blown.conj() * (pull(blown) + push(blown))).real.sum()) <= 0

    first = next((at for at in range(0, MOST_BLOWN, STRIDE) if rests(sizes[at])), MOST_BLOWN)
    return next((size for size in sizes[max(0, first - STRIDE + 1) : first] if rests(size)), sizes[first])


def _slowed(moving: Places) -> Places:
    return moving * np.minimum(1, FARTHEST_STEP / (np.abs(moving) + 1e-12))


def _fit(places: Places) -> Places:
    """Turned so that the longer side lies flat, and brought within -1..1."""
    places = places - places.mean()
    places = places * np.exp(-0.5j * np.angle((places**2).sum()))
    middle = (_mid(places.real) + 1j * _mid(places.imag)) if len(places) else 0
    places = places - middle
    return places / (float(max(np.abs(places.real).max(), np.abs(places.imag).max())) + 1e-12)


def _mid(values: NDArray[np.float64]) -> float:
    return (float(values.min()) + float(values.max())) / 2


def _align(places: Places, former: Places, held: NDArray[np.bool_]) -> Places:
    """Turned, scaled and shifted so that the rows of the former map lie as near to it as they can."""
    here, there = places[held].mean(), former[held].mean()
    away = places[held] - here
    turn = (away.conj() * (former[held] - there)).sum() / (float((np.abs(away) ** 2).sum()) + 1e-12)
    return (places - here) * turn + there


def _lay_out_sample(
    neighbours: Neighbours, labels: NDArray[np.int32], centres: Vectors, former: Places, seed: int, steps: int
) -> Places:
    """A sample laid out, the rest beside those of their neighbours of the same theme that were, outliers beside any.

    Who had a place keeps it.
    """
    n = len(labels)
    sample = np.sort(np.random.default_rng(seed).choice(n, MOST_ROWS, replace=False))
    stands_for = _nearest_of(sample, neighbours.index)
    graph = _Graph(stands_for[neighbours.index[sample]], labels[sample])
    places = former.copy()
    places[sample] = _lay_out_all(graph, centres, former[sample], seed, steps)
    kin = (labels[neighbours.index] == labels[:, None]) | (labels == OUTLIER)[:, None]
    places = _reach(np.where(kin, neighbours.index, np.arange(n, dtype=np.int32)[:, None]), places)
    places = np.where(np.isnan(places), _homes(labels, places), places)
    return _beside_neighbours(neighbours.index, places)


def _nearest_of(sample: NDArray[np.int64], index: NDArray[np.int32]) -> NDArray[np.int32]:
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


def _sparse() -> Any:
    from scipy import sparse

    return sparse


__all__ = ["lay_out"]
