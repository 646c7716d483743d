"""`patternmind member`: manage members and their roles.

No sign-in is required: the person who runs these commands owns the data folder.
"""

from typing import Annotated

import typer

from patternmind.bootstrap import AppContext
from patternmind.cli import output
from patternmind.cli.context import open_context, write_audit
from patternmind.cli.options import HomeOption, JsonOption
from patternmind.domain.permissions import Action, Role
from patternmind.services.authentication import LINK_LIFETIME, create_sign_in_link
from patternmind.services.members import add_member, change_roles, find_member, remove_member
from patternmind.services.validation import parse_enum

app = typer.Typer(name="member", no_args_is_help=True)

RolesOption = Annotated[
    list[str] | None,
    typer.Option("--role", help="member, facilitator, steward, data_partner or sponsor; repeat for more."),
]
MemberArgument = Annotated[str, typer.Argument(help="Member's name or sign-in name.")]


@app.command("add")
def member_add(
    name: Annotated[str, typer.Argument(help="Name, as it appears with the member's decisions.")],
    role: RolesOption = None,
    account: Annotated[
        str | None, typer.Option(help="Sign-in name of a member of another network in this data folder.")
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Add a member and print a link that signs them in once."""
    ctx = open_context(home)
    network = ctx.store.network.get().id
    member = add_member(
        ctx.accounts.members, ctx.clock, network, name, _parse_roles(role or ["member"]), account_id=account
    )
    write_audit(ctx, Action.MEMBERS, "member.add", "member", member.id)
    _show_link(ctx, member.id, as_json=json)


@app.command("link")
def member_link(who: MemberArgument, home: HomeOption = None, json: JsonOption = False) -> None:
    """Print a new link that signs a member in once."""
    ctx = open_context(home)
    member = find_member(ctx.accounts.members, ctx.store.network.get().id, who)
    write_audit(ctx, Action.MEMBERS, "member.link", "member", member.id)
    _show_link(ctx, member.id, as_json=json)


def _show_link(ctx: AppContext, member_id: str, *, as_json: bool) -> None:
    member = find_member(ctx.accounts.members, ctx.settings.network, member_id)
    secret = create_sign_in_link(ctx.accounts.sign_in_links, ctx.clock, member, is_confined=False)
    path = f"/sign-in/link/{secret}"
    link = f"{ctx.settings.url}{path}" if ctx.settings.url else path
    message = f"{member.name} signs in as {member.id}. This link works once, within {LINK_LIFETIME.days} days:\n{link}"
    if not ctx.settings.url:
        message += "\nPut the server's address in front of it, such as http://127.0.0.1:8765."
    output.write_result({"id": member.id, "name": member.name, "link": link}, message, as_json=as_json)


@app.command("list")
def member_list(home: HomeOption = None, json: JsonOption = False) -> None:
    """List the members and their roles."""
    ctx = open_context(home)
    rows = [
        {"id": member.id, "name": member.name, "roles": [role.value for role in Role if role in member.roles]}
        for member in ctx.accounts.members.list_all(ctx.store.network.get().id)
    ]
    lines = [f"{row['id']}  {row['name']}  ({', '.join(row['roles'])})" for row in rows]
    message = "\n".join(lines) or "No members yet. Add the first with `patternmind member add NAME --role steward`."
    output.write_result({"members": rows}, message, as_json=json)


@app.command("role")
def member_role(
    who: MemberArgument,
    roles: Annotated[list[str], typer.Argument(help="All roles for this member.")],
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Change a member's roles. A network keeps at least one steward."""
    ctx = open_context(home)
    member = change_roles(ctx.accounts.members, ctx.store.network.get().id, who, _parse_roles(roles))
    write_audit(ctx, Action.MEMBERS, "member.role", "member", member.id)
    names = sorted(role.value for role in member.roles)
    output.write_result({"id": member.id, "roles": names}, f"{member.name} is now: {', '.join(names)}.", as_json=json)


@app.command("remove")
def member_remove(who: MemberArgument, home: HomeOption = None, json: JsonOption = False) -> None:
    """Remove a member; their decisions stay. A network keeps at least one steward."""
    ctx = open_context(home)
    removed = remove_member(ctx.accounts.members, ctx.store.network.get().id, who)
    write_audit(ctx, Action.MEMBERS, "member.remove", "member", removed.id)
    output.write_result({"id": removed.id}, f"{removed.name} was removed.", as_json=json)


def _parse_roles(words: list[str]) -> list[Role]:
    return [parse_enum(Role, word.replace("-", "_"), "role") for word in words]
