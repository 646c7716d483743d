"""Check of a run's themes and assignments against active edits; a run with a violation is not stored."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from patternmind.domain.edits import Edit, EditAction
from patternmind.domain.themes import Lineage, Theme
from patternmind.edits.resolution import ResolvedEdits, resolve_edits


@dataclass(frozen=True, slots=True)
class EditViolation:
    """Violated edit and a detail in ids, without any text of a case."""

    edit: Edit
    detail: str


def find_violations(
    theme_of: Mapping[str, str | None], themes: Sequence[Theme], edits: Sequence[Edit]
) -> tuple[EditViolation, ...]:
    """Find the active edits that a result violates.

    Args:
        theme_of: theme of every case of the run; edits of other cases do not apply yet.
        themes: all themes of the lens, those without cases too.
        edits: the active edits.
    """
    resolved = resolve_edits(edits)
    by_id = {theme.id: theme for theme in themes}
    return tuple(
        EditViolation(edit, detail) for edit in edits for detail in _violations_of(edit, theme_of, by_id, resolved)
    )


def _violations_of(
    edit: Edit, theme_of: Mapping[str, str | None], themes: Mapping[str, Theme], resolved: ResolvedEdits
) -> Iterator[str]:
    for theme_id in (edit.theme_id, edit.other_theme_id):
        if theme_id and theme_id not in themes:
            yield f"{theme_id} does not exist"
    present = [case_id for case_id in edit.case_ids if case_id in theme_of]
    if (held_in := edit.held_in_theme_id) is not None:
        required_theme = resolved.final_theme_id(held_in)
        yield from (
            f"{case_id} is not in {required_theme}" for case_id in present if theme_of[case_id] != required_theme
        )
    theme = themes.get(edit.theme_id or "")
    match edit.action:
        case EditAction.RENAME | EditAction.LOCK if theme and theme.name != resolved.names[theme.id]:
            yield f"{theme.id} does not have the given name"
        case EditAction.MERGE if edit.theme_id in theme_of.values() or (theme and theme.case_ids):
            yield f"{edit.theme_id} has cases"
        case EditAction.RETIRE if theme and theme.lineage is not Lineage.RETIRED:
            yield f"{theme.id} is not retired"
        case EditAction.MOVE_OUT:
            excluded_theme = resolved.final_theme_id(edit.theme_id or "")
            yield from (
                f"{case_id} is in {excluded_theme}" for case_id in present if theme_of[case_id] == excluded_theme
            )
        case EditAction.TOGETHER if len({theme_of[case_id] for case_id in present}) > 1:
            yield "its cases are not together"
        case EditAction.APART:
            pairs = combinations(present, 2)
            yield from (f"{a} and {b} are together" for a, b in pairs if theme_of[a] and theme_of[a] == theme_of[b])
        case _:
            pass
