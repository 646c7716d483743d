"""`patternmind themes`: list themes, edit them, and show what changed."""

from inspect import Parameter, Signature
from pathlib import Path
from typing import Annotated, Any

import typer

from patternmind.cli import output
from patternmind.cli.context import open_context, write_audit
from patternmind.cli.draft_output import write_draft
from patternmind.cli.options import HomeOption, JsonOption, LensOption, global_options
from patternmind.cli.theme_output import write_edit_log, write_edit_result, write_theme_changes, write_themes
from patternmind.domain.edits import ANNOTATION_ACTIONS, EditAction
from patternmind.domain.permissions import Action
from patternmind.edits import ACTIONS, ThemeAction
from patternmind.errors import NotFound
from patternmind.services import recaps
from patternmind.services.theme_edits import ThemeEditRequest, list_logged_edits, submit_edit

app = typer.Typer(name="themes", invoke_without_command=True)

ThemeIdArgument = Annotated[str, typer.Argument(help="Theme id.")]


@app.callback()
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
            global_options.home = home
        return
    store = open_context(home).store
    themes = [theme for theme in store.themes.list_all(lens) if include_empty or theme.case_ids]
    outliers = [assignment for assignment in store.runs.assignments(lens) if assignment.theme_id is None]
    write_themes(themes, store.themes.areas(lens), outliers, store.runs.latest(lens), as_json=json)


def _parameter(name: str, annotation: Any, default: Any = Parameter.empty) -> Parameter:
    return Parameter(name, Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


ARGUMENTS = {
    "theme_id": _parameter("theme", ThemeIdArgument),
    "other_theme_id": _parameter("into", Annotated[str, typer.Argument(help="Theme that receives its cases.")]),
    "case_ids": _parameter("cases", Annotated[list[str], typer.Argument(help="Case ids or external ids.")]),
    "name": _parameter("name", Annotated[str, typer.Argument(help="New name.")]),
    "undoes": _parameter(
        "number", Annotated[int, typer.Argument(help="Number of the decision in `patternmind themes log`.")]
    ),
}
"""Argument for each field that an action requires."""

OPTIONS = {
    "theme_id": _parameter(
        "from_theme",
        Annotated[str | None, typer.Option("--from", help="Theme id. Leave out for cases in no theme.")],
        None,
    ),
    "name": _parameter(
        "name", Annotated[str, typer.Option(help="Name of the new theme. Without it: its key phrases.")], ""
    ),
    "actor": _parameter("by", Annotated[str, typer.Option("--by", help="Name of the person who decides.")]),
    "lens": _parameter("lens", LensOption, None),
    "note": _parameter("note", Annotated[str, typer.Option(help="Reason, in a few words; kept in the log.")], ""),
}
"""Option for each optional field of an action, and for the fields of every edit."""


def _add_edit_command(action: ThemeAction) -> None:
    """Add the command of an action, with a parameter for each field."""
    parameters = {
        **{field: ARGUMENTS[field] for field in action.required_fields},
        "actor": OPTIONS["actor"],
        **{field: OPTIONS[field] for field in action.optional_fields},
        **({} if "undoes" in action.fields else {"lens": OPTIONS["lens"]}),
        "note": OPTIONS["note"],
    }

    def command(home: Path | None, json: bool, **values: Any) -> None:
        fields = {field: values[parameter.name] for field, parameter in parameters.items()}
        _apply_edit(home, action.action, json=json, **fields)

    command.__signature__ = Signature(  # pyright: ignore[reportFunctionMemberAccess] - typer reads it
        [*parameters.values(), _parameter("home", HomeOption, None), _parameter("json", JsonOption, False)]
    )
    app.command(action.action.value.replace("_", "-"), help=action.__doc__)(command)


def _apply_edit(home: Path | None, action: EditAction, *, json: bool, **fields: Any) -> None:
    ctx = open_context(home)
    if "case_ids" in fields:
        fields["case_ids"] = tuple(fields["case_ids"])
    result = submit_edit(ctx.store, ctx.clock, ThemeEditRequest(action=action, **fields))
    write_audit(
        ctx, Action.EDIT_THEMES, f"themes.{action.value}", "theme", result.edit.theme_id or "", actor=result.edit.by
    )
    write_edit_result(result, as_json=json)


for _action in ACTIONS.values():
    if _action.action not in ANNOTATION_ACTIONS:
        _add_edit_command(_action)


@app.command()
def log(lens: LensOption = None, home: HomeOption = None, json: JsonOption = False) -> None:
    """List all decisions about themes, oldest first, including undone ones."""
    write_edit_log(list_logged_edits(open_context(home).store, lens), as_json=json)


@app.command()
def changes(
    run: Annotated[str | None, typer.Option("--run", help="Run id. Without it: the last run.")] = None,
    lens: LensOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Show how a run changed the themes, with evidence, and which decisions the cases contradict."""
    store = open_context(home).store
    last = store.runs.latest(lens)
    record = last if run is None else next((record for record in store.runs.list_all() if record.id == run), None)
    if run is not None and record is None:
        raise NotFound("run", run)
    themes = store.themes.list_all(record.parameters.lens) if record else []
    write_theme_changes(record, store.themes.changes(record.id) if record else [], themes, as_json=json)


@app.command("new")
def draft_theme_change(theme: ThemeIdArgument, home: HomeOption = None, json: JsonOption = False) -> None:
    """Draft what a theme's new cases add, with counts, for the reviewer of the change."""
    ctx = open_context(home)
    result = recaps.draft_theme_change(ctx.store, ctx.clock, theme, llm=ctx.llm)
    for note in result.notes:
        output.write_status(note)
    write_draft(result.reviewed, as_json=json)
