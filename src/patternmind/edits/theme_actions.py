"""Actions on a theme as a whole: rename, merge, lock, retire."""

from dataclasses import replace

from patternmind.domain.edits import Edit, EditAction, EditConflict
from patternmind.edits.action import ThemeAction, ThemesToEdit
from patternmind.edits.effects import Effect
from patternmind.edits.evidence import CaseEvidence, find_lost_cases, make_conflict
from patternmind.errors import UsageError

MIN_NEW_CASES = 3
"""Number of new cases of a retired theme that make a conflict: as many as a theme needs."""


class Rename(ThemeAction):
    """Rename a theme. Every later run keeps the name."""

    action = EditAction.RENAME
    required_fields = ("theme_id", "name")
    effects = (Effect.NAME_THEME,)
    verbs, phrase = ("rename", "renamed"), "{theme} to “{name}”"
    confirmation = "Renamed. Later runs keep the name."

    def check(self, edit: Edit) -> None:
        super().check(edit)
        if not any(character.isalnum() for character in edit.name):
            raise UsageError("Give the theme a name with at least one word.", field="name")

    def complete(self, edit: Edit, before: ThemesToEdit) -> Edit:
        return replace(edit, former_name=before.themes[edit.theme_id or ""].name)


class Merge(ThemeAction):
    """Merge a theme into another. Whatever continues either of them later belongs to the second."""

    action = EditAction.MERGE
    required_fields = ("theme_id", "other_theme_id")
    choice = ("other_theme_id", "Choose the theme to merge this one into.")
    effects = (Effect.MERGE_THEME,)
    verbs, phrase = ("merge", "merged"), "{theme} into {other}"
    confirmation = "Merged: the other theme's cases are here now."

    def check(self, edit: Edit) -> None:
        super().check(edit)
        if edit.other_theme_id in {None, edit.theme_id}:
            raise UsageError("Name two different themes to merge.", field="other_theme_id")

    def find_conflict(self, edit: Edit, evidence: CaseEvidence) -> EditConflict | None:
        if not evidence.are_clearly_separate(*edit.theme_ids):
            return None
        return make_conflict(edit, f"{edit.theme_id} and {edit.other_theme_id} are clearly separate groups of cases")


class Lock(ThemeAction):
    """Lock a theme: it keeps its name and its cases; new cases may still join."""

    action = EditAction.LOCK
    effects = (Effect.LOCK_THEME, Effect.HOLD_CASES, Effect.NAME_THEME)
    verbs, phrase = ("lock", "locked"), "{theme} with its name and cases"
    summary = "lock {theme}"
    confirmation = "Locked. It keeps its name and its cases; new ones may still join."
    case_reason = "locked in"

    def complete(self, edit: Edit, before: ThemesToEdit) -> Edit:
        theme = before.themes[edit.theme_id or ""]
        return replace(edit, case_ids=tuple(sorted(theme.case_ids)), name=theme.name)

    def find_conflict(self, edit: Edit, evidence: CaseEvidence) -> EditConflict | None:
        conflict = find_lost_cases(edit, evidence)
        return conflict if conflict and 2 * len(conflict.case_ids) > len(edit.case_ids) else None


class Retire(ThemeAction):
    """Retire a theme with its cases: nothing is drafted from it, and nothing is lost."""

    action = EditAction.RETIRE
    effects = (Effect.HOLD_CASES, Effect.RETIRE_THEME)
    verbs, phrase = ("retire", "retired"), "{theme}"
    confirmation = "Retired. The theme keeps its cases; no patterns are drafted from it."
    case_reason = "retired with its theme"

    def complete(self, edit: Edit, before: ThemesToEdit) -> Edit:
        return replace(edit, case_ids=tuple(sorted(before.themes[edit.theme_id or ""].case_ids)))

    def find_conflict(self, edit: Edit, evidence: CaseEvidence) -> EditConflict | None:
        held = {*edit.case_ids, *evidence.resolved.required_theme}
        new_cases = [id for id, theme_id in evidence.theme_of.items() if theme_id == edit.theme_id and id not in held]
        if len(new_cases) < MIN_NEW_CASES:
            return None
        finding = f"{len(new_cases)} new cases belong to {edit.theme_id} since it was retired"
        return make_conflict(edit, finding, cases=new_cases)


THEME_ACTIONS = (Rename(), Merge(), Lock(), Retire())
