"""Who is asking: a bearer token says so, or a browser's session; before there is either, who sits at this machine."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi.security import HTTPBearer
from starlette.requests import Request

from patternmind.domain import permissions
from patternmind.domain.members import ApiToken, Member, Session
from patternmind.domain.permissions import ALL_ROLES, Action, Role
from patternmind.errors import UsageError
from patternmind.services.authentication import find_session
from patternmind.services.tokens import find_token
from patternmind.settings import DEFAULT_NETWORK
from patternmind.web.audit import LOCAL_USER
from patternmind.web.cookies import read_session_cookie
from patternmind.web.middleware import is_loopback
from patternmind.web.problems import FORBIDDEN, TOKEN_NEEDED, HTTPProblem
from patternmind.web.rate_limit import client_key

if TYPE_CHECKING:
    from patternmind.web.routing import AppState

BEARER_SCHEME = HTTPBearer(
    auto_error=False,
    description="Made with `patternmind token create NAME` or on the settings page. Needed as soon as there is a token "
    "or a member, or beyond loopback; pages of the same server may send their session instead.",
)
"""For the documentation; ``identify`` does the work, before the body of a request is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks, and what they may.

    Attributes:
        name: the name decisions are logged under; None for the person at this machine, before there is anybody else.
        actions: the only ones that their token is for; None for all that the roles allow.
    """

    name: str | None
    member: Member | None = None
    roles: frozenset[Role] = ALL_ROLES
    actions: frozenset[Action] | None = None
    network_id: str = DEFAULT_NETWORK
    session: Session | None = None
    token: ApiToken | None = None

    def may(self, action: Action, own: bool = False, *, proposing: bool = False, reading: bool = False) -> bool:
        """Whether they may do it; see ``model.rights.may``."""
        if self.actions is not None and action not in self.actions:
            return False
        return permissions.is_allowed(self.roles, action, is_own=own, is_proposal=proposing, is_read=reading)

    def require(self, action: Action, own: bool = False, *, proposing: bool = False, reading: bool = False) -> None:
        """Go on only if they may.

        Raises:
            Declined: they may not.
        """
        if not self.may(action, own, proposing=proposing, reading=reading):
            raise HTTPProblem(FORBIDDEN, "None of your roles in this network allows that. Ask a steward for it.")

    def actor_name(self, actor: str | None) -> str:
        """The name a decision is logged under: their own, or what the person at this machine calls themselves.

        Raises:
            UsageError: nobody is named, or somebody else.
        """
        if self.name is None:
            if actor is None or not actor.strip():
                raise UsageError(
                    'Every decision is a named person\'s: say who decides in "by", or use a token.', field="by"
                )
            return actor
        if actor is not None and actor != self.name:
            raise UsageError(f'You decide as "{self.name}"; leave "by" out, or use a token of your own.', field="by")
        return self.name

    @property
    def audit_name(self) -> str:
        """As the audit log names them."""
        if self.token is not None and self.member is not None:
            return f"{self.name} (token {self.token.name})"
        return f"token {self.token.name}" if self.token else self.name or LOCAL_USER

    @property
    def identity(self) -> str:
        """Tells callers apart."""
        way = self.token.id if self.token else self.session.sha256 if self.session else ""
        return f"{self.network_id}/{way}"


def identify(app_state: "AppState", request: Request) -> Caller:
    """Who sent this request.

    Raises:
        Declined: nobody we know, or too many wrong tokens came from there.
    """
    house = app_state.ctx
    now = house.clock.now()
    given = request.headers.get("authorization")
    if given is not None:
        return _identify_by_token(app_state, request, given)
    secret = read_session_cookie(request)
    found = find_session(house.accounts, secret, now) if secret else None
    if found is not None:
        session, member = found
        return Caller(
            name=member.name, member=member, roles=member.roles, network_id=session.network_id, session=session
        )
    if (
        app_state.is_local
        and request.client is not None
        and is_loopback(request.client.host)
        and not app_state.has_credentials()
    ):
        return Caller(name=None, network_id=house.settings.network)
    raise _unauthenticated('Bearer realm="patternmind"')


def _identify_by_token(app_state: "AppState", request: Request, authorization: str) -> Caller:
    scheme, _, secret = authorization.partition(" ")
    house = app_state.ctx
    found = find_token(house.accounts, secret.strip(), house.clock.now()) if scheme.casefold() == "bearer" else None
    if found is None:
        app_state.token_limiter.record_failure(client_key(request, is_proxied=house.settings.url is not None))
        raise _unauthenticated('Bearer realm="patternmind", error="invalid_token"')
    token, network_id, maker = found
    return Caller(
        name=maker.name if maker else token.name,
        member=maker,
        roles=token.roles & maker.roles if maker else token.roles,
        actions=token.actions,
        network_id=network_id,
        token=token,
    )


def _unauthenticated(challenge: str) -> HTTPProblem:
    detail = "Send a valid token as `Authorization: Bearer ...`; `patternmind token create NAME` makes one."
    return HTTPProblem(TOKEN_NEEDED, detail, headers={"WWW-Authenticate": challenge})
