"""`patternmind token`: create, list and revoke bearer tokens for the API."""

from typing import Annotated

import typer

from patternmind.cli import output
from patternmind.cli.context import open_context, write_audit
from patternmind.cli.options import HomeOption, JsonOption
from patternmind.domain.permissions import Action, Role
from patternmind.services.tokens import create_token
from patternmind.services.validation import parse_enum

app = typer.Typer(name="token", no_args_is_help=True)


@app.command("create")
def token_create(
    name: Annotated[str, typer.Argument(help="Name of the program or person that uses it.")],
    days: Annotated[int, typer.Option(min=1, max=3650, help="Days until it expires.")] = 90,
    role: Annotated[
        list[str] | None, typer.Option("--role", help="Roles that set what the token may do; repeat for more.")
    ] = None,
    allowed_actions: Annotated[
        list[str] | None, typer.Option("--only", help="Limit it to these actions, such as import_files.")
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Create a bearer token, by default with a steward's permissions. It is shown once and stored as a hash."""
    ctx = open_context(home)
    secret, token = create_token(
        ctx.store.tokens,
        ctx.clock,
        name,
        lifetime_days=days,
        roles=[parse_enum(Role, word.replace("-", "_"), "role") for word in role or [Role.STEWARD.value]],
        actions=[parse_enum(Action, word, "action") for word in allowed_actions or []],
    )
    write_audit(ctx, Action.OWN_TOKENS, "token.create", "token", token.id)
    expires = token.expires_at.date().isoformat() if token.expires_at else "never"
    output.write_result(
        {"token": secret, "id": token.id, "name": name, "expires": expires},
        f"{secret}\nThis token is shown only once. Expires: {expires}. Send it as: Authorization: Bearer {secret[:6]}…",
        as_json=json,
    )


@app.command("list")
def token_list(home: HomeOption = None, json: JsonOption = False) -> None:
    """List the network's tokens with their permissions and expiry, never the tokens themselves."""
    ctx = open_context(home)
    now, tokens = ctx.clock.now(), list(ctx.store.tokens.list_all())
    rows = [
        {
            "id": token.id,
            "name": token.name,
            "of": token.account_id,
            "roles": sorted(role.value for role in token.roles),
            "only": sorted(action.value for action in token.actions or ()),
            "expires": token.expires_at.date().isoformat() if token.expires_at else None,
            "valid": token.is_valid(now),
        }
        for token in tokens
    ]
    lines = [
        f"{token.id}  {token.name}  ({', '.join(sorted(token.actions or token.roles))})  "
        f"{f'until {token.expires_at:%Y-%m-%d}' if token.is_valid(now) and token.expires_at else 'no longer valid'}"
        for token in tokens
    ]
    output.write_result({"tokens": rows}, "\n".join(lines) or "No tokens yet.", as_json=json)


@app.command("revoke")
def token_revoke(
    id: Annotated[str, typer.Argument(help="Token id from `patternmind token list`.")],
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Revoke a token. Requests that use it are refused from now on."""
    ctx = open_context(home)
    ctx.store.tokens.revoke(id, ctx.clock.now())
    write_audit(ctx, Action.OWN_TOKENS, "token.revoke", "token", id)
    output.write_result({"id": id}, f"Token {id} is revoked.", as_json=json)
