"""Evidence of a run's cases for or against people's edits."""

from collections.abc import Collection

import numpy as np

from patternmind.domain.edits import Edit, EditConflict
from patternmind.domain.machine_result import MachineResult
from patternmind.domain.themes import OUTLIER
from patternmind.edits.effects import ResolvedEdits

MIN_CONFLICT_STRENGTH = 0.8
"""Strength from which the evidence counts: at least eight of ten resampled fits agree."""


class CaseEvidence:
    """Machine result of a run, indexed by case and by theme; only strengths from ``MIN_CONFLICT_STRENGTH`` count."""

    def __init__(self, machine_result: MachineResult, resolved: ResolvedEdits) -> None:
        labels, strength = machine_result.partition.labels, machine_result.partition.strength
        self.partition, self.resolved = machine_result.partition, resolved
        self.label_of = {theme_id: label for label, theme_id in enumerate(machine_result.theme_ids)}
        self.theme_of: dict[str, str | None] = {
            case_id: None if label == OUTLIER else machine_result.theme_ids[int(label)]
            for case_id, label in zip(machine_result.case_ids, labels, strict=True)
        }
        self.strength = dict(zip(machine_result.case_ids, strength.tolist(), strict=True))

    def strong_themes(self, edit: Edit) -> dict[str, str]:
        """Return the themes, after merges, of the strongly assigned cases of an edit."""
        return {
            case_id: self.resolved.final_theme_id(theme_id)
            for case_id in edit.case_ids
            if (theme_id := self.theme_of.get(case_id)) is not None and self.strength[case_id] >= MIN_CONFLICT_STRENGTH
        }

    def are_clearly_separate(self, theme_id: str, other_theme_id: str) -> bool:
        """Return True for two stable themes that are not nearest to each other."""
        left, right = self.label_of.get(theme_id), self.label_of.get(other_theme_id)
        partition = self.partition
        if left is None or right is None or partition.n_clusters <= 2:
            return False
        cosine = partition.centres @ partition.centres[[left, right]].T
        cosine[[left, right], [0, 1]] = -np.inf
        closest = cosine.argmax(axis=0)
        is_stable = min(float(partition.stability[left]), float(partition.stability[right])) >= MIN_CONFLICT_STRENGTH
        return is_stable and closest[0] != right and closest[1] != left


def make_conflict(
    edit: Edit, finding: str, *, themes: tuple[str, ...] | None = None, cases: Collection[str] = ()
) -> EditConflict:
    """Return the conflict of an edit with what the cases show; its themes are those of the edit, unless given."""
    return EditConflict(
        kind=edit.action.value,
        edit_seq=edit.seq,
        theme_ids=edit.theme_ids if themes is None else themes,
        case_ids=tuple(cases),
        text=f"Decision {edit.seq}: {finding}. Undo the decision, or keep it.",
    )


def case_phrase(case_ids: Collection[str]) -> str:
    """Return the subject and verb of a sentence about cases."""
    return f"{next(iter(case_ids))} is" if len(case_ids) == 1 else f"{len(case_ids)} cases are"


def find_lost_cases(edit: Edit, evidence: CaseEvidence) -> EditConflict | None:
    """Return the conflict of an edit whose held cases are strongly in other themes."""
    required = evidence.resolved.final_theme_id(edit.theme_id or "")
    lost = {id: theme_id for id, theme_id in evidence.strong_themes(edit).items() if theme_id != required}
    if not lost:
        return None
    themes = tuple(sorted(set(lost.values())))
    pronoun = "it" if len(lost) == 1 else "them"
    finding = f"{case_phrase(lost)} held in {required}, but the data clearly assigns {pronoun} to {', '.join(themes)}"
    return make_conflict(edit, finding, themes=(required, *themes), cases=lost)
