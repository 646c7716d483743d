"""Clusters of one run, themes that outlive it, and what changed between runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
"""(n, d), every row of norm 1."""

OUTLIER = -1

MIN_STABILITY = 0.6
"""Stability under which a theme is tentative: more than a third of it changes from one resampled fit to the next."""

MIN_STEADY_STABILITY = 0.8

MIN_RECURRING_SHARE = 0.15
"""Share of recurring rows under which a theme is tentative: three times what chance makes, one in twenty. Of 50 draws
of 100 rows with nothing in common, every theme was tentative in 42 at twice chance, and in 49 at three times."""

PRIOR_ROWS = 20
"""Rows of the whole network that are counted beside a theme's own."""


class OutlierReason(IntEnum):
    """Why a row is in no cluster; ``PLACED`` where it is in one."""

    PLACED = 0
    TOO_FEW = 1
    ALONE = 2
    BETWEEN = 3
    SMALL = 4


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """The nearest neighbours of every row by cosine, nearest first, the row itself left out.

    ``index`` (n, k) int32; ``similarity`` (n, k) float32, falling along each row; ties broken by the lower index.
    """

    index: NDArray[np.int32]
    similarity: NDArray[np.float32]

    def top(self, k: int) -> "Neighbours":
        """The k nearest of each row, or all there are."""
        return Neighbours(self.index[:, :k], self.similarity[:, :k])


DEFAULTS: Mapping[str, int] = {
    "second": OUTLIER,
    "second_strength": 0,
    "outlier_score": 0,
    "why": OutlierReason.PLACED,
    "recurring": 1,
}
"""What stands for a per-row field of a partition that was left out."""


@dataclass(frozen=True, slots=True, eq=False)
class Partition:
    """What clustering found in one run, by row.

    ``labels`` (n,) from 0 by falling size, ``OUTLIER`` where a case stands alone; ``areas`` (k,) the area of each
    cluster; ``strength`` (n,) 0..1, how often resampled fits agree; ``nearest`` (n,) the cluster each row belongs to
    or comes nearest to, ``OUTLIER`` where there is none; ``centres`` (k, d) unit norm; ``stability`` (k,) 0..1, the
    mean Jaccard index of a cluster and the one most like it in each resampled fit.

    ``second`` (n,) a further cluster a row belongs to, ``OUTLIER`` where there is none, with ``second_strength`` (n,)
    0..1; ``outlier_score`` (n,) 0..1, 1 for the row that stands most alone; ``why`` (n,) a ``Why`` for each row;
    ``recurring`` (n,) whether a row has closer company than chance would give it. Left out, they say nothing.

    ``smallest_visible`` rows a theme needs to be seen where only a sample was fitted; 0 where all rows were.
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
        for name, absent in DEFAULTS.items():
            given = getattr(self, name)
            if len(given) != n:
                object.__setattr__(self, name, np.full(n, absent, given.dtype))

    @property
    def tentative(self) -> NDArray[np.bool_]:
        """(k,), whether a cluster is less stable than a theme should be, or no more than chance would make.

        Few members say little: a cluster's share of recurring rows is taken together with that of all rows.
        """
        inside = self.labels != OUTLIER
        size = np.bincount(self.labels[inside], minlength=self.n_clusters)
        recurring = np.bincount(self.labels[inside], self.recurring[inside], self.n_clusters)
        everywhere = float(self.recurring.mean()) if len(self.recurring) else 1.0
        share = (recurring + PRIOR_ROWS * everywhere) / (size + PRIOR_ROWS)
        return (self.stability < MIN_STABILITY) | (share < MIN_RECURRING_SHARE)

    @property
    def is_all_tentative(self) -> bool:
        """Whether there are clusters, and every one is tentative."""
        return bool(self.n_clusters) and bool(self.tentative.all())

    @property
    def n_clusters(self) -> int:
        return len(self.areas)

    def rows_of(self, label: int) -> list[int]:
        """The rows of a cluster, in order."""
        return [int(row) for row in np.flatnonzero(self.labels == label)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Where a run put a case: in one theme, or with the outliers and then why.

    ``second_theme_id`` is a further theme it also belongs to, ``second_strength`` 0..1 how firmly;
    ``outlier_score`` 0..1, 1 for the case that stands most alone; ``x``, ``y`` its place on the map.
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
    """A theme's stability in words: steady, fairly steady, or tentative."""
    if tentative:
        return "tentative"
    return "steady" if stability >= MIN_STEADY_STABILITY else "fairly steady"


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """A theme as it stands after a run. ``case_ids`` are its members by falling strength, recaps of them included.

    ``n_cases`` leaves out near-duplicates and the recaps that link to a case of the same theme. ``one_contributor``
    marks a theme all of whose cases one known person handed in, in a network of several: nothing is drafted from it.
    ``centre`` is the unit-norm mean of the members' vectors, made by the encoder named ``encoder`` ("" where unknown).

    What the next run needs to know it by: ``remembered`` are cases it has beside ``case_ids`` that its last run did not
    look at, or, while it has no group, those it last had; ``spoke`` its exemplars when it last had any;
    ``new_by_period`` its new cases in each labelled period, oldest first.
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
    """How many cases went between two themes, and the share they are; ``theme_id`` None stands for "in no theme"."""

    theme_id: str | None
    n_cases: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ThemeChange:
    """One line of a theme's history, with its evidence.

    ``others`` are the themes that the word is about: where it came from or went to (split, merged). ``n_before`` are
    the cases it had, ``n_known`` those of them that this run looked at, ``n_after`` the cases it has, ``n_shared`` of
    them from before, ``n_new`` new in this period. ``overlap`` is the Jaccard index of before and after over the cases
    both runs knew, ``similarity`` the cosine of the two centres, 0 where they cannot be compared.
    ``former_lineage`` is the word of the run before, none for a theme that is new to the lens.
    ``shared_exemplars`` are those of its former exemplars that are still in it. ``went`` says where its earlier cases
    are now, itself included, as shares of ``n_known``; ``came`` where its known cases were before, as shares of those;
    both by falling number.
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
        """False for a theme that was at rest before the run and still is: on record, and nothing to tell."""
        return self.n_after > 0 or self.lineage is not self.former_lineage
