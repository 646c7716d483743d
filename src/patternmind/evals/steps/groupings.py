"""A grouping of cases with its outliers, and how far two groupings of the same cases agree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from patternmind.domain.themes import OUTLIER


@dataclass(frozen=True, slots=True, eq=False)
class Grouping:
    """``labels`` (n,), ``OUTLIER`` where a case stands alone; ``nearest`` (n,) its own cluster or the closest one."""

    labels: NDArray[np.int32]
    nearest: NDArray[np.int32]

    @classmethod
    def of(cls, theme_ids: Sequence[str | None], nearest_ids: Sequence[str | None]) -> "Grouping":
        known = sorted({id for id in (*theme_ids, *nearest_ids) if id is not None})
        number: dict[str | None, int] = {id: i for i, id in enumerate(known)}
        labels = [number.get(id, OUTLIER) for id in theme_ids]
        return cls(np.asarray(labels, np.int32), np.asarray([number.get(id, OUTLIER) for id in nearest_ids], np.int32))

    def rows(self, selection: Sequence[int] | Sequence[bool] | NDArray[Any]) -> "Grouping":
        """The grouping of these rows alone; ``chosen`` are row numbers or a mask."""
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
        """Every outlier as a cluster of its own: leaving a case out is paid for."""
        alone = self.labels == OUTLIER
        out = self.labels.copy()
        out[alone] = self.labels.max(initial=0) + 1 + np.arange(alone.sum(), dtype=np.int32)
        return out

    @property
    def filled(self) -> NDArray[np.int32]:
        """Every outlier in its nearest theme; where there is no theme at all, each alone."""
        return Grouping(np.where(self.labels == OUTLIER, self.nearest, self.labels), self.nearest).singletons


class AgreementMeasure(Protocol):
    def __call__(self, labels_true: Any, labels_pred: Any, /) -> float: ...


def agreement_measures() -> Mapping[str, AgreementMeasure]:
    """Agreement of two partitions: adjusted mutual information, adjusted Rand index, V measure."""
    from sklearn import metrics  # 0.6 s

    library: Any = metrics
    return {"AMI": library.adjusted_mutual_info_score, "ARI": library.adjusted_rand_score, "V": library.v_measure_score}


def score_agreement_measures(gold: Sequence[str], labels: NDArray[np.int32]) -> dict[str, float]:
    """Each measure of the labels that people gave and the clusters that were found."""
    return {name: float(measure(list(gold), labels)) for name, measure in agreement_measures().items()}
