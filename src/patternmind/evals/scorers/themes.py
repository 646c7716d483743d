"""How well themes agree with people's labels, and whether they keep within the bounds that make them useful."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from patternmind.domain.themes import OUTLIER
from patternmind.evals.gates import Score
from patternmind.evals.report import ScoreDirection, ScoreUnit
from patternmind.evals.steps.groupings import Grouping, score_agreement_measures

EVAL = "themes"

MIN_CASES_PER_THEME = 4
"""More themes than n/4 name incidents, not what recurs."""

MAX_OUTLIER_SHARE = 0.5
MAX_THEME_SHARE = 0.5
"""One theme that holds half of a large network tells its steward nothing."""

LIMITS = {("banking77", "AMI filled"): 0.77}
"""Reached by the plain graph before the first line was written, and never to be lost again."""


def score_agreement(dataset: str, grouping: Grouping, gold: Sequence[str | None]) -> list[Score]:
    """AMI, ARI and V over the cases that people put in a theme, outliers as singletons and filled."""
    labels = [label for label in gold if label is not None]
    judged = grouping.rows([label is not None for label in gold])
    values = score_agreement_measures(labels, judged.singletons)
    values |= {f"{name} filled": value for name, value in score_agreement_measures(labels, judged.filled).items()}
    return [
        Score(
            eval=EVAL,
            dataset=dataset,
            name=name,
            value=value,
            unit=ScoreUnit.SCORE,
            limit=LIMITS.get((dataset, name)),
            note=f"{len(labels)} cases, {len(set(labels))} labels" if name == "AMI" else "",
        )
        for name, value in values.items()
    ]


def score_bounds(dataset: str, grouping: Grouping, *, is_large: bool) -> list[Score]:
    """How many themes, how many outliers, how large the largest; the last is bounded in large networks only."""
    n = len(grouping.labels)
    most = Score(
        eval=EVAL,
        dataset=dataset,
        name="themes found",
        value=grouping.n_themes,
        direction=ScoreDirection.LOWER,
        unit=ScoreUnit.COUNT,
        limit=n // MIN_CASES_PER_THEME,
        is_tracked=False,
        note=f"{n} cases",
    )
    share = replace(most, name="outlier share", value=grouping.outlier_share, unit=ScoreUnit.SHARE, note="")
    largest = replace(share, name="largest theme", value=grouping.largest_share, limit=MAX_THEME_SHARE)
    return [
        most,
        replace(share, limit=MAX_OUTLIER_SHARE),
        largest if is_large else replace(largest, direction=ScoreDirection.NONE, limit=None),
    ]


def as_reference(scores: Sequence[Score], engine: str) -> list[Score]:
    """The scores of an engine that is not the default: they stand in the table, and nothing is asked of them."""
    return [
        replace(
            score, name=f"{score.name}, {engine}", direction=ScoreDirection.NONE, limit=None, is_tracked=False, note=""
        )
        for score in scores
        if not score.name.startswith("V")
    ]


def score_outliers(dataset: str, grouping: Grouping, gold: Sequence[str | None]) -> list[Score]:
    """Of the cases that belong nowhere, how many are left outside; of those left outside, how many belong nowhere."""
    strange = np.asarray([label is None for label in gold])
    outside = grouping.labels == OUTLIER
    both = int((strange & outside).sum())
    scores = [_share_score(dataset, "belongs nowhere, left outside", both, int(strange.sum()))]
    if outside.any():
        scores.append(_share_score(dataset, "left outside, belongs nowhere", both, int(outside.sum())))
    return scores


def score_duplicates(dataset: str, found: frozenset[frozenset[str]], planted: frozenset[frozenset[str]]) -> list[Score]:
    """Near-duplicate pairs found, and pairs found that are none."""
    false_pairs = len(found - planted)
    return [
        _share_score(dataset, "near-duplicate pairs found", len(found & planted), len(planted)),
        Score(
            eval=EVAL,
            dataset=dataset,
            name="false near-duplicates",
            value=false_pairs,
            direction=ScoreDirection.LOWER,
            unit=ScoreUnit.COUNT,
        ),
    ]


def score_conservation(dataset: str, n_placed: int, n_rows: int) -> Score:
    """Rows of the files that came out of the run as a case in a theme or an outlier."""
    return Score(
        eval=EVAL, dataset=dataset, name="rows accounted for", value=n_placed / n_rows, limit=1.0, note=f"{n_rows} rows"
    )


def _share_score(dataset: str, name: str, part: int, whole: int) -> Score:
    return Score(eval=EVAL, dataset=dataset, name=name, value=part / whole, note=f"{part} of {whole}")
