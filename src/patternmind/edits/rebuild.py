"""The partition of a run as people's decisions leave it: clusters are themes, numbered by falling size."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patternmind.domain.machine_result import MachineResult
from patternmind.domain.themes import OUTLIER, Partition, Vectors
from patternmind.edits.assignment import EditedAssignments, machine_theme_ids
from patternmind.edits.resolution import ResolvedEdits

LABEL_FIELDS = ("second",)
"""Fields of a partition, beside those that are made anew, whose values are labels."""


def apply_edits(
    machine_result: MachineResult, assignments: EditedAssignments, resolved: ResolvedEdits, vectors: Vectors
) -> tuple[Partition, tuple[str, ...]]:
    """The partition with every case where it was placed, and the theme of each cluster; as found where nothing moved.

    Clusters whose members are as found keep their centre and stability. The stability of another is the mean of what
    its members had: it says how steady the cases are, not the decision. Its area is that of most members.
    """
    before = machine_theme_ids(machine_result, resolved)
    if not resolved.merged_into and before == dict(assignments.theme_of):
        return machine_result.partition, machine_result.theme_ids
    return _PartitionRebuilder(machine_result, assignments, resolved, vectors).shaped()


class _PartitionRebuilder:
    def __init__(
        self, found: MachineResult, placed: EditedAssignments, decisions: ResolvedEdits, vectors: Vectors
    ) -> None:
        self.found, self.placed, self.decisions, self.vectors = found, placed, decisions, vectors
        self.machine_partition = found.partition
        rows: defaultdict[str, list[int]] = defaultdict(list)
        for row, case_id in enumerate(found.case_ids):
            if (theme_id := placed.theme_of[case_id]) is not None:
                rows[theme_id].append(row)
        self.rows = rows
        self.theme_ids = tuple(sorted(rows, key=lambda theme_id: (-len(rows[theme_id]), rows[theme_id][0])))
        self.label_of = {theme_id: label for label, theme_id in enumerate(self.theme_ids)}

    def shaped(self) -> tuple[Partition, tuple[str, ...]]:
        labels = np.full(len(self.found.case_ids), OUTLIER, np.int32)
        for label, theme_id in enumerate(self.theme_ids):
            labels[self.rows[theme_id]] = label
        as_found = [self._unchanged_label(theme_id) for theme_id in self.theme_ids]
        centres = self._centroids(as_found)
        return (
            replace(
                self.machine_partition,
                labels=labels,
                areas=self._areas(as_found, centres),
                strength=self._strength(),
                nearest=self._nearest(labels, centres),
                centres=centres,
                stability=self._stability(as_found),
                **self._renumber_label_fields(labels),
            ),
            self.theme_ids,
        )

    def _renumber_label_fields(self, labels: NDArray[np.int32]) -> dict[str, Any]:
        """The fields beside ``labels`` that hold labels, if a partition has them, in the new numbering.

        A second theme that is now a case's own, or one it was moved out of, is none.
        """
        return {
            name: self._renumber(getattr(self.machine_partition, name), labels)
            for name in LABEL_FIELDS
            if hasattr(self.machine_partition, name)
        }

    def _renumber(self, old: NDArray[np.int32], labels: NDArray[np.int32]) -> NDArray[np.int32]:
        ends = [self.decisions.final_theme_id(theme_id) for theme_id in self.found.theme_ids]
        now = np.full(len(old), OUTLIER, np.int32)
        for row in np.flatnonzero(old != OUTLIER):
            theme_id = ends[int(old[row])]
            label = self.label_of.get(theme_id, OUTLIER)
            barred = self.decisions.excluded_themes.get(self.found.case_ids[int(row)], {})
            now[row] = OUTLIER if label == labels[row] or theme_id in barred else label
        return now

    def _unchanged_label(self, theme_id: str) -> int | None:
        """The label a theme's cluster was found under, where its members are exactly those."""
        rows = self.rows[theme_id]
        label = int(self.machine_partition.labels[rows[0]])
        same = label != OUTLIER and np.array_equal(np.flatnonzero(self.machine_partition.labels == label), rows)
        return label if same else None

    def _centroids(self, unchanged_labels: Sequence[int | None]) -> Vectors:
        """(k, d), unit norm; zeros where the members cancel each other out."""
        centres = np.zeros((len(self.theme_ids), self.vectors.shape[1]), np.float32)
        for position, (theme_id, label) in enumerate(zip(self.theme_ids, unchanged_labels, strict=True)):
            mean = self.vectors[self.rows[theme_id]].mean(axis=0, dtype=np.float64)
            unit = mean / (float(np.linalg.norm(mean)) or 1.0)
            centres[position] = unit if label is None else self.machine_partition.centres[label]
        return centres

    def _areas(self, unchanged_labels: Sequence[int | None], centroids: Vectors) -> NDArray[np.int32]:
        areas: list[int] = []
        for theme_id, label, centre in zip(self.theme_ids, unchanged_labels, centroids, strict=True):
            own = [int(label)] if label is not None else self._machine_labels(theme_id)
            votes = Counter(int(self.machine_partition.areas[one]) for one in own)
            if votes:
                areas.append(min(votes, key=lambda area: (-votes[area], area)))
            else:
                near = self.machine_partition.centres @ centre if self.machine_partition.n_clusters else None
                areas.append(int(self.machine_partition.areas[int(near.argmax())]) if near is not None else 0)
        return np.asarray(areas, np.int32)

    def _machine_labels(self, theme_id: str) -> list[int]:
        """What the members were found under, the outliers among them left out."""
        return [int(label) for label in self.machine_partition.labels[self.rows[theme_id]] if label != OUTLIER]

    def _strength(self) -> NDArray[np.float32]:
        strength = self.machine_partition.strength.copy()
        for row, case_id in enumerate(self.found.case_ids):
            if case_id in self.placed.strength and self.placed.theme_of[case_id] is not None:
                strength[row] = self.placed.strength[case_id]
        return strength

    def _stability(self, unchanged_labels: Sequence[int | None]) -> NDArray[np.float32]:
        had = np.append(self.machine_partition.stability, 0.0)  # the last stands for "in no cluster"
        return np.asarray(
            [
                float(had[label])
                if label is not None
                else float(had[self.machine_partition.labels[self.rows[theme_id]]].mean())
                for theme_id, label in zip(self.theme_ids, unchanged_labels, strict=True)
            ],
            np.float32,
        )

    def _nearest(self, labels: NDArray[np.int32], centres: Vectors) -> NDArray[np.int32]:
        """A member's own theme; for an outlier what was found, else the closest theme that is not retired."""
        nearest = labels.copy()
        open_ones = [i for i, theme_id in enumerate(self.theme_ids) if theme_id not in self.decisions.retired]
        for row in np.flatnonzero(labels == OUTLIER):
            case_id = self.found.case_ids[int(row)]
            barred = self.decisions.excluded_themes.get(case_id, {})
            label = int(self.machine_partition.nearest[row])
            found = self.decisions.final_theme_id(self.found.theme_ids[label]) if label != OUTLIER else None
            if found in self.label_of and self.label_of[found] in open_ones and found not in barred:
                nearest[row] = self.label_of[found]
                continue
            may = [i for i in open_ones if self.theme_ids[i] not in barred]
            nearest[row] = may[int((centres[may] @ self.vectors[row]).argmax())] if may else OUTLIER
        return nearest
