"""Output of the theme commands: themes, decisions, their log, and the changes of a run."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from patternmind.cli import output
from patternmind.cli.output import shorten, write_result
from patternmind.domain.characters import strip_hidden
from patternmind.domain.edits import Edit, EditConflict
from patternmind.domain.themes import Assignment, Theme, ThemeChange
from patternmind.domain.wording import pluralize
from patternmind.edits import cite_edit, summarize_edit
from patternmind.lineage import explain_change
from patternmind.ports import RunRecord
from patternmind.services.exports import theme_row
from patternmind.services.theme_edits import EditResult, LoggedEdit

RETIRED_HEADING = "retired by a person"
"""Heading of the retired themes, which come last."""


def write_themes(
    themes: Sequence[Theme],
    areas: Mapping[str, str],
    outliers: Sequence[Assignment],
    last_run: RunRecord | None,
    *,
    as_json: bool,
) -> None:
    n_outliers = f"Not in a theme yet: {pluralize(len(outliers), 'case')}."
    if as_json:
        output.write_json([theme_row(theme) for theme in themes])
    elif last_run is None:
        output.write_text(output.NO_RUN_MESSAGE + "\n")
    elif not themes:
        output.write_text("\n".join([*(last_run.notes or ("No themes yet.",)), n_outliers]) + "\n")
    else:
        output.write_table(_make_theme_table(themes, areas))
        output.write_text(f"{n_outliers} Names are key phrases of the cases (no AI used).\n")


def _make_theme_table(themes: Sequence[Theme], areas: Mapping[str, str]) -> Table:
    """Make a table of areas and themes with names, sizes and one quote each."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_lines=False)
    for name, ratio in (("theme", 3), ("example quote", 6)):
        table.add_column(name, ratio=ratio, overflow="fold")
    for name in ("cases", "teams", ""):
        table.add_column(name, justify="right" if name else "left", no_wrap=True)
    order: dict[str, list[Theme]] = {}
    for theme in themes:
        order.setdefault(RETIRED_HEADING if theme.lineage == "retired" else theme.area_id, []).append(theme)
    for area_id, members in sorted(order.items(), key=lambda item: item[0] == RETIRED_HEADING):
        table.add_row(Text(strip_hidden(areas.get(area_id, area_id)).upper(), style="bold"))
        for theme in members:
            gist = Text(f"“{strip_hidden(shorten(theme.gist))}”" if theme.gist else "", style="italic")
            name = Text(f"  {strip_hidden(theme.name)}\n  {theme.id}")
            marks = ["tentative"] * theme.tentative + ["one contributor"] * theme.one_contributor
            status = Text("\n".join([theme.lineage.value, *marks]))
            table.add_row(name, gist, str(theme.n_cases), str(theme.n_teams), status)
    return table


def edit_row(edit: Edit) -> dict[str, Any]:
    """Return a decision as a JSON object, without fields that its action does not use."""
    row = {**asdict(edit), "action": edit.action.value, "at": edit.at.isoformat(), "what": summarize_edit(edit)}
    return {name: value for name, value in row.items() if value is not False and value not in ("", None, ())}


def write_edit_result(result: EditResult, *, as_json: bool) -> None:
    edit = result.edit
    description = cite_edit(edit).removeprefix("decision ")
    effect = (
        f"It applies to every later run. To undo it: `patternmind themes undo {edit.seq}`."
        if edit.undoes is None
        else f"The themes are now what they would be without decision {edit.undoes}."
    )
    record = {**edit_row(edit), "proposals": [asdict(conflict) for conflict in result.conflicts]}
    lines = [f"Decision {description}. {effect}", *_conflict_lines(result.conflicts)]
    write_result(record, "\n".join(lines), as_json=as_json)


def _conflict_lines(conflicts: Sequence[EditConflict]) -> list[str]:
    return [f"The cases contradict a decision. {conflict.text}" for conflict in conflicts]


def write_edit_log(entries: Sequence[LoggedEdit], *, as_json: bool) -> None:
    rows = [{**edit_row(entry.edit), "undone_by": entry.undone_by} for entry in entries]
    message = "\n".join(map(_edit_log_line, entries)) or "No decisions about themes yet."
    write_result(rows, message, as_json=as_json)


def _edit_log_line(entry: LoggedEdit) -> str:
    edit = entry.edit
    undone = f"  (undone by decision {entry.undone_by})" if entry.undone_by else ""
    note = f"  {edit.note}" if edit.note else ""
    return f"{edit.seq:>4}  {edit.at:%Y-%m-%d %H:%M}  {edit.by}: {summarize_edit(edit)}  [{edit.lens}]{note}{undone}"


def write_theme_changes(
    run: RunRecord | None, changes: Sequence[ThemeChange], themes: Sequence[Theme], *, as_json: bool
) -> None:
    """Print all changes of a run with their evidence, and the decisions its cases contradict."""
    if run is None:
        write_result({}, "No runs yet. Start one with `patternmind run`.", as_json=as_json)
        return
    names = {theme.id: theme.name for theme in themes}
    lines = [
        f"{change.theme_id}  {change.lineage.value:<9}  {names.get(change.theme_id, '')}\n"
        f"    {explain_change(change, names)}"
        for change in changes
        if change.is_reportable
    ]
    message = "\n".join([f"{run.id}:", *(lines or ["no themes"]), *_conflict_lines(run.conflicts)])
    proposals = [asdict(conflict) for conflict in run.conflicts]
    record = {"run_id": run.id, "changes": [asdict(change) for change in changes], "proposals": proposals}
    write_result(record, message, as_json=as_json)
