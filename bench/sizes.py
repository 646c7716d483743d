"""Small networks and strangers (target 3): no blob, no theme for every few rows, nothing made of nothing."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.cells import BenchCell, CellJob
from bench.corpora import ARXIV_NAME, ARXIV_ROWS
from bench.method_runs import load_cell
from bench.methods import PATTERNMIND

CORPORA = ("banking77", "complaints", "bills", "lessons")
SIZES = (50, 100, 300, 1000)
N_DRAWS = 10
STRANGERS_VARIANT = "strangers"
N_STRANGERS = 100


def cells(methods: Sequence[str], n: int) -> list[BenchCell]:
    del n  # the sizes are what is measured
    sizes = [
        BenchCell(part="sizes", method=method, corpus=corpus, variant=str(size))
        for corpus in CORPORA
        for size in SIZES
        for method in methods
    ]
    return [
        *sizes,
        BenchCell(part="sizes", method=PATTERNMIND, corpus=ARXIV_NAME, n=ARXIV_ROWS, variant=STRANGERS_VARIANT),
    ]


def measure(job: CellJob, started: float) -> dict[str, Any]:
    del started
    if job.cell.variant == STRANGERS_VARIANT:
        return _measure_strangers(job)
    from bench.quality import build_grouping, measure_shape

    loaded, size = load_cell(job), int(job.cell.variant)
    n = len(loaded.method_input.vectors)
    shapes: list[dict[str, float]] = []
    for draw in range(N_DRAWS):
        rows = np.sort(np.random.default_rng([size, draw]).permutation(n)[:size])
        one = loaded.method_input.rows(rows)
        shapes.append(measure_shape(build_grouping(loaded.method.fit(one).labels, one.vectors)))
    return {"n": min(n, size)} | {name: [one[name] for one in shapes] for name in shapes[0]}


def _measure_strangers(job: CellJob) -> dict[str, Any]:
    """One row each of as many categories as rows: nothing recurs, and the answer should say so."""
    from bench.patternmind_clustering import cluster_timed

    loaded = load_cell(job)
    found = [
        cluster_timed(loaded.method_input.vectors[draw_one_per_label(loaded.rows.labels, draw)])
        for draw in range(N_DRAWS)
    ]
    return {
        "n": N_STRANGERS,
        "k": [int(one.labels.max()) + 1 for one in found],
        "outlier_share": [float((one.labels < 0).mean()) for one in found],
        "all_tentative": [bool(one.tentative.all()) for one in found],
    }


def draw_one_per_label(labels: Sequence[str | None], draw: int) -> NDArray[np.intp]:
    """A random row each of ``N_STRANGERS`` random labels, ascending."""
    rng = np.random.default_rng([N_STRANGERS, draw])
    order = rng.permutation(len(labels))
    first: dict[str, int] = {}
    for row in order:
        if (label := labels[int(row)]) is not None:
            first.setdefault(label, int(row))
    chosen = rng.permutation(sorted(first.values()))[:N_STRANGERS]
    return np.sort(chosen)
