"""`patternmind recap`: draft a session's five bullets from its notes."""

from typing import Annotated

import typer

from patternmind.cli import output
from patternmind.cli.context import open_context, write_audit
from patternmind.cli.draft_output import write_draft
from patternmind.cli.options import HomeOption, JsonOption
from patternmind.domain.permissions import Action
from patternmind.services.recaps import draft_from_recap

app = typer.Typer()


@app.command()
def recap(
    recap: Annotated[str, typer.Argument(help="Id of an imported recap.")],
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Draft a session's five bullets: the submitter's own; missing ones are taken from the notes, with quotes."""
    ctx = open_context(home)
    result = draft_from_recap(ctx.store, ctx.clock, recap, llm=ctx.llm)
    write_audit(ctx, Action.SEND_RECAP, "recap", "draft", result.reviewed.grounded.draft.id)
    for note in result.notes:
        output.write_status(note)
    write_draft(result.reviewed, as_json=json)
