"""Many rows (targets 8 and 9): time warm, memory, and how many of the true neighbours the search found."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from bench.cells import Cell, Job
from bench.corpora import ARXIV_NAME, MIXED
from bench.fits import fit_cold_and_warm, load, plain
from bench.machine import peak_memory_gb
from bench.methods import BERTOPIC, EVOC, OURS
from patternmind.model.themes import Neighbours, Vectors

SIZES = (100_000, 300_000)
MILLION = 1_000_000
PROBES = 1_000
LIMIT_SECONDS = 3 * 3600


def cells(methods: Sequence[str], n: int) -> list[Cell]:
    """Ours at every size, the peers at the smallest. ``n`` instead of the sizes is for trying."""
    sizes = (n,) if n else SIZES
    plan = [(OURS, ARXIV_NAME, size) for size in sizes]
    plan += [(peer, ARXIV_NAME, sizes[0]) for peer in (BERTOPIC, EVOC)]
    plan.append((OURS, MIXED, n or MILLION))
    plan += [(OURS, "banking77", n), (BERTOPIC, "banking77", n)]
    return [
        Cell(part="scale", method=method, corpus=corpus, n=size, limit_seconds=LIMIT_SECONDS)
        for method, corpus, size in plan
        if method in methods
    ]


def measure(job: Job, started: float) -> dict[str, Any]:
    loaded = load(job)
    if job.cell.method == OURS:
        return _measure_ours(job, loaded.given.vectors, loaded.rows.labels)
    fit, values = fit_cold_and_warm(loaded, started)
    from bench.quality import group, quality, shape

    grouping = group(fit.labels, loaded.given.vectors)
    return plain(values | shape(grouping) | quality(grouping, loaded.rows.labels))


def _measure_ours(job: Job, vectors: Vectors, labels: Sequence[str | None]) -> dict[str, Any]:
    """Warmed up on a few rows, not on all: at a million the second fit would only cost the same again."""
    from bench.ours import cluster

    cluster(vectors[:1_000])
    started = time.perf_counter()
    found = cluster(vectors)
    whole = time.perf_counter() - started
    peak = peak_memory_gb()

    from bench.quality import group, quality, shape

    grouping = group(found.labels, vectors)
    agreement = {} if job.cell.corpus == MIXED else quality(grouping, labels)
    return plain(
        {
            "n": len(vectors),
            "warm_seconds": found.seconds["clustering"],
            "whole_seconds": whole,
            "steps": found.seconds,
            "peak_gb": peak,
            "search_recall": search_recall(vectors, found.neighbours),
        }
        | shape(grouping)
        | agreement
    )


def search_recall(vectors: Vectors, neighbours: Neighbours) -> float:
    """Share of the true nearest rows that the search found, over random rows; a tie with the last true one counts."""
    n, k = neighbours.index.shape
    hits = total = 0
    for row in np.random.default_rng(0).permutation(n)[:PROBES]:
        cosine = vectors @ vectors[row]
        cosine[row] = -np.inf
        last = np.partition(cosine, n - k)[n - k]
        # the search may round its vectors; what it took for equal within the rounding is no miss
        hits += int((cosine[neighbours.index[row]] >= last - 3e-4).sum())
        total += k
    return hits / total
