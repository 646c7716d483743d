"""`patternmind member` and `network`: who may sign in, and to what. Who runs these owns the data folder."""

from typing import TYPE_CHECKING, Annotated

import typer

from patternmind.cli import show
from patternmind.cli.app import Home, Json, app, open_house
from patternmind.cli.audit import write_audit

if TYPE_CHECKING:
    from patternmind.bootstrap import House
    from patternmind.model.rights import Role

member_app = typer.Typer(no_args_is_help=True, help="Who may sign in to the pages, and what they may do.")
network_app = typer.Typer(no_args_is_help=True, help="Several networks in one data folder, each by itself.")
app.add_typer(member_app, name="member")
app.add_typer(network_app, name="network")

RolesOption = Annotated[
    list[str] | None,
    typer.Option("--role", help="member, facilitator, steward, data_partner or sponsor; as often as needed."),
]
Who = Annotated[str, typer.Argument(help="Name or sign-in name.")]


@member_app.command("add")
def member_add(
    name: Annotated[str, typer.Argument(help="As decisions are logged.")],
    role: RolesOption = None,
    account: Annotated[str | None, typer.Option(help="Sign-in name of somebody in another network here.")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Add a member, and print the link that signs them in once."""
    from patternmind.model.rights import Action
    from patternmind.verbs.members import add_member

    house = open_house(home)
    network = house.store.network.id
    member = add_member(house.accounts, house.clock, network, name, _roles(role or ["member"]), account_id=account)
    write_audit(house, Action.MEMBERS, "member.add", "member", member.id)
    _show_link(house, member.id, as_json=json)


@member_app.command("link")
def member_link(who: Who, home: Home = None, json: Json = False) -> None:
    """Print a new link that signs a member in once."""
    from patternmind.model.rights import Action
    from patternmind.verbs.members import find_member

    house = open_house(home)
    member = find_member(house.accounts, house.store.network.id, who)
    write_audit(house, Action.MEMBERS, "member.link", "member", member.id)
    _show_link(house, member.id, as_json=json)


def _show_link(house: "House", member_id: str, *, as_json: bool) -> None:
    from patternmind.verbs.members import find_member
    from patternmind.verbs.signing_in import LINK_LASTS, make_link

    member = find_member(house.accounts, house.settings.network, member_id)
    secret = make_link(house.accounts, house.clock, member, confined=False)
    path = f"/sign-in/link/{secret}"
    link = f"{house.settings.url}{path}" if house.settings.url else path
    told = (
        f"{member.name} signs in as {member.id}. This link signs them in once, within {LINK_LASTS.days} days:\n{link}"
    )
    if not house.settings.url:
        told += "\nPut the address of the server before it, such as http://127.0.0.1:8765."
    show.done({"id": member.id, "name": member.name, "link": link}, told, as_json=as_json)


@member_app.command("list")
def member_list(home: Home = None, json: Json = False) -> None:
    """Who is in the network, and in which roles."""
    from patternmind.model.rights import Role

    house = open_house(home)
    rows = [
        {"id": one.id, "name": one.name, "roles": [role.value for role in Role if role in one.roles]}
        for one in house.accounts.members(house.store.network.id)
    ]
    lines = [f"{row['id']}  {row['name']}  ({', '.join(row['roles'])})" for row in rows]
    told = "\n".join(lines) or "Nobody yet. `patternmind member add NAME --role steward` adds the first."
    show.done({"members": rows}, told, as_json=json)


@member_app.command("role")
def member_role(
    who: Who,
    roles: Annotated[list[str], typer.Argument(help="All roles that they shall have.")],
    home: Home = None,
    json: Json = False,
) -> None:
    """Give a member other roles. A network keeps at least one steward."""
    from patternmind.model.rights import Action
    from patternmind.verbs.members import change_roles

    house = open_house(home)
    member = change_roles(house.accounts, house.store.network.id, who, _roles(roles))
    write_audit(house, Action.MEMBERS, "member.role", "member", member.id)
    names = sorted(role.value for role in member.roles)
    show.done({"id": member.id, "roles": names}, f"{member.name} is now: {', '.join(names)}.", as_json=json)


@member_app.command("remove")
def member_remove(who: Who, home: Home = None, json: Json = False) -> None:
    """Take somebody out of the network; what they decided stays. A network keeps at least one steward."""
    from patternmind.model.rights import Action
    from patternmind.verbs.members import remove_member

    house = open_house(home)
    gone = remove_member(house.accounts, house.store.network.id, who)
    write_audit(house, Action.MEMBERS, "member.remove", "member", gone.id)
    show.done({"id": gone.id}, f"{gone.name} is not a member any more.", as_json=json)


@network_app.command("add")
def network_add(
    id: Annotated[str, typer.Argument(help="Small letters, digits and hyphens, such as sales-north.")],
    name: Annotated[str, typer.Option(help="As people call it.")] = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Make a further network in this data folder; `--network ID` before a command works on it."""
    from patternmind.model.rights import Action
    from patternmind.verbs.members import add_network

    house = open_house(home)
    network = add_network(house.accounts, id, name)
    write_audit(house.on(network.id), Action.SETTINGS, "network.add", "network", network.id)
    told = f'Made "{network.name}". Add its first steward: `patternmind --network {id} member add NAME --role steward`.'
    show.done({"id": network.id, "name": network.name}, told, as_json=json)


@network_app.command("list")
def network_list(home: Home = None, json: Json = False) -> None:
    """The networks of this data folder."""
    house = open_house(home)
    rows = [
        {"id": one.id, "name": one.name, "n_members": len(house.accounts.members(one.id))}
        for one in house.accounts.networks()
    ]
    told = "\n".join(f"{row['id']}  {row['name']}  ({row['n_members']} members)" for row in rows)
    show.done({"networks": rows}, told, as_json=json)


def _roles(words: list[str]) -> "list[Role]":
    from patternmind.model.rights import Role
    from patternmind.verbs.checks import one_of

    return [one_of(Role, word.replace("-", "_"), "role") for word in words]
