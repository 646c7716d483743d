"""`patternmind init`: create a network or change its settings."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from patternmind.cli import output
from patternmind.cli.context import open_context, write_audit
from patternmind.cli.options import HomeOption, JsonOption
from patternmind.domain.permissions import Action
from patternmind.domain.wording import pluralize
from patternmind.services.network_settings import update_network
from patternmind.services.roster import import_roster

app = typer.Typer()


@app.command()
def init(
    name: Annotated[str, typer.Option(help="Name of the network.")] = "",
    purpose: Annotated[str, typer.Option(help="Purpose of the network, in one sentence.")] = "",
    roster: Annotated[
        Path | None, typer.Option(help="CSV with name, email and team columns. These names are redacted everywhere.")
    ] = None,
    min_contributors: Annotated[
        int | None, typer.Option(min=2, max=10, help="Minimum contributors a pattern needs to be published.")
    ] = None,
    min_teams: Annotated[
        int | None, typer.Option(min=2, max=10, help="Minimum teams a pattern needs to be published.")
    ] = None,
    default_consent: Annotated[str | None, typer.Option(help="Consent level for rows that give none.")] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Create a network or change its settings. Anything you leave out stays as it is."""
    ctx = open_context(home)
    network = update_network(
        ctx.store,
        name=name,
        purpose=purpose,
        min_contributors=min_contributors,
        min_teams=min_teams,
        default_consent=default_consent,
    )
    roster_change = None
    if roster:
        with ctx.run_locked() as store:
            roster_change = import_roster(store, roster)
    write_audit(ctx, Action.SETTINGS, "init")
    added, changed = (roster_change.added, roster_change.changed) if roster_change else (0, 0)
    home_folder = ctx.settings.home
    record = {**asdict(network), "home": str(home_folder), "people_added": added, "cases_redacted_again": changed}
    message = (
        f"{network.name} is stored in {home_folder}. Patterns are published once {network.rule.min_contributors} "
        f"contributors from {network.rule.min_teams} teams support them."
    )
    if roster_change:
        people = "1 person" if added == 1 else f"{added} people"
        message += f" Added {people} to the roster; redacted {pluralize(changed, 'case')} again."
    output.write_result(record, message, as_json=json)
