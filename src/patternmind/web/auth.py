"""Who is asking. A bearer token says so; without any token made yet, the person at this machine may ask."""

from dataclasses import dataclass

from fastapi.security import HTTPBearer
from starlette.requests import Request

from patternmind.bootstrap import House
from patternmind.errors import UsageError
from patternmind.verbs.tokens import find_token
from patternmind.web.guard import is_loopback
from patternmind.web.problems import TOKEN_NEEDED, Declined

BEARER = HTTPBearer(
    auto_error=False,
    description="Made with `patternmind token create NAME`. Needed as soon as one exists, or beyond loopback.",
)
"""For the documentation; ``identify`` does the work, before the body of a request is read."""


@dataclass(frozen=True, slots=True)
class Caller:
    """``name`` is the token's; ``None`` for the person at this machine, while no token exists."""

    name: str | None

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
        return Caller(token.name)
    if local and request.client is not None and is_loopback(request.client.host) and not house.store.tokens():
        return Caller(None)
    raise _declined('Bearer realm="patternmind"')


def _declined(challenge: str) -> Declined:
    detail = "Send a valid token as `Authorization: Bearer ...`; `patternmind token create NAME` makes one."
    return Declined(TOKEN_NEEDED, detail, headers={"WWW-Authenticate": challenge})
