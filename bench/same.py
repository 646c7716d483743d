"""Reproducibility (target 10): the same themes with one and two threads, and in any order of the cases."""

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
    own_methods = [method for method in methods if method.startswith(PATTERNMIND)]
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
        for method in own_methods
        for threads, variant in ((1, ""), (2, ""), (2, SHUFFLED))
    ]


def measure(job: CellJob, started: float) -> dict[str, Any]:
    """Hash label and strength by case id; rows are ordered by id first, as in a run."""
    del started
    from bench.patternmind_clustering import cluster_timed

    loaded = load_cell(job)
    ids = np.asarray(loaded.rows.ids)
    input_order = np.arange(len(ids))
    if job.cell.variant == SHUFFLED:
        input_order = np.random.default_rng(1).permutation(len(ids))
    order = input_order[np.argsort(ids[input_order], kind="stable")]
    engine = "hdbscan" if job.cell.method.endswith("hdbscan") else "graph"
    result = cluster_timed(loaded.method_input.vectors[order], engine=engine)
    lines = [
        f"{id}\t{label}\t{strength:.6f}"
        for id, label, strength in zip(ids[order], result.labels, result.strength, strict=True)
    ]
    return {
        "n": len(ids),
        "k": int(result.labels.max()) + 1,
        "labels": _digest(line.rsplit("\t", 1)[0] for line in lines),
        "labels_and_strengths": _digest(lines),
    }


def _digest(lines: Any) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
