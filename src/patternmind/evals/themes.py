"""How well themes agree with people's labels, and whether they keep within the bounds that make them useful."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from patternmind.evals.gates import Score
from patternmind.evals.groupings import Grouping, agreement
from patternmind.evals.report import Direction, Unit
from patternmind.model.themes import OUTLIER

EVAL = "themes"

FEWEST_A_THEME = 4
"""More themes than n/4 name incidents, not what recurs."""

MOST_OUTLIERS = 0.5
LARGEST_THEME = 0.5
"""One theme that holds half of a large network tells its steward nothing."""

PROMISED = {("banking77", "AMI filled"): 0.77}
"""Reached by the plain graph before the first line was written, and never to be lost again."""


def score_agreement(on: str, grouping: Grouping, gold: Sequence[str | None]) -> list[Score]:
    """AMI, ARI and V over the cases that people put in a theme, outliers as singletons and filled."""
    labels = [label for label in gold if label is not None]
    judged = grouping.rows([label is not None for label in gold])
    values = agreement(labels, judged.singletons)
    values |= {f"{name} filled": value for name, value in agreement(labels, judged.filled).items()}
    return [
        Score(
            eval=EVAL,
            on=on,
            name=name,
            value=value,
            unit=Unit.SCORE,
            limit=PROMISED.get((on, name)),
            note=f"{len(labels)} cases, {len(set(labels))} labels" if name == "AMI" else "",
        )
        for name, value in values.items()
    ]


def score_bounds(on: str, grouping: Grouping, *, large: bool) -> list[Score]:
    """How many themes, how many outliers, how large the largest; the last is bounded in large networks only."""
    n = len(grouping.labels)
    most = Score(
        eval=EVAL,
        on=on,
        name="themes found",
        value=grouping.n_themes,
        direction=Direction.LOWER,
        unit=Unit.COUNT,
        limit=n // FEWEST_A_THEME,
        tracked=False,
        note=f"{n} cases",
    )
    share = replace(most, name="outlier share", value=grouping.outlier_share, unit=Unit.SHARE, note="")
    largest = replace(share, name="largest theme", value=grouping.largest_share, limit=LARGEST_THEME)
    return [
        most,
        replace(share, limit=MOST_OUTLIERS),
        largest if large else replace(largest, direction=Direction.NONE, limit=None),
    ]


def for_comparison(scores: Sequence[Score], engine: str) -> list[Score]:
    """The scores of an engine that is not the default: they stand in the table, and nothing is asked of them."""
    return [
        replace(score, name=f"{score.name}, {engine}", direction=Direction.NONE, limit=None, tracked=False, note="")
        for score in scores
        if not score.name.startswith("V")
    ]


def score_strangers(on: str, grouping: Grouping, gold: Sequence[str | None]) -> list[Score]:
    """Of the cases that belong nowhere, how many are left outside; of those left outside, how many belong nowhere."""
    strange = np.asarray([label is None for label in gold])
    outside = grouping.labels == OUTLIER
    both = int((strange & outside).sum())
    scores = [_share(on, "belongs nowhere, left outside", both, int(strange.sum()))]
    if outside.any():
        scores.append(_share(on, "left outside, belongs nowhere", both, int(outside.sum())))
    return scores


def score_duplicates(on: str, found: frozenset[frozenset[str]], planted: frozenset[frozenset[str]]) -> list[Score]:
    """Near-duplicate pairs found, and pairs found that are none."""
    false_pairs = len(found - planted)
    return [
        _share(on, "near-duplicate pairs found", len(found & planted), len(planted)),
        Score(
            eval=EVAL,
            on=on,
            name="false near-duplicates",
            value=false_pairs,
            direction=Direction.LOWER,
            unit=Unit.COUNT,
        ),
    ]


def score_conservation(on: str, n_placed: int, n_rows: int) -> Score:
    """Rows of the files that came out of the run as a case in a theme or an outlier."""
    return Score(eval=EVAL, on=on, name="rows accounted for", value=n_placed / n_rows, limit=1.0, note=f"{n_rows} rows")


def _share(on: str, name: str, part: int, whole: int) -> Score:
    return Score(eval=EVAL, on=on, name=name, value=part / whole, note=f"{part} of {whole}")
