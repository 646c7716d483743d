"""`patternmind themes`: what was found, what people decide about it, and what changed."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from patternmind.cli import output
from patternmind.cli.app import (
    HomeOption,
    JsonOption,
    app,
    open_context,
    set_global_options,
)
from patternmind.cli.audit import write_audit
from patternmind.errors import NotFound

if TYPE_CHECKING:
    from pathlib import Path

    from patternmind.domain.edits import EditAction

themes_app = typer.Typer(
    invoke_without_command=True,
    help="The themes of the last run; its commands change them, and every later run keeps to that.",
)
app.add_typer(themes_app, name="themes")

ByOption = Annotated[str, typer.Option("--by", help="Who decides.")]
LensOption = Annotated[str | None, typer.Option(help="A lens other than that of the last run.")]
NoteOption = Annotated[str, typer.Option(help="Why, in a few words; it stays in the log.")]
ThemeIdArgument = Annotated[str, typer.Argument(help="Theme id.")]
CaseIdsArgument = Annotated[list[str], typer.Argument(help="Case ids or external ids.")]


@themes_app.callback()
def list_themes(
    context: typer.Context,
    lens: LensOption = None,
    include_empty: Annotated[bool, typer.Option("--all", help="Also themes that have no case any more.")] = False,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """The themes of the last run, with names, sizes and one quote each; commands to change them."""
    if context.invoked_subcommand is not None:
        if home is not None:
            set_global_options(home)
        return
    store = open_context(home).store
    found = [theme for theme in store.themes(lens) if include_empty or theme.case_ids]
    outliers = [one for one in store.assignments(lens) if one.theme_id is None]
    output.write_themes(found, store.areas(lens), outliers, store.last_run(lens), as_json=json)


def _apply_edit(home: "Path | None", action: "EditAction", *, json: bool, **fields: Any) -> None:
    from patternmind.cli.theme_output import write_edit_result
    from patternmind.domain.permissions import Action
    from patternmind.services.theme_edits import ThemeEditRequest, submit_edit

    house = open_context(home)
    if "case_ids" in fields:
        fields["case_ids"] = tuple(fields["case_ids"])
    decided = submit_edit(house.store, house.clock, ThemeEditRequest(action=action, **fields))
    write_audit(
        house, Action.EDIT_THEMES, f"themes.{action.value}", "theme", decided.edit.theme_id or "", actor=decided.edit.by
    )
    write_edit_result(decided, as_json=json)


@themes_app.command()
def rename(
    theme: ThemeIdArgument,
    name: Annotated[str, typer.Argument(help="What it is called from now on.")],
    by: ByOption,
    lens: LensOption = None,
    note: NoteOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Give a theme a name that every later run keeps."""
    from patternmind.domain.edits import EditAction

    if not name.strip():
        from patternmind.errors import UsageError

        raise UsageError("Give the theme a name with at least one word.")
    _apply_edit(home, EditAction.RENAME, json=json, theme_id=theme, name=name, by=by, lens=lens, note=note)


