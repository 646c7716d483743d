"""`patternmind redaction`: names missing from the roster, for the steward to confirm."""

from dataclasses import asdict
from typing import Annotated

import typer

from patternmind.cli import output
from patternmind.cli.context import open_context, write_audit
from patternmind.cli.options import HomeOption, JsonOption
from patternmind.domain.permissions import Action
from patternmind.domain.wording import pluralize
from patternmind.services.possible_names import confirm_names, search_possible_names

app = typer.Typer(name="redaction", no_args_is_help=True)


@app.command("possible-names")
def possible_names(
    limit: Annotated[int, typer.Option("--most", min=1, help="Number of names to show; --json lists all.")] = 40,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """List possible names in the redacted texts, most likely first. Stewards only."""
    names = search_possible_names(open_context(home).store)
    if json:
        output.write_json([asdict(name) for name in names])
        return
    if not names:
        output.write_text("No possible names found. The rules miss some names, so check before you publish.\n")
        return
    for name in names[:limit]:
        frequency = "once" if name.n == 1 else f"{name.n} times"
        output.write_text(f"{name.name}  ({frequency}; {', '.join(name.why)})\n    {name.contexts[0]}\n")
    more = f"{len(names) - limit} more; show them with --most. " if len(names) > limit else ""
    output.write_text(f'{more}Add real names to the roster: `patternmind redaction confirm "NAME"`\n')


@app.command("confirm")
def confirm(
    names: Annotated[list[str], typer.Argument(help="Names, or `customer: NAME` and `site: NAME`.")],
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Add names to the roster and redact them in everything stored."""
    ctx = open_context(home)
    added = confirm_names(ctx.store, names)
    write_audit(ctx, Action.ROSTER, "roster.confirm")
    duplicates = f" ({len(names) - added} already there)" if added < len(names) else ""
    message = f"Added {pluralize(added, 'name')} to the roster{duplicates}. All stored texts are redacted again."
    output.write_result({"people_added": added}, message, as_json=json)
