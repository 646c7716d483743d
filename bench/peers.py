"""Comparison of all methods on all corpora (targets 1 and 2).

It measures time, memory, shape, agreement with people's labels, and stability.
"""

from collections.abc import Sequence
from typing import Any

from bench.cells import BenchCell, CellJob
from bench.corpora import ARXIV_NAME, ARXIV_ROWS, LABELLED_CORPORA
from bench.method_runs import fit_cold_and_warm, load_cell, to_python_numbers
from bench.methods import METHODS

CORPORA = (*LABELLED_CORPORA, "lessons")
N_SAMPLES = 10


def cells(methods: Sequence[str], n: int) -> list[BenchCell]:
    """Return the cells with ``n`` rows of each corpus; 0 for all rows, of arXiv 20,000."""
    return [
        BenchCell(part="peers", method=method, corpus=corpus, n=n or (ARXIV_ROWS if corpus == ARXIV_NAME else 0))
        for corpus in CORPORA
        for method in methods
        if corpus in LABELLED_CORPORA or not METHODS[method].needs_k
    ]


def measure(job: CellJob, started: float) -> dict[str, Any]:
    loaded = load_cell(job)
    fit, values = fit_cold_and_warm(loaded, started)

    from bench.quality import (
        build_grouping,
        measure_agreement,
        measure_pairwise_stability,
        measure_shape,
    )  # imported after the clock has stopped
    from patternmind.evals.scorers.stability import draw_samples

    method_input = loaded.method_input
    grouping = build_grouping(fit.labels, method_input.vectors)
    samples = draw_samples(len(method_input.vectors), n_fits=N_SAMPLES, seed=0)
    refit = loaded.method.refit or loaded.method.fit
    fits = [
        build_grouping(refit(sampled_input).labels, sampled_input.vectors)
        for sampled_input in (method_input.rows(sample) for sample in samples)
    ]
    return to_python_numbers(
        values
        | measure_shape(grouping)
        | measure_agreement(grouping, loaded.rows.labels)
        | measure_pairwise_stability(samples, fits)
    )
