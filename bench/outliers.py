"""Planted strangers (target 4): does the outlier score put them above the rest, and better than the plain baseline?

A planting keeps strangers apart: none is among another's 15 nearest rows of the whole, so that none can look at home
because of the others. Both plantings are of the issue's words.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.cells import BenchCell, CellJob
from bench.corpora import ARXIV_NAME, ARXIV_ROWS
from bench.method_runs import load_cell
from bench.methods import PATTERNMIND
from patternmind.clustering.neighbours import cosine_similarity, find_nearest_neighbours
from patternmind.domain.themes import Vectors

N_DRAWS = 10
N_INTENTS = 17
N_NEAREST = 15
N_CLOSEST = 5
N_STRANGERS = 34
"""As many single rows as the other planting has; about 3 % of lessons."""

MAX_TRIES = 4_000
INTENTS_PLANTED = "rows of emptied intents"
STRANGERS_PLANTED = "rows of other corpora"
STRANGER_SOURCES = ("bills", "complaints", ARXIV_NAME)


def cells(methods: Sequence[str], n: int) -> list[BenchCell]:
    del methods, n  # only our score is one; the baseline stands beside it
    return [
        BenchCell(part="outliers", method=PATTERNMIND, corpus="banking77", variant=INTENTS_PLANTED),
        BenchCell(part="outliers", method=PATTERNMIND, corpus="lessons", variant=STRANGERS_PLANTED),
    ]


def extra_corpora(cell: BenchCell) -> dict[str, int]:
    """What a cell reads beside its own corpus, with the number of rows."""
    if cell.variant == STRANGERS_PLANTED:
        return {name: ARXIV_ROWS if name == ARXIV_NAME else 0 for name in STRANGER_SOURCES}
    return {}


def measure(job: CellJob, started: float) -> dict[str, Any]:
    del started
    from bench.patternmind_clustering import cluster_timed
    from bench.quality import auroc

    ours: list[float | None] = []
    plain: list[float | None] = []
    planted: list[int] = []
    of: list[list[int]] = []
    for vectors, is_planted, counts in _plantings(job):
        found = cluster_timed(vectors, resample=False)
        closest = find_nearest_neighbours(vectors, N_CLOSEST).similarity.mean(axis=1)
        ours.append(auroc(found.outlier_score, is_planted))
        plain.append(auroc(-closest, is_planted))
        planted.append(int(is_planted.sum()))
        of.append(counts)
    return {"score": ours, "baseline": plain, "n_planted": planted, "planted_of": of}


def _plantings(job: CellJob) -> Iterator[tuple[Vectors, NDArray[np.bool_], list[int]]]:
    """Each draw: all vectors, which rows are strangers, and how many of them come from each source."""
    loaded = load_cell(job)
    if job.cell.variant == INTENTS_PLANTED:
        labels = np.asarray([label or "" for label in loaded.rows.labels])
        for draw in range(N_DRAWS):
            rows, kept = plant_pairs(loaded.method_input.vectors, labels, np.random.default_rng([17, draw]))
            chosen = np.sort(np.concatenate([rows, kept]))
            yield loaded.method_input.vectors[chosen], np.isin(chosen, rows), [len(rows)]
        return
    pools = [load_cell(replace(job, cell=replace(job.cell, n=n)), name) for name, n in extra_corpora(job.cell).items()]
    sizes = [len(pool.method_input.vectors) for pool in pools]
    pool = np.concatenate([one.method_input.vectors for one in pools])
    source = np.repeat(np.arange(len(pools)), sizes)
    base = loaded.method_input.vectors
    for draw in range(N_DRAWS):
        rows = plant_singles(base, pool, source, np.random.default_rng([34, draw]))
        # among the others, as a case id would place them: at the end of the file ties would favour one side
        order = np.random.default_rng([35, draw]).permutation(len(base) + len(rows))
        counts = np.bincount(source[rows], minlength=len(pools)).tolist()
        yield np.concatenate([base, pool[rows]])[order], (order >= len(base)), counts


def plant_pairs(
    vectors: Vectors, labels: NDArray[np.str_], rng: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Two rows each of ``INTENTS`` random labels, and every row of the labels that are left.

    A choice of labels in which no such pairs are found is drawn anew.
    """
    names = np.unique(labels)
    while True:
        emptied = rng.permutation(names)[:N_INTENTS]
        kept = np.flatnonzero(~np.isin(labels, emptied))
        candidates = np.flatnonzero(np.isin(labels, emptied))
        apart = StrangerPlanter(vectors[candidates], vectors[kept])
        if all(_plant_pair(apart, np.flatnonzero(labels[candidates] == name), rng) for name in emptied):
            return candidates[apart.planted], kept


def _plant_pair(planter: "StrangerPlanter", rows: NDArray[np.intp], rng: np.random.Generator) -> bool:
    return any(planter.plant([int(row) for row in rng.choice(rows, 2, replace=False)]) for _ in range(MAX_TRIES))


def plant_singles(base: Vectors, pool: Vectors, source: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.intp]:
    """Up to ``N_STRANGERS`` rows of the pool, each source as likely as the others; fewer where no more lie apart."""
    of_source = [np.flatnonzero(source == one) for one in range(int(source.max()) + 1)]
    tried = [int(rng.choice(of_source[int(rng.integers(len(of_source)))])) for _ in range(MAX_TRIES)]
    rows = np.asarray(list(dict.fromkeys(tried)))
    apart = StrangerPlanter(pool[rows], base)
    for row in range(len(rows)):
        if len(apart.planted) < N_STRANGERS:
            apart.plant([row])
    return rows[apart.planted]


class StrangerPlanter:
    """Rows planted one by one, each refused that would be among the ``NEAREST`` of a planted row, or have one there.

    Another stranger is among a row's nearest exactly if it is closer than the row's fifteenth of the background: the
    closest of several such strangers has at most fourteen rows before it.
    """

    def __init__(self, candidates: Vectors, background: Vectors) -> None:
        self.planted: list[int] = []
        self._candidates = candidates
        self._reach = np.concatenate(
            [
                np.partition(cosine_similarity(candidates[start : start + 500], background), -N_NEAREST, axis=1)[
                    :, -N_NEAREST
                ]
                for start in range(0, len(candidates), 500)
            ]
        )

    def plant(self, rows: Sequence[int]) -> bool:
        """Plant all of these rows or none."""
        together = [*self.planted, *rows]
        if len(set(together)) < len(together):
            return False
        new = list(rows)
        between = cosine_similarity(self._candidates[new], self._candidates[together])
        between[np.arange(len(new)), np.arange(len(self.planted), len(together))] = -1
        reach = np.minimum(self._reach[new][:, None], self._reach[together][None, :])
        if (between > reach).any():
            return False
        self.planted = together
        return True
