"""Stability of themes over random samples that each leave out a fifth of the cases."""

from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from patternmind.domain.themes import Vectors
from patternmind.evals.gates import Score
from patternmind.evals.report import ScoreDirection, ScoreUnit
from patternmind.evals.steps.groupings import Grouping, agreement_measures

EVAL = "stability"
SAMPLE_SHARE = 0.8

Fitter = Callable[[Vectors], Grouping]


def score_stability(dataset: str, vectors: Vectors, fit: Fitter, *, n_fits: int, seed: int) -> list[Score]:
    """Score how far fits on random samples agree.

    The figure is the mean pairwise ARI over the cases of both samples, with outliers as singletons.
    """
    samples = draw_samples(len(vectors), n_fits=n_fits, seed=seed)
    fits = [fit(vectors[rows]) for rows in samples]
    values = pairwise_agreement(samples, fits)
    counts = [grouping.n_themes for grouping in fits]
    note = f"{n_fits} fits, {min(counts)}-{max(counts)} themes"
    return [
        Score(EVAL, dataset, f"ARI between {n_fits} fits", float(np.mean(values)), unit=ScoreUnit.SCORE, note=note),
        Score(
            EVAL,
            dataset,
            f"lowest ARI of {len(values)} pairs",
            float(np.min(values)),
            direction=ScoreDirection.NONE,
            unit=ScoreUnit.SCORE,
        ),
    ]


def draw_samples(n: int, *, n_fits: int, seed: int) -> list[NDArray[np.intp]]:
    """Draw the rows of each sample, in ascending order, so that cases stay in order."""
    size = round(SAMPLE_SHARE * n)
    draws = [np.random.default_rng([seed, fit]).permutation(n)[:size] for fit in range(n_fits)]
    return [np.sort(draw) for draw in draws]


def pairwise_agreement(samples: Sequence[NDArray[np.intp]], fits: Sequence[Grouping]) -> list[float]:
    """Return the ARI of every pair of fits over their common rows, outliers as singletons."""
    return [_pair_agreement(samples[i], fits[i], samples[j], fits[j]) for i, j in combinations(range(len(samples)), 2)]


def _pair_agreement(
    first_rows: NDArray[np.intp], first: Grouping, second_rows: NDArray[np.intp], second: Grouping
) -> float:
    _, in_first, in_second = np.intersect1d(first_rows, second_rows, return_indices=True)
    return float(agreement_measures()["ARI"](first.rows(in_first).singletons, second.rows(in_second).singletons))
