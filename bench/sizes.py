"""Small networks and unrelated rows (target 3): size and number of themes."""

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
    del n  # this part measures fixed sizes
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
        sample = loaded.method_input.rows(rows)
        shapes.append(measure_shape(build_grouping(loaded.method.fit(sample).labels, sample.vectors)))
    return {"n": min(n, size)} | {name: [sample[name] for sample in shapes] for name in shapes[0]}


def _measure_strangers(job: CellJob) -> dict[str, Any]:
    """Measure rows of different categories: nothing recurs, and the result must show it."""
    from bench.patternmind_clustering import cluster_timed

    loaded = load_cell(job)
    results = [
        cluster_timed(loaded.method_input.vectors[draw_one_per_label(loaded.rows.labels, draw)])
        for draw in range(N_DRAWS)
    ]
    return {
        "n": N_STRANGERS,
        "k": [int(result.labels.max()) + 1 for result in results],
        "outlier_share": [float((result.labels < 0).mean()) for result in results],
        "all_tentative": [bool(result.tentative.all()) for result in results],
    }


def draw_one_per_label(labels: Sequence[str | None], draw: int) -> NDArray[np.intp]:
    """Draw one random row each of ``N_STRANGERS`` random labels, in ascending order."""
    rng = np.random.default_rng([N_STRANGERS, draw])
    order = rng.permutation(len(labels))
    first: dict[str, int] = {}
    for row in order:
        if (label := labels[int(row)]) is not None:
            first.setdefault(label, int(row))
    chosen = rng.permutation(sorted(first.values()))[:N_STRANGERS]
    return np.sort(chosen)
