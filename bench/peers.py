"""Every method on every corpus: time, memory, shape, agreement with people's labels, stability (targets 1 and 2)."""

from collections.abc import Sequence
from typing import Any

from bench.cells import Cell, Job
from bench.corpora import ARXIV_NAME, ARXIV_ROWS, LABELLED
from bench.fits import fit_cold_and_warm, load, plain
from bench.methods import METHODS

CORPORA = (*LABELLED, "lessons")
SAMPLES = 10


def cells(methods: Sequence[str], n: int) -> list[Cell]:
    """``n`` rows of each corpus; 0 for all of it, of arXiv 20,000."""
    return [
        Cell(part="peers", method=method, corpus=corpus, n=n or (ARXIV_ROWS if corpus == ARXIV_NAME else 0))
        for corpus in CORPORA
        for method in methods
        if corpus in LABELLED or not METHODS[method].needs_k
    ]


def measure(job: Job, started: float) -> dict[str, Any]:
    loaded = load(job)
    fit, values = fit_cold_and_warm(loaded, started)

    from bench.quality import group, quality, shape, stability  # after the clock has stopped
    from patternmind.evals.stability import draw_samples

    given = loaded.given
    grouping = group(fit.labels, given.vectors)
    samples = draw_samples(len(given.vectors), n_fits=SAMPLES, seed=0)
    refit = loaded.method.refit or loaded.method.fit
    fits = [group(refit(one).labels, one.vectors) for one in (given.rows(sample) for sample in samples)]
    return plain(values | shape(grouping) | quality(grouping, loaded.rows.labels) | stability(samples, fits))
