"""`patternmind token`: bearer tokens for the API, made at the command line for programs."""

from typing import Annotated

import typer

from patternmind.cli import show
from patternmind.cli.app import Home, Json, app, open_house

token_app = typer.Typer(no_args_is_help=True, help="Bearer tokens for the API.")
app.add_typer(token_app, name="token")


@token_app.command("create")
def token_create(
    name: Annotated[str, typer.Argument(help="Who or what will use it.")],
    days: Annotated[int, typer.Option(min=1, max=3650, help="Days until it expires.")] = 90,
    role: Annotated[list[str] | None, typer.Option("--role", help="What it may do is that of these roles.")] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="The only actions it may do, such as import_files.")
    ] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Make a bearer token, a steward's unless you say less. It is shown once and kept only as a hash."""
    from patternmind.cli.audit import write_audit
    from patternmind.model.rights import Action, Role
    from patternmind.verbs.checks import one_of
    from patternmind.verbs.tokens import create_token

    house = open_house(home)
    secret, token = create_token(
        house.store,
        house.clock,
        name,
        days=days,
        roles=[one_of(Role, word.replace("-", "_"), "role") for word in role or [Role.STEWARD.value]],
        actions=[one_of(Action, word, "action") for word in only or []],
    )
    write_audit(house, Action.OWN_TOKENS, "token.create", "token", token.id)
    expires = token.expires_at.date().isoformat() if token.expires_at else "never"
    show.done(
        {"token": secret, "id": token.id, "name": name, "expires": expires},
        f"{secret}\nShown once; expires {expires}. Send it as: Authorization: Bearer {secret[:6]}…",
        as_json=json,
    )


@token_app.command("list")
def token_list(home: Home = None, json: Json = False) -> None:
    """The tokens of the network: never themselves, only what they may and until when."""
    house = open_house(home)
    now = house.clock.now()
    rows = [
        {
            "id": one.id,
            "name": one.name,
            "of": one.account_id,
            "roles": sorted(role.value for role in one.roles),
            "only": sorted(action.value for action in one.actions or ()),
            "expires": one.expires_at.date().isoformat() if one.expires_at else None,
            "valid": one.is_valid(now),
        }
        for one in house.store.tokens()
    ]
    lines = [
        f"{one.id}  {one.name}  ({', '.join(sorted(one.actions or one.roles))})  "
        f"{f'until {one.expires_at:%Y-%m-%d}' if one.is_valid(now) and one.expires_at else 'not valid any more'}"
        for one in house.store.tokens()
    ]
    show.done({"tokens": rows}, "\n".join(lines) or "There are none.", as_json=json)


@token_app.command("revoke")
def token_revoke(
    id: Annotated[str, typer.Argument(help="The token's id, as `token list` shows it.")],
    home: Home = None,
    json: Json = False,
) -> None:
    """Make a token open nothing any more."""
    from patternmind.cli.audit import write_audit
    from patternmind.model.rights import Action

    house = open_house(home)
    house.accounts.revoke_token(house.store.network.id, id, house.clock.now())
    write_audit(house, Action.OWN_TOKENS, "token.revoke", "token", id)
    show.done({"id": id}, f"Token {id} is revoked.", as_json=json)
