"""`patternmind network`: create and list the networks of a data folder."""

from typing import Annotated

import typer

from patternmind.cli import output
from patternmind.cli.context import open_context, write_audit
from patternmind.cli.options import HomeOption, JsonOption
from patternmind.domain.permissions import Action
from patternmind.domain.wording import pluralize
from patternmind.services.members import add_network

app = typer.Typer(name="network", no_args_is_help=True)


@app.command("add")
def network_add(
    id: Annotated[str, typer.Argument(help="Lower-case letters, digits and hyphens, such as sales-north.")],
    name: Annotated[str, typer.Option(help="Display name.")] = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Create another network in this data folder. Put `--network ID` before a command to work in it."""
    ctx = open_context(home)
    network = add_network(ctx.accounts.networks, id, name)
    write_audit(ctx.for_network(network.id), Action.SETTINGS, "network.add", "network", network.id)
    message = (
        f'Created "{network.name}". Add its first steward: `patternmind --network {id} member add NAME --role steward`.'
    )
    output.write_result({"id": network.id, "name": network.name}, message, as_json=json)


@app.command("list")
def network_list(home: HomeOption = None, json: JsonOption = False) -> None:
    """List the networks of this data folder."""
    ctx = open_context(home)
    sizes = [(network, len(ctx.accounts.members.list_all(network.id))) for network in ctx.accounts.networks.list_all()]
    rows = [{"id": network.id, "name": network.name, "n_members": n_members} for network, n_members in sizes]
    lines = [f"{network.id}  {network.name}  ({pluralize(n_members, 'member')})" for network, n_members in sizes]
    output.write_result({"networks": rows}, "\n".join(lines), as_json=json)
