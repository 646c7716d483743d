"""Whether the same themes come back when a fifth of the cases is left out."""

from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from patternmind.evals.gates import Score
from patternmind.evals.groupings import Grouping, measures
from patternmind.evals.report import Direction, Unit
from patternmind.model.themes import Vectors

EVAL = "stability"
KEPT = 0.8

Fitter = Callable[[Vectors], Grouping]


def score_stability(on: str, vectors: Vectors, fit: Fitter, *, n_fits: int, seed: int) -> list[Score]:
    """Mean pairwise ARI between fits on random samples, over the cases both saw, outliers as singletons."""
    samples = draw_samples(len(vectors), n_fits=n_fits, seed=seed)
    fits = [fit(vectors[rows]) for rows in samples]
    values = agree_on_shared_rows(samples, fits)
    counts = [one.n_themes for one in fits]
    note = f"{n_fits} fits, {min(counts)}-{max(counts)} themes"
    return [
        Score(
            eval=EVAL,
            on=on,
            name=f"ARI between {n_fits} fits",
            value=float(np.mean(values)),
            unit=Unit.SCORE,
            note=note,
        ),
        Score(
            eval=EVAL,
            on=on,
            name=f"lowest ARI of {len(values)} pairs",
            value=float(np.min(values)),
            direction=Direction.NONE,
            unit=Unit.SCORE,
        ),
    ]


def draw_samples(n: int, *, n_fits: int, seed: int) -> list[NDArray[np.intp]]:
    """Rows of each sample, ascending, so that a sample keeps the order of the cases."""
    size = round(KEPT * n)
    draws = [np.random.default_rng([seed, fit]).permutation(n)[:size] for fit in range(n_fits)]
    return [np.sort(draw) for draw in draws]


def agree_on_shared_rows(samples: Sequence[NDArray[np.intp]], fits: Sequence[Grouping]) -> list[float]:
    """ARI of every pair of fits over the rows both saw, outliers as singletons."""
    return [_agree(samples[i], fits[i], samples[j], fits[j]) for i, j in combinations(range(len(samples)), 2)]


def _agree(left_rows: NDArray[np.intp], left: Grouping, right_rows: NDArray[np.intp], right: Grouping) -> float:
    _, in_left, in_right = np.intersect1d(left_rows, right_rows, return_indices=True)
    return float(measures()["ARI"](left.rows(in_left).singletons, right.rows(in_right).singletons))
