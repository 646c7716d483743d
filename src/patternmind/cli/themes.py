"""`patternmind themes`: what was found, what people decide about it, and what changed."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from patternmind.cli import show
from patternmind.cli.app import Home, Json, app, choose_home, open_house
from patternmind.cli.audit import write_audit
from patternmind.errors import NotFound

if TYPE_CHECKING:
    from pathlib import Path

    from patternmind.model.edits import EditAction

themes_app = typer.Typer(
    invoke_without_command=True,
    help="The themes of the last run; its commands change them, and every later run keeps to that.",
)
app.add_typer(themes_app, name="themes")

By = Annotated[str, typer.Option("--by", help="Who decides.")]
Lens = Annotated[str | None, typer.Option(help="A lens other than that of the last run.")]
Note = Annotated[str, typer.Option(help="Why, in a few words; it stays in the log.")]
ThemeId = Annotated[str, typer.Argument(help="Theme id.")]
CaseIds = Annotated[list[str], typer.Argument(help="Case ids or external ids.")]


@themes_app.callback()
def list_themes(
    context: typer.Context,
    lens: Lens = None,
    every: Annotated[bool, typer.Option("--all", help="Also themes that have no case any more.")] = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """The themes of the last run, with names, sizes and one quote each; commands to change them."""
    if context.invoked_subcommand is not None:
        if home is not None:
            choose_home(home)
        return
    store = open_house(home).store
    found = [theme for theme in store.themes(lens) if every or theme.case_ids]
    outliers = [one for one in store.assignments(lens) if one.theme_id is None]
    show.themes(found, store.areas(lens), outliers, store.last_run(lens), as_json=json)


def _decide(home: "Path | None", action: "EditAction", *, json: bool, **said: Any) -> None:
    from patternmind.cli.edited import show_decided
    from patternmind.model.rights import Action
    from patternmind.verbs.editing import Asked, decide_themes

    house = open_house(home)
    if "case_ids" in said:
        said["case_ids"] = tuple(said["case_ids"])
    decided = decide_themes(house.store, house.clock, Asked(action=action, **said))
    write_audit(
        house, Action.EDIT_THEMES, f"themes.{action.value}", "theme", decided.edit.theme_id or "", by=decided.edit.by
    )
    show_decided(decided, as_json=json)


@themes_app.command()
def rename(
    theme: ThemeId,
    name: Annotated[str, typer.Argument(help="What it is called from now on.")],
    by: By,
    lens: Lens = None,
    note: Note = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Give a theme a name that every later run keeps."""
    from patternmind.model.edits import EditAction

    if not name.strip():
        from patternmind.errors import UsageError

        raise UsageError("Give the theme a name with at least one word.")
    _decide(home, EditAction.RENAME, json=json, theme_id=theme, name=name, by=by, lens=lens, note=note)


