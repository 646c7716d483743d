"""Calibration of strength (target 5): of cases with strength .8, four in five should keep their theme.

It is measured on held-out fits: ten fits on random 80 % samples, with seeds that the run never used. Each of their
clusters is matched to the theme with the largest overlap, one to one. A case agrees if it is in the cluster matched to
its theme.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bench.cells import BenchCell, CellJob
from bench.method_runs import load_cell
from bench.methods import PATTERNMIND

CORPORA = ("banking77", "complaints", "bills", "lessons")
N_FITS = 10
FIRST_SEED = 1_000


def cells(methods: Sequence[str], n: int) -> list[BenchCell]:
    del methods  # no peer has a strength that predicts a resample
    return [BenchCell(part="strength", method=PATTERNMIND, corpus=corpus, n=n) for corpus in CORPORA]


def measure(job: CellJob, started: float) -> dict[str, Any]:
    del started
    from bench.patternmind_clustering import cluster_timed
    from bench.quality import auroc, calibration_error, find_agreeing_rows, find_majority_label_rows, reliability_bins
    from patternmind.evals.scorers.stability import draw_samples

    loaded = load_cell(job)
    vectors = loaded.method_input.vectors
    result = cluster_timed(vectors)
    predictions: list[float] = []
    outcomes: list[bool] = []
    for fit, rows in enumerate(draw_samples(len(vectors), n_fits=N_FITS, seed=FIRST_SEED)):
        other = cluster_timed(vectors[rows], seed=FIRST_SEED + fit, resample=False)
        themed = result.labels[rows] >= 0
        predictions += result.strength[rows][themed].tolist()
        outcomes += find_agreeing_rows(result.labels[rows], other.labels)[themed].tolist()
    predicted, is_kept = np.asarray(predictions), np.asarray(outcomes, np.bool_)
    is_judged = (result.labels >= 0) & np.asarray([label is not None for label in loaded.rows.labels])
    is_majority = find_majority_label_rows(result.labels, loaded.rows.labels)
    return {
        "n": len(vectors),
        "calibration_error": calibration_error(predicted, is_kept),
        "said": float(predicted.mean()),
        "happened": float(is_kept.mean()),
        "bins": reliability_bins(predicted, is_kept),
        "label_ranking": auroc(result.strength[is_judged], is_majority[is_judged]) if is_judged.any() else None,
    }
