"""Rebuild of a run's partition after people's edits; clusters are themes, numbered by descending size."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patternmind.domain.machine_result import MachineResult
from patternmind.domain.themes import OUTLIER, Partition, Vectors
from patternmind.edits.assignment import EditedAssignments, machine_theme_ids
from patternmind.edits.effects import ResolvedEdits

LABEL_FIELDS = ("second",)
"""Label fields of a partition, apart from those that are computed again."""


def apply_edits(
    machine_result: MachineResult, assignments: EditedAssignments, resolved: ResolvedEdits, vectors: Vectors
) -> tuple[Partition, tuple[str, ...]]:
    """Return the partition after edits and the theme of each cluster; unchanged if no case moved.

    Clusters with unchanged members keep their centroid and stability. The stability of any other cluster is the mean of
    its members' former values: it describes the cases, not the decision. Its area is that of most members.
    """
    machine_themes = machine_theme_ids(machine_result, resolved)
    if not resolved.merged_into and machine_themes == dict(assignments.theme_of):
        return machine_result.partition, machine_result.theme_ids
    return _PartitionRebuilder(machine_result, assignments, resolved, vectors).rebuild()


class _PartitionRebuilder:
    def __init__(
        self, machine_result: MachineResult, assignments: EditedAssignments, resolved: ResolvedEdits, vectors: Vectors
    ) -> None:
        self.machine_result, self.assignments, self.resolved, self.vectors = (
            machine_result,
            assignments,
            resolved,
            vectors,
        )
        self.machine_partition = machine_result.partition
        rows_by_theme: defaultdict[str, list[int]] = defaultdict(list)
        for row, case_id in enumerate(machine_result.case_ids):
            if (theme_id := assignments.theme_of[case_id]) is not None:
                rows_by_theme[theme_id].append(row)
        self.rows_by_theme = rows_by_theme
        self.theme_ids = tuple(
            sorted(rows_by_theme, key=lambda theme_id: (-len(rows_by_theme[theme_id]), rows_by_theme[theme_id][0]))
        )
        self.label_of = {theme_id: label for label, theme_id in enumerate(self.theme_ids)}

    def rebuild(self) -> tuple[Partition, tuple[str, ...]]:
        labels = np.full(len(self.machine_result.case_ids), OUTLIER, np.int32)
        for label, theme_id in enumerate(self.theme_ids):
            labels[self.rows_by_theme[theme_id]] = label
        unchanged_labels = [self._unchanged_label(theme_id) for theme_id in self.theme_ids]
        centroids = self._centroids(unchanged_labels)
        return (
            replace(
                self.machine_partition,
                labels=labels,
                areas=self._areas(unchanged_labels, centroids),
                strength=self._strength(),
                nearest=self._nearest(labels, centroids),
                centres=centroids,
                stability=self._stability(unchanged_labels),
                **self._renumber_label_fields(labels),
            ),
            self.theme_ids,
        )

    def _renumber_label_fields(self, labels: NDArray[np.int32]) -> dict[str, Any]:
        """Return the other label fields of the partition in the new numbering.

        A second theme is removed if it is now the case's own theme, or if the case was moved out of it.
        """
        return {
            name: self._renumber(getattr(self.machine_partition, name), labels)
            for name in LABEL_FIELDS
            if hasattr(self.machine_partition, name)
        }

    def _renumber(self, old: NDArray[np.int32], labels: NDArray[np.int32]) -> NDArray[np.int32]:
        final_theme_ids = [self.resolved.final_theme_id(theme_id) for theme_id in self.machine_result.theme_ids]
        renumbered = np.full(len(old), OUTLIER, np.int32)
        for row in np.flatnonzero(old != OUTLIER):
            theme_id = final_theme_ids[int(old[row])]
            label = self.label_of.get(theme_id, OUTLIER)
            excluded = self.resolved.excluded_themes.get(self.machine_result.case_ids[int(row)], {})
            renumbered[row] = OUTLIER if label == labels[row] or theme_id in excluded else label
        return renumbered

    def _unchanged_label(self, theme_id: str) -> int | None:
        """Return the machine label of a theme if its members are unchanged, else None."""
        rows = self.rows_by_theme[theme_id]
        label = int(self.machine_partition.labels[rows[0]])
        is_unchanged = label != OUTLIER and np.array_equal(np.flatnonzero(self.machine_partition.labels == label), rows)
        return label if is_unchanged else None

    def _centroids(self, unchanged_labels: Sequence[int | None]) -> Vectors:
        """Return the centroids, (k, d), unit norm; zeros where the members cancel each other out."""
        centroids = np.zeros((len(self.theme_ids), self.vectors.shape[1]), np.float32)
        for position, (theme_id, label) in enumerate(zip(self.theme_ids, unchanged_labels, strict=True)):
            mean = self.vectors[self.rows_by_theme[theme_id]].mean(axis=0, dtype=np.float64)
            unit = mean / (float(np.linalg.norm(mean)) or 1.0)
            centroids[position] = unit if label is None else self.machine_partition.centres[label]
        return centroids

    def _areas(self, unchanged_labels: Sequence[int | None], centroids: Vectors) -> NDArray[np.int32]:
        areas: list[int] = []
        for theme_id, label, centroid in zip(self.theme_ids, unchanged_labels, centroids, strict=True):
            machine_labels = [int(label)] if label is not None else self._machine_labels(theme_id)
            votes = Counter(int(self.machine_partition.areas[machine_label]) for machine_label in machine_labels)
            if votes:
                areas.append(min(votes, key=lambda area: (-votes[area], area)))
            else:
                similarity = self.machine_partition.centres @ centroid if self.machine_partition.n_clusters else None
                areas.append(
                    int(self.machine_partition.areas[int(similarity.argmax())]) if similarity is not None else 0
                )
        return np.asarray(areas, np.int32)

    def _machine_labels(self, theme_id: str) -> list[int]:
        """Return the machine labels of the members, without outliers."""
        return [int(label) for label in self.machine_partition.labels[self.rows_by_theme[theme_id]] if label != OUTLIER]

    def _strength(self) -> NDArray[np.float32]:
        strength = self.machine_partition.strength.copy()
        for row, case_id in enumerate(self.machine_result.case_ids):
            if case_id in self.assignments.strength and self.assignments.theme_of[case_id] is not None:
                strength[row] = self.assignments.strength[case_id]
        return strength

    def _stability(self, unchanged_labels: Sequence[int | None]) -> NDArray[np.float32]:
        machine_stability = np.append(self.machine_partition.stability, 0.0)  # the last entry is for outliers
        return np.asarray(
            [
                float(machine_stability[label])
                if label is not None
                else float(machine_stability[self.machine_partition.labels[self.rows_by_theme[theme_id]]].mean())
                for theme_id, label in zip(self.theme_ids, unchanged_labels, strict=True)
            ],
            np.float32,
        )

    def _nearest(self, labels: NDArray[np.int32], centroids: Vectors) -> NDArray[np.int32]:
        """Return each case's nearest theme, (n,).

        For a member it is its own theme. For an outlier it is the theme of the machine result, or else the closest
        theme that is not retired.
        """
        nearest = labels.copy()
        available = [i for i, theme_id in enumerate(self.theme_ids) if theme_id not in self.resolved.retired]
        for row in np.flatnonzero(labels == OUTLIER):
            case_id = self.machine_result.case_ids[int(row)]
            excluded = self.resolved.excluded_themes.get(case_id, {})
            label = int(self.machine_partition.nearest[row])
            machine_theme = (
                self.resolved.final_theme_id(self.machine_result.theme_ids[label]) if label != OUTLIER else None
            )
            if (
                machine_theme in self.label_of
                and self.label_of[machine_theme] in available
                and machine_theme not in excluded
            ):
                nearest[row] = self.label_of[machine_theme]
                continue
            permitted = [i for i in available if self.theme_ids[i] not in excluded]
            nearest[row] = permitted[int((centroids[permitted] @ self.vectors[row]).argmax())] if permitted else OUTLIER
        return nearest
