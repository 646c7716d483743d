"""What a run found before people's decisions are laid over it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from patternmind.model.themes import OUTLIER, UNSAID, Partition, Theme


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """The machine's own answer, kept beside the themes that people see.

    The next run continues it, so that a decision never changes what the machine finds, and taking the decision back
    gives exactly what would have been; and a decision is laid over it at once, without a run.

    Attributes:
        case_ids: row i of the partition is case i.
        theme_ids: the lasting theme of each cluster, by label; ``area_ids`` its lasting area.
        encoder: the id of the encoder that made the vectors it was found with.
        memory: every theme as the machine knows it, to be continued; without names.
        new_cases: those that were new in the period of the run.
        duplicate_of: near-duplicates under the run's lens, each with the case it repeats.
    """

    case_ids: tuple[str, ...]
    theme_ids: tuple[str, ...]
    area_ids: tuple[str, ...]
    partition: Partition
    encoder: str
    memory: tuple[Theme, ...] = ()
    new_cases: tuple[str, ...] = ()
    duplicate_of: Mapping[str, str] = field(default_factory=dict[str, str])

    def without(self, case_id: str, memory: tuple[Theme, ...]) -> "Found":
        """The same answer had the case not been there to be placed; a cluster that it was the last of is gone too.

        ``memory`` is that of the themes as they are without it: the cluster it was in has the centre of its theme.
        """
        row = self.case_ids.index(case_id)
        home = int(self.partition.labels[row])
        centres = self.partition.centres.copy()
        if home != OUTLIER:
            known = (theme.centre for theme in memory if theme.id == self.theme_ids[home])
            centres[home] = next(known, ()) or 0
        part = _without_row(replace(self.partition, centres=centres), row)
        left = [int(label) for label in np.unique(part.labels[part.labels != OUTLIER])]
        return replace(
            self,
            case_ids=tuple(id for id in self.case_ids if id != case_id),
            theme_ids=tuple(self.theme_ids[label] for label in left),
            area_ids=tuple(self.area_ids[label] for label in left),
            partition=_without_empty(part, left),
            memory=memory,
            new_cases=tuple(id for id in self.new_cases if id != case_id),
            duplicate_of={id: first for id, first in self.duplicate_of.items() if case_id not in (id, first)},
        )


PER_ROW = ("labels", "strength", "nearest", *UNSAID)


def _without_row(part: Partition, row: int) -> Partition:
    return replace(part, **{name: np.delete(getattr(part, name), row) for name in PER_ROW})


def _without_empty(part: Partition, left: list[int]) -> Partition:
    """Only the clusters ``left``, by label; a row that was nearest to another is nearest to none."""
    if len(left) == part.n_clusters:
        return part
    number = np.full(part.n_clusters + 1, OUTLIER, np.int32)  # its last entry is for OUTLIER, which is -1
    number[left] = np.arange(len(left), dtype=np.int32)
    return replace(
        part,
        labels=number[part.labels],
        nearest=number[part.nearest],
        second=number[part.second],
        areas=part.areas[left],
        centres=part.centres[left],
        stability=part.stability[left],
    )
