"""Large networks (targets 8 and 9): warm time, memory and recall of the neighbour search."""

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
    """Return cells of all methods on arXiv, and cells of patternmind at every size.

    All sizes use one kind of vectors, which makes the times comparable: unit means of pairs of arXiv rows, of which a
    million can be made from the encoded rows. ``n`` replaces the sizes for a trial.
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
    """Measure after a warm-up on a few rows: at a million rows, a full first fit would only double the time."""
    from bench.patternmind_clustering import cluster_timed

    cluster_timed(vectors[:1_000])
    # the search of many rows uses other code, which is compiled on first use
    find_nearest_neighbours(vectors[:1_000], 15, max_exact_rows=0)
    result = cluster_timed(vectors)
    peak = peak_memory_gb()

    from bench.quality import build_grouping, measure_agreement, measure_shape

    grouping = build_grouping(result.labels, vectors)
    agreement = {} if job.cell.corpus == ARXIV_PAIRS else measure_agreement(grouping, labels)
    return to_python_numbers(
        {
            "n": len(vectors),
            "warm_seconds": result.seconds["clustering"],
            "whole_seconds": result.seconds["whole"],
            "steps": result.seconds,
            "peak_gb": peak,
            "search_recall": search_recall(vectors, result.neighbours),
            "smallest_visible": result.smallest_visible,
        }
        | measure_shape(grouping)
        | agreement
    )


def search_recall(vectors: Vectors, neighbours: Neighbours) -> float:
    """Return the recall of the search over random rows; a tie with the last true neighbour counts."""
    n, k = neighbours.index.shape
    hits = total = 0
    for row in np.random.default_rng(0).permutation(n)[:N_PROBES]:
        cosine = vectors @ vectors[row]
        cosine[row] = -np.inf
        last_similarity = np.partition(cosine, n - k)[n - k]
        # the search may round its vectors, so a neighbour within the rounding is correct
        hits += int((cosine[neighbours.index[row]] >= last_similarity - 3e-4).sum())
        total += k
    return hits / total
