"""A warm start: the fits of the last run, extended to the rows that are new since, instead of fits made anew.

What takes the time is making the fits; what is judged from them is the same code as in a full run. So that a theme
born among the new rows is seen at once, they may form communities of their own in every fit, and do so where they are
tied more to each other than to any community there was. Figures: docs/decisions/0013.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from patternmind.cluster.graph import EDGES_KEPT, Edges, louvain, neighbour_edges
from patternmind.cluster.resampling import NOT_DRAWN, SHARE
from patternmind.cluster.update import GONE, update_neighbours
from patternmind.model.fits import Fits, KeptFits
from patternmind.model.themes import OUTLIER, Neighbours, Vectors

FEWEST_ROWS = 1000
"""Below, a full fit costs seconds, and a few new cases change much of what there is."""

MOST_DRIFT = 0.05
"""Share of the rows that may have come, gone or changed since all fits were made. Old communities can grow and shrink
and new ones join them, but an old one cannot fall apart: that is for the next full fit to see."""

AMONG_NEW = 1.0
"""Resolution at which the new rows alone are grouped: a group only has to be one that could stand by itself."""

ROUNDS = 5
"""New rows that are tied to other new rows follow those; chains are short, for few ties are among new rows."""

UNPLACED = -3


@dataclass(frozen=True, slots=True, eq=False)
class WarmStart:
    """What a run goes on with: neighbours and fits of the rows as they are now, of which ``n_new`` are new."""

    neighbours: Neighbours
    fits: Fits
    n_new: int


def mark_rows(case_ids: Sequence[str], vectors: Vectors) -> NDArray[np.uint64]:
    """A digest of each case's id and one of its vector, (n, 2): enough to see whether a row is the one it was."""
    said = [_digest(case_id.encode("utf-8", "surrogatepass")) for case_id in case_ids]
    seen = [_digest(row.tobytes()) for row in np.ascontiguousarray(vectors)]
    return np.array([said, seen], np.uint64).T.reshape(-1, 2)


def start_warm(kept: KeptFits, vectors: Vectors, marks: NDArray[np.uint64], *, seed: int) -> WarmStart | None:
    """The fits of an earlier run brought up to date; None where the rows are too few, or too much has changed.

    Args:
        marks: (n, 2) of the rows as they are now, by rising case id as those before were.
    """
    n = len(marks)
    if n < FEWEST_ROWS or count_drift(kept.first, marks) > MOST_DRIFT * n:
        return None
    now = _where_now(kept.marks, marks)
    neighbours = update_neighbours(kept.neighbours, vectors, now, k=kept.neighbours.index.shape[1])
    fits = extend_fits(kept.fits, neighbour_edges(neighbours), now, seed=seed)
    return WarmStart(neighbours, fits, n - int((now != GONE).sum()))


def count_drift(first: NDArray[np.uint64], marks: NDArray[np.uint64]) -> int:
    """How many cases have come, gone or changed their vector between two sets of marks."""
    before, after = dict(first.tolist()), dict(marks.tolist())
    changed = sum(before[case] != vector for case, vector in after.items() if case in before)
    return len(before.keys() ^ after.keys()) + changed


def extend_fits(old: Fits, edges: Edges, now: NDArray[np.int32], *, seed: int) -> Fits:
    """Every fit with the rows that are gone left out and the new ones put where it would have them.

    Like any fit, each sees its own random part of the edges, or of the rows.

    Args:
        edges: of all rows as they are now.
        now: (n_old,) where each earlier row is now, or ``GONE``.
    """
    rng = np.random.default_rng([seed, edges.n])
    ties = _ties_of_new(edges, now)
    parts = np.full((len(old.parts), edges.n), UNPLACED, np.int32)
    for fit, labels in enumerate(parts):
        _carry_over(labels, old.parts[fit], now)
        _place(labels, ties, rng.random(len(ties.weight)) < EDGES_KEPT, seed + fit)
    samples = np.full((len(old.samples), edges.n), UNPLACED, np.int32)
    for fit, labels in enumerate(samples):
        labels[ties.new] = np.where(rng.random(len(ties.new)) < SHARE, UNPLACED, NOT_DRAWN)
        _carry_over(labels, old.samples[fit], now)
        _place(labels, ties, np.ones(len(ties.weight), np.bool_), seed + fit)
    return Fits(parts, samples)


def _digest(said: bytes) -> int:
    return int.from_bytes(blake2b(said, digest_size=8).digest(), "little")


