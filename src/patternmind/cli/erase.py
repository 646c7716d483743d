"""`patternmind erase`: delete a case permanently."""

import sys
from dataclasses import asdict
from typing import Annotated

import typer

from patternmind.cli import output
from patternmind.cli.context import open_context, write_audit
from patternmind.cli.options import HomeOption, JsonOption
from patternmind.domain.permissions import Action
from patternmind.domain.wording import pluralize
from patternmind.errors import UsageError

EXTERNAL_COPIES_NOTICE = (
    "Files written elsewhere (exports, playbooks, pre-readings, maps) and backups cannot be recalled: delete them, or "
    "write them again. A running server keeps some responses in memory: restart it."
)

app = typer.Typer()


@app.command()
def erase(
    case: Annotated[str, typer.Argument(help="Id or external id of a case or recap.")],
    by: Annotated[str, typer.Option(help="Name of the person who erases it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Erase without confirmation.")] = False,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Erase a case permanently: text, vectors, index rows, assignments. Its quotes are withdrawn. No undo."""
    ctx = open_context(home)
    if not yes:
        if json or not sys.stdin.isatty():
            raise UsageError("Erasing cannot be undone. Add --yes to erase without confirmation.")
        if not typer.confirm(f"Erase {case} permanently? This cannot be undone."):
            raise typer.Exit(1)
    result = ctx.erase(case, actor=by)
    write_audit(ctx, Action.ERASE_CASE, "erase", "case", result.case_id, actor=by)
    withdrawn = f"{pluralize(result.n_quotes, 'quote')} in {pluralize(result.n_drafts, 'draft')}"
    lines = [
        f"{result.case_id} was erased before. Its files were cleaned again."
        if result.again
        else f"{result.case_id} is erased. Withdrew {withdrawn}."
    ]
    if result.same:
        lines.append(f"Still stored with the same text: {', '.join(result.same)}. Erase these too if they should go.")
    if result.linked:
        lines.append(f"Still stored and linked to it: {', '.join(result.linked)}. They stay until you erase them.")
    record = {**asdict(result), "elsewhere": EXTERNAL_COPIES_NOTICE}
    output.write_result(record, "\n".join([*lines, EXTERNAL_COPIES_NOTICE]), as_json=json)
