"""Agreement of themes with people's labels, and bounds within which themes are useful."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from patternmind.domain.themes import OUTLIER
from patternmind.evals.gates import Score
from patternmind.evals.report import ScoreDirection, ScoreUnit
from patternmind.evals.steps.groupings import Grouping, score_agreement_measures

EVAL = "themes"

MIN_CASES_PER_THEME = 4
"""Minimum of the mean number of cases per theme. More themes than n/4 name single incidents, not what recurs."""

MAX_OUTLIER_SHARE = 0.5
MAX_THEME_SHARE = 0.5
"""Limit for the largest theme. A theme that holds half of a large network is of no use to its steward."""

LIMITS = {("banking77", "AMI filled"): 0.77}
"""Agreement that must never get worse. The plain graph reached it before the rest of the code existed."""


def score_agreement(dataset: str, grouping: Grouping, gold: Sequence[str | None]) -> list[Score]:
    """Score AMI, ARI and V over the cases that people put in a theme.

    Outliers count as singletons, and again as members of their nearest theme ("filled").
    """
    labels = [label for label in gold if label is not None]
    labelled = grouping.rows([label is not None for label in gold])
    values = score_agreement_measures(labels, labelled.singletons)
    values |= {f"{name} filled": value for name, value in score_agreement_measures(labels, labelled.filled).items()}
    return [
        Score(
            EVAL,
            dataset,
            name,
            value,
            unit=ScoreUnit.SCORE,
            limit=LIMITS.get((dataset, name)),
            note=f"{len(labels)} cases, {len(set(labels))} labels" if name == "AMI" else "",
        )
        for name, value in values.items()
    ]


def score_bounds(dataset: str, grouping: Grouping, *, is_large: bool) -> list[Score]:
    """Score the number of themes, the outliers and the largest theme. The last has a limit in large networks only."""
    n = len(grouping.labels)
    n_themes = Score(
        EVAL,
        dataset,
        "themes found",
        grouping.n_themes,
        direction=ScoreDirection.LOWER,
        unit=ScoreUnit.COUNT,
        limit=n // MIN_CASES_PER_THEME,
        is_tracked=False,
        note=f"{n} cases",
    )
    outlier_share = replace(n_themes, name="outlier share", value=grouping.outlier_share, unit=ScoreUnit.SHARE, note="")
    largest = replace(outlier_share, name="largest theme", value=grouping.largest_share, limit=MAX_THEME_SHARE)
    return [
        n_themes,
        replace(outlier_share, limit=MAX_OUTLIER_SHARE),
        largest if is_large else replace(largest, direction=ScoreDirection.NONE, limit=None),
    ]


def as_reference(scores: Sequence[Score], engine: str) -> list[Score]:
    """Mark scores of an engine that is not the default as reported only. They appear in the table without a gate."""
    return [
        replace(
            score, name=f"{score.name}, {engine}", direction=ScoreDirection.NONE, limit=None, is_tracked=False, note=""
        )
        for score in scores
        if not score.name.startswith("V")
    ]


def score_outliers(dataset: str, grouping: Grouping, gold: Sequence[str | None]) -> list[Score]:
    """Score the outliers in both directions.

    The first share is of the cases without a theme by gold: how many are outliers. The second is of the outliers: how
    many have no theme by gold.
    """
    without_theme = np.asarray([label is None for label in gold])
    outside = grouping.labels == OUTLIER
    both = int((without_theme & outside).sum())
    scores = [_share_score(dataset, "belongs nowhere, left outside", both, int(without_theme.sum()))]
    if outside.any():
        scores.append(_share_score(dataset, "left outside, belongs nowhere", both, int(outside.sum())))
    return scores


def score_duplicates(
    dataset: str, detected: frozenset[frozenset[str]], planted: frozenset[frozenset[str]]
) -> list[Score]:
    """Score planted near-duplicate pairs that were found, and false pairs."""
    false_pairs = len(detected - planted)
    return [
        _share_score(dataset, "near-duplicate pairs found", len(detected & planted), len(planted)),
        Score(
            EVAL, dataset, "false near-duplicates", false_pairs, direction=ScoreDirection.LOWER, unit=ScoreUnit.COUNT
        ),
    ]


def score_conservation(dataset: str, n_placed: int, n_rows: int) -> Score:
    """Score the share of rows that became a case in a theme or an outlier."""
    return Score(EVAL, dataset, "rows accounted for", n_placed / n_rows, limit=1.0, note=f"{n_rows} rows")


def _share_score(dataset: str, name: str, part: int, whole: int) -> Score:
    return Score(EVAL, dataset, name, part / whole, note=f"{part} of {whole}")