def _where_now(before: NDArray[np.uint64], marks: NDArray[np.uint64]) -> NDArray[np.int32]:
    """The row of each earlier row, (n_old,), ``GONE`` where the case is gone or has another vector."""
    places = {(case, vector): row for row, (case, vector) in enumerate(marks.tolist())}
    return np.array([places.get((case, vector), GONE) for case, vector in before.tolist()], np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class _Ties:
    """The edges that touch a new row, those among new rows first.

    ``new`` are the new rows in rising order; ``inner`` the edges among them, as a graph of its own, and ``n_inner``
    their number.
    """

    new: NDArray[np.intp]
    inner: Edges
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    weight: NDArray[np.float64]


def _ties_of_new(edges: Edges, now: NDArray[np.int32]) -> _Ties:
    is_new = np.ones(edges.n, np.bool_)
    is_new[now[now != GONE]] = False
    n_ends = is_new[edges.left].astype(np.int8) + is_new[edges.right]
    touching = np.concatenate([np.flatnonzero(n_ends == 2), np.flatnonzero(n_ends == 1)])
    new = np.flatnonzero(is_new)
    return _Ties(new, edges.among(new), edges.left[touching], edges.right[touching], edges.weight[touching])


def _carry_over(labels: NDArray[np.int32], former: NDArray[np.int32], now: NDArray[np.int32]) -> None:
    stays = now != GONE
    labels[now[stays]] = former[stays]


def _place(labels: NDArray[np.int32], ties: _Ties, kept: NDArray[np.bool_], seed: int) -> None:
    """Give every unplaced row a community: one of new rows alone, or the one to which most of its weight leads."""
    seen = kept & (labels[ties.left] != NOT_DRAWN) & (labels[ties.right] != NOT_DRAWN)
    weight = np.where(seen, ties.weight, 0.0)
    drawn = labels[ties.new] == UNPLACED
    rows = ties.new[drawn]
    n_old = int(labels.max(initial=OUTLIER)) + 1
    alone = louvain(ties.inner, weight[: len(ties.inner.left)], AMONG_NEW, seed)
    group = np.unique(alone[drawn], return_inverse=True)[1]
    labels[rows] = n_old + group
    led = _led_to(labels, ties, weight, rows)
    by_group = np.zeros((int(group.max(initial=-1)) + 1, led.shape[1]))
    np.add.at(by_group, group, led)
    inside = by_group[np.arange(len(by_group)), n_old + 1 + np.arange(len(by_group))]
    stands = inside > by_group[:, : n_old + 1].max(axis=1, initial=0)
    _follow(labels, ties, weight, rows[~stands[group]])
    used = labels > OUTLIER
    labels[used] = np.unique(labels[used], return_inverse=True)[1]


def _follow(labels: NDArray[np.int32], ties: _Ties, weight: NDArray[np.float64], rows: NDArray[np.intp]) -> None:
    """Put each row where most of its weight leads; one that is tied to nothing placed stays by itself."""
    labels[rows] = UNPLACED
    for _ in range(ROUNDS):
        led = _led_to(labels, ties, weight, rows)
        found = np.where(led.max(axis=1, initial=0) > 0, led.argmax(axis=1) + OUTLIER, UNPLACED)
        if np.array_equal(found, labels[rows]):
            break
        labels[rows] = found
    lost = rows[labels[rows] == UNPLACED]
    labels[lost] = int(labels.max(initial=OUTLIER)) + 1 + np.arange(len(lost))


def _led_to(
    labels: NDArray[np.int32], ties: _Ties, weight: NDArray[np.float64], rows: NDArray[np.intp]
) -> NDArray[np.float64]:
    """The weight that leads from each of the rows to each label, (rows, k + 1), the first column to ``OUTLIER``."""
    width = int(labels.max(initial=OUTLIER)) + 2
    place = np.full(len(labels), -1, np.int64)
    place[rows] = np.arange(len(rows))
    row = place[np.concatenate([ties.left, ties.right])]
    label = labels[np.concatenate([ties.right, ties.left])]
    leads = (row >= 0) & (label >= OUTLIER)
    where = row[leads] * width + label[leads] - OUTLIER
    both = np.concatenate([weight, weight])[leads]
    return np.asarray(np.bincount(where, both, len(rows) * width), np.float64).reshape(len(rows), width)


__all__ = ["FEWEST_ROWS", "MOST_DRIFT", "WarmStart", "count_drift", "extend_fits", "mark_rows", "start_warm"]
