"""Who is asking. A bearer token says so; without any token made yet, the person at this machine may ask."""

from dataclasses import dataclass

from fastapi.security import HTTPBearer
from starlette.requests import Request

from patternmind.bootstrap import House
from patternmind.errors import UsageError
from patternmind.model import rights
from patternmind.model.members import Member
from patternmind.model.rights import EVERY_ROLE, Action, Role
from patternmind.verbs.tokens import find_token
from patternmind.web.guard import is_loopback
from patternmind.web.problems import NOT_YOURS, TOKEN_NEEDED, Declined

BEARER = HTTPBearer(
    auto_error=False,
    description="Made with `patternmind token create NAME`. Needed as soon as one exists, or beyond loopback.",
)
"""For the documentation; ``identify`` does the work, before the body of a request is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks, and what they may.

    Attributes:
        name: the member's or the token's; None for the person at this machine, while there is neither.
        session: names the session for its form tokens; None without one.
    """

    name: str | None
    member: Member | None = None
    roles: frozenset[Role] = EVERY_ROLE
    network_id: str = "default"
    session: str | None = None

    def may(self, action: Action, own: bool = False, *, proposing: bool = False, reading: bool = False) -> bool:
        """Whether they may do it; see ``model.rights.may``."""
        return rights.may(self.roles, action, own=own, proposing=proposing, reading=reading)

    def must(self, action: Action, own: bool = False, *, proposing: bool = False, reading: bool = False) -> None:
        """Go on only if they may.

        Raises:
            Declined: they may not.
        """
        if not self.may(action, own, proposing=proposing, reading=reading):
            raise Declined(NOT_YOURS, "None of your roles in this network allows that. Ask a steward for it.")

    def signs_as(self, by: str | None) -> str:
        """The name a decision is logged under: the token's, or what the person at this machine calls themselves.

        Raises:
            UsageError: nobody is named, or somebody other than the token's holder.
        """
        if self.name is None:
            if by is None or not by.strip():
                raise UsageError('Every decision is a named person\'s: say who decides in "by", or use a token.')
            return by
        if by is not None and by != self.name:
            raise UsageError(f'This token decides as "{self.name}"; leave "by" out, or use a token of your own.')
        return self.name


def identify(house: House, request: Request, *, local: bool) -> Caller:
    """Who sent this request.

    Args:
        local: the server listens on loopback only.

    Raises:
        Declined: a token is needed and none, or no valid one, was sent.
    """
    given = request.headers.get("authorization")
    if given is not None:
        scheme, _, secret = given.partition(" ")
        token = find_token(house.store, secret.strip(), house.clock.now()) if scheme.casefold() == "bearer" else None
        if token is None:
            raise _declined('Bearer realm="patternmind", error="invalid_token"')
        return Caller(name=token.name, roles=frozenset({Role.STEWARD}))
    if local and request.client is not None and is_loopback(request.client.host) and not house.store.tokens():
        return Caller(name=None)
    raise _declined('Bearer realm="patternmind"')


def _declined(challenge: str) -> Declined:
    detail = "Send a valid token as `Authorization: Bearer ...`; `patternmind token create NAME` makes one."
    return Declined(TOKEN_NEEDED, detail, headers={"WWW-Authenticate": challenge})
