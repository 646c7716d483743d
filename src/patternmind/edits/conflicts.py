"""Where the cases and a standing decision disagree strongly: said as a proposal, and left to people."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from patternmind.domain.edits import Edit, EditAction, EditConflict
from patternmind.domain.machine_result import MachineResult
from patternmind.domain.themes import OUTLIER
from patternmind.edits.resolution import ResolvedEdits, resolve_edits

MIN_CONFLICT_STRENGTH = 0.8
"""Strength from which the data is sure: at least eight of ten resampled fits agree."""

MIN_NEW_CASES = 3
"""Cases that came to a retired theme since, from which it is worth a word: as many as make a theme."""


def find_conflicts(machine_result: MachineResult, edits: Sequence[Edit]) -> tuple[EditConflict, ...]:
    """A proposal for each standing edit that this run's data firmly speaks against, in their order.

    Only strengths of ``FIRM`` and above speak. Ids stand for themes and cases; no text of a case is repeated.
    """
    data = _ConflictFinder(machine_result, resolve_edits(edits))
    return tuple(proposal for edit in edits if (proposal := data.about(edit)))


class _ConflictFinder:
    """What a run found, looked up by case and by theme."""

    def __init__(self, found: MachineResult, decisions: ResolvedEdits) -> None:
        labels, strength = found.partition.labels, found.partition.strength
        self.found, self.decisions = found, decisions
        self.label_of = {theme_id: label for label, theme_id in enumerate(found.theme_ids)}
        self.place: Mapping[str, str | None] = {
            case_id: None if label == OUTLIER else found.theme_ids[int(label)]
            for case_id, label in zip(found.case_ids, labels, strict=True)
        }
        self.strength = dict(zip(found.case_ids, strength.tolist(), strict=True))

    def about(self, edit: Edit) -> EditConflict | None:
        looks = {
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
        look = looks.get(edit.action)
        return look(edit) if look else None

    def _strongly_assigned(self, case_ids: Sequence[str]) -> Iterator[tuple[str, str]]:
        """The cases that the data firmly has in a theme, merges followed, with that theme."""
        for case_id in case_ids:
            theme_id = self.place.get(case_id)
            if theme_id is not None and self.strength[case_id] >= MIN_CONFLICT_STRENGTH:
                yield case_id, self.decisions.final_theme_id(theme_id)

    def _check_merge(self, edit: Edit) -> EditConflict | None:
        """Both are found, firmly, and for neither the other is its nearest."""
        left, right = self.label_of.get(edit.theme_id or ""), self.label_of.get(edit.other_theme_id or "")
        part = self.found.partition
        if left is None or right is None or part.n_clusters <= 2:
            return None
        cosine = part.centres @ part.centres[[left, right]].T
        cosine[[left, right], [0, 1]] = -np.inf
        closest = cosine.argmax(axis=0)
        firm = min(float(part.stability[left]), float(part.stability[right])) >= MIN_CONFLICT_STRENGTH
        if not firm or closest[0] == right or closest[1] == left:
            return None
        return _conflict(edit, f"the cases keep {edit.theme_id} and {edit.other_theme_id} well apart")

    def _check_required_theme(self, edit: Edit) -> EditConflict | None:
        home = self.decisions.final_theme_id(edit.theme_id or "")
        away = {case_id: theme_id for case_id, theme_id in self._strongly_assigned(edit.case_ids) if theme_id != home}
        few = edit.action is EditAction.LOCK and 2 * len(away) <= len(edit.case_ids)
        if not away or few:
            return None
        themes = tuple(sorted(set(away.values())))
        said = f"{_case_phrase(away)} held in {home}, and their like are firmly in {', '.join(themes)}"
        return _conflict(edit, said, themes=(home, *themes), cases=tuple(away))

    def _check_move_out(self, edit: Edit) -> EditConflict | None:
        home = self.decisions.final_theme_id(edit.theme_id or "")
        back = [case_id for case_id, theme_id in self._strongly_assigned(edit.case_ids) if theme_id == home]
        return _conflict(edit, f"{_case_phrase(back)} firmly drawn back to {home}", cases=tuple(back)) if back else None

    def _check_split_off(self, edit: Edit) -> EditConflict | None:
        home = self.decisions.final_theme_id(edit.other_theme_id or "")
        firm = dict(self._strongly_assigned(edit.case_ids))
        n_here = sum(case_id in self.place for case_id in edit.case_ids)
        theme_id, n = Counter(firm.values()).most_common(1)[0] if firm else ("", 0)
        if theme_id in {"", home} or 2 * n <= n_here:
            return None
        said = f"{n} of the {n_here} cases split off as {home} fell together again with {theme_id}"
        return _conflict(edit, said, themes=(home, theme_id), cases=tuple(id for id in firm if firm[id] == theme_id))

    def _check_together(self, edit: Edit) -> EditConflict | None:
        firm = dict(self._strongly_assigned(edit.case_ids))
        themes = tuple(sorted(set(firm.values())))
        if len(themes) < 2:
            return None
        return _conflict(
            edit, f"the cases kept together are firmly in {', '.join(themes)}", themes=themes, cases=(*firm,)
        )

    def _check_apart(self, edit: Edit) -> EditConflict | None:
        firm = dict(self._strongly_assigned(edit.case_ids))
        shared = [theme_id for theme_id, n in Counter(firm.values()).items() if n > 1]
        if not shared:
            return None
        inside = tuple(case_id for case_id in firm if firm[case_id] in shared)
        said = f"{', '.join(inside)} are kept apart and all firmly in {', '.join(sorted(shared))}"
        return _conflict(edit, said, themes=tuple(sorted(shared)), cases=inside)

    def _check_retire(self, edit: Edit) -> EditConflict | None:
        came = [
            case_id
            for case_id, theme_id in self.place.items()
            if theme_id == edit.theme_id
            and case_id not in edit.case_ids
            and case_id not in self.decisions.required_theme
        ]
        if len(came) < MIN_NEW_CASES:
            return None
        return _conflict(edit, f"{len(came)} cases came to {edit.theme_id} since it was retired", cases=tuple(came))


def _case_phrase(case_ids: Sequence[str] | Mapping[str, str]) -> str:
    told = list(case_ids)
    return f"{told[0]} is" if len(told) == 1 else f"{len(told)} cases are"


def _conflict(
    edit: Edit, finding: str, *, themes: tuple[str, ...] | None = None, cases: tuple[str, ...] = ()
) -> EditConflict:
    spoken_of = tuple(id for id in (edit.theme_id, edit.other_theme_id) if id) if themes is None else themes
    text = f"Decision {edit.seq}: {finding}. Take it back, or let it stand."
    return EditConflict(kind=edit.action.value, edit_seq=edit.seq, theme_ids=spoken_of, case_ids=cases, text=text)
