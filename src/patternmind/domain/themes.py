"""Clusters of one run, the lasting themes matched to them, and changes between runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
"""(n, d), every row of norm 1."""

OUTLIER = -1

MIN_STABILITY = 0.6
"""Stability below which a theme is tentative.

At this value more than a third of the theme changes from one resampled fit to the next.
"""

MIN_STEADY_STABILITY = 0.8

MIN_RECURRING_SHARE = 0.15
"""Share of recurring rows below which a theme is tentative: three times chance, which is 1 in 20.

Measured on 50 draws of 100 unrelated rows: every theme was tentative in 42 draws at twice chance, and in 49 at three
times chance.
"""

PRIOR_ROWS = 20
"""Number of rows of the whole network that are added to a theme's own rows."""


class OutlierReason(IntEnum):
    """Reason why a row is in no cluster; ``PLACED`` for a row in a cluster."""

    PLACED = 0
    TOO_FEW = 1
    ALONE = 2
    BETWEEN = 3
    SMALL = 4


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """Nearest neighbours of every row by cosine, nearest first, without the row itself.

    Attributes:
        index: (n, k) int32; ties are broken by the lower index.
        similarity: (n, k) float32, descending along each row.
    """

    index: NDArray[np.int32]
    similarity: NDArray[np.float32]

    def top(self, k: int) -> "Neighbours":
        """Return at most the k nearest neighbours of each row."""
        return Neighbours(self.index[:, :k], self.similarity[:, :k])


DEFAULTS: Mapping[str, int] = {
    "second": OUTLIER,
    "second_strength": 0,
    "outlier_score": 0,
    "why": OutlierReason.PLACED,
    "recurring": 1,
}
"""Default value of each optional per-row field of a partition."""


