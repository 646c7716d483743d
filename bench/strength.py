"""Strength as a promise (target 5): of the cases said to be .8 firm, do four in five come back to their theme?

Held out: ten fits on random 80 % samples under seeds that the run never used. Each of their clusters stands for the
theme it overlaps most, one to one; a case agrees where it falls into the cluster that stands for its theme.
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
    del methods  # no peer gives a strength that says anything of a resample
    return [BenchCell(part="strength", method=PATTERNMIND, corpus=corpus, n=n) for corpus in CORPORA]


def measure(job: CellJob, started: float) -> dict[str, Any]:
    del started
    from bench.patternmind_clustering import cluster_timed
    from bench.quality import (
        auroc,
        calibration_error,
        find_agreeing_rows,
        find_majority_label_rows,
        reliability_bins,
    )
    from patternmind.evals.scorers.stability import draw_samples

    loaded = load_cell(job)
    vectors = loaded.method_input.vectors
    found = cluster_timed(vectors)
    said: list[float] = []
    came_true: list[bool] = []
    for fit, rows in enumerate(draw_samples(len(vectors), n_fits=N_FITS, seed=FIRST_SEED)):
        other = cluster_timed(vectors[rows], seed=FIRST_SEED + fit, resample=False)
        themed = found.labels[rows] >= 0
        said += found.strength[rows][themed].tolist()
        came_true += find_agreeing_rows(found.labels[rows], other.labels)[themed].tolist()
    predicted, happened = np.asarray(said), np.asarray(came_true, np.bool_)
    judged = (found.labels >= 0) & np.asarray([label is not None for label in loaded.rows.labels])
    right = find_majority_label_rows(found.labels, loaded.rows.labels)
    return {
        "n": len(vectors),
        "calibration_error": calibration_error(predicted, happened),
        "said": float(predicted.mean()),
        "happened": float(happened.mean()),
        "bins": reliability_bins(predicted, happened),
        "label_ranking": auroc(found.strength[judged], right[judged]) if judged.any() else None,
    }
