"""The measures of a grouping: agreement, stability, calibration. One rule for every method, ours included."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patternmind.domain.themes import OUTLIER, Vectors
from patternmind.evals.scorers.stability import pairwise_agreement
from patternmind.evals.steps.groupings import Grouping, score_agreement_measures

N_BINS = 10


def build_grouping(labels: NDArray[np.int32], vectors: Vectors) -> Grouping:
    """The labels with the nearest centre of every outlier, by cosine to the mean of the members' vectors."""
    labels = np.where(labels < 0, OUTLIER, labels).astype(np.int32)
    inside = labels != OUTLIER
    if not inside.any():
        return Grouping(labels, labels)
    found, own = np.unique(labels[inside], return_inverse=True)
    sums = np.zeros((len(found), vectors.shape[1]))
    np.add.at(sums, own, vectors[inside])
    norms = np.linalg.norm(sums, axis=1, keepdims=True)
    centres = sums / np.where(norms > 0, norms, 1)
    nearest = labels.copy()
    nearest[~inside] = found[(vectors[~inside] @ centres.T).argmax(axis=1)]
    return Grouping(labels, nearest)


def measure_shape(grouping: Grouping) -> dict[str, float]:
    """How many themes, how many outliers, how large the largest."""
    return {
        "k": grouping.n_themes,
        "outlier_share": grouping.outlier_share,
        "largest_share": grouping.largest_share,
    }


def measure_agreement(grouping: Grouping, gold: Sequence[str | None]) -> dict[str, float]:
    """AMI, ARI and V with outliers as singletons ("AMI") and in the nearest theme ("AMI filled"), of labelled rows."""
    labels = [label for label in gold if label is not None]
    if len(set(labels)) < 2:
        return {}
    judged = grouping.rows([label is not None for label in gold])
    return score_agreement_measures(labels, judged.singletons) | {
        f"{name} filled": value for name, value in score_agreement_measures(labels, judged.filled).items()
    }


def measure_pairwise_stability(samples: Sequence[NDArray[np.intp]], fits: Sequence[Grouping]) -> dict[str, Any]:
    """Mean ARI of all pairs of fits over the rows both saw, outliers as singletons; and k of each fit."""
    values = pairwise_agreement(samples, fits)
    return {
        "stability": float(np.mean(values)),
        "stability_lowest": float(np.min(values)),
        "sample_k": [fit.n_themes for fit in fits],
    }


def calibration_error(predicted: NDArray[np.float64], outcomes: NDArray[np.bool_]) -> float:
    """Expected calibration error, ``BINS`` equal bins of 0..1: how far what was said lies from what happened."""
    number = np.minimum((predicted * N_BINS).astype(int), N_BINS - 1)
    size = np.bincount(number, minlength=N_BINS)
    said = np.bincount(number, predicted, N_BINS)
    happened = np.bincount(number, outcomes, N_BINS)
    return float(np.abs(said - happened).sum() / max(1, size.sum()))


def reliability_bins(predicted: NDArray[np.float64], outcomes: NDArray[np.bool_]) -> list[Mapping[str, float]]:
    """Each bin that holds anything: how many, what was said on average, what happened."""
    number = np.minimum((predicted * N_BINS).astype(int), N_BINS - 1)
    return [
        {
            "n": int((number == one).sum()),
            "said": float(predicted[number == one].mean()),
            "happened": float(outcomes[number == one].mean()),
        }
        for one in np.unique(number)
    ]


def auroc(score: NDArray[np.float64], is_positive: NDArray[np.bool_]) -> float | None:
    """AUROC: how often a wanted row scores above another; ``None`` where all rows are of one kind."""
    if is_positive.all() or not is_positive.any():
        return None
    from sklearn import metrics  # 0.6 s

    library: Any = metrics
    return float(library.roc_auc_score(is_positive, score))


def match_clusters(themes: NDArray[np.int32], other: NDArray[np.int32]) -> dict[int, int]:
    """The theme that each cluster of another fit of the same rows stands for: the pairing with the largest overlap."""
    from scipy import optimize

    library: Any = optimize
    inside = (themes != OUTLIER) & (other != OUTLIER)
    if not inside.any():
        return {}
    overlap = np.zeros((int(other.max()) + 1, int(themes.max()) + 1))
    np.add.at(overlap, (other[inside], themes[inside]), 1)
    pairs: list[list[int]] = np.stack(library.linear_sum_assignment(-overlap), axis=1).tolist()
    return {row: column for row, column in pairs if overlap[row, column]}


def find_agreeing_rows(themes: NDArray[np.int32], other: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Whether another fit of the same rows puts each into the cluster that stands for its theme, (n,)."""
    stands_for = match_clusters(themes, other)
    meant = np.asarray([stands_for.get(int(label), OUTLIER) for label in other], np.int32)
    return (themes != OUTLIER) & (meant == themes)


def find_majority_label_rows(labels: NDArray[np.int32], gold: Sequence[str | None]) -> NDArray[np.bool_]:
    """Whether a row's own label is the most common one of its theme; never for outliers and the unlabelled, (n,)."""
    number = {label: i for i, label in enumerate(sorted({label for label in gold if label is not None}))}
    of_row = np.asarray([OUTLIER if label is None else number[label] for label in gold])
    out = np.zeros(len(labels), np.bool_)
    for theme in np.unique(labels[labels != OUTLIER]):
        members = labels == theme
        known = of_row[members & (of_row != OUTLIER)]
        if len(known):
            out |= members & (of_row == np.bincount(known).argmax())
    return out
