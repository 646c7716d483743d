"""Authentication by bearer token, by session or, before any credentials exist, as local user."""

from fastapi.security import HTTPBearer
from starlette.requests import Request

from patternmind.services.authentication import find_session
from patternmind.services.tokens import find_token
from patternmind.web.caller import Caller
from patternmind.web.cookies import read_session_cookie
from patternmind.web.middleware import is_loopback
from patternmind.web.problems import TOKEN_NEEDED, HTTPProblem
from patternmind.web.rate_limit import client_key
from patternmind.web.state import AppState

BEARER_SCHEME = HTTPBearer(
    auto_error=False,
    description="Create one with `patternmind token create NAME` or on the settings page. Required once a token or a "
    "member exists, and always beyond loopback. Pages of the same server may send their session instead.",
)
"""Documents the scheme in OpenAPI; ``identify`` checks the token before the request body is read."""


def identify(app_state: AppState, request: Request) -> Caller:
    """Return the sender of a request.

    Raises:
        HTTPProblem: the credentials are missing or invalid, or too many invalid tokens came from this address.
    """
    ctx = app_state.ctx
    authorization = request.headers.get("authorization")
    if authorization is not None:
        return _identify_by_token(app_state, request, authorization)
    secret = read_session_cookie(request)
    signed_in = find_session(ctx.accounts, secret, ctx.clock.now()) if secret else None
    if signed_in is not None:
        session, member = signed_in
        return Caller(
            name=member.name, member=member, roles=member.roles, network_id=session.network_id, session=session
        )
    if (
        app_state.is_local
        and request.client is not None
        and is_loopback(request.client.host)
        and not app_state.has_credentials()
    ):
        return Caller(name=None, network_id=ctx.settings.network)
    raise _unauthenticated('Bearer realm="patternmind"')


def _identify_by_token(app_state: AppState, request: Request, authorization: str) -> Caller:
    scheme, _, secret = authorization.partition(" ")
    ctx = app_state.ctx
    match = find_token(ctx.accounts, secret.strip(), ctx.clock.now()) if scheme.casefold() == "bearer" else None
    if match is None:
        app_state.token_limiter.record_failure(client_key(request, is_proxied=ctx.settings.url is not None))
        raise _unauthenticated('Bearer realm="patternmind", error="invalid_token"')
    token, network_id, maker = match
    return Caller(
        name=maker.name if maker else token.name,
        member=maker,
        roles=token.roles & maker.roles if maker else token.roles,
        actions=token.actions,
        network_id=network_id,
        token=token,
    )


def _unauthenticated(challenge: str) -> HTTPProblem:
    detail = "Send a valid token as `Authorization: Bearer ...`. `patternmind token create NAME` creates one."
    return HTTPProblem(TOKEN_NEEDED, detail, headers={"WWW-Authenticate": challenge})
