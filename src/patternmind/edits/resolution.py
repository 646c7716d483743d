"""Resolution of active edits into constraints, and detection of contradictions."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from patternmind.domain.edits import Edit, EditAction


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedEdits:
    """Active edits as constraints. Theme ids are the final ones after merges.

    Attributes:
        merged_into: final theme of each merged theme.
        required_theme: theme in which a case is held, with the edit; the latest if there are several.
        excluded_themes: by case, the themes it must not be in, each with its edit.
        units: cases that must stay together, at least two each, by their first case.
        unit_of: the first case of the unit of each case.
        separations: edits that keep cases apart.
        names: name that a person gave or locked, by theme.
        retired: retired themes, each with its edit.
        referenced_themes: every theme that an edit mentions, merged ones too; they must remain stored.
    """

    merged_into: Mapping[str, str]
    required_theme: Mapping[str, tuple[str, Edit]]
    excluded_themes: Mapping[str, Mapping[str, Edit]]
    units: Mapping[str, tuple[str, ...]]
    unit_of: Mapping[str, str]
    separations: Sequence[Edit]
    names: Mapping[str, str]
    retired: Mapping[str, Edit]
    referenced_themes: frozenset[str]

    def final_theme_id(self, theme_id: str) -> str:
        """Return the theme that has a theme's cases after all merges."""
        return self.merged_into.get(theme_id, theme_id)


def resolve_edits(edits: Sequence[Edit]) -> ResolvedEdits:
    """Resolve active edits of one lens, which must be in order and without contradictions."""
    merged_into = _resolve_merges(edits)
    units = _resolve_units(edits)
    unit_of = {case_id: first for first, members in units.items() for case_id in members}
    required_theme: dict[str, tuple[str, Edit]] = {}
    for edit in edits:
        if (theme_id := edit.held_in_theme_id) is not None:
            for case_id in edit.case_ids:
                for member in units.get(unit_of.get(case_id, ""), (case_id,)):
                    if member not in required_theme or member == case_id:
                        required_theme[member] = (merged_into.get(theme_id, theme_id), edit)
    excluded_themes: defaultdict[str, dict[str, Edit]] = defaultdict(dict)
    for edit in _with_action(edits, EditAction.MOVE_OUT):
        for case_id in edit.case_ids:
            excluded_themes[case_id][merged_into.get(edit.theme_id or "", edit.theme_id or "")] = edit
    return ResolvedEdits(
        merged_into=merged_into,
        required_theme=required_theme,
        excluded_themes=dict(excluded_themes),
        units=units,
        unit_of=unit_of,
        separations=list(_with_action(edits, EditAction.APART)),
        names={edit.held_in_theme_id or edit.theme_id or "": edit.name for edit in edits if edit.name},
        retired={edit.theme_id or "": edit for edit in _with_action(edits, EditAction.RETIRE)},
        referenced_themes=frozenset(id for edit in edits for id in (edit.theme_id, edit.other_theme_id) if id),
    )


def _with_action(edits: Sequence[Edit], action: EditAction) -> Iterator[Edit]:
    return (edit for edit in edits if edit.action is action)


def _resolve_merges(edits: Sequence[Edit]) -> dict[str, str]:
    merge_targets = {edit.theme_id or "": edit.other_theme_id or "" for edit in _with_action(edits, EditAction.MERGE)}
    merged_into: dict[str, str] = {}
    for theme_id, target in merge_targets.items():
        while target in merge_targets:  # terminates: nothing is merged into a theme that was merged away
            target = merge_targets[target]  # noqa: PLW2901 - follows the chain
        merged_into[theme_id] = target
    return merged_into


def _resolve_units(edits: Sequence[Edit]) -> dict[str, tuple[str, ...]]:
    """Group cases that "together" edits join, also through chains."""
    first: dict[str, str] = {}

    def root(case_id: str) -> str:
        while first.setdefault(case_id, case_id) != case_id:
            case_id = first[case_id]
        return case_id

    for edit in _with_action(edits, EditAction.TOGETHER):
        for left, right in zip(edit.case_ids, edit.case_ids[1:], strict=False):
            low, high = sorted((root(left), root(right)))
            first[high] = low
    members: defaultdict[str, list[str]] = defaultdict(list)
    for case_id in sorted(first):
        members[root(case_id)].append(case_id)
    return {case_id: tuple(unit) for case_id, unit in members.items()}


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
    merged: set[str | None] = set()
    locked: set[str | None] = set()
    retired: set[str | None] = set()
    for edit in edits:
        theme_ids = {edit.theme_id, edit.other_theme_id} - {None}
        if theme_ids & merged:
            return False
        match edit.action:
            case EditAction.MERGE:
                if theme_ids & (locked | retired) or len(theme_ids) < 2:
                    return False
                merged.add(edit.theme_id)
            case EditAction.RENAME if edit.theme_id in locked:
                return False
            case EditAction.PIN | EditAction.MOVE_IN | EditAction.RETIRE if edit.theme_id in retired:
                return False
            case EditAction.LOCK:
                locked.add(edit.theme_id)
            case EditAction.RETIRE:
                retired.add(edit.theme_id)
            case _:
                pass
    return True


def _has_consistent_assignments(edits: Sequence[Edit]) -> bool:
    """Return True if required themes, exclusions and separations are consistent."""
    resolved = resolve_edits(edits)
    required: defaultdict[str, set[str]] = defaultdict(set)
    for edit in edits:
        if (theme_id := edit.held_in_theme_id) is not None:
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
