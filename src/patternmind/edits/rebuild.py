"""Rebuild of a run's partition after people's edits; clusters are themes, numbered by descending size."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from patternmind.domain.edits import Edit
from patternmind.domain.machine_result import MachineResult
from patternmind.domain.themes import OUTLIER, Partition, Vectors
from patternmind.edits.assignment import EditedAssignments, machine_theme_ids
from patternmind.edits.effects import ResolvedEdits


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
        self.machine_result, self.assignments = machine_result, assignments
        self.resolved, self.vectors = resolved, vectors
        self.machine_partition = machine_result.partition
        self.final_theme_ids = [resolved.final_theme_id(theme_id) for theme_id in machine_result.theme_ids]
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
        partition = replace(
            self.machine_partition,
            labels=labels,
            areas=self._areas(unchanged_labels, centroids),
            strength=self._strength(),
            nearest=self._nearest(labels, centroids),
            centres=centroids,
            stability=self._stability(unchanged_labels),
            second=self._second(labels),
        )
        return partition, self.theme_ids

    def _second(self, labels: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return the second themes in the new numbering.

        A second theme is removed if it is now the case's own theme, or if the case was moved out of it.
        """
        old = self.machine_partition.second
        second = np.full(len(old), OUTLIER, np.int32)
        for row in np.flatnonzero(old != OUTLIER):
            theme_id = self.final_theme_ids[int(old[row])]
            label = self.label_of.get(theme_id, OUTLIER)
            second[row] = OUTLIER if label == labels[row] or theme_id in self._excluded_themes(row) else label
        return second

    def _excluded_themes(self, row: np.intp) -> Mapping[str, Edit]:
        return self.resolved.excluded_themes.get(self.machine_result.case_ids[int(row)], {})

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
        machine_areas, areas = self.machine_partition.areas, list[int]()
        for theme_id, label, centroid in zip(self.theme_ids, unchanged_labels, centroids, strict=True):
            machine_labels = [label] if label is not None else self._machine_labels(theme_id)
            votes = Counter(int(machine_areas[machine_label]) for machine_label in machine_labels)
            if votes:
                areas.append(min(votes, key=lambda area: (-votes[area], area)))
            elif self.machine_partition.n_clusters:
                areas.append(int(machine_areas[int((self.machine_partition.centres @ centroid).argmax())]))
            else:
                areas.append(0)
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
        labels = [
            self.machine_partition.labels[self.rows_by_theme[theme_id]] if label is None else np.asarray([label])
            for theme_id, label in zip(self.theme_ids, unchanged_labels, strict=True)
        ]
        return np.asarray([machine_stability[former].mean() for former in labels], np.float32)

    def _nearest(self, labels: NDArray[np.int32], centroids: Vectors) -> NDArray[np.int32]:
        """Return each case's nearest theme, (n,).

        For a member it is its own theme. For an outlier it is the theme of the machine result, or else the closest
        theme that is not retired.
        """
        nearest = labels.copy()
        available = [i for i, theme_id in enumerate(self.theme_ids) if theme_id not in self.resolved.retired]
        for row in np.flatnonzero(labels == OUTLIER):
            excluded = self._excluded_themes(row)
            permitted = [i for i in available if self.theme_ids[i] not in excluded] if excluded else available
            machine_label = int(self.machine_partition.nearest[row])
            machine_theme = self.final_theme_ids[machine_label] if machine_label != OUTLIER else ""
            if (label := self.label_of.get(machine_theme)) in permitted:
                nearest[row] = label
            else:
                closest = permitted[int((centroids[permitted] @ self.vectors[row]).argmax())] if permitted else OUTLIER
                nearest[row] = closest
        return nearest
