"""The outermost layer: who may knock, how much they may carry, and what every answer must say.

A browser cannot be kept from sending requests to a server on the same machine. So without a token a request must name a
loopback host (a rebound DNS name does not), and nothing may be changed from another origin.
"""

import ipaddress
import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from patternmind.web.problems import (
    REFUSED,
    TOO_LARGE,
    TOO_SLOW,
    HTTPProblem,
    build_problem,
    problem_response,
    unexpected_problem,
)

MAX_BODY_BYTES = 1_000_000
"""Enough for any decision a person writes."""

MAX_IMPORT_BYTES = 64_000_000
"""The largest file taken in one upload; larger ones go through `patternmind ingest`, which has no limit."""

IMPORT_PATHS = frozenset({"/api/v1/imports", "/api/v1/uploads", "/cases/import"})

BODY_TIMEOUT_SECONDS = 30.0
"""How long a body may say nothing, and how much longer it may take than ``SLOWEST_BYTES_A_SECOND`` would."""
MIN_BYTES_PER_SECOND = 1_000
"""A slow line still sends ten times that; whoever sends a byte now and then only wants to be waited for."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

SECURITY_HEADERS: Mapping[str, str] = {
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


class SecurityMiddleware:
    """ASGI middleware.

    ``local`` says that the server listens on loopback, where a request may come without a token; ``url`` is the address
    under which a proxy on this machine gives it to others.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        is_local: bool,
        url: str | None = None,
        body_timeout_seconds: float = BODY_TIMEOUT_SECONDS,
    ) -> None:
        self.app = app
        self.is_local = is_local
        self.public_url = url
        self.public_host = urlsplit(url).hostname if url else None
        self.body_timeout_seconds = body_timeout_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = _request_id(headers)
        scope.setdefault("state", {})["request_id"] = request_id
        answer = _SecureSend(send, request_id)
        try:
            self._check(scope, headers)
            await self.app(
                scope, _LimitedReceive(receive, _max_body_bytes(scope), self.body_timeout_seconds).receive, answer.send
            )
        except HTTPProblem as declined:
            said = build_problem(declined.kind, declined.detail, request_id=request_id)
            await problem_response(said)(scope, receive, answer.send)
        except Exception as error:  # noqa: BLE001 - the outermost edge of a request: recorded and answered here
            said = unexpected_problem(error, request_id=request_id)
            if not answer.started:
                await problem_response(said)(scope, receive, answer.send)

    def _check(self, scope: Scope, headers: Headers) -> None:
        host = _host_name(headers)
        if self.is_local and "authorization" not in headers and not is_loopback(host) and host != self.public_host:
            raise HTTPProblem(REFUSED, "Without a token this server answers to localhost, 127.0.0.1 and [::1] only.")
        if scope["method"] not in SAFE_METHODS and _is_cross_origin(headers, self.public_url):
            raise HTTPProblem(REFUSED, "A page of another site may not change anything here.")
        if _content_length(headers) > _max_body_bytes(scope):
            raise HTTPProblem(TOO_LARGE, _too_large_detail(_max_body_bytes(scope)))


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


def _content_length(headers: Headers) -> int:
    announced = headers.get("content-length", "")
    return int(announced) if re.fullmatch(r"[0-9]{1,18}", announced) else 0


def _max_body_bytes(scope: Scope) -> int:
    return MAX_IMPORT_BYTES if scope["path"] in IMPORT_PATHS else MAX_BODY_BYTES


def _too_large_detail(limit: int) -> str:
    return f"Send at most {limit // 1_000_000} MB. Larger files can be taken in with `patternmind ingest`."


@dataclass
class _LimitedReceive:
    """A body read no further than its limit, whatever it announced, and waited for no longer than it is worth."""

    inner: Receive
    limit: int
    body_timeout_seconds: float
    n_bytes: int = 0
    waited_seconds: float = 0.0
    is_complete: bool = False

    async def receive(self) -> Message:
        if self.is_complete:
            return await self.inner()  # a long answer listens here for the other side to go away
        begun = time.monotonic()
        left = self.body_timeout_seconds + self.n_bytes / MIN_BYTES_PER_SECOND - self.waited_seconds
        try:
            with anyio.fail_after(min(self.body_timeout_seconds, max(left, 0.0))):
                message = await self.inner()
        except TimeoutError as error:
            raise HTTPProblem(TOO_SLOW, "The request stopped coming. Send it again on a better line.") from error
        self.waited_seconds += time.monotonic() - begun
        self.is_complete = not message.get("more_body", False)
        self.n_bytes += len(message.get("body", b""))
        if self.n_bytes > self.limit:
            raise HTTPProblem(TOO_LARGE, _too_large_detail(self.limit))
        return message


@dataclass
class _SecureSend:
    """Puts the headers on an answer as it starts."""

    inner: Send
    request_id: str
    started: bool = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            headers["x-request-id"] = self.request_id
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
        await self.inner(message)
