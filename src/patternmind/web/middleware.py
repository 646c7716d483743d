"""Outermost middleware: host check, body limits, security headers.

A browser may send requests to any server on its own machine. So a request without a token must name a loopback host,
which a rebound DNS name does not, and no request from another origin may change anything.
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
"""Body limit of all other requests; enough for any decision a person writes."""

MAX_IMPORT_BYTES = 64_000_000
"""Body limit of an upload; `patternmind ingest` has no limit."""

IMPORT_PATHS = frozenset({"/api/v1/imports", "/api/v1/uploads", "/cases/import"})

BODY_TIMEOUT_SECONDS = 30.0
"""Longest pause within a body; a body may take this time plus 1 s per ``MIN_BYTES_PER_SECOND``."""
MIN_BYTES_PER_SECOND = 1_000
"""A slow connection sends ten times that; a client below it only holds the connection open."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

SECURITY_HEADERS: Mapping[str, str] = {
    "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
"""Headers of every response; a page sets its own content security policy to allow its style sheet."""


def is_loopback(name: str) -> bool:
    """Return True if the host name or address always refers to this machine."""
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class SecurityMiddleware:
    """ASGI middleware that checks host, origin and size, and adds security headers.

    Args:
        is_local: the server listens on loopback, where a request may come without a token.
        url: the public address, if a proxy on this machine forwards requests.
        body_timeout_seconds: see ``BODY_TIMEOUT_SECONDS``.
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
        secure_send = _SecureSend(send, request_id)
        limited_receive = _LimitedReceive(receive, _max_body_bytes(scope), self.body_timeout_seconds)
        try:
            self._check_request(scope, headers)
            await self.app(scope, limited_receive.receive, secure_send.send)
        except HTTPProblem as error:
            problem = build_problem(error.kind, error.detail, request_id=request_id)
            await problem_response(problem)(scope, receive, secure_send.send)
        except Exception as error:  # noqa: BLE001 - the last handler of a request logs and answers every error
            problem = unexpected_problem(error, request_id=request_id)
            if not secure_send.has_started:
                await problem_response(problem)(scope, receive, secure_send.send)

    def _check_request(self, scope: Scope, headers: Headers) -> None:
        host = _host_name(headers)
        if self.is_local and "authorization" not in headers and not is_loopback(host) and host != self.public_host:
            raise HTTPProblem(REFUSED, "Without a token, use localhost, 127.0.0.1 or [::1] as the host.")
        if scope["method"] not in SAFE_METHODS and _is_cross_origin(headers, self.public_url):
            raise HTTPProblem(REFUSED, "Pages of other sites cannot change anything here.")
        if _content_length(headers) > _max_body_bytes(scope):
            raise HTTPProblem(TOO_LARGE, _too_large_detail(_max_body_bytes(scope)))


def _request_id(headers: Headers) -> str:
    """Return the caller's request id if it is safe to log, else a new one."""
    requested_id = headers.get("x-request-id", "")
    return requested_id if re.fullmatch(r"[A-Za-z0-9._-]{8,64}", requested_id) else uuid.uuid4().hex


def _host_name(headers: Headers) -> str:
    try:
        return urlsplit(f"//{headers.get('host', '')}").hostname or ""
    except ValueError:
        return ""


def _is_cross_origin(headers: Headers, url: str | None) -> bool:
    """Return True if a browser marks the request as cross-origin; other clients send neither header."""
    if headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
        return True
    origin = headers.get("origin")
    if origin is None or (url is not None and origin.casefold() == url):
        return False
    return origin.partition("://")[2].casefold() != headers.get("host", "").casefold()


def _content_length(headers: Headers) -> int:
    value = headers.get("content-length", "")
    return int(value) if re.fullmatch(r"[0-9]{1,18}", value) else 0


def _max_body_bytes(scope: Scope) -> int:
    return MAX_IMPORT_BYTES if scope["path"] in IMPORT_PATHS else MAX_BODY_BYTES


def _too_large_detail(limit: int) -> str:
    return f"Send at most {limit // 1_000_000} MB. Import larger files with `patternmind ingest`."


@dataclass
class _LimitedReceive:
    """Enforces a size limit and a read timeout on the body, regardless of Content-Length."""

    inner: Receive
    max_bytes: int
    body_timeout_seconds: float
    n_bytes: int = 0
    waited_seconds: float = 0.0
    is_complete: bool = False

    async def receive(self) -> Message:
        if self.is_complete:
            return await self.inner()  # a streaming response waits here for the client to disconnect
        started_at = time.monotonic()
        remaining = self.body_timeout_seconds + self.n_bytes / MIN_BYTES_PER_SECOND - self.waited_seconds
        try:
            with anyio.fail_after(min(self.body_timeout_seconds, max(remaining, 0.0))):
                message = await self.inner()
        except TimeoutError as error:
            raise HTTPProblem(
                TOO_SLOW, "The request body stopped arriving. Send it again over a better connection."
            ) from error
        self.waited_seconds += time.monotonic() - started_at
        self.is_complete = not message.get("more_body", False)
        self.n_bytes += len(message.get("body", b""))
        if self.n_bytes > self.max_bytes:
            raise HTTPProblem(TOO_LARGE, _too_large_detail(self.max_bytes))
        return message


@dataclass
class _SecureSend:
    """Adds the request id and the security headers to a response."""

    inner: Send
    request_id: str
    has_started: bool = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_started = True
            headers = MutableHeaders(scope=message)
            headers["x-request-id"] = self.request_id
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
        await self.inner(message)