@themes_app.command()
def merge(
    theme: ThemeId,
    into: Annotated[str, typer.Argument(help="The theme that takes it in.")],
    by: By,
    lens: Lens = None,
    note: Note = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Put one theme into another; whatever continues either is in the second from now on."""
    from patternmind.model.edits import EditAction

    _decide(home, EditAction.MERGE, json=json, theme_id=theme, other_theme_id=into, by=by, lens=lens, note=note)


@themes_app.command("move-out")
def move_out(
    theme: ThemeId, cases: CaseIds, by: By, lens: Lens = None, note: Note = "", home: Home = None, json: Json = False
) -> None:
    """Take cases out of a theme: each goes where the data puts it next, never back."""
    from patternmind.model.edits import EditAction

    _decide(home, EditAction.MOVE_OUT, json=json, theme_id=theme, case_ids=cases, by=by, lens=lens, note=note)


@themes_app.command("move-in")
def move_in(
    theme: ThemeId, cases: CaseIds, by: By, lens: Lens = None, note: Note = "", home: Home = None, json: Json = False
) -> None:
    """Put cases into a theme, out of another or out of those in none."""
    from patternmind.model.edits import EditAction

    _decide(home, EditAction.MOVE_IN, json=json, theme_id=theme, case_ids=cases, by=by, lens=lens, note=note)


@themes_app.command("split-off")
def split_off(
    cases: CaseIds,
    by: By,
    from_theme: Annotated[str | None, typer.Option("--from", help="Theme id; left out for cases in no theme.")] = None,
    name: Annotated[str, typer.Option(help="The new theme's name; else its key phrases name it.")] = "",
    lens: Lens = None,
    note: Note = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Make a theme of its own out of some cases of a theme, or of cases in none."""
    from patternmind.model.edits import EditAction

    said = {"theme_id": from_theme, "case_ids": cases, "name": name}
    _decide(home, EditAction.SPLIT_OFF, json=json, by=by, lens=lens, note=note, **said)


@themes_app.command()
def together(cases: CaseIds, by: By, lens: Lens = None, note: Note = "", home: Home = None, json: Json = False) -> None:
    """Keep cases in the same theme, whichever it is."""
    from patternmind.model.edits import EditAction

    _decide(home, EditAction.TOGETHER, json=json, case_ids=cases, by=by, lens=lens, note=note)


@themes_app.command()
def apart(cases: CaseIds, by: By, lens: Lens = None, note: Note = "", home: Home = None, json: Json = False) -> None:
    """Keep every two of these cases in different themes."""
    from patternmind.model.edits import EditAction

    _decide(home, EditAction.APART, json=json, case_ids=cases, by=by, lens=lens, note=note)


@themes_app.command()
def pin(
    theme: ThemeId, cases: CaseIds, by: By, lens: Lens = None, note: Note = "", home: Home = None, json: Json = False
) -> None:
    """Keep cases in their theme, whatever a later run finds."""
    from patternmind.model.edits import EditAction

    _decide(home, EditAction.PIN, json=json, theme_id=theme, case_ids=cases, by=by, lens=lens, note=note)


@themes_app.command()
def lock(theme: ThemeId, by: By, lens: Lens = None, note: Note = "", home: Home = None, json: Json = False) -> None:
    """Keep a theme with its name and the cases it has; new ones may still join."""
    from patternmind.model.edits import EditAction

    _decide(home, EditAction.LOCK, json=json, theme_id=theme, by=by, lens=lens, note=note)


@themes_app.command()
def retire(theme: ThemeId, by: By, lens: Lens = None, note: Note = "", home: Home = None, json: Json = False) -> None:
    """Put a theme aside with its cases: nothing is drafted from it, and nothing is lost."""
    from patternmind.model.edits import EditAction

    _decide(home, EditAction.RETIRE, json=json, theme_id=theme, by=by, lens=lens, note=note)


@themes_app.command()
def undo(
    number: Annotated[int, typer.Argument(help="The decision's number, as `patternmind themes log` shows it.")],
    by: By,
    note: Note = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Take a decision back; the themes are at once what they would be without it."""
    from patternmind.model.edits import EditAction

    _decide(home, EditAction.UNDO, json=json, undoes=number, by=by, note=note)


@themes_app.command()
def log(lens: Lens = None, home: Home = None, json: Json = False) -> None:
    """Every decision about themes, oldest first, with what was taken back."""
    from patternmind.cli.edited import show_log
    from patternmind.verbs.editing import edit_log

    show_log(edit_log(open_house(home).store, lens), as_json=json)


@themes_app.command()
def changes(
    run: Annotated[str | None, typer.Option("--run", help="Run id; else the last run.")] = None,
    lens: Lens = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """What a run made of the themes before it, with the evidence, and where it disagrees with a decision."""
    from patternmind.cli.edited import show_changes

    store = open_house(home).store
    last = store.last_run(lens)
    found = last if run is None else next((one for one in store.runs() if one.id == run), None)
    if run is not None and found is None:
        raise NotFound("run", run)
    themes = store.themes(found.parameters.lens) if found else []
    show_changes(found, store.changes(found.id) if found else [], themes, as_json=json)
