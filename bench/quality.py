"""Measures of a grouping: agreement, stability, calibration; the same for every method."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patternmind.domain.themes import OUTLIER, Vectors
from patternmind.evals.scorers.stability import pairwise_agreement
from patternmind.evals.steps.groupings import Grouping, score_agreement_measures

N_BINS = 10


def build_grouping(labels: NDArray[np.int32], vectors: Vectors) -> Grouping:
    """Return the labels, with each outlier's nearest centroid by cosine."""
    labels = np.where(labels < 0, OUTLIER, labels).astype(np.int32)
    is_member = labels != OUTLIER
    if not is_member.any():
        return Grouping(labels, labels)
    clusters, cluster_number = np.unique(labels[is_member], return_inverse=True)
    sums = np.zeros((len(clusters), vectors.shape[1]))
    np.add.at(sums, cluster_number, vectors[is_member])
    norms = np.linalg.norm(sums, axis=1, keepdims=True)
    centroids = sums / np.where(norms > 0, norms, 1)
    nearest = labels.copy()
    nearest[~is_member] = clusters[(vectors[~is_member] @ centroids.T).argmax(axis=1)]
    return Grouping(labels, nearest)


def measure_shape(grouping: Grouping) -> dict[str, float]:
    """Return number of themes, share of outliers, and share of the largest theme."""
    return {"k": grouping.n_themes, "outlier_share": grouping.outlier_share, "largest_share": grouping.largest_share}


def measure_agreement(grouping: Grouping, gold: Sequence[str | None]) -> dict[str, float]:
    """Return AMI, ARI and V of labelled rows.

    "AMI" has outliers as singletons; "AMI filled" has them in the nearest theme.
    """
    labels = [label for label in gold if label is not None]
    if len(set(labels)) < 2:
        return {}
    labelled = grouping.rows([label is not None for label in gold])
    return score_agreement_measures(labels, labelled.singletons) | {
        f"{name} filled": value for name, value in score_agreement_measures(labels, labelled.filled).items()
    }


def measure_pairwise_stability(samples: Sequence[NDArray[np.intp]], fits: Sequence[Grouping]) -> dict[str, Any]:
    """Return the mean ARI of all pairs of fits, and k of each fit.

    Each pair is compared on common rows, with outliers as singletons.
    """
    values = pairwise_agreement(samples, fits)
    return {
        "stability": float(np.mean(values)),
        "stability_lowest": float(np.min(values)),
        "sample_k": [fit.n_themes for fit in fits],
    }


def calibration_error(predicted: NDArray[np.float64], outcomes: NDArray[np.bool_]) -> float:
    """Return the expected calibration error with ``N_BINS`` equal bins of 0..1."""
    bin_number = np.minimum((predicted * N_BINS).astype(int), N_BINS - 1)
    size = np.bincount(bin_number, minlength=N_BINS)
    predicted_sum = np.bincount(bin_number, predicted, N_BINS)
    outcome_sum = np.bincount(bin_number, outcomes, N_BINS)
    return float(np.abs(predicted_sum - outcome_sum).sum() / max(1, size.sum()))


def reliability_bins(predicted: NDArray[np.float64], outcomes: NDArray[np.bool_]) -> list[Mapping[str, float]]:
    """Return size, mean prediction and mean outcome of each bin that is not empty."""
    bin_number = np.minimum((predicted * N_BINS).astype(int), N_BINS - 1)
    return [
        {
            "n": int((bin_number == b).sum()),
            "said": float(predicted[bin_number == b].mean()),
            "happened": float(outcomes[bin_number == b].mean()),
        }
        for b in np.unique(bin_number)
    ]


def auroc(score: NDArray[np.float64], is_positive: NDArray[np.bool_]) -> float | None:
    """Return the AUROC, the share of pairs in the right order; ``None`` if all rows are of one kind."""
    if is_positive.all() or not is_positive.any():
        return None
    from sklearn import metrics  # takes 0.6 s

    library: Any = metrics
    return float(library.roc_auc_score(is_positive, score))


def match_clusters(themes: NDArray[np.int32], other: NDArray[np.int32]) -> dict[int, int]:
    """Match clusters of another fit of the same rows to themes by largest overlap."""
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
    """Return a mask (n,) of rows that another fit keeps in their theme."""
    theme_of = match_clusters(themes, other)
    matched_theme = np.asarray([theme_of.get(int(label), OUTLIER) for label in other], np.int32)
    return (themes != OUTLIER) & (matched_theme == themes)


def find_majority_label_rows(labels: NDArray[np.int32], gold: Sequence[str | None]) -> NDArray[np.bool_]:
    """Return a mask (n,) of rows with the most common label of their theme.

    It is False for outliers and rows without a label.
    """
    label_number = {label: i for i, label in enumerate(sorted({label for label in gold if label is not None}))}
    label_of_row = np.asarray([OUTLIER if label is None else label_number[label] for label in gold])
    is_majority = np.zeros(len(labels), np.bool_)
    for theme in np.unique(labels[labels != OUTLIER]):
        members = labels == theme
        known_labels = label_of_row[members & (label_of_row != OUTLIER)]
        if len(known_labels):
            is_majority |= members & (label_of_row == np.bincount(known_labels).argmax())
    return is_majority
