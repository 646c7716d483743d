"""What the commands about themes print: a decision, the log of them, and what a run changed."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from patternmind.cli.output import write_json, write_text

if TYPE_CHECKING:
    from patternmind.domain.edits import Edit, EditConflict
    from patternmind.domain.themes import Theme, ThemeChange
    from patternmind.ports import RunRecord
    from patternmind.services.theme_edits import EditResult, LoggedEdit


def edit_row(edit: "Edit") -> dict[str, Any]:
    """A decision as ``--json`` shows it; what does not belong to its action is left out."""
    told = {**asdict(edit), "action": edit.action.value, "at": edit.at.isoformat(), "what": edit.summary()}
    return {name: value for name, value in told.items() if value is not False and value not in ("", None, ())}


def write_edit_result(result: "EditResult", *, as_json: bool) -> None:
    edit = result.edit
    if as_json:
        write_json({**edit_row(edit), "proposals": [asdict(one) for one in result.conflicts]})
        return
    told = edit.describe().removeprefix("decision ")
    stands = f"It stands in every later run; `patternmind themes undo {edit.seq}` takes it back."
    lines = [f"Decision {told}. {stands if edit.undoes is None else 'The themes are what they would be without it.'}"]
    write_text("\n".join([*lines, *_conflict_lines(result.conflicts)]) + "\n")


def _conflict_lines(conflicts: "Sequence[EditConflict]") -> list[str]:
    return [f"The cases disagree. {one.text}" for one in conflicts]


def write_edit_log(entries: "Sequence[LoggedEdit]", *, as_json: bool) -> None:
    if as_json:
        write_json([{**edit_row(one.edit), "undone_by": one.undone_by} for one in entries])
        return
    if not entries:
        write_text("Nobody has decided anything about themes yet.\n")
        return
    write_text("".join(f"{_edit_log_line(one)}\n" for one in entries))


def _edit_log_line(entry: "LoggedEdit") -> str:
    edit = entry.edit
    back = f"  (taken back by decision {entry.undone_by})" if entry.undone_by else ""
    note = f"  {edit.note}" if edit.note else ""
    return f"{edit.seq:>4}  {edit.at:%Y-%m-%d %H:%M}  {edit.by}: {edit.summary()}  [{edit.lens}]{note}{back}"


def write_theme_changes(
    run: "RunRecord | None", changes: "Sequence[ThemeChange]", themes: "Sequence[Theme]", *, as_json: bool
) -> None:
    """Every change of a run with all its evidence, and the decisions that its cases speak against."""
    if run is None:
        write_json({}) if as_json else write_text("There has been no run yet. Start one with `patternmind run`.\n")
        return
    if as_json:
        rows = [asdict(change) for change in changes]
        write_json({"run_id": run.id, "changes": rows, "proposals": [asdict(one) for one in run.conflicts]})
        return
    from patternmind.lineage import explain_change

    names = {theme.id: theme.name for theme in themes}
    news = [one for one in changes if one.is_reportable]
    told = [
        f"{one.theme_id}  {one.lineage.value:<9}  {_theme_name(one, names)}\n    {explain_change(one, names)}"
        for one in news
    ]
    write_text("\n".join([f"{run.id}:", *(told or ["no theme"]), *_conflict_lines(run.conflicts)]) + "\n")


def _theme_name(change: "ThemeChange", names: dict[str, str]) -> str:
    return names.get(change.theme_id, "")
