"""Where every case ends once people's decisions are laid over what a run found; all other cases follow the data."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from patternmind.domain.edits import Edit, EditAction
from patternmind.domain.machine_result import MachineResult
from patternmind.domain.themes import OUTLIER, Vectors
from patternmind.edits.resolution import ResolvedEdits

MIN_FIT_SHARE = 0.25
"""A case that must leave its theme joins another if it lies nearer to its centre than this share of its members."""

EDIT_STRENGTH = 1.0
"""The strength of a case in a theme that a person put it in, and the data did not."""

_ACTION_LABELS = {
    EditAction.MOVE_OUT: "moved out",
    EditAction.MOVE_IN: "moved in",
    EditAction.SPLIT_OFF: "split off",
    EditAction.APART: "kept apart",
    EditAction.PIN: "pinned",
    EditAction.LOCK: "locked in",
    EditAction.RETIRE: "retired with its theme",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EditedAssignments:
    """``theme_of`` has every case of the run, in order; None is "in no theme".

    ``strength`` and ``reasons`` have only the cases that stand elsewhere than the data would have them.
    """

    theme_of: Mapping[str, str | None]
    strength: Mapping[str, float] = field(default_factory=dict[str, float])
    reasons: Mapping[str, str] = field(default_factory=dict[str, str])


def assign_cases(machine_result: MachineResult, vectors: Vectors, resolved: ResolvedEdits) -> EditedAssignments:
    """Lay decisions over a run.

    A case that is held goes where it is held. Cases kept together go where most of them are. A case that must not be
    where the data has it goes to the nearest theme it may be in, if it is near enough, and else stands alone.
    """
    return _CaseAssigner(machine_result, vectors, resolved).placed()


class _CaseAssigner:
    def __init__(self, found: MachineResult, vectors: Vectors, decisions: ResolvedEdits) -> None:
        self.found, self.vectors, self.decisions = found, vectors, decisions
        self.row_of = {case_id: row for row, case_id in enumerate(found.case_ids)}
        self.machine_theme_of = machine_theme_ids(found, decisions)
        self.theme_of = dict(self.machine_theme_of)
        self.strength: dict[str, float] = {}
        self.reasons: dict[str, str] = {}
        self.inside: defaultdict[str, set[str]] = defaultdict(set)
        self.separated_units = self._find_separated_units()

    def placed(self) -> EditedAssignments:
        for unit in self._affected_units():
            self._place(unit, [case_id for case_id in self._members(unit) if case_id in self.row_of])
        return EditedAssignments(theme_of=self.theme_of, strength=self.strength, reasons=self.reasons)

    def _members(self, unit: str) -> tuple[str, ...]:
        return self.decisions.units.get(unit, (unit,))

    def _find_separated_units(self) -> Mapping[str, Mapping[str, Edit]]:
        """By unit, the units it is kept apart from, each with the edit that says so."""
        rivals: defaultdict[str, dict[str, Edit]] = defaultdict(dict)
        for edit in self.decisions.separations:
            for left, right in combinations((self.decisions.unit_of.get(id, id) for id in edit.case_ids), 2):
                rivals[left][right] = rivals[right][left] = edit
        return rivals

    def _affected_units(self) -> list[str]:
        """Every unit that a decision speaks of, in the order of placing: the held, then the firmest in its place."""
        told = self.decisions
        spoken = {
            *told.required_theme,
            *told.excluded_themes,
            *told.unit_of,
            *(id for edit in told.separations for id in edit.case_ids),
        }
        units = {told.unit_of.get(case_id, case_id) for case_id in spoken & self.row_of.keys()}
        return sorted(units, key=lambda unit: (unit not in told.required_theme, -self._unit_strength(unit), unit))

    def _unit_strength(self, unit: str) -> float:
        rows = [self.row_of[id] for id in self._members(unit) if id in self.row_of and self.machine_theme_of[id]]
        return round(float(self.found.partition.strength[rows].sum()), 6)

    def _place(self, unit: str, members: Sequence[str]) -> None:
        if unit in self.decisions.required_theme:
            theme_id, edit = self.decisions.required_theme[unit]
            self._put(
                unit, members, theme_id, EDIT_STRENGTH, f"{_action_label(edit)} by a person (decision {edit.seq})"
            )
            return
        wanted = self._candidate_theme_ids(members)
        refused: list[Edit] = []
        for theme_id in wanted:
            why = self._blocking_edit(unit, members, theme_id)
            if why is None:
                self._put(unit, members, theme_id, EDIT_STRENGTH, "kept together by a person")
                return
            refused.append(why)
        for theme_id, share in self._nearest(members) if wanted else ():
            if self._blocking_edit(unit, members, theme_id) is None:
                self._put(
                    unit,
                    members,
                    theme_id,
                    share,
                    f"{_action_label(refused[0])} by a person (decision {refused[0].seq})",
                )
                return
        alone = f"{_action_label(refused[0])} by a person (decision {refused[0].seq})" if refused else ""
        self._put(unit, members, None, 0.0, alone)

    def _candidate_theme_ids(self, members: Sequence[str]) -> list[str]:
        """The themes that the data has members in, those of the most and firmest members first."""
        count = Counter(theme for id in members if (theme := self.machine_theme_of[id]))
        firm: Counter[str] = Counter()
        for case_id in members:
            if theme := self.machine_theme_of[case_id]:
                firm[theme] += float(self.found.partition.strength[self.row_of[case_id]])  # pyright: ignore[reportArgumentType]
        return sorted(count, key=lambda theme: (-count[theme], -round(firm[theme], 6), theme))

    def _blocking_edit(self, unit: str, members: Sequence[str], theme_id: str) -> Edit | None:
        """The edit that keeps the unit out of a theme."""
        for case_id in members:
            if theme_id in self.decisions.excluded_themes.get(case_id, {}):
                return self.decisions.excluded_themes[case_id][theme_id]
        rivals = self.separated_units.get(unit, {})
        inside = sorted(rivals.keys() & self.inside[theme_id])
        return rivals[inside[0]] if inside else None

    def _nearest(self, members: Sequence[str]) -> Iterator[tuple[str, float]]:
        """Themes near enough to take the members in, nearest first, each with the share of its cases less near."""
        mean = self.vectors[[self.row_of[id] for id in members]].mean(axis=0, dtype=np.float64)
        length = float(np.linalg.norm(mean)) or 1.0
        near = [(float(centre @ mean) / length, id) for id, (centre, _) in self._theme_geometry.items()]
        for cosine, theme_id in sorted(near, key=lambda one: (-round(one[0], 6), one[1])):
            share = float((self._theme_geometry[theme_id][1] < cosine).mean())
            if share >= MIN_FIT_SHARE:
                yield theme_id, round(share, 4)

    @cached_property
    def _theme_geometry(self) -> Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Centre (d,) of every theme that may take a case in, and the cosines of its members to it."""
        rows: defaultdict[str, list[int]] = defaultdict(list)
        for case_id, row in self.row_of.items():
            held = self.decisions.required_theme.get(case_id)
            theme_id = held[0] if held else self.machine_theme_of[case_id]
            if theme_id and theme_id not in self.decisions.retired:
                rows[theme_id].append(row)
        return {
            theme_id: _centroid_and_similarities(self.vectors[members]) for theme_id, members in sorted(rows.items())
        }

    def _put(self, unit: str, members: Sequence[str], theme_id: str | None, strength: float, why: str) -> None:
        if theme_id is not None:
            self.inside[theme_id].add(unit)
        for case_id in members:
            self.theme_of[case_id] = theme_id
            if theme_id != self.machine_theme_of[case_id]:
                self.strength[case_id] = strength
                self.reasons[case_id] = why


def machine_theme_ids(machine_result: MachineResult, resolved: ResolvedEdits) -> dict[str, str | None]:
    """Every case's theme by the data, merges followed."""
    ends = [resolved.final_theme_id(theme_id) for theme_id in machine_result.theme_ids]
    labels = machine_result.partition.labels
    return {
        case_id: None if label == OUTLIER else ends[int(label)]
        for case_id, label in zip(machine_result.case_ids, labels, strict=True)
    }


def _centroid_and_similarities(members: Vectors) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    mean = members.mean(axis=0, dtype=np.float64)
    centre = mean / (float(np.linalg.norm(mean)) or 1.0)
    return centre, members.astype(np.float64) @ centre


def _action_label(edit: Edit) -> str:
    return _ACTION_LABELS[edit.action]
