"""`patternmind token`: bearer tokens for the API, made at the command line for programs."""

from typing import Annotated

import typer

from patternmind.cli import output
from patternmind.cli.app import (
    HomeOption,
    JsonOption,
    app,
    open_context,
)

token_app = typer.Typer(no_args_is_help=True, help="Bearer tokens for the API.")
app.add_typer(token_app, name="token")


@token_app.command("create")
def token_create(
    name: Annotated[str, typer.Argument(help="Who or what will use it.")],
    days: Annotated[int, typer.Option(min=1, max=3650, help="Days until it expires.")] = 90,
    role: Annotated[list[str] | None, typer.Option("--role", help="What it may do is that of these roles.")] = None,
    allowed_actions: Annotated[
        list[str] | None, typer.Option("--only", help="The only actions it may do, such as import_files.")
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Make a bearer token, a steward's unless you say less. It is shown once and kept only as a hash."""
    from patternmind.cli.audit import write_audit
    from patternmind.domain.permissions import Action, Role
    from patternmind.services.tokens import create_token
    from patternmind.services.validation import parse_enum

    house = open_context(home)
    secret, token = create_token(
        house.store,
        house.clock,
        name,
        lifetime_days=days,
        roles=[parse_enum(Role, word.replace("-", "_"), "role") for word in role or [Role.STEWARD.value]],
        actions=[parse_enum(Action, word, "action") for word in allowed_actions or []],
    )
    write_audit(house, Action.OWN_TOKENS, "token.create", "token", token.id)
    expires = token.expires_at.date().isoformat() if token.expires_at else "never"
    output.write_result(
        {"token": secret, "id": token.id, "name": name, "expires": expires},
        f"{secret}\nShown once; expires {expires}. Send it as: Authorization: Bearer {secret[:6]}…",
        as_json=json,
    )


@token_app.command("list")
def token_list(home: HomeOption = None, json: JsonOption = False) -> None:
    """The tokens of the network: never themselves, only what they may and until when."""
    house = open_context(home)
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
    output.write_result({"tokens": rows}, "\n".join(lines) or "There are none.", as_json=json)


@token_app.command("revoke")
def token_revoke(
    id: Annotated[str, typer.Argument(help="The token's id, as `token list` shows it.")],
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Make a token open nothing any more."""
    from patternmind.cli.audit import write_audit
    from patternmind.domain.permissions import Action

    house = open_context(home)
    house.accounts.revoke_token(house.store.network.id, id, house.clock.now())
    write_audit(house, Action.OWN_TOKENS, "token.revoke", "token", id)
    output.write_result({"id": id}, f"Token {id} is revoked.", as_json=json)
