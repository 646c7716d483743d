"""What the standing edits amount to together, and whether they can all be kept at once."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from patternmind.domain.edits import Edit, EditAction


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedEdits:
    """Standing edits, resolved. Theme ids are those that merges lead to.

    Attributes:
        goes: where each merged theme ended, chains followed.
        held: the edit that keeps a case in a theme, and that theme; the latest where several say the same.
        barred: by case, the themes it must not be in, each with the edit that says so.
        units: cases that must stay together, two or more each, by their first; ``unit_of`` gives that first.
        parted: the edits that keep cases apart.
        names: the name a person gave or locked, by theme.
        retired: the retired themes, each with the edit.
        named: every theme that a decision speaks of, merged ones too: it stays on record.
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
        """Where a theme's cases are after all merges."""
        return self.merged_into.get(theme_id, theme_id)


def resolve_edits(edits: Sequence[Edit]) -> ResolvedEdits:
    """Resolve standing edits of one lens; they are in order and do not contradict each other."""
    goes = _resolve_merges(edits)
    units = _resolve_units(edits)
    unit_of = {case_id: first for first, members in units.items() for case_id in members}
    held: dict[str, tuple[str, Edit]] = {}
    for edit in edits:
        if (theme_id := edit.held_in_theme_id) is not None:
            for case_id in edit.case_ids:
                for bound in units.get(unit_of.get(case_id, ""), (case_id,)):
                    if bound not in held or bound == case_id:
                        held[bound] = (goes.get(theme_id, theme_id), edit)
    barred: defaultdict[str, dict[str, Edit]] = defaultdict(dict)
    for edit in _with_action(edits, EditAction.MOVE_OUT):
        for case_id in edit.case_ids:
            barred[case_id][goes.get(edit.theme_id or "", edit.theme_id or "")] = edit
    return ResolvedEdits(
        merged_into=goes,
        required_theme=held,
        excluded_themes=dict(barred),
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
    into = {edit.theme_id or "": edit.other_theme_id or "" for edit in _with_action(edits, EditAction.MERGE)}
    goes: dict[str, str] = {}
    for theme_id, end in into.items():
        while end in into:  # ends: a theme that was merged away is never merged into
            end = into[end]  # noqa: PLW2901 - followed to its end
        goes[theme_id] = end
    return goes


def _resolve_units(edits: Sequence[Edit]) -> dict[str, tuple[str, ...]]:
    """Cases joined by "together", chains followed."""
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
    return {case_id: tuple(bound) for case_id, bound in members.items()}


def find_contradictory_edits(edits: Sequence[Edit], new: Edit | None = None) -> tuple[Edit, ...]:
    """The standing edits that cannot be kept beside a new one, or beside each other; none where all can be.

    Args:
        edits: what stands, in order.

    Returns:
        The fewest that are still too many: taking any of them back resolves it.
    """
    added = [] if new is None else [new]
    if are_compatible([*edits, *added]):
        return ()
    needed = list(edits)
    for edit in edits:
        fewer = [one for one in needed if one is not edit]
        if not are_compatible([*fewer, *added]):
            needed = fewer
    return tuple(needed)


def are_compatible(edits: Sequence[Edit]) -> bool:
    """Whether some placement of cases honours every edit: any case that is not held may always be left alone."""
    return _is_valid_sequence(edits) and _has_consistent_assignments(edits)


def _is_valid_sequence(edits: Sequence[Edit]) -> bool:
    """Nothing is done to a theme that was merged away, and nothing to a locked or retired one that it excludes."""
    away: set[str | None] = set()
    locked: set[str | None] = set()
    retired: set[str | None] = set()
    for edit in edits:
        touched = {edit.theme_id, edit.other_theme_id} - {None}
        if touched & away:
            return False
        match edit.action:
            case EditAction.MERGE:
                if touched & (locked | retired) or len(touched) < 2:
                    return False
                away.add(edit.theme_id)
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
    """No case is held in two themes, or in one that it was moved out of; nothing kept apart is held in one theme."""
    told = resolve_edits(edits)
    holds: defaultdict[str, set[str]] = defaultdict(set)
    for edit in edits:
        if (theme_id := edit.held_in_theme_id) is not None:
            for case_id in edit.case_ids:
                holds[told.unit_of.get(case_id, case_id)].add(told.final_theme_id(theme_id))
    if any(len(themes) > 1 for themes in holds.values()):
        return False
    for case_id, themes in told.excluded_themes.items():
        if holds.get(told.unit_of.get(case_id, case_id), set()) & themes.keys():
            return False
    for edit in told.separations:
        for left, right in combinations((told.unit_of.get(id, id) for id in edit.case_ids), 2):
            if left == right or holds.get(left, set()) & holds.get(right, set()):
                return False
    return True
