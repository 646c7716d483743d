"""`patternmind redaction`: the names that nobody put on the roster, for the steward to confirm."""

from dataclasses import asdict
from typing import Annotated

import typer

from patternmind.cli import output
from patternmind.cli.app import (
    HomeOption,
    JsonOption,
    app,
    open_context,
)
from patternmind.cli.audit import write_audit

redaction_app = typer.Typer(
    no_args_is_help=True, help="Names that redaction could not know, for the steward to confirm."
)
app.add_typer(redaction_app, name="redaction")


@redaction_app.command("possible-names")
def possible_names(
    limit: Annotated[int, typer.Option("--most", min=1, help="How many to show; --json has all.")] = 40,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """List what may be names in the redacted texts, the likeliest first. For the steward's eyes alone."""
    from patternmind.services.possible_names import search_possible_names

    found = search_possible_names(open_context(home).store)
    if json:
        output.write_json([asdict(one) for one in found])
        return
    if not found:
        output.write_text("No possible names were found. Rules find most names, not all: read before you publish.\n")
        return
    for one in found[:limit]:
        often = "once" if one.n == 1 else f"{one.n} times"
        output.write_text(f"{one.name}  ({often}; {', '.join(one.why)})\n    {one.contexts[0]}\n")
    more = f"{len(found) - limit} more; --most shows them. " if len(found) > limit else ""
    output.write_text(f'{more}Put those that are names on the roster: `patternmind redaction confirm "NAME"`\n')


@redaction_app.command("confirm")
def confirm(
    names: Annotated[list[str], typer.Argument(help="Names, or `customer: NAME` and `site: NAME`.")],
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Put names on the roster and take them out of everything that is stored."""
    from patternmind.domain.permissions import Action
    from patternmind.services.possible_names import confirm_names

    house = open_context(home)
    added = confirm_names(house.store, names)
    write_audit(house, Action.ROSTER, "roster.confirm")
    known = f"; {len(names) - added} known before" if added < len(names) else ""
    output.write_result(
        {"people_added": added}, f"{added} put on the roster{known}. All stored texts are redacted anew.", as_json=json
    )
