"""The same themes every time (target 10): with one thread and two, and whatever order the cases came in."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from bench.cells import BenchCell, CellJob
from bench.corpora import ARXIV_NAME, ARXIV_ROWS, LABELLED_CORPORA
from bench.method_runs import load_cell
from bench.methods import PATTERNMIND

CORPORA = (*LABELLED_CORPORA, "lessons")
SHUFFLED = "shuffled"


def cells(methods: Sequence[str], n: int) -> list[BenchCell]:
    chosen = [method for method in methods if method.startswith(PATTERNMIND)]
    return [
        BenchCell(
            part="same",
            method=method,
            corpus=corpus,
            n=n or (ARXIV_ROWS if corpus == ARXIV_NAME else 0),
            threads=threads,
            variant=variant,
        )
        for corpus in CORPORA
        for method in chosen
        for threads, variant in ((1, ""), (2, ""), (2, SHUFFLED))
    ]


def measure(job: CellJob, started: float) -> dict[str, Any]:
    """A digest of label and strength by case id; rows are brought in the order of their ids first, as a run does."""
    del started
    from bench.patternmind_clustering import cluster_timed

    loaded = load_cell(job)
    ids = np.asarray(loaded.rows.ids)
    came_in = np.arange(len(ids))
    if job.cell.variant == SHUFFLED:
        came_in = np.random.default_rng(1).permutation(len(ids))
    order = came_in[np.argsort(ids[came_in], kind="stable")]
    engine = "hdbscan" if job.cell.method.endswith("hdbscan") else "graph"
    found = cluster_timed(loaded.method_input.vectors[order], engine=engine)
    told = [
        f"{id}\t{label}\t{strength:.6f}"
        for id, label, strength in zip(ids[order], found.labels, found.strength, strict=True)
    ]
    return {
        "n": len(ids),
        "k": int(found.labels.max()) + 1,
        "labels": _digest(line.rsplit("\t", 1)[0] for line in told),
        "labels_and_strengths": _digest(told),
    }


def _digest(lines: Any) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
