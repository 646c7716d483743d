"""Machine result of a run, before people's edits are applied."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from patternmind.domain.themes import DEFAULTS, OUTLIER, Partition, Theme


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MachineResult:
    """Clustering result, stored in addition to the themes that people see.

    The next run continues from it. An edit therefore never changes the machine result, and undoing the edit gives
    exactly the themes that would exist without it. An edit is applied to it immediately, without a run.

    Attributes:
        case_ids: row i of the partition is case i.
        theme_ids: stable theme id of each cluster, by label.
        area_ids: stable area id of each cluster, by label.
        encoder: id of the encoder that made the vectors.
        known_themes: every theme as the machine knows it, for the next run to continue; without names.
        new_cases: ids of the cases that are new in the period of the run.
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
        """Return the result without a case, and without clusters that become empty.

        Args:
            known_themes: themes without the case; the case's cluster gets the centre of its theme.
        """
        row = self.case_ids.index(case_id)
        label_of_case = int(self.partition.labels[row])
        centres = self.partition.centres.copy()
        if label_of_case != OUTLIER:
            centre = (theme.centre for theme in known_themes if theme.id == self.theme_ids[label_of_case])
            centres[label_of_case] = next(centre, ()) or 0
        partition = _drop_row(replace(self.partition, centres=centres), row)
        kept_labels = [int(label) for label in np.unique(partition.labels[partition.labels != OUTLIER])]
        return replace(
            self,
            case_ids=tuple(id for id in self.case_ids if id != case_id),
            theme_ids=tuple(self.theme_ids[label] for label in kept_labels),
            area_ids=tuple(self.area_ids[label] for label in kept_labels),
            partition=_drop_empty_clusters(partition, kept_labels),
            known_themes=known_themes,
            new_cases=tuple(id for id in self.new_cases if id != case_id),
            duplicate_of={id: first for id, first in self.duplicate_of.items() if case_id not in (id, first)},
        )


PER_ROW_FIELDS = ("labels", "strength", "nearest", *DEFAULTS)


def _drop_row(partition: Partition, row: int) -> Partition:
    return replace(partition, **{name: np.delete(getattr(partition, name), row) for name in PER_ROW_FIELDS})


def _drop_empty_clusters(partition: Partition, kept_labels: list[int]) -> Partition:
    """Keep only some clusters; a row nearest to a dropped cluster gets ``OUTLIER`` as its nearest."""
    if len(kept_labels) == partition.n_clusters:
        return partition
    new_labels = np.full(partition.n_clusters + 1, OUTLIER, np.int32)  # the last entry is for OUTLIER, which is -1
    new_labels[kept_labels] = np.arange(len(kept_labels), dtype=np.int32)
    return replace(
        partition,
        labels=new_labels[partition.labels],
        nearest=new_labels[partition.nearest],
        second=new_labels[partition.second],
        areas=partition.areas[kept_labels],
        centres=partition.centres[kept_labels],
        stability=partition.stability[kept_labels],
    )
