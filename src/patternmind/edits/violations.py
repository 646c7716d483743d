"""Every standing decision that themes and places break. A run that breaks one is not stored."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from patternmind.domain.edits import Edit, EditAction
from patternmind.domain.themes import Lineage, Theme
from patternmind.edits.resolution import ResolvedEdits, resolve_edits


@dataclass(frozen=True, slots=True)
class EditViolation:
    """A decision that does not hold, and how; in ids, never in a case's words."""

    edit: Edit
    detail: str


def find_violations(
    theme_of: Mapping[str, str | None], themes: Sequence[Theme], edits: Sequence[Edit]
) -> tuple[EditViolation, ...]:
    """What standing edits do not hold.

    Args:
        theme_of: every case of the run; a decision about a case that is not among them waits for it.
        themes: all of the lens, those without cases too.
    """
    decisions = resolve_edits(edits)
    by_id = {theme.id: theme for theme in themes}
    return tuple(EditViolation(edit, how) for edit in edits for how in _violations_of(edit, theme_of, by_id, decisions))


def _violations_of(
    edit: Edit, theme_of: Mapping[str, str | None], themes: Mapping[str, Theme], decisions: ResolvedEdits
) -> Iterator[str]:
    for theme_id in (edit.theme_id, edit.other_theme_id):
        if theme_id and theme_id not in themes:
            yield f"{theme_id} is not on record"
    here = [case_id for case_id in edit.case_ids if case_id in theme_of]
    if (held_in := edit.held_in_theme_id) is not None:
        home = decisions.final_theme_id(held_in)
        yield from (f"{case_id} is not in {home}" for case_id in here if theme_of[case_id] != home)
    theme = themes.get(edit.theme_id or "")
    match edit.action:
        case EditAction.RENAME | EditAction.LOCK if theme and theme.name != decisions.names[theme.id]:
            yield f"{theme.id} does not bear its name"
        case EditAction.MERGE if edit.theme_id in theme_of.values() or (theme and theme.case_ids):
            yield f"{edit.theme_id} has cases"
        case EditAction.RETIRE if theme and theme.lineage is not Lineage.RETIRED:
            yield f"{theme.id} is not retired"
        case EditAction.MOVE_OUT:
            out = decisions.final_theme_id(edit.theme_id or "")
            yield from (f"{case_id} is in {out}" for case_id in here if theme_of[case_id] == out)
        case EditAction.TOGETHER if len({theme_of[case_id] for case_id in here}) > 1:
            yield "its cases are not together"
        case EditAction.APART:
            pairs = combinations(here, 2)
            yield from (f"{a} and {b} are together" for a, b in pairs if theme_of[a] and theme_of[a] == theme_of[b])
        case _:
            pass
