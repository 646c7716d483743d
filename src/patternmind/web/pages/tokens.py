"""One's own tokens; a steward sees those of all, and may revoke them."""

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from patternmind.bootstrap import House
from patternmind.errors import NotFound, UsageError
from patternmind.model.members import Token
from patternmind.model.rights import Action, Role
from patternmind.verbs.tokens import create_token
from patternmind.web.audit import touched
from patternmind.web.auth import Caller
from patternmind.web.door import PageDoor, TheCaller, TheHouse, rooms_of
from patternmind.web.rendering import flash, render
from patternmind.web.rights import needs

router = APIRouter(route_class=PageDoor)

LONGEST_DAYS = 365
LONGEST_NAME = 80


@router.get("/settings/tokens", name="list_tokens", dependencies=[needs(Action.OWN_TOKENS)])
def list_tokens(request: Request, house: TheHouse, caller: TheCaller) -> Response:
    return _page(request, house, caller)


def _page(
    request: Request,
    house: House,
    caller: Caller,
    *,
    status: int = 200,
    error: str = "",
    name: str = "",
    secret: str = "",
) -> Response:
    accounts = rooms_of(request).house.accounts
    return render(
        request,
        "settings/tokens.html",
        status,
        tokens=_seen(house, caller),
        makers={one.id: one.name for one in accounts.members(caller.network_id)},
        own_roles=[(role.value, role.words) for role in Role if role in caller.roles],
        all_actions=[(action.value, action.value.replace("_", " ")) for action in Action],
        error=error,
        name=name,
        secret=secret,
    )


def _seen(house: House, caller: Caller) -> list[Token]:
    everybodys = caller.may(Action.MEMBERS)
    mine = caller.member.id if caller.member else None
    return [one for one in house.store.tokens() if everybodys or one.account_id == mine]


@router.post("/settings/tokens", name="make_token", dependencies=[needs(Action.OWN_TOKENS)])
def make_token(
    request: Request,
    house: TheHouse,
    caller: TheCaller,
    name: Annotated[str, Form(max_length=400)] = "",
    days: Annotated[str, Form(max_length=10)] = "90",
    roles: Annotated[list[Role], Form()] = [],  # noqa: B006
    actions: Annotated[list[Action], Form()] = [],  # noqa: B006
) -> Response:
    """The answer shows the token, once."""
    try:
        secret, token = create_token(
            house.store,
            house.clock,
            _name(name),
            days=_days(days),
            maker=caller.member,
            roles=roles,
            actions=actions,
        )
    except UsageError as error:
        return _page(request, house, caller, status=422, error=str(error), name=name)
    touched(request, "token", token.id)
    return _page(request, house, caller, secret=secret)


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise UsageError(f"Say what the token is for, in at most {LONGEST_NAME} characters.")
    return name


def _days(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= LONGEST_DAYS:
        raise UsageError(f"A token lasts 1 to {LONGEST_DAYS} days.")
    return int(text)


@router.post("/settings/tokens/{token_id}/revoke", name="revoke_token", dependencies=[needs(Action.OWN_TOKENS)])
def revoke_token(request: Request, house: TheHouse, caller: TheCaller, token_id: str) -> Response:
    if token_id not in {one.id for one in _seen(house, caller)}:
        raise NotFound("token", token_id)
    rooms_of(request).house.accounts.revoke_token(caller.network_id, token_id, house.clock.now())
    answer = RedirectResponse("/settings/tokens", status_code=303)
    flash(answer, "The token is revoked; it opens nothing any more.")
    return answer
