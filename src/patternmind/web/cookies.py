"""The cookie that holds a session.

``__Host-`` makes a browser take it only over HTTPS, from this very host and for all of it. Over plain HTTP, as on
http://localhost, it has a plain name and no Secure: a browser takes no ``__Host-`` without it, and not every browser
takes a Secure cookie from there.
"""

from starlette.requests import Request
from starlette.responses import Response

from patternmind.services.authentication import MAX_SESSION_AGE

SECURE_COOKIE = "__Host-patternmind"
PLAIN_COOKIE = "patternmind_session"


def is_secure(request: Request) -> bool:
    """Whether the browser speaks HTTPS, to us or to the proxy before us."""
    public = request.app.state.rooms.ctx.settings.url or ""
    return public.startswith("https://") or request.url.scheme == "https"


def read_session_cookie(request: Request) -> str | None:
    return request.cookies.get(SECURE_COOKIE if is_secure(request) else PLAIN_COOKIE)


def set_session_cookie(request: Request, response: Response, secret: str) -> None:
    secure = is_secure(request)
    response.set_cookie(
        SECURE_COOKIE if secure else PLAIN_COOKIE,
        secret,
        max_age=int(MAX_SESSION_AGE.total_seconds()),
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )


def delete_session_cookie(request: Request, response: Response) -> None:
    """Sign the browser out; what it was given is worth nothing any more, and goes."""
    secure = is_secure(request)
    name = SECURE_COOKIE if secure else PLAIN_COOKIE
    response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="lax")
