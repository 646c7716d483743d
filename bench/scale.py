"""Many rows (targets 8 and 9): time warm, memory, and how many of the true neighbours the search found."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bench.cells import BenchCell, CellJob
from bench.corpora import ARXIV_NAME, ARXIV_PAIRS
from bench.machine import peak_memory_gb
from bench.method_runs import fit_cold_and_warm, load_cell, to_python_numbers
from bench.methods import BERTOPIC, EVOC, PATTERNMIND
from patternmind.clustering.neighbours import find_nearest_neighbours
from patternmind.domain.themes import Neighbours, Vectors

SMALL, LARGE, MILLION = 100_000, 300_000, 1_000_000
N_PROBES = 1_000
LIMIT_SECONDS = 3 * 3600


def cells(methods: Sequence[str], n: int) -> list[BenchCell]:
    """Ours beside the peers on arXiv, then alone on one kind of vectors at every size, so that times compare.

    That kind is unit means of pairs of arXiv rows: a million of them can be made from what was embedded.
    ``n`` instead of the sizes is for trying.
    """
    plan = [(method, ARXIV_NAME, n or SMALL) for method in (PATTERNMIND, BERTOPIC, EVOC)]
    plan += [(PATTERNMIND, ARXIV_PAIRS, size) for size in ((n,) if n else (SMALL, LARGE, MILLION))]
    plan += [(PATTERNMIND, "banking77", n), (BERTOPIC, "banking77", n)]
    return [
        BenchCell(part="scale", method=method, corpus=corpus, n=size, limit_seconds=LIMIT_SECONDS)
        for method, corpus, size in plan
        if method in methods
    ]


def measure(job: CellJob, started: float) -> dict[str, Any]:
    loaded = load_cell(job)
    if job.cell.method == PATTERNMIND:
        return _measure_ours(job, loaded.method_input.vectors, loaded.rows.labels)
    fit, values = fit_cold_and_warm(loaded, started)
    from bench.quality import build_grouping, measure_agreement, measure_shape

    grouping = build_grouping(fit.labels, loaded.method_input.vectors)
    return to_python_numbers(values | measure_shape(grouping) | measure_agreement(grouping, loaded.rows.labels))


def _measure_ours(job: CellJob, vectors: Vectors, labels: Sequence[str | None]) -> dict[str, Any]:
    """Warmed up on a few rows, not on all: at a million the second fit would only cost the same again."""
    from bench.patternmind_clustering import cluster_timed

    cluster_timed(vectors[:1_000])
    find_nearest_neighbours(
        vectors[:1_000], 15, max_exact_rows=0
    )  # many rows are searched by other code, which is compiled
    found = cluster_timed(vectors)
    peak = peak_memory_gb()

    from bench.quality import build_grouping, measure_agreement, measure_shape

    grouping = build_grouping(found.labels, vectors)
    agreement = {} if job.cell.corpus == ARXIV_PAIRS else measure_agreement(grouping, labels)
    return to_python_numbers(
        {
            "n": len(vectors),
            "warm_seconds": found.seconds["clustering"],
            "whole_seconds": found.seconds["whole"],
            "steps": found.seconds,
            "peak_gb": peak,
            "search_recall": search_recall(vectors, found.neighbours),
            "smallest_visible": found.smallest_visible,
        }
        | measure_shape(grouping)
        | agreement
    )


def search_recall(vectors: Vectors, neighbours: Neighbours) -> float:
    """Share of the true nearest rows that the search found, over random rows; a tie with the last true one counts."""
    n, k = neighbours.index.shape
    hits = total = 0
    for row in np.random.default_rng(0).permutation(n)[:N_PROBES]:
        cosine = vectors @ vectors[row]
        cosine[row] = -np.inf
        last = np.partition(cosine, n - k)[n - k]
        # the search may round its vectors; what it took for equal within the rounding is no miss
        hits += int((cosine[neighbours.index[row]] >= last - 3e-4).sum())
        total += k
    return hits / total