@dataclass(frozen=True, slots=True, eq=False)
class Partition:
    """Result of clustering the n rows of one run into k clusters.

    Attributes:
        labels: (n,), from 0 by descending size; ``OUTLIER`` for a row in no cluster.
        areas: (k,), area of each cluster.
        strength: (n,) 0..1, share of resampled fits that agree.
        nearest: (n,), cluster of each row or the one nearest to it; ``OUTLIER`` if there are no clusters.
        centres: (k, d), unit norm.
        stability: (k,) 0..1, mean Jaccard index of a cluster and its best match in each resampled fit.
        second: (n,), a further cluster that the row belongs to; ``OUTLIER`` without one.
        second_strength: (n,) 0..1.
        outlier_score: (n,) 0..1; 1 for the most isolated row.
        why: (n,), ``OutlierReason`` of each row.
        recurring: (n,), True for a row whose neighbours are closer than chance would give.
        smallest_visible: rows that a theme needs to be found when only a sample was fitted; 0 if all rows were.

    The optional per-row fields, from ``second`` to ``recurring``, default to ``DEFAULTS``.
    """

    labels: NDArray[np.int32]
    areas: NDArray[np.int32]
    strength: NDArray[np.float32]
    nearest: NDArray[np.int32]
    centres: Vectors
    stability: NDArray[np.float32]
    second: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    second_strength: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    outlier_score: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    why: NDArray[np.int8] = field(default_factory=lambda: np.zeros(0, np.int8))
    recurring: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    smallest_visible: int = 0

    def __post_init__(self) -> None:
        n = len(self.labels)
        for name, default in DEFAULTS.items():
            values = getattr(self, name)
            if len(values) != n:
                object.__setattr__(self, name, np.full(n, default, values.dtype))

    @property
    def tentative(self) -> NDArray[np.bool_]:
        """Mask (k,) of clusters that are too unstable or not distinguishable from chance.

        A few members are weak evidence: a cluster's share of recurring rows is combined with the share of all rows.
        """
        in_cluster = self.labels != OUTLIER
        size = np.bincount(self.labels[in_cluster], minlength=self.n_clusters)
        recurring = np.bincount(self.labels[in_cluster], self.recurring[in_cluster], self.n_clusters)
        overall_share = float(self.recurring.mean()) if len(self.recurring) else 1.0
        share = (recurring + PRIOR_ROWS * overall_share) / (size + PRIOR_ROWS)
        return (self.stability < MIN_STABILITY) | (share < MIN_RECURRING_SHARE)

    @property
    def is_all_tentative(self) -> bool:
        """True if there are clusters and all of them are tentative."""
        return bool(self.n_clusters) and bool(self.tentative.all())

    @property
    def n_clusters(self) -> int:
        return len(self.areas)

    def rows_of(self, label: int) -> list[int]:
        """Return the rows of a cluster in ascending order."""
        return [int(row) for row in np.flatnonzero(self.labels == label)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Assignment of a case by a run: to one theme, or to the outliers with a reason.

    Attributes:
        strength: 0..1.
        second_theme_id: a further theme that the case also belongs to.
        second_strength: 0..1, strength in that theme.
        outlier_score: 0..1; 1 for the most isolated case.
        x, y: position on the map.
    """

    case_id: str
    theme_id: str | None
    area_id: str | None
    strength: float
    nearest_theme_id: str | None
    second_theme_id: str | None = None
    second_strength: float = 0.0
    outlier_score: float = 0.0
    reason: str = ""
    x: float | None = None
    y: float | None = None


class Lineage(StrEnum):
    NEW = "new"
    CONTINUED = "continued"
    GREW = "grew"
    SHRANK = "shrank"
    SPLIT = "split"
    MERGED = "merged"
    DORMANT = "dormant"
    RETURNED = "returned"
    RETIRED = "retired"


def stability_label(stability: float, *, tentative: bool) -> str:
    """Return a theme's stability in words: steady, fairly steady, or tentative."""
    if tentative:
        return "tentative"
    return "steady" if stability >= MIN_STEADY_STABILITY else "fairly steady"


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """State of a theme after a run.

    Attributes:
        case_ids: members by descending strength, including recaps.
        n_cases: number of members without near-duplicates and recaps that link to a case of the same theme.
        one_contributor: True if one known person submitted all its cases, in a network with several contributors;
            no pattern is drafted from it.
        centre: unit-norm mean of the members' vectors.
        encoder: id of the encoder of ``centre``; empty if unknown.
        unseen_case_ids: further members that its last run did not include; while it has no cluster, its last members.
            The next run needs them to recognise the theme.
        former_exemplars: the last exemplars it had, for the next run.
        new_by_period: number of new cases in each labelled period, oldest first.
    """

    id: str
    lens: str
    area_id: str
    name: str
    gist: str = ""
    keywords: tuple[str, ...] = ()
    case_ids: tuple[str, ...]
    exemplars: tuple[str, ...] = ()
    edge_case: str | None = None
    n_cases: int
    n_teams: int
    n_contributors: int
    one_contributor: bool = False
    new_cases: int = 0
    share: float = 0.0
    stability: float = 0.0
    tentative: bool = False
    cohesion: float = 0.0
    nearest_theme_id: str | None = None
    differs_by: tuple[str, ...] = ()
    trend: Mapping[str, int] = field(default_factory=dict[str, int])
    lineage: Lineage = Lineage.NEW
    quiet_runs: int = 0
    name_locked: bool = False
    centre: tuple[float, ...] = ()
    encoder: str = ""
    unseen_case_ids: tuple[str, ...] = ()
    former_exemplars: tuple[str, ...] = ()
    new_by_period: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Number and share of cases that moved between two themes; ``theme_id`` None means "no theme"."""

    theme_id: str | None
    n_cases: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ThemeChange:
    """An entry of a theme's history, with its evidence.

    Attributes:
        others: themes it was split from, split into or merged with.
        n_before: number of its cases before the run.
        n_after: number of its cases after the run.
        n_shared: number of its cases both before and after the run.
        overlap: Jaccard index of before and after, over the cases that both runs included.
        similarity: cosine of the two centres; 0 if they cannot be compared.
        former_lineage: lineage in the previous run; None for a theme that is new to the lens.
        n_known: number of its earlier cases that this run included.
        n_new: number of its cases that are new in this period.
        shared_exemplars: former exemplars that are still in the theme.
        went: themes that now have its earlier cases, including itself, as shares of ``n_known``; largest first.
        came: themes that had its known cases before, as shares of those cases; largest first.
    """

    theme_id: str
    lineage: Lineage
    others: tuple[str, ...] = ()
    n_before: int = 0
    n_after: int = 0
    n_shared: int = 0
    overlap: float = 0.0
    similarity: float = 0.0
    former_lineage: Lineage | None = None
    n_known: int = 0
    n_new: int = 0
    quiet_runs: int = 0
    shared_exemplars: tuple[str, ...] = ()
    went: tuple[Flow, ...] = ()
    came: tuple[Flow, ...] = ()

    @property
    def is_reportable(self) -> bool:
        """False for a theme that was dormant before the run and still is; it is only recorded."""
        return self.n_after > 0 or self.lineage is not self.former_lineage
