"""`patternmind member` and `network`: who may sign in, and to what. Who runs these owns the data folder."""

from typing import TYPE_CHECKING, Annotated

import typer

from patternmind.cli import output
from patternmind.cli.app import (
    HomeOption,
    JsonOption,
    app,
    open_context,
)
from patternmind.cli.audit import write_audit

if TYPE_CHECKING:
    from patternmind.bootstrap import AppContext
    from patternmind.domain.permissions import Role

member_app = typer.Typer(no_args_is_help=True, help="Who may sign in to the pages, and what they may do.")
network_app = typer.Typer(no_args_is_help=True, help="Several networks in one data folder, each by itself.")
app.add_typer(member_app, name="member")
app.add_typer(network_app, name="network")

RolesOption = Annotated[
    list[str] | None,
    typer.Option("--role", help="member, facilitator, steward, data_partner or sponsor; as often as needed."),
]
MemberArgument = Annotated[str, typer.Argument(help="Name or sign-in name.")]


@member_app.command("add")
def member_add(
    name: Annotated[str, typer.Argument(help="As decisions are logged.")],
    role: RolesOption = None,
    account: Annotated[str | None, typer.Option(help="Sign-in name of somebody in another network here.")] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Add a member, and print the link that signs them in once."""
    from patternmind.domain.permissions import Action
    from patternmind.services.members import add_member

    house = open_context(home)
    network = house.store.network.id
    member = add_member(
        house.accounts, house.clock, network, name, _parse_roles(role or ["member"]), account_id=account
    )
    write_audit(house, Action.MEMBERS, "member.add", "member", member.id)
    _show_link(house, member.id, as_json=json)


@member_app.command("link")
def member_link(who: MemberArgument, home: HomeOption = None, json: JsonOption = False) -> None:
    """Print a new link that signs a member in once."""
    from patternmind.domain.permissions import Action
    from patternmind.services.members import find_member

    house = open_context(home)
    member = find_member(house.accounts, house.store.network.id, who)
    write_audit(house, Action.MEMBERS, "member.link", "member", member.id)
    _show_link(house, member.id, as_json=json)


def _show_link(ctx: "AppContext", member_id: str, *, as_json: bool) -> None:
    from patternmind.services.authentication import LINK_LIFETIME, create_sign_in_link
    from patternmind.services.members import find_member

    member = find_member(ctx.accounts, ctx.settings.network, member_id)
    secret = create_sign_in_link(ctx.accounts, ctx.clock, member, is_confined=False)
    path = f"/sign-in/link/{secret}"
    link = f"{ctx.settings.url}{path}" if ctx.settings.url else path
    told = f"{member.name} signs in as {member.id}. This link signs them in once, within {LINK_LIFETIME.days} days:\n{link}"
    if not ctx.settings.url:
        told += "\nPut the address of the server before it, such as http://127.0.0.1:8765."
    output.write_result({"id": member.id, "name": member.name, "link": link}, told, as_json=as_json)


@member_app.command("list")
def member_list(home: HomeOption = None, json: JsonOption = False) -> None:
    """Who is in the network, and in which roles."""
    from patternmind.domain.permissions import Role

    house = open_context(home)
    rows = [
        {"id": one.id, "name": one.name, "roles": [role.value for role in Role if role in one.roles]}
        for one in house.accounts.list_members(house.store.network.id)
    ]
    lines = [f"{row['id']}  {row['name']}  ({', '.join(row['roles'])})" for row in rows]
    told = "\n".join(lines) or "Nobody yet. `patternmind member add NAME --role steward` adds the first."
    output.write_result({"members": rows}, told, as_json=json)


@member_app.command("role")
def member_role(
    who: MemberArgument,
    roles: Annotated[list[str], typer.Argument(help="All roles that they shall have.")],
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Give a member other roles. A network keeps at least one steward."""
    from patternmind.domain.permissions import Action
    from patternmind.services.members import change_roles

    house = open_context(home)
    member = change_roles(house.accounts, house.store.network.id, who, _parse_roles(roles))
    write_audit(house, Action.MEMBERS, "member.role", "member", member.id)
    names = sorted(role.value for role in member.roles)
    output.write_result({"id": member.id, "roles": names}, f"{member.name} is now: {', '.join(names)}.", as_json=json)


@member_app.command("remove")
def member_remove(who: MemberArgument, home: HomeOption = None, json: JsonOption = False) -> None:
    """Take somebody out of the network; what they decided stays. A network keeps at least one steward."""
    from patternmind.domain.permissions import Action
    from patternmind.services.members import remove_member

    house = open_context(home)
    gone = remove_member(house.accounts, house.store.network.id, who)
    write_audit(house, Action.MEMBERS, "member.remove", "member", gone.id)
    output.write_result({"id": gone.id}, f"{gone.name} is not a member any more.", as_json=json)


@network_app.command("add")
def network_add(
    id: Annotated[str, typer.Argument(help="Small letters, digits and hyphens, such as sales-north.")],
    name: Annotated[str, typer.Option(help="As people call it.")] = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Make a further network in this data folder; `--network ID` before a command works on it."""
    from patternmind.domain.permissions import Action
    from patternmind.services.members import add_network

    house = open_context(home)
    network = add_network(house.accounts, id, name)
    write_audit(house.for_network(network.id), Action.SETTINGS, "network.add", "network", network.id)
    told = f'Made "{network.name}". Add its first steward: `patternmind --network {id} member add NAME --role steward`.'
    output.write_result({"id": network.id, "name": network.name}, told, as_json=json)


@network_app.command("list")
def network_list(home: HomeOption = None, json: JsonOption = False) -> None:
    """The networks of this data folder."""
    house = open_context(home)
    rows = [
        {"id": one.id, "name": one.name, "n_members": len(house.accounts.list_members(one.id))}
        for one in house.accounts.list_networks()
    ]
    told = "\n".join(f"{row['id']}  {row['name']}  ({row['n_members']} members)" for row in rows)
    output.write_result({"networks": rows}, told, as_json=json)


def _parse_roles(words: list[str]) -> "list[Role]":
    from patternmind.domain.permissions import Role
    from patternmind.services.validation import parse_enum

    return [parse_enum(Role, word.replace("-", "_"), "role") for word in words]
