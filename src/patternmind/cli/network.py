"""`patternmind init` and `patternmind network`: create networks and change their settings."""

from pathlib import Path
from typing import Annotated

import typer

from patternmind.cli import output
from patternmind.cli.audit import write_audit
from patternmind.cli.root import HomeOption, JsonOption, app, open_context
from patternmind.domain.wording import pluralize

network_app = typer.Typer(no_args_is_help=True, help="Manage the networks of this data folder; each is separate.")
app.add_typer(network_app, name="network")


@app.command()
def init(
    name: Annotated[str, typer.Option(help="Name of the network.")] = "",
    purpose: Annotated[str, typer.Option(help="Purpose of the network, in one sentence.")] = "",
    roster: Annotated[
        Path | None,
        typer.Option(help="CSV with name, email and team columns. These names are redacted everywhere."),
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
    from patternmind.domain.permissions import Action
    from patternmind.services.network_settings import update_network
    from patternmind.services.roster import import_roster

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
    output.write_network(network, ctx.settings.home, roster_change, as_json=json)


@network_app.command("add")
def network_add(
    id: Annotated[str, typer.Argument(help="Lower-case letters, digits and hyphens, such as sales-north.")],
    name: Annotated[str, typer.Option(help="Display name.")] = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Create another network in this data folder. Put `--network ID` before a command to work in it."""
    from patternmind.domain.permissions import Action
    from patternmind.services.members import add_network

    ctx = open_context(home)
    network = add_network(ctx.accounts, id, name)
    write_audit(ctx.for_network(network.id), Action.SETTINGS, "network.add", "network", network.id)
    message = (
        f'Created "{network.name}". Add its first steward: `patternmind --network {id} member add NAME --role steward`.'
    )
    output.write_result({"id": network.id, "name": network.name}, message, as_json=json)


@network_app.command("list")
def network_list(home: HomeOption = None, json: JsonOption = False) -> None:
    """List the networks of this data folder."""
    ctx = open_context(home)
    sizes = [(network, len(ctx.accounts.list_members(network.id))) for network in ctx.accounts.list_networks()]
    rows = [{"id": network.id, "name": network.name, "n_members": n_members} for network, n_members in sizes]
    lines = [f"{network.id}  {network.name}  ({pluralize(n_members, 'member')})" for network, n_members in sizes]
    output.write_result({"networks": rows}, "\n".join(lines), as_json=json)