@themes_app.command()
def merge(
    theme: ThemeIdArgument,
    into: Annotated[str, typer.Argument(help="The theme that takes it in.")],
    by: ByOption,
    lens: LensOption = None,
    note: NoteOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Put one theme into another; whatever continues either is in the second from now on."""
    from patternmind.domain.edits import EditAction

    _apply_edit(home, EditAction.MERGE, json=json, theme_id=theme, other_theme_id=into, by=by, lens=lens, note=note)


@themes_app.command("move-out")
def move_out(
    theme: ThemeIdArgument,
    cases: CaseIdsArgument,
    by: ByOption,
    lens: LensOption = None,
    note: NoteOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Take cases out of a theme: each goes where the data puts it next, never back."""
    from patternmind.domain.edits import EditAction

    _apply_edit(home, EditAction.MOVE_OUT, json=json, theme_id=theme, case_ids=cases, by=by, lens=lens, note=note)


@themes_app.command("move-in")
def move_in(
    theme: ThemeIdArgument,
    cases: CaseIdsArgument,
    by: ByOption,
    lens: LensOption = None,
    note: NoteOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Put cases into a theme, out of another or out of those in none."""
    from patternmind.domain.edits import EditAction

    _apply_edit(home, EditAction.MOVE_IN, json=json, theme_id=theme, case_ids=cases, by=by, lens=lens, note=note)


@themes_app.command("split-off")
def split_off(
    cases: CaseIdsArgument,
    by: ByOption,
    from_theme: Annotated[str | None, typer.Option("--from", help="Theme id; left out for cases in no theme.")] = None,
    name: Annotated[str, typer.Option(help="The new theme's name; else its key phrases name it.")] = "",
    lens: LensOption = None,
    note: NoteOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Make a theme of its own out of some cases of a theme, or of cases in none."""
    from patternmind.domain.edits import EditAction

    said = {"theme_id": from_theme, "case_ids": cases, "name": name}
    _apply_edit(home, EditAction.SPLIT_OFF, json=json, by=by, lens=lens, note=note, **said)


@themes_app.command()
def together(
    cases: CaseIdsArgument,
    by: ByOption,
    lens: LensOption = None,
    note: NoteOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Keep cases in the same theme, whichever it is."""
    from patternmind.domain.edits import EditAction

    _apply_edit(home, EditAction.TOGETHER, json=json, case_ids=cases, by=by, lens=lens, note=note)


@themes_app.command()
def apart(
    cases: CaseIdsArgument,
    by: ByOption,
    lens: LensOption = None,
    note: NoteOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Keep every two of these cases in different themes."""
    from patternmind.domain.edits import EditAction

    _apply_edit(home, EditAction.APART, json=json, case_ids=cases, by=by, lens=lens, note=note)


@themes_app.command()
def pin(
    theme: ThemeIdArgument,
    cases: CaseIdsArgument,
    by: ByOption,
    lens: LensOption = None,
    note: NoteOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Keep cases in their theme, whatever a later run finds."""
    from patternmind.domain.edits import EditAction

    _apply_edit(home, EditAction.PIN, json=json, theme_id=theme, case_ids=cases, by=by, lens=lens, note=note)


@themes_app.command()
def lock(
    theme: ThemeIdArgument,
    by: ByOption,
    lens: LensOption = None,
    note: NoteOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Keep a theme with its name and the cases it has; new ones may still join."""
    from patternmind.domain.edits import EditAction

    _apply_edit(home, EditAction.LOCK, json=json, theme_id=theme, by=by, lens=lens, note=note)


@themes_app.command()
def retire(
    theme: ThemeIdArgument,
    by: ByOption,
    lens: LensOption = None,
    note: NoteOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Put a theme aside with its cases: nothing is drafted from it, and nothing is lost."""
    from patternmind.domain.edits import EditAction

    _apply_edit(home, EditAction.RETIRE, json=json, theme_id=theme, by=by, lens=lens, note=note)


@themes_app.command()
def undo(
    number: Annotated[int, typer.Argument(help="The decision's number, as `patternmind themes log` shows it.")],
    by: ByOption,
    note: NoteOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Take a decision back; the themes are at once what they would be without it."""
    from patternmind.domain.edits import EditAction

    _apply_edit(home, EditAction.UNDO, json=json, undoes=number, by=by, note=note)


@themes_app.command()
def log(lens: LensOption = None, home: HomeOption = None, json: JsonOption = False) -> None:
    """Every decision about themes, oldest first, with what was taken back."""
    from patternmind.cli.theme_output import write_edit_log
    from patternmind.services.theme_edits import list_logged_edits

    write_edit_log(list_logged_edits(open_context(home).store, lens), as_json=json)


@themes_app.command()
def changes(
    run: Annotated[str | None, typer.Option("--run", help="Run id; else the last run.")] = None,
    lens: LensOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """What a run made of the themes before it, with the evidence, and where it disagrees with a decision."""
    from patternmind.cli.theme_output import write_theme_changes

    store = open_context(home).store
    last = store.last_run(lens)
    found = last if run is None else next((one for one in store.runs() if one.id == run), None)
    if run is not None and found is None:
        raise NotFound("run", run)
    themes = store.themes(found.parameters.lens) if found else []
    write_theme_changes(found, store.theme_changes(found.id) if found else [], themes, as_json=json)
