"""Planted outliers (target 4): rank by the outlier score, compared with a plain baseline.

Planted rows are kept apart: no planted row is among the 15 nearest rows of another one. Otherwise they could look like
members of a theme. Both kinds of planting follow the issue.
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
"""Number of single rows, as many as the other planting has; about 3 % of lessons."""

MAX_TRIES = 4_000
INTENTS_PLANTED = "rows of emptied intents"
STRANGERS_PLANTED = "rows of other corpora"
STRANGER_SOURCES = ("bills", "complaints", ARXIV_NAME)


def cells(methods: Sequence[str], n: int) -> list[BenchCell]:
    del methods, n  # only our method has a score; the baseline is part of the cell
    return [
        BenchCell(part="outliers", method=PATTERNMIND, corpus="banking77", variant=INTENTS_PLANTED),
        BenchCell(part="outliers", method=PATTERNMIND, corpus="lessons", variant=STRANGERS_PLANTED),
    ]


def extra_corpora(cell: BenchCell) -> dict[str, int]:
    """Return the additional corpora of a cell, with their number of rows."""
    if cell.variant == STRANGERS_PLANTED:
        return {name: ARXIV_ROWS if name == ARXIV_NAME else 0 for name in STRANGER_SOURCES}
    return {}


def measure(job: CellJob, started: float) -> dict[str, Any]:
    del started
    from bench.patternmind_clustering import cluster_timed
    from bench.quality import auroc

    scores: list[float | None] = []
    baseline_scores: list[float | None] = []
    n_planted: list[int] = []
    planted_by_source: list[list[int]] = []
    for vectors, is_planted, counts in _plantings(job):
        result = cluster_timed(vectors, resample=False)
        closest = find_nearest_neighbours(vectors, N_CLOSEST).similarity.mean(axis=1)
        scores.append(auroc(result.outlier_score, is_planted))
        baseline_scores.append(auroc(-closest, is_planted))
        n_planted.append(int(is_planted.sum()))
        planted_by_source.append(counts)
    return {"score": scores, "baseline": baseline_scores, "n_planted": n_planted, "planted_of": planted_by_source}


def _plantings(job: CellJob) -> Iterator[tuple[Vectors, NDArray[np.bool_], list[int]]]:
    """Yield per draw all vectors, a mask of planted rows, and their number per source."""
    loaded = load_cell(job)
    if job.cell.variant == INTENTS_PLANTED:
        labels = np.asarray([label or "" for label in loaded.rows.labels])
        for draw in range(N_DRAWS):
            rows, background = plant_pairs(loaded.method_input.vectors, labels, np.random.default_rng([17, draw]))
            chosen = np.sort(np.concatenate([rows, background]))
            yield loaded.method_input.vectors[chosen], np.isin(chosen, rows), [len(rows)]
        return
    pools = [load_cell(replace(job, cell=replace(job.cell, n=n)), name) for name, n in extra_corpora(job.cell).items()]
    sizes = [len(pool.method_input.vectors) for pool in pools]
    pool = np.concatenate([corpus_pool.method_input.vectors for corpus_pool in pools])
    source = np.repeat(np.arange(len(pools)), sizes)
    base = loaded.method_input.vectors
    for draw in range(N_DRAWS):
        rows = plant_singles(base, pool, source, np.random.default_rng([34, draw]))
        # shuffled among the others, as by case id: at the end of the file, ties would favour one side
        order = np.random.default_rng([35, draw]).permutation(len(base) + len(rows))
        counts = np.bincount(source[rows], minlength=len(pools)).tolist()
        yield np.concatenate([base, pool[rows]])[order], (order >= len(base)), counts


def plant_pairs(
    vectors: Vectors, labels: NDArray[np.str_], rng: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Plant two rows each of ``N_INTENTS`` random labels; return them and all rows of the other labels.

    If some label has no suitable pair, the labels are drawn again.
    """
    names = np.unique(labels)
    while True:
        removed_labels = rng.permutation(names)[:N_INTENTS]
        background = np.flatnonzero(~np.isin(labels, removed_labels))
        candidates = np.flatnonzero(np.isin(labels, removed_labels))
        planter = StrangerPlanter(vectors[candidates], vectors[background])
        if all(_plant_pair(planter, np.flatnonzero(labels[candidates] == name), rng) for name in removed_labels):
            return candidates[planter.planted], background


def _plant_pair(planter: "StrangerPlanter", rows: NDArray[np.intp], rng: np.random.Generator) -> bool:
    return any(planter.plant([int(row) for row in rng.choice(rows, 2, replace=False)]) for _ in range(MAX_TRIES))


def plant_singles(base: Vectors, pool: Vectors, source: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.intp]:
    """Plant up to ``N_STRANGERS`` rows of the pool, each source with the same probability.

    There are fewer if no more rows are far enough apart.
    """
    of_source = [np.flatnonzero(source == source_number) for source_number in range(int(source.max()) + 1)]
    drawn = [int(rng.choice(of_source[int(rng.integers(len(of_source)))])) for _ in range(MAX_TRIES)]
    rows = np.asarray(list(dict.fromkeys(drawn)))
    planter = StrangerPlanter(pool[rows], base)
    for row in range(len(rows)):
        if len(planter.planted) < N_STRANGERS:
            planter.plant([row])
    return rows[planter.planted]


class StrangerPlanter:
    """Plants rows that are not among each other's nearest rows.

    Another planted row is among a row's ``N_NEAREST`` exactly if it is closer than the row's fifteenth background row:
    the closest of several such planted rows has at most fourteen rows before it.
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
        """Plant these rows together; return False and plant nothing if one is too close."""
        all_planted = [*self.planted, *rows]
        if len(set(all_planted)) < len(all_planted):
            return False
        new_rows = list(rows)
        similarity = cosine_similarity(self._candidates[new_rows], self._candidates[all_planted])
        similarity[np.arange(len(new_rows)), np.arange(len(self.planted), len(all_planted))] = -1
        reach = np.minimum(self._reach[new_rows][:, None], self._reach[all_planted][None, :])
        if (similarity > reach).any():
            return False
        self.planted = all_planted
        return True
