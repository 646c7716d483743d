"""Actions on the cases of themes: move out, move in, pin, split off, keep together or apart."""

import hashlib
from collections import Counter
from dataclasses import replace
from itertools import count

from patternmind.domain.edits import Edit, EditAction, EditConflict
from patternmind.edits.action import ThemeAction, ThemesToEdit
from patternmind.edits.effects import Effect
from patternmind.edits.evidence import CaseEvidence, case_phrase, find_lost_cases, make_conflict
from patternmind.errors import UsageError


class MoveOut(ThemeAction):
    """Move cases out of a theme. Each moves to the next-best theme, or to none, and never returns."""

    action = EditAction.MOVE_OUT
    required_fields = ("theme_id", "case_ids")
    effects = (Effect.EXCLUDE_CASES,)
    verbs, phrase = ("move", "moved"), "{cases} out of {theme}"
    confirmation = "Moved out. Each case went to the next-best theme, or to none."
    case_reason = "moved out"

    def complete(self, edit: Edit, before: ThemesToEdit) -> Edit:
        outside = ", ".join(id for id in edit.case_ids if before.theme_of.get(id) != edit.theme_id)
        if outside:
            raise UsageError(f"{outside}: not in {edit.theme_id}, so it cannot be moved out of it.", field="case_ids")
        return edit

    def find_conflict(self, edit: Edit, evidence: CaseEvidence) -> EditConflict | None:
        former = evidence.resolved.final_theme_id(edit.theme_id or "")
        returned = [id for id, theme_id in evidence.strong_themes(edit).items() if theme_id == former]
        if not returned:
            return None
        return make_conflict(edit, f"{case_phrase(returned)} clearly assigned to {former} by the data", cases=returned)


class Pin(ThemeAction):
    """Pin cases to their theme, whatever later runs find."""

    action = EditAction.PIN
    required_fields = ("theme_id", "case_ids")
    effects = (Effect.HOLD_CASES,)
    verbs, phrase = ("pin", "pinned"), "{cases} to {theme}"
    confirmation = "Pinned. Later runs keep these cases here."
    case_reason = "pinned"

    def find_conflict(self, edit: Edit, evidence: CaseEvidence) -> EditConflict | None:
        return find_lost_cases(edit, evidence)


class MoveIn(Pin):
    """Move cases into a theme, from another theme or from none."""

    action = EditAction.MOVE_IN
    verbs, phrase = ("move", "moved"), "{cases} into {theme}"
    confirmation = "Moved in. Later runs keep the cases here."
    case_reason = "moved in"


class SplitOff(ThemeAction):
    """Split cases off into a new theme, from one theme or from cases in none."""

    action = EditAction.SPLIT_OFF
    required_fields, optional_fields = ("case_ids",), ("theme_id", "name")
    effects = (Effect.HOLD_CASES, Effect.NAME_THEME)
    verbs, phrase = ("split", "split"), "{cases} off from {theme}"
    confirmation = "Split off. This is the new theme."
    case_reason = "split off"

    def complete(self, edit: Edit, before: ThemesToEdit) -> Edit:
        """Refuse cases from elsewhere and a split of the whole theme; add the id of the new theme to a decision."""
        outside = ", ".join(id for id in edit.case_ids if before.theme_of.get(id, "") != edit.theme_id)
        if outside:
            source = f"in {edit.theme_id}" if edit.theme_id else "among the last run's cases without a theme"
            raise UsageError(f"{outside}: not {source}, so it cannot be split off from there.", field="case_ids")
        if edit.theme_id and set(before.themes[edit.theme_id].case_ids) <= set(edit.case_ids):
            raise UsageError(f"Nothing would be left of {edit.theme_id}. Rename it instead, or leave a case in it.")
        return edit if edit.proposed else replace(edit, other_theme_id=_new_theme_id(edit, before))

    def target_id(self, edit: Edit) -> str:
        return edit.other_theme_id or ""

    def find_conflict(self, edit: Edit, evidence: CaseEvidence) -> EditConflict | None:
        new_theme = evidence.resolved.final_theme_id(self.target_id(edit))
        strong = evidence.strong_themes(edit)
        n_cases = sum(case_id in evidence.theme_of for case_id in edit.case_ids)
        theme_id, n = Counter(strong.values()).most_common(1)[0] if strong else (new_theme, 0)
        if theme_id == new_theme or 2 * n <= n_cases:
            return None
        finding = f"{n} of the {n_cases} cases split off as {new_theme} are in one group with {theme_id} again"
        case_ids = [id for id in strong if strong[id] == theme_id]
        return make_conflict(edit, finding, themes=(new_theme, theme_id), cases=case_ids)

    def wording(self, edit: Edit, *, is_done: bool) -> str:
        return super().wording(edit, is_done=is_done) + (" as {other}" if edit.other_theme_id else "")


def _new_theme_id(edit: Edit, before: ThemesToEdit) -> str:
    contents = ("\n".join((edit.lens, str(edit.seq), str(salt), *sorted(edit.case_ids))) for salt in count())
    theme_ids = (f"t-{hashlib.sha256(content.encode()).hexdigest()[:10]}" for content in contents)
    return next(theme_id for theme_id in theme_ids if theme_id not in before.used_theme_ids)


class Together(ThemeAction):
    """Keep cases together in one theme, whichever it is."""

    action = EditAction.TOGETHER
    required_fields = ("case_ids",)
    effects = (Effect.JOIN_CASES,)
    verbs, phrase = ("keep", "kept"), "{cases} together"
    confirmation = "Kept together from now on."

    def check(self, edit: Edit) -> None:
        super().check(edit)
        if len(edit.case_ids) < 2:
            raise UsageError(f"Name at least two different cases to keep {self.action.value}.", field="case_ids")

    def find_conflict(self, edit: Edit, evidence: CaseEvidence) -> EditConflict | None:
        strong = evidence.strong_themes(edit)
        themes = tuple(sorted(set(strong.values())))
        if len(themes) < 2:
            return None
        finding = f"the cases kept together are clearly in different themes: {', '.join(themes)}"
        return make_conflict(edit, finding, themes=themes, cases=strong)


class Apart(Together):
    """Keep each of these cases in a different theme."""

    action = EditAction.APART
    effects = (Effect.SEPARATE_CASES,)
    phrase = "{cases} apart"
    confirmation = "Kept apart from now on."
    case_reason = "kept apart"

    def find_conflict(self, edit: Edit, evidence: CaseEvidence) -> EditConflict | None:
        strong = evidence.strong_themes(edit)
        shared = tuple(sorted(theme_id for theme_id, n in Counter(strong.values()).items() if n > 1))
        if not shared:
            return None
        case_ids = [case_id for case_id in strong if strong[case_id] in shared]
        finding = f"{', '.join(case_ids)} are kept apart, but the data assigns them all to {', '.join(shared)}"
        return make_conflict(edit, finding, themes=shared, cases=case_ids)


CASE_ACTIONS = (MoveOut(), Pin(), MoveIn(), SplitOff(), Together(), Apart())
