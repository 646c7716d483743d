"""`patternmind themes`: list themes, edit them, and show what changed."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from patternmind.cli import output
from patternmind.cli.audit import write_audit
from patternmind.cli.root import HomeOption, JsonOption, LensOption, app, open_context, set_global_options
from patternmind.errors import NotFound

if TYPE_CHECKING:
    from pathlib import Path

    from patternmind.domain.edits import EditAction

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


def _apply_edit(home: "Path | None", action: "EditAction", *, json: bool, **fields: Any) -> None:
    from patternmind.cli.theme_output import write_edit_result
    from patternmind.domain.permissions import Action
    from patternmind.services.theme_edits import ThemeEditRequest, submit_edit

    ctx = open_context(home)
    if "case_ids" in fields:
        fields["case_ids"] = tuple(fields["case_ids"])
    result = submit_edit(ctx.store, ctx.clock, ThemeEditRequest(action=action, **fields))
    write_audit(
        ctx, Action.EDIT_THEMES, f"themes.{action.value}", "theme", result.edit.theme_id or "", actor=result.edit.by
    )
    write_edit_result(result, as_json=json)


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
    from patternmind.domain.edits import EditAction

    if not name.strip():
        from patternmind.errors import UsageError

        raise UsageError("Give the theme a name with at least one word.")
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
    from patternmind.domain.edits import EditAction

    _apply_edit(home, EditAction.MERGE, json=json, theme_id=theme, other_theme_id=into, actor=by, lens=lens, note=note)


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
    """Move cases out of a theme. Each moves to the next-best theme, or to none, and never returns."""
    from patternmind.domain.edits import EditAction

    _apply_edit(home, EditAction.MOVE_OUT, json=json, theme_id=theme, case_ids=cases, actor=by, lens=lens, note=note)


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
    """Move cases into a theme, from another theme or from none."""
    from patternmind.domain.edits import EditAction

    _apply_edit(home, EditAction.MOVE_IN, json=json, theme_id=theme, case_ids=cases, actor=by, lens=lens, note=note)


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
    from patternmind.domain.edits import EditAction

    fields = {"theme_id": from_theme, "case_ids": cases, "name": name}
    _apply_edit(home, EditAction.SPLIT_OFF, json=json, actor=by, lens=lens, note=note, **fields)


@themes_app.command()
def together(
    cases: CaseIdsArgument,
    by: ByOption,
    lens: LensOption = None,
    note: NoteOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Keep cases together in one theme, whichever it is."""
    from patternmind.domain.edits import EditAction

    _apply_edit(home, EditAction.TOGETHER, json=json, case_ids=cases, actor=by, lens=lens, note=note)


@themes_app.command()
def apart(
    cases: CaseIdsArgument,
    by: ByOption,
    lens: LensOption = None,
    note: NoteOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Keep each of these cases in a different theme."""
    from patternmind.domain.edits import EditAction

    _apply_edit(home, EditAction.APART, json=json, case_ids=cases, actor=by, lens=lens, note=note)


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
    """Pin cases to their theme, whatever later runs find."""
    from patternmind.domain.edits import EditAction

    _apply_edit(home, EditAction.PIN, json=json, theme_id=theme, case_ids=cases, actor=by, lens=lens, note=note)


@themes_app.command()
def lock(
    theme: ThemeIdArgument,
    by: ByOption,
    lens: LensOption = None,
    note: NoteOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Lock a theme: it keeps its name and its cases; new cases may still join."""
    from patternmind.domain.edits import EditAction

    _apply_edit(home, EditAction.LOCK, json=json, theme_id=theme, actor=by, lens=lens, note=note)


@themes_app.command()
def retire(
    theme: ThemeIdArgument,
    by: ByOption,
    lens: LensOption = None,
    note: NoteOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Retire a theme with its cases: nothing is drafted from it, and nothing is lost."""
    from patternmind.domain.edits import EditAction

    _apply_edit(home, EditAction.RETIRE, json=json, theme_id=theme, actor=by, lens=lens, note=note)


@themes_app.command()
def undo(
    number: Annotated[int, typer.Argument(help="Number of the decision in `patternmind themes log`.")],
    by: ByOption,
    note: NoteOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Undo a decision. The themes become what they would be without it, at once."""
    from patternmind.domain.edits import EditAction

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
