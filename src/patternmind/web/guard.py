"""The outermost layer: who may knock, how much they may carry, and what every answer must say.

A browser cannot be kept from sending requests to a server on the same machine. So without a token a request must name a
loopback host (a rebound DNS name does not), and nothing may be changed from another origin.
"""

import asyncio
import ipaddress
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from patternmind.web.problems import REFUSED, TOO_LARGE, TOO_SLOW, Declined, problem, respond, unexpected

BODY_BYTES = 1_000_000
"""Enough for any decision a person writes."""

IMPORT_BYTES = 64_000_000
"""The largest file taken in one upload; larger ones go through `patternmind ingest`, which has no limit."""

SLOWEST_BYTES = 20_000
"""A second, on the average of the largest body: a megabyte may take 50 s, a file of 64 MB most of an hour."""

IMPORTS = "/api/v1/imports"

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

HEADERS: Mapping[str, str] = {
    "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
"""On every answer, except where a page brings a policy of its own that lets its one style sheet apply."""


def is_loopback(name: str) -> bool:
    """Whether a host name or address can only mean this machine."""
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class Guard:
    """ASGI middleware.

    ``local`` says that the server listens on loopback, where a request may come without a token; ``url`` is the address
    under which a proxy on this machine gives it to others.
    """

    def __init__(self, app: ASGIApp, *, local: bool, url: str | None = None) -> None:
        self.app = app
        self.local = local
        self.url = url
        self.public_host = urlsplit(url).hostname if url else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = _request_id(headers)
        scope.setdefault("state", {})["request_id"] = request_id
        answer = _Answer(send, request_id)
        try:
            self._check(scope, headers)
            await self.app(scope, _Counted(receive, _limit(scope)).receive, answer.send)
        except Declined as declined:
            said = problem(declined.kind, declined.detail, request_id=request_id)
            await respond(said)(scope, receive, answer.send)
        except Exception as error:  # noqa: BLE001 - the outermost edge of a request: recorded and answered here
            said = unexpected(error, request_id=request_id)
            if not answer.started:
                await respond(said)(scope, receive, answer.send)

    def _check(self, scope: Scope, headers: Headers) -> None:
        host = _host_name(headers)
        if self.local and "authorization" not in headers and not is_loopback(host) and host != self.public_host:
            raise Declined(REFUSED, "Without a token this server answers to localhost, 127.0.0.1 and [::1] only.")
        if scope["method"] not in SAFE_METHODS and _is_cross_origin(headers, self.url):
            raise Declined(REFUSED, "A page of another site may not change anything here.")
        if _announced_bytes(headers) > _limit(scope):
            raise Declined(TOO_LARGE, _too_large(_limit(scope)))


def _request_id(headers: Headers) -> str:
    """The caller's own, where it is harmless in a log, so that both sides can find the request."""
    given = headers.get("x-request-id", "")
    return given if re.fullmatch(r"[A-Za-z0-9._-]{8,64}", given) else uuid.uuid4().hex


def _host_name(headers: Headers) -> str:
    try:
        return urlsplit(f"//{headers.get('host', '')}").hostname or ""
    except ValueError:
        return ""


def _is_cross_origin(headers: Headers, url: str | None) -> bool:
    """Browsers say where a request comes from in one of two headers; other programs send neither."""
    if headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
        return True
    origin = headers.get("origin")
    if origin is None or (url is not None and origin.casefold() == url):
        return False
    return origin.partition("://")[2].casefold() != headers.get("host", "").casefold()


def _announced_bytes(headers: Headers) -> int:
    announced = headers.get("content-length", "")
    return int(announced) if re.fullmatch(r"[0-9]{1,18}", announced) else 0


def _limit(scope: Scope) -> int:
    return IMPORT_BYTES if scope["path"] == IMPORTS else BODY_BYTES


def _too_large(limit: int) -> str:
    return f"Send at most {limit // 1_000_000} MB. Larger files can be taken in with `patternmind ingest`."


@dataclass
class _Counted:
    """A body read no further than its limit, whatever it announced, and no longer than that takes.

    After its end there is no hurry: what is waited for then is that the other side goes away.
    """

    inner: Receive
    limit: int
    n_bytes: int = 0
    until: float | None = None
    ended: bool = False

    async def receive(self) -> Message:
        if self.until is None:
            self.until = asyncio.get_running_loop().time() + self.limit / SLOWEST_BYTES
        try:
            async with asyncio.timeout_at(None if self.ended else self.until):
                message = await self.inner()
        except TimeoutError as error:
            raise Declined(TOO_SLOW, "The rest of it did not come in time. Send it again.") from error
        self.ended = not message.get("more_body", False)
        self.n_bytes += len(message.get("body", b""))
        if self.n_bytes > self.limit:
            raise Declined(TOO_LARGE, _too_large(self.limit))
        return message


@dataclass
class _Answer:
    """Puts the headers on an answer as it starts."""

    inner: Send
    request_id: str
    started: bool = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            headers["x-request-id"] = self.request_id
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await self.inner(message)
