"""Resolution of active edits into constraints."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from patternmind.domain.edits import Edit
from patternmind.edits.effects import Effect, ResolvedEdits
from patternmind.edits.registry import with_effect


def resolve_edits(edits: Sequence[Edit]) -> ResolvedEdits:
    """Resolve active edits of one lens, which must be in order and without contradictions."""
    merge_targets = {theme_id: edit.other_theme_id or "" for edit, theme_id in with_effect(edits, Effect.MERGE_THEME)}
    merged_into = {theme_id: _final_theme_id(merge_targets, theme_id) for theme_id in merge_targets}
    units = _resolve_units(edit.case_ids for edit, _ in with_effect(edits, Effect.JOIN_CASES))
    unit_of = {case_id: first for first, members in units.items() for case_id in members}
    required_theme: dict[str, tuple[str, Edit]] = {}
    for edit, theme_id in with_effect(edits, Effect.HOLD_CASES):
        for case_id in edit.case_ids:
            for member in units.get(unit_of.get(case_id, ""), (case_id,)):
                if member not in required_theme or member == case_id:
                    required_theme[member] = (merged_into.get(theme_id, theme_id), edit)
    excluded_themes: defaultdict[str, dict[str, Edit]] = defaultdict(dict)
    for edit, theme_id in with_effect(edits, Effect.EXCLUDE_CASES):
        for case_id in edit.case_ids:
            excluded_themes[case_id][merged_into.get(theme_id, theme_id)] = edit
    return ResolvedEdits(
        merge_targets=merge_targets,
        merged_into=merged_into,
        required_theme=required_theme,
        excluded_themes=dict(excluded_themes),
        units=units,
        unit_of=unit_of,
        separations=[edit for edit, _ in with_effect(edits, Effect.SEPARATE_CASES)],
        names={theme_id: edit.name for edit, theme_id in with_effect(edits, Effect.NAME_THEME) if edit.name},
        locked=frozenset(theme_id for _, theme_id in with_effect(edits, Effect.LOCK_THEME)),
        retired=frozenset(theme_id for _, theme_id in with_effect(edits, Effect.RETIRE_THEME)),
    )


def _final_theme_id(merge_targets: Mapping[str, str], theme_id: str) -> str:
    while theme_id in merge_targets:  # terminates: nothing is merged into a theme that was merged away
        theme_id = merge_targets[theme_id]
    return theme_id


def _resolve_units(joined: Iterable[Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Group joined cases, also through chains."""
    first: dict[str, str] = {}

    def root(case_id: str) -> str:
        while first.setdefault(case_id, case_id) != case_id:
            case_id = first[case_id]
        return case_id

    for case_ids in joined:
        for left, right in pairwise(case_ids):
            low, high = sorted((root(left), root(right)))
            first[high] = low
    members: defaultdict[str, list[str]] = defaultdict(list)
    for case_id in sorted(first):
        members[root(case_id)].append(case_id)
    return {case_id: tuple(unit) for case_id, unit in members.items()}
