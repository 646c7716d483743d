"""Conflicts between people's edits and strong evidence in the cases; people decide."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from patternmind.domain.edits import Edit, EditAction, EditConflict
from patternmind.domain.machine_result import MachineResult
from patternmind.domain.themes import OUTLIER
from patternmind.edits.resolution import ResolvedEdits, resolve_edits

MIN_CONFLICT_STRENGTH = 0.8
"""Strength from which the evidence counts: at least eight of ten resampled fits agree."""

MIN_NEW_CASES = 3
"""Number of new cases of a retired theme that make a conflict: as many as a theme needs."""


def find_conflicts(machine_result: MachineResult, edits: Sequence[Edit]) -> tuple[EditConflict, ...]:
    """Return a conflict for each active edit that this run clearly contradicts, in their order.

    Only strengths from ``MIN_CONFLICT_STRENGTH`` count. Texts name themes and cases by id and never quote a case.
    """
    finder = _ConflictFinder(machine_result, resolve_edits(edits))
    return tuple(conflict for edit in edits if (conflict := finder.find(edit)))


class _ConflictFinder:
    """Machine result of a run, indexed by case and by theme."""

    def __init__(self, machine_result: MachineResult, resolved: ResolvedEdits) -> None:
        labels, strength = machine_result.partition.labels, machine_result.partition.strength
        self.machine_result, self.resolved = machine_result, resolved
        self.label_of = {theme_id: label for label, theme_id in enumerate(machine_result.theme_ids)}
        self.theme_of: Mapping[str, str | None] = {
            case_id: None if label == OUTLIER else machine_result.theme_ids[int(label)]
            for case_id, label in zip(machine_result.case_ids, labels, strict=True)
        }
        self.strength = dict(zip(machine_result.case_ids, strength.tolist(), strict=True))

    def find(self, edit: Edit) -> EditConflict | None:
        checks = {
            EditAction.MERGE: self._check_merge,
            EditAction.PIN: self._check_required_theme,
            EditAction.MOVE_IN: self._check_required_theme,
            EditAction.LOCK: self._check_required_theme,
            EditAction.MOVE_OUT: self._check_move_out,
            EditAction.SPLIT_OFF: self._check_split_off,
            EditAction.TOGETHER: self._check_together,
            EditAction.APART: self._check_apart,
            EditAction.RETIRE: self._check_retire,
        }
        check = checks.get(edit.action)
        return check(edit) if check else None

    def _strongly_assigned(self, case_ids: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Yield the cases that are strongly in a theme, with that theme after merges."""
        for case_id in case_ids:
            theme_id = self.theme_of.get(case_id)
            if theme_id is not None and self.strength[case_id] >= MIN_CONFLICT_STRENGTH:
                yield case_id, self.resolved.final_theme_id(theme_id)

    def _check_merge(self, edit: Edit) -> EditConflict | None:
        """Report a merge of two stable themes that are not nearest to each other."""
        left, right = self.label_of.get(edit.theme_id or ""), self.label_of.get(edit.other_theme_id or "")
        partition = self.machine_result.partition
        if left is None or right is None or partition.n_clusters <= 2:
            return None
        cosine = partition.centres @ partition.centres[[left, right]].T
        cosine[[left, right], [0, 1]] = -np.inf
        closest = cosine.argmax(axis=0)
        is_stable = min(float(partition.stability[left]), float(partition.stability[right])) >= MIN_CONFLICT_STRENGTH
        if not is_stable or closest[0] == right or closest[1] == left:
            return None
        return _conflict(edit, f"{edit.theme_id} and {edit.other_theme_id} are clearly separate groups of cases")

    def _check_required_theme(self, edit: Edit) -> EditConflict | None:
        required_theme = self.resolved.final_theme_id(edit.theme_id or "")
        theme_of_moved = {
            case_id: theme_id
            for case_id, theme_id in self._strongly_assigned(edit.case_ids)
            if theme_id != required_theme
        }
        is_minority = edit.action is EditAction.LOCK and 2 * len(theme_of_moved) <= len(edit.case_ids)
        if not theme_of_moved or is_minority:
            return None
        themes = tuple(sorted(set(theme_of_moved.values())))
        pronoun = "it" if len(theme_of_moved) == 1 else "them"
        held = f"{_case_phrase(theme_of_moved)} held in {required_theme}"
        finding = f"{held}, but the data clearly assigns {pronoun} to {', '.join(themes)}"
        return _conflict(edit, finding, themes=(required_theme, *themes), cases=tuple(theme_of_moved))

    def _check_move_out(self, edit: Edit) -> EditConflict | None:
        former_theme = self.resolved.final_theme_id(edit.theme_id or "")
        returned = [case_id for case_id, theme_id in self._strongly_assigned(edit.case_ids) if theme_id == former_theme]
        return (
            _conflict(
                edit, f"{_case_phrase(returned)} clearly assigned to {former_theme} by the data", cases=tuple(returned)
            )
            if returned
            else None
        )

    def _check_split_off(self, edit: Edit) -> EditConflict | None:
        new_theme = self.resolved.final_theme_id(edit.other_theme_id or "")
        strong_theme_of = dict(self._strongly_assigned(edit.case_ids))
        n_cases = sum(case_id in self.theme_of for case_id in edit.case_ids)
        theme_id, n = Counter(strong_theme_of.values()).most_common(1)[0] if strong_theme_of else ("", 0)
        if theme_id in {"", new_theme} or 2 * n <= n_cases:
            return None
        finding = f"{n} of the {n_cases} cases split off as {new_theme} are in one group with {theme_id} again"
        return _conflict(
            edit,
            finding,
            themes=(new_theme, theme_id),
            cases=tuple(id for id in strong_theme_of if strong_theme_of[id] == theme_id),
        )

    def _check_together(self, edit: Edit) -> EditConflict | None:
        strong_theme_of = dict(self._strongly_assigned(edit.case_ids))
        themes = tuple(sorted(set(strong_theme_of.values())))
        if len(themes) < 2:
            return None
        return _conflict(
            edit,
            f"the cases kept together are clearly in different themes: {', '.join(themes)}",
            themes=themes,
            cases=(*strong_theme_of,),
        )

    def _check_apart(self, edit: Edit) -> EditConflict | None:
        strong_theme_of = dict(self._strongly_assigned(edit.case_ids))
        shared = [theme_id for theme_id, n in Counter(strong_theme_of.values()).items() if n > 1]
        if not shared:
            return None
        case_ids = tuple(case_id for case_id in strong_theme_of if strong_theme_of[case_id] in shared)
        finding = f"{', '.join(case_ids)} are kept apart, but the data assigns them all to {', '.join(sorted(shared))}"
        return _conflict(edit, finding, themes=tuple(sorted(shared)), cases=case_ids)

    def _check_retire(self, edit: Edit) -> EditConflict | None:
        new_cases = [
            case_id
            for case_id, theme_id in self.theme_of.items()
            if theme_id == edit.theme_id
            and case_id not in edit.case_ids
            and case_id not in self.resolved.required_theme
        ]
        if len(new_cases) < MIN_NEW_CASES:
            return None
        return _conflict(
            edit, f"{len(new_cases)} new cases belong to {edit.theme_id} since it was retired", cases=tuple(new_cases)
        )


def _case_phrase(case_ids: Sequence[str] | Mapping[str, str]) -> str:
    ids = list(case_ids)
    return f"{ids[0]} is" if len(ids) == 1 else f"{len(ids)} cases are"


def _conflict(
    edit: Edit, finding: str, *, themes: tuple[str, ...] | None = None, cases: tuple[str, ...] = ()
) -> EditConflict:
    theme_ids = tuple(id for id in (edit.theme_id, edit.other_theme_id) if id) if themes is None else themes
    text = f"Decision {edit.seq}: {finding}. Undo the decision, or keep it."
    return EditConflict(kind=edit.action.value, edit_seq=edit.seq, theme_ids=theme_ids, case_ids=cases, text=text)
