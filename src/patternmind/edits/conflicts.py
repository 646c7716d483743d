"""Checks of a run against active edits: violations, which are bugs, and conflicts, which people decide."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from patternmind.domain.edits import Edit, EditConflict
from patternmind.domain.machine_result import MachineResult
from patternmind.domain.themes import Lineage, Theme
from patternmind.edits.effects import Effect, ResolvedEdits
from patternmind.edits.evidence import CaseEvidence
from patternmind.edits.registry import ACTIONS
from patternmind.edits.resolution import resolve_edits


def find_conflicts(machine_result: MachineResult, edits: Sequence[Edit]) -> tuple[EditConflict, ...]:
    """Return a conflict for each active edit that this run clearly contradicts, in their order.

    Texts name themes and cases by id and never quote a case.
    """
    evidence = CaseEvidence(machine_result, resolve_edits(edits))
    return tuple(conflict for edit in edits if (conflict := ACTIONS[edit.action].find_conflict(edit, evidence)))


@dataclass(frozen=True, slots=True)
class EditViolation:
    """Violated edit and a detail in ids, without any text of a case."""

    edit: Edit
    detail: str


def find_violations(
    theme_of: Mapping[str, str | None], themes: Sequence[Theme], edits: Sequence[Edit]
) -> tuple[EditViolation, ...]:
    """Find the active edits that a result violates; a run with a violation is not stored.

    Args:
        theme_of: theme of every case of the run; edits of other cases do not apply yet.
        themes: all themes of the lens, those without cases too.
        edits: the active edits.
    """
    resolved, by_id = resolve_edits(edits), {theme.id: theme for theme in themes}
    return tuple(
        EditViolation(edit, detail)
        for edit in edits
        for detail in (
            *(f"{theme_id} does not exist" for theme_id in edit.theme_ids if theme_id not in by_id),
            *_violated_effects(edit, theme_of, by_id, resolved),
        )
    )


def _violated_effects(
    edit: Edit, theme_of: Mapping[str, str | None], themes: Mapping[str, Theme], resolved: ResolvedEdits
) -> Iterator[str]:
    present = [case_id for case_id in edit.case_ids if case_id in theme_of]
    target = ACTIONS[edit.action].target_id(edit)
    theme, final_id = themes.get(target), resolved.final_theme_id(target)
    for effect in ACTIONS[edit.action].effects:
        match effect:
            case Effect.HOLD_CASES:
                yield from (f"{case_id} is not in {final_id}" for case_id in present if theme_of[case_id] != final_id)
            case Effect.EXCLUDE_CASES:
                yield from (f"{case_id} is in {final_id}" for case_id in present if theme_of[case_id] == final_id)
            case Effect.NAME_THEME if theme and theme.name != resolved.names.get(theme.id, theme.name):
                yield f"{theme.id} does not have the given name"
            case Effect.MERGE_THEME if target in theme_of.values() or (theme and theme.case_ids):
                yield f"{target} has cases"
            case Effect.RETIRE_THEME if theme and theme.lineage is not Lineage.RETIRED:
                yield f"{target} is not retired"
            case Effect.JOIN_CASES if len({theme_of[case_id] for case_id in present}) > 1:
                yield "its cases are not together"
            case Effect.SEPARATE_CASES:
                pairs = combinations(present, 2)
                yield from (f"{a} and {b} are together" for a, b in pairs if theme_of[a] and theme_of[a] == theme_of[b])
            case _:
                pass
