"""Assignment of cases to themes under people's edits; all other cases follow the machine result."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from patternmind.domain.edits import Edit
from patternmind.domain.machine_result import MachineResult
from patternmind.domain.themes import OUTLIER, Vectors
from patternmind.edits.effects import ResolvedEdits
from patternmind.edits.registry import ACTIONS

MIN_FIT_SHARE = 0.25
"""Share of a theme's members that a displaced case must exceed in similarity."""

EDIT_STRENGTH = 1.0
"""Strength of a case in a theme to which only a person assigned it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditedAssignments:
    """Themes of all cases after edits.

    Attributes:
        theme_of: theme id of every case of the run, in order; None for cases in no theme.
        strength: strength of the cases that edits moved, and only of these.
        reasons: reason for each of these cases.
    """

    theme_of: Mapping[str, str | None]
    strength: Mapping[str, float] = field(default_factory=dict[str, float])
    reasons: Mapping[str, str] = field(default_factory=dict[str, str])


def assign_cases(machine_result: MachineResult, vectors: Vectors, resolved: ResolvedEdits) -> EditedAssignments:
    """Apply edits to the assignments of a run.

    A case with a required theme goes there. Cases kept together go where most of them are. A case that is excluded from
    its theme goes to the nearest permitted theme, if that is near enough, and otherwise to no theme.
    """
    return _CaseAssigner(machine_result, vectors, resolved).assign()


class _CaseAssigner:
    def __init__(self, machine_result: MachineResult, vectors: Vectors, resolved: ResolvedEdits) -> None:
        self.machine_result, self.vectors, self.resolved = machine_result, vectors, resolved
        self.row_of = {case_id: row for row, case_id in enumerate(machine_result.case_ids)}
        self.machine_theme_of = machine_theme_ids(machine_result, resolved)
        self.theme_of = dict(self.machine_theme_of)
        self.strength: dict[str, float] = {}
        self.reasons: dict[str, str] = {}
        self.units_by_theme: defaultdict[str, set[str]] = defaultdict(set)
        self.separated_units = self._find_separated_units()

    def assign(self) -> EditedAssignments:
        for unit in self._affected_units():
            self._assign_unit(unit, [case_id for case_id in self._members(unit) if case_id in self.row_of])
        return EditedAssignments(theme_of=self.theme_of, strength=self.strength, reasons=self.reasons)

    def _members(self, unit: str) -> tuple[str, ...]:
        return self.resolved.units.get(unit, (unit,))

    def _find_separated_units(self) -> Mapping[str, Mapping[str, Edit]]:
        """Map each unit to the units it is kept apart from, each with its edit."""
        rivals: defaultdict[str, dict[str, Edit]] = defaultdict(dict)
        for edit in self.resolved.separations:
            for left, right in combinations((self.resolved.unit_of.get(id, id) for id in edit.case_ids), 2):
                rivals[left][right] = rivals[right][left] = edit
        return rivals

    def _affected_units(self) -> list[str]:
        """Return every unit with an edit, in the order of assignment: required themes first, then by strength."""
        resolved = self.resolved
        affected = {
            *resolved.required_theme,
            *resolved.excluded_themes,
            *resolved.unit_of,
            *(id for edit in resolved.separations for id in edit.case_ids),
        }
        units = {resolved.unit_of.get(case_id, case_id) for case_id in affected & self.row_of.keys()}
        return sorted(units, key=lambda unit: (unit not in resolved.required_theme, -self._unit_strength(unit), unit))

    def _unit_strength(self, unit: str) -> float:
        rows = [self.row_of[id] for id in self._members(unit) if id in self.row_of and self.machine_theme_of[id]]
        return round(float(self.machine_result.partition.strength[rows].sum()), 6)

    def _assign_unit(self, unit: str, members: Sequence[str]) -> None:
        if unit in self.resolved.required_theme:
            theme_id, edit = self.resolved.required_theme[unit]
            self._record_assignment(unit, members, theme_id, EDIT_STRENGTH, _reason(edit))
            return
        blocking_edits: list[Edit] = []
        for theme_id in self._candidate_theme_ids(members):
            blocking_edit = self._blocking_edit(unit, members, theme_id)
            if blocking_edit is None:
                self._record_assignment(unit, members, theme_id, EDIT_STRENGTH, "kept together by a person")
                return
            blocking_edits.append(blocking_edit)
        reason = _reason(blocking_edits[0]) if blocking_edits else ""
        for theme_id, share in self._nearest_themes(members) if blocking_edits else ():
            if self._blocking_edit(unit, members, theme_id) is None:
                self._record_assignment(unit, members, theme_id, share, reason)
                return
        self._record_assignment(unit, members, None, 0.0, reason)

    def _candidate_theme_ids(self, members: Sequence[str]) -> list[str]:
        """Return the members' themes in the machine result, by number of members, then strength."""
        count = Counter(theme for id in members if (theme := self.machine_theme_of[id]))
        strength: Counter[str] = Counter()
        for case_id in members:
            if theme := self.machine_theme_of[case_id]:
                strength[theme] += float(self.machine_result.partition.strength[self.row_of[case_id]])  # pyright: ignore[reportArgumentType]
        return sorted(count, key=lambda theme: (-count[theme], -round(strength[theme], 6), theme))

    def _blocking_edit(self, unit: str, members: Sequence[str], theme_id: str) -> Edit | None:
        """Return the edit that excludes the unit from a theme, if there is any."""
        for case_id in members:
            if theme_id in self.resolved.excluded_themes.get(case_id, {}):
                return self.resolved.excluded_themes[case_id][theme_id]
        rivals = self.separated_units.get(unit, {})
        separated = sorted(rivals.keys() & self.units_by_theme[theme_id])
        return rivals[separated[0]] if separated else None

    def _nearest_themes(self, members: Sequence[str]) -> Iterator[tuple[str, float]]:
        """Yield the themes near enough for the members, nearest first.

        Each comes with the share of its cases that are farther from its centroid than the members.
        """
        mean = self.vectors[[self.row_of[id] for id in members]].mean(axis=0, dtype=np.float64)
        length = float(np.linalg.norm(mean)) or 1.0
        cosines = [(float(centroid @ mean) / length, id) for id, (centroid, _) in self._theme_geometry.items()]
        for cosine, theme_id in sorted(cosines, key=lambda entry: (-round(entry[0], 6), entry[1])):
            share = float((self._theme_geometry[theme_id][1] < cosine).mean())
            if share >= MIN_FIT_SHARE:
                yield theme_id, round(share, 4)

    @cached_property
    def _theme_geometry(self) -> Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Centroid (d,) of every permitted theme, and the cosines of its members."""
        rows: defaultdict[str, list[int]] = defaultdict(list)
        for case_id, row in self.row_of.items():
            required = self.resolved.required_theme.get(case_id)
            theme_id = required[0] if required else self.machine_theme_of[case_id]
            if theme_id and theme_id not in self.resolved.retired:
                rows[theme_id].append(row)
        return {
            theme_id: _centroid_and_similarities(self.vectors[members]) for theme_id, members in sorted(rows.items())
        }

    def _record_assignment(
        self, unit: str, members: Sequence[str], theme_id: str | None, strength: float, reason: str
    ) -> None:
        if theme_id is not None:
            self.units_by_theme[theme_id].add(unit)
        for case_id in members:
            self.theme_of[case_id] = theme_id
            if theme_id != self.machine_theme_of[case_id]:
                self.strength[case_id] = strength
                self.reasons[case_id] = reason


def machine_theme_ids(machine_result: MachineResult, resolved: ResolvedEdits) -> dict[str, str | None]:
    """Return every case's theme in the machine result, after merges."""
    final_theme_ids = [resolved.final_theme_id(theme_id) for theme_id in machine_result.theme_ids]
    labels = machine_result.partition.labels
    return {
        case_id: None if label == OUTLIER else final_theme_ids[int(label)]
        for case_id, label in zip(machine_result.case_ids, labels, strict=True)
    }


def _centroid_and_similarities(members: Vectors) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    mean = members.mean(axis=0, dtype=np.float64)
    centroid = mean / (float(np.linalg.norm(mean)) or 1.0)
    return centroid, members.astype(np.float64) @ centroid


def _reason(edit: Edit) -> str:
    return f"{ACTIONS[edit.action].case_reason} by a person (decision {edit.seq})"
