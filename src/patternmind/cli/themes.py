"""`patternmind themes`: list themes, edit them, and show what changed."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from patternmind.cli import output
from patternmind.cli.audit import write_audit
from patternmind.cli.root import HomeOption, JsonOption, LensOption, app, open_context, set_global_options
from patternmind.domain.edits import EditAction
from patternmind.domain.permissions import Action
from patternmind.errors import NotFound

themes_app = typer.Typer(
    invoke_without_command=True,
    help="List and edit the themes of the last run. Later runs keep every edit.",
)
app.add_typer(themes_app, name="themes")

ByOption = Annotated[str, typer.Option("--by", help="Name of the person who decides.")]
NoteOption = Annotated[str, typer.Option(help="Reason, in a few words; kept in the log.")]
ThemeIdArgument = Annotated[str, typer.Argument(help="Theme id.")]
CaseIdsArgument = Annotated[list[str], typer.Argument(help="Case ids or external ids.")]


@themes_app.callback()
def list_themes(
    context: typer.Context,
    lens: LensOption = None,
    include_empty: Annotated[bool, typer.Option("--all", help="Include themes that have no cases any more.")] = False,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """List the themes of the last run, or edit them with a command."""
    if context.invoked_subcommand is not None:
        if home is not None:
            set_global_options(home)
        return
    store = open_context(home).store
    themes = [theme for theme in store.themes.list_all(lens) if include_empty or theme.case_ids]
    outliers = [assignment for assignment in store.runs.assignments(lens) if assignment.theme_id is None]
    output.write_themes(themes, store.themes.areas(lens), outliers, store.runs.latest(lens), as_json=json)


def _apply_edit(home: Path | None, action: EditAction, *, json: bool, **fields: Any) -> None:
    from patternmind.cli.theme_output import write_edit_result
    from patternmind.services.theme_edits import ThemeEditRequest, submit_edit

    ctx = open_context(home)
    result = submit_edit(ctx.store, ctx.clock, ThemeEditRequest(action=action, **fields))
    write_audit(
        ctx, Action.EDIT_THEMES, f"themes.{action.value}", "theme", result.edit.theme_id or "", actor=result.edit.by
    )
    write_edit_result(result, as_json=json)


def _add_theme_command(action: EditAction, help: str) -> None:
    """Add the command of an action on a theme."""

    def command(
        theme: ThemeIdArgument,
        by: ByOption,
        lens: LensOption = None,
        note: NoteOption = "",
        home: HomeOption = None,
        json: JsonOption = False,
    ) -> None:
        _apply_edit(home, action, json=json, theme_id=theme, actor=by, lens=lens, note=note)

    _add_command(action, help, command)


def _add_cases_command(action: EditAction, help: str) -> None:
    """Add the command of an action on cases."""

    def command(
        cases: CaseIdsArgument,
        by: ByOption,
        lens: LensOption = None,
        note: NoteOption = "",
        home: HomeOption = None,
        json: JsonOption = False,
    ) -> None:
        _apply_edit(home, action, json=json, case_ids=tuple(cases), actor=by, lens=lens, note=note)

    _add_command(action, help, command)


def _add_theme_and_cases_command(action: EditAction, help: str) -> None:
    """Add the command of an action on a theme and cases."""

    def command(
        theme: ThemeIdArgument,
        cases: CaseIdsArgument,
        by: ByOption,
        lens: LensOption = None,
        note: NoteOption = "",
        home: HomeOption = None,
        json: JsonOption = False,
    ) -> None:
        _apply_edit(home, action, json=json, theme_id=theme, case_ids=tuple(cases), actor=by, lens=lens, note=note)

    _add_command(action, help, command)


def _add_command(action: EditAction, help: str, command: Callable[..., None]) -> None:
    themes_app.command(action.value.replace("_", "-"), help=help)(command)


@themes_app.command()
def rename(
    theme: ThemeIdArgument,
    name: Annotated[str, typer.Argument(help="New name.")],
    by: ByOption,
    lens: LensOption = None,
    note: NoteOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Rename a theme. Every later run keeps the name."""
    _apply_edit(home, EditAction.RENAME, json=json, theme_id=theme, name=name, actor=by, lens=lens, note=note)


@themes_app.command()
def merge(
    theme: ThemeIdArgument,
    into: Annotated[str, typer.Argument(help="Theme that receives its cases.")],
    by: ByOption,
    lens: LensOption = None,
    note: NoteOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Merge a theme into another. Whatever continues either of them later belongs to the second."""
    _apply_edit(home, EditAction.MERGE, json=json, theme_id=theme, other_theme_id=into, actor=by, lens=lens, note=note)


_add_theme_and_cases_command(
    EditAction.MOVE_OUT,
    "Move cases out of a theme. Each moves to the next-best theme, or to none, and never returns.",
)
_add_theme_and_cases_command(EditAction.MOVE_IN, "Move cases into a theme, from another theme or from none.")


@themes_app.command("split-off")
def split_off(
    cases: CaseIdsArgument,
    by: ByOption,
    from_theme: Annotated[str | None, typer.Option("--from", help="Theme id. Leave out for cases in no theme.")] = None,
    name: Annotated[str, typer.Option(help="Name of the new theme. Without it: its key phrases.")] = "",
    lens: LensOption = None,
    note: NoteOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Split cases off into a new theme, from one theme or from cases in none."""
    fields = {"theme_id": from_theme, "case_ids": tuple(cases), "name": name}
    _apply_edit(home, EditAction.SPLIT_OFF, json=json, actor=by, lens=lens, note=note, **fields)


_add_cases_command(EditAction.TOGETHER, "Keep cases together in one theme, whichever it is.")
_add_cases_command(EditAction.APART, "Keep each of these cases in a different theme.")
_add_theme_and_cases_command(EditAction.PIN, "Pin cases to their theme, whatever later runs find.")
_add_theme_command(EditAction.LOCK, "Lock a theme: it keeps its name and its cases; new cases may still join.")
_add_theme_command(EditAction.RETIRE, "Retire a theme with its cases: nothing is drafted from it, and nothing is lost.")


@themes_app.command()
def undo(
    number: Annotated[int, typer.Argument(help="Number of the decision in `patternmind themes log`.")],
    by: ByOption,
    note: NoteOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Undo a decision. The themes become what they would be without it, at once."""
    _apply_edit(home, EditAction.UNDO, json=json, undoes=number, actor=by, note=note)


@themes_app.command()
def log(lens: LensOption = None, home: HomeOption = None, json: JsonOption = False) -> None:
    """List all decisions about themes, oldest first, including undone ones."""
    from patternmind.cli.theme_output import write_edit_log
    from patternmind.services.theme_edits import list_logged_edits

    write_edit_log(list_logged_edits(open_context(home).store, lens), as_json=json)


@themes_app.command()
def changes(
    run: Annotated[str | None, typer.Option("--run", help="Run id. Without it: the last run.")] = None,
    lens: LensOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Show how a run changed the themes, with evidence, and which decisions the cases contradict."""
    from patternmind.cli.theme_output import write_theme_changes

    store = open_context(home).store
    last = store.runs.latest(lens)
    record = last if run is None else next((record for record in store.runs.list_all() if record.id == run), None)
    if run is not None and record is None:
        raise NotFound("run", run)
    themes = store.themes.list_all(record.parameters.lens) if record else []
    write_theme_changes(record, store.themes.changes(record.id) if record else [], themes, as_json=json)
