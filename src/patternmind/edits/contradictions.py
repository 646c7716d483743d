"""Contradictions between a new edit and active edits."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

from patternmind.domain.edits import BINDING_ACTIONS, Edit, binding_edits
from patternmind.edits.effects import Effect
from patternmind.edits.registry import ACTIONS, with_effect
from patternmind.edits.resolution import resolve_edits


def find_contradictions(log: Sequence[Edit], new: Edit) -> tuple[Edit, ...]:
    """Return the active edits that contradict a new edit or undo."""
    if new.undoes is None:
        return find_contradictory_edits(binding_edits(log), new) if new.action in BINDING_ACTIONS else ()
    remaining = binding_edits([*log, replace(new, proposed=False)])
    undone = next(edit for edit in log if edit.seq == new.undoes)
    return find_contradictory_edits(remaining) or _find_later_locks(undone, remaining)


def _find_later_locks(undone: Edit, remaining: Sequence[Edit]) -> tuple[Edit, ...]:
    """Return the later locks of a theme that hold what an undo would revert."""
    locks = with_effect((edit for edit in remaining if edit.seq > undone.seq), Effect.LOCK_THEME)
    same_theme = [lock for lock, theme_id in locks if theme_id == undone.theme_id]
    return () if _is_valid_sequence([*same_theme, undone]) else tuple(same_theme)


def find_contradictory_edits(edits: Sequence[Edit], new: Edit | None = None) -> tuple[Edit, ...]:
    """Return the active edits that contradict a new edit or each other.

    Args:
        edits: the active edits, in order.
        new: an edit to be added.

    Returns:
        A minimal contradiction: undoing any of these edits resolves it. Empty if all edits are compatible.
    """
    added = [] if new is None else [new]
    if are_compatible([*edits, *added]):
        return ()
    needed = list(edits)
    for edit in edits:
        fewer = [other for other in needed if other is not edit]
        if not are_compatible([*fewer, *added]):
            needed = fewer
    return tuple(needed)


def are_compatible(edits: Sequence[Edit]) -> bool:
    """Return True if some assignment of cases satisfies every edit.

    A case without a required theme may always be in no theme.
    """
    return _is_valid_sequence(edits) and _has_consistent_assignments(edits)


def _is_valid_sequence(edits: Sequence[Edit]) -> bool:
    """Return True if no edit changes a merged, locked or retired theme against its state."""
    themes_with: defaultdict[Effect, set[str]] = defaultdict(set)
    for edit in edits:
        action = ACTIONS[edit.action]
        effects, target = action.effects, action.target_id(edit)
        locked, retired = themes_with[Effect.LOCK_THEME], themes_with[Effect.RETIRE_THEME]
        merges = Effect.MERGE_THEME in effects
        renames = Effect.NAME_THEME in effects and Effect.LOCK_THEME not in effects
        adds_cases = Effect.HOLD_CASES in effects and Effect.LOCK_THEME not in effects
        if (
            themes_with[Effect.MERGE_THEME].intersection(edit.theme_ids)
            or (merges and ((locked | retired).intersection(edit.theme_ids) or edit.theme_id == edit.other_theme_id))
            or (renames and target in locked)
            or (adds_cases and target in retired)
        ):
            return False
        for effect in effects:
            themes_with[effect].add(target)
    return True


def _has_consistent_assignments(edits: Sequence[Edit]) -> bool:
    """Return True if required themes, exclusions and separations are consistent."""
    resolved = resolve_edits(edits)
    required: defaultdict[str, set[str]] = defaultdict(set)
    for edit, theme_id in with_effect(edits, Effect.HOLD_CASES):
        for case_id in edit.case_ids:
            required[resolved.unit_of.get(case_id, case_id)].add(resolved.final_theme_id(theme_id))
    if any(len(themes) > 1 for themes in required.values()):
        return False
    for case_id, themes in resolved.excluded_themes.items():
        if required.get(resolved.unit_of.get(case_id, case_id), set()) & themes.keys():
            return False
    for edit in resolved.separations:
        for left, right in combinations((resolved.unit_of.get(id, id) for id in edit.case_ids), 2):
            if left == right or required.get(left, set()) & required.get(right, set()):
                return False
    return True
