"""Groupings of cases with outliers, and the agreement of two groupings."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patternmind.domain.themes import OUTLIER


@dataclass(frozen=True, slots=True, eq=False)
class Grouping:
    """Cluster of each case, with outliers.

    ``labels`` (n,) holds the cluster number, ``OUTLIER`` for an outlier. ``nearest`` (n,) holds its own cluster or the
    closest one.
    """

    labels: NDArray[np.int32]
    nearest: NDArray[np.int32]

    @classmethod
    def of(cls, theme_ids: Sequence[str | None], nearest_ids: Sequence[str | None]) -> "Grouping":
        ids = sorted({id for id in (*theme_ids, *nearest_ids) if id is not None})
        number: dict[str | None, int] = {id: i for i, id in enumerate(ids)}
        labels = [number.get(id, OUTLIER) for id in theme_ids]
        return cls(np.asarray(labels, np.int32), np.asarray([number.get(id, OUTLIER) for id in nearest_ids], np.int32))

    def rows(self, selection: Sequence[int] | Sequence[bool] | NDArray[Any]) -> "Grouping":
        """Return the grouping of these rows alone; ``selection`` holds row numbers or a mask."""
        return Grouping(self.labels[np.asarray(selection)], self.nearest[np.asarray(selection)])

    @property
    def n_themes(self) -> int:
        return int(np.count_nonzero(np.bincount(self.labels[self.labels != OUTLIER])))

    @property
    def outlier_share(self) -> float:
        return int(np.count_nonzero(self.labels == OUTLIER)) / len(self.labels) if len(self.labels) else 1.0

    @property
    def largest_share(self) -> float:
        inside = self.labels[self.labels != OUTLIER]
        return float(np.bincount(inside).max() / len(self.labels)) if len(inside) else 0.0

    @property
    def singletons(self) -> NDArray[np.int32]:
        """Labels with every outlier as its own cluster.

        Leaving a case out of all themes therefore lowers the agreement.
        """
        is_outlier = self.labels == OUTLIER
        out = self.labels.copy()
        out[is_outlier] = self.labels.max(initial=0) + 1 + np.arange(is_outlier.sum(), dtype=np.int32)
        return out

    @property
    def filled(self) -> NDArray[np.int32]:
        """Labels with every outlier in its nearest theme. Without any theme, each outlier is its own cluster."""
        return Grouping(np.where(self.labels == OUTLIER, self.nearest, self.labels), self.nearest).singletons


def agreement_measures() -> Mapping[str, Callable[[Any, Any], float]]:
    """Return agreement measures of two partitions.

    They are adjusted mutual information, adjusted Rand index and V measure.
    """
    from sklearn import metrics  # 0.6 s

    library: Any = metrics
    return {"AMI": library.adjusted_mutual_info_score, "ARI": library.adjusted_rand_score, "V": library.v_measure_score}


def score_agreement_measures(gold: Sequence[str], labels: NDArray[np.int32]) -> dict[str, float]:
    """Compute each measure between the labels that people gave and the clusters."""
    return {name: float(measure(list(gold), labels)) for name, measure in agreement_measures().items()}
