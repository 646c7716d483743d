"""What a run found before people's decisions are laid over it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from patternmind.domain.themes import (
    DEFAULTS,
    OUTLIER,
    Partition,
    Theme,
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MachineResult:
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
    known_themes: tuple[Theme, ...] = ()
    new_cases: tuple[str, ...] = ()
    duplicate_of: Mapping[str, str] = field(default_factory=dict[str, str])

    def without_case(self, case_id: str, known_themes: tuple[Theme, ...]) -> "MachineResult":
        """The same answer had the case not been there to be placed; a cluster that it was the last of is gone too.

        ``memory`` is that of the themes as they are without it: the cluster it was in has the centre of its theme.
        """
        row = self.case_ids.index(case_id)
        home = int(self.partition.labels[row])
        centres = self.partition.centres.copy()
        if home != OUTLIER:
            known = (theme.centre for theme in known_themes if theme.id == self.theme_ids[home])
            centres[home] = next(known, ()) or 0
        part = _drop_row(replace(self.partition, centres=centres), row)
        left = [int(label) for label in np.unique(part.labels[part.labels != OUTLIER])]
        return replace(
            self,
            case_ids=tuple(id for id in self.case_ids if id != case_id),
            theme_ids=tuple(self.theme_ids[label] for label in left),
            area_ids=tuple(self.area_ids[label] for label in left),
            partition=_drop_empty_clusters(part, left),
            known_themes=known_themes,
            new_cases=tuple(id for id in self.new_cases if id != case_id),
            duplicate_of={id: first for id, first in self.duplicate_of.items() if case_id not in (id, first)},
        )


PER_ROW_FIELDS = ("labels", "strength", "nearest", *DEFAULTS)


def _drop_row(partition: Partition, row: int) -> Partition:
    return replace(partition, **{name: np.delete(getattr(partition, name), row) for name in PER_ROW_FIELDS})


def _drop_empty_clusters(partition: Partition, kept_labels: list[int]) -> Partition:
    """Only the clusters ``left``, by label; a row that was nearest to another is nearest to none."""
    if len(kept_labels) == partition.n_clusters:
        return partition
    number = np.full(partition.n_clusters + 1, OUTLIER, np.int32)  # its last entry is for OUTLIER, which is -1
    number[kept_labels] = np.arange(len(kept_labels), dtype=np.int32)
    return replace(
        partition,
        labels=number[partition.labels],
        nearest=number[partition.nearest],
        second=number[partition.second],
        areas=partition.areas[kept_labels],
        centres=partition.centres[kept_labels],
        stability=partition.stability[kept_labels],
    )
