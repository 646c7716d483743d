"""Output of the theme commands: decisions, their log, and the changes of a run."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from patternmind.cli.output import write_json, write_text
from patternmind.edits import cite_edit, summarize_edit

if TYPE_CHECKING:
    from patternmind.domain.edits import Edit, EditConflict
    from patternmind.domain.themes import Theme, ThemeChange
    from patternmind.ports import RunRecord
    from patternmind.services.theme_edits import EditResult, LoggedEdit


def edit_row(edit: "Edit") -> dict[str, Any]:
    """Return a decision as a JSON object, without fields that its action does not use."""
    row = {**asdict(edit), "action": edit.action.value, "at": edit.at.isoformat(), "what": summarize_edit(edit)}
    return {name: value for name, value in row.items() if value is not False and value not in ("", None, ())}


def write_edit_result(result: "EditResult", *, as_json: bool) -> None:
    edit = result.edit
    if as_json:
        write_json({**edit_row(edit), "proposals": [asdict(conflict) for conflict in result.conflicts]})
        return
    description = cite_edit(edit).removeprefix("decision ")
    effect = (
        f"It applies to every later run. To undo it: `patternmind themes undo {edit.seq}`."
        if edit.undoes is None
        else f"The themes are now what they would be without decision {edit.undoes}."
    )
    lines = [f"Decision {description}. {effect}"]
    write_text("\n".join([*lines, *_conflict_lines(result.conflicts)]) + "\n")


def _conflict_lines(conflicts: "Sequence[EditConflict]") -> list[str]:
    return [f"The cases contradict a decision. {conflict.text}" for conflict in conflicts]


def write_edit_log(entries: "Sequence[LoggedEdit]", *, as_json: bool) -> None:
    if as_json:
        write_json([{**edit_row(entry.edit), "undone_by": entry.undone_by} for entry in entries])
        return
    if not entries:
        write_text("No decisions about themes yet.\n")
        return
    write_text("".join(f"{_edit_log_line(entry)}\n" for entry in entries))


def _edit_log_line(entry: "LoggedEdit") -> str:
    edit = entry.edit
    undone = f"  (undone by decision {entry.undone_by})" if entry.undone_by else ""
    note = f"  {edit.note}" if edit.note else ""
    return f"{edit.seq:>4}  {edit.at:%Y-%m-%d %H:%M}  {edit.by}: {summarize_edit(edit)}  [{edit.lens}]{note}{undone}"


def write_theme_changes(
    run: "RunRecord | None", changes: "Sequence[ThemeChange]", themes: "Sequence[Theme]", *, as_json: bool
) -> None:
    """Print all changes of a run with their evidence, and the decisions its cases contradict."""
    if run is None:
        write_json({}) if as_json else write_text("No runs yet. Start one with `patternmind run`.\n")
        return
    if as_json:
        rows = [asdict(change) for change in changes]
        write_json({"run_id": run.id, "changes": rows, "proposals": [asdict(conflict) for conflict in run.conflicts]})
        return
    from patternmind.lineage import explain_change

    names = {theme.id: theme.name for theme in themes}
    lines = [
        f"{change.theme_id}  {change.lineage.value:<9}  {names.get(change.theme_id, '')}\n"
        f"    {explain_change(change, names)}"
        for change in changes
        if change.is_reportable
    ]
    write_text("\n".join([f"{run.id}:", *(lines or ["no themes"]), *_conflict_lines(run.conflicts)]) + "\n")
