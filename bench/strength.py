"""Strength as a promise (target 5): of the cases said to be .8 firm, do four in five come back to their theme?

Held out: ten fits on random 80 % samples under seeds that the run never used. Each of their clusters stands for the
theme it overlaps most, one to one; a case agrees where it falls into the cluster that stands for its theme.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bench.cells import Cell, Job
from bench.fits import load
from bench.methods import OURS

CORPORA = ("banking77", "complaints", "bills", "lessons")
FITS = 10
FIRST_SEED = 1_000


def cells(methods: Sequence[str], n: int) -> list[Cell]:
    del methods  # no peer gives a strength that says anything of a resample
    return [Cell(part="strength", method=OURS, corpus=corpus, n=n) for corpus in CORPORA]


def measure(job: Job, started: float) -> dict[str, Any]:
    del started
    from bench.ours import cluster
    from bench.quality import agrees, calibration_error, has_majority_label, ranking, reliability
    from patternmind.evals.stability import draw_samples

    loaded = load(job)
    vectors = loaded.given.vectors
    found = cluster(vectors)
    said: list[float] = []
    came_true: list[bool] = []
    for fit, rows in enumerate(draw_samples(len(vectors), n_fits=FITS, seed=FIRST_SEED)):
        other = cluster(vectors[rows], seed=FIRST_SEED + fit, resample=False)
        themed = found.labels[rows] >= 0
        said += found.strength[rows][themed].tolist()
        came_true += agrees(found.labels[rows], other.labels)[themed].tolist()
    predicted, happened = np.asarray(said), np.asarray(came_true, np.bool_)
    judged = (found.labels >= 0) & np.asarray([label is not None for label in loaded.rows.labels])
    right = has_majority_label(found.labels, loaded.rows.labels)
    return {
        "n": len(vectors),
        "calibration_error": calibration_error(predicted, happened),
        "said": float(predicted.mean()),
        "happened": float(happened.mean()),
        "bins": reliability(predicted, happened),
        "label_ranking": ranking(found.strength[judged], right[judged]) if judged.any() else None,
    }
