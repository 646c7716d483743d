"""The session cookie.

Over HTTPS its name starts with ``__Host-``: a browser then accepts it only over HTTPS, from this exact host and for the
whole host. Over plain HTTP, as on http://localhost, it has a plain name and no Secure flag: browsers reject ``__Host-``
without Secure, and not every browser accepts a Secure cookie there.
"""

from starlette.requests import Request
from starlette.responses import Response

from patternmind.services.authentication import MAX_SESSION_AGE

SECURE_COOKIE = "__Host-patternmind"
PLAIN_COOKIE = "patternmind_session"


def is_secure(request: Request) -> bool:
    """Return True if the browser uses HTTPS, either directly or up to the proxy."""
    public_url = request.app.state.shared.ctx.settings.url or ""
    return public_url.startswith("https://") or request.url.scheme == "https"


def read_session_cookie(request: Request) -> str | None:
    return request.cookies.get(_cookie_name(request))


def _cookie_name(request: Request) -> str:
    return SECURE_COOKIE if is_secure(request) else PLAIN_COOKIE


def set_session_cookie(request: Request, response: Response, secret: str) -> None:
    response.set_cookie(
        _cookie_name(request),
        secret,
        max_age=int(MAX_SESSION_AGE.total_seconds()),
        path="/",
        secure=is_secure(request),
        httponly=True,
        samesite="lax",
    )


def delete_session_cookie(request: Request, response: Response) -> None:
    response.delete_cookie(_cookie_name(request), path="/", secure=is_secure(request), httponly=True, samesite="lax")
