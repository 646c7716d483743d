"""`patternmind recap` and `patternmind themes new`: draft short texts from notes and new cases."""

from typing import Annotated

import typer

from patternmind.cli import output
from patternmind.cli.audit import write_audit
from patternmind.cli.root import HomeOption, JsonOption, app, open_context
from patternmind.cli.themes import ThemeIdArgument, themes_app


@app.command()
def recap(
    recap: Annotated[str, typer.Argument(help="Id of an imported recap.")],
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Draft a session's five bullets: the submitter's own; missing ones are taken from the notes, with quotes."""
    from patternmind.domain.permissions import Action
    from patternmind.services.recaps import draft_from_recap

    ctx = open_context(home)
    result = draft_from_recap(ctx.store, ctx.clock, recap, llm=ctx.llm)
    write_audit(ctx, Action.SEND_RECAP, "recap", "draft", result.reviewed.grounded.draft.id)
    for note in result.notes:
        output.write_status(note)
    output.write_draft(result.reviewed, as_json=json)


@themes_app.command("new")
def draft_theme_change(
    theme: ThemeIdArgument,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Draft what a theme's new cases add, with counts, for the reviewer of the change."""
    from patternmind.services.recaps import draft_theme_change

    ctx = open_context(home)
    result = draft_theme_change(ctx.store, ctx.clock, theme, llm=ctx.llm)
    for note in result.notes:
        output.write_status(note)
    output.write_draft(result.reviewed, as_json=json)
