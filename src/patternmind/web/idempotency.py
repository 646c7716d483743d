"""Run a repeated POST request once, and replay its response.

An API client gives a request a key in the header ``Idempotency-Key``. A rendered form holds its own key, against two
clicks, a slow network, or going back to a page; the same form rendered again may be submitted again. The store keeps
the responses, so a replay works in every process and after a restart. Failed requests can be repeated.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Header
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from patternmind.bootstrap import AppContext
from patternmind.errors import StoreUnavailable
from patternmind.ports import EarlierRequest, IdempotencyKey, KeyClaim, StoredResponse
from patternmind.web.caller import Caller
from patternmind.web.cookies import read_session_cookie
from patternmind.web.forms import form_fingerprint
from patternmind.web.problems import KEY_REUSED, SENT_BEFORE, STILL_WORKING, HTTPProblem
from patternmind.web.state import get_app_state
from patternmind.web.templating import flash

MAX_KEY_LENGTH = 200

LEASE = timedelta(seconds=30)
"""Time until the key of a killed process is free again; a longer request renews its lease."""

RETENTION = timedelta(hours=24)
FORM_BODY_RETENTION = timedelta(seconds=60)
"""Time in which a response page, such as a new token, is replayed; later ones get its redirect only."""

DOUBLE_CLICK = timedelta(seconds=3)
"""A repeat within this time counts as a double click; a later one shows that nothing was done again."""

POLL_SECONDS = 0.05
"""Interval at which a repeated form checks if the first one is done."""

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Retention:
    """Successful responses that are stored, and for how long."""

    max_status: int
    body: timedelta
    key: timedelta


API_RETENTION = _Retention(max_status=299, body=RETENTION, key=RETENTION)
FORM_RETENTION = _Retention(max_status=399, body=FORM_BODY_RETENTION, key=RETENTION)
SIGN_IN_RETENTION = _Retention(max_status=399, body=DOUBLE_CLICK, key=DOUBLE_CLICK)
"""A sign-in form may be repeated on purpose: the member signed out in between."""


async def respond_to_api_request(request: Request, endpoint: Endpoint) -> Response:
    """Call the endpoint, or replay its response to the same earlier request.

    Raises:
        HTTPProblem: the key was used with other content, or the first request is still in progress.
    """
    value = request.headers.get("idempotency-key", "")
    if request.method != "POST" or not 0 < len(value) <= MAX_KEY_LENGTH:
        return await endpoint(request)
    content = request.url.query.encode() + b"\0" + await request.body()
    attempt = _attempt(request, value, hashlib.sha256(content).hexdigest())
    claim = await run_in_threadpool(attempt.claim)
    if isinstance(claim, KeyClaim):
        return await _run(request, endpoint, attempt, claim, API_RETENTION)
    if not claim.has_same_content:
        raise HTTPProblem(KEY_REUSED, "Use a new Idempotency-Key for a request with different content.")
    if claim.response is None:
        raise HTTPProblem(STILL_WORKING, "Wait until the first request ends, then retry with the same Idempotency-Key.")
    replay = _restore(claim.response)
    replay.headers["idempotent-replayed"] = "true"
    return replay


async def respond_to_form(request: Request, endpoint: Endpoint) -> Response:
    """Call the endpoint, or replay its response to the same earlier form.

    If the earlier one is in progress, wait for it.

    Raises:
        HTTPProblem: the form was submitted before, and its response page has expired.
    """
    fingerprint = await form_fingerprint(request)
    if fingerprint is None:
        return await endpoint(request)
    attempt = _attempt(request, fingerprint)
    claim, was_in_progress = await _claim_after_first(attempt)
    if isinstance(claim, KeyClaim):
        is_sign_in = request.state.permission.action is None
        return await _run(request, endpoint, attempt, claim, SIGN_IN_RETENTION if is_sign_in else FORM_RETENTION)
    return _replay_form(claim, is_double_click=was_in_progress or attempt.is_double_click(claim))


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A request with its key and the context of its network."""

    ctx: AppContext
    key: IdempotencyKey
    content_hash: str

    def claim(self) -> KeyClaim | EarlierRequest:
        now = self.ctx.clock.now()
        return self.ctx.store.idempotency_keys.claim(self.key, self.content_hash, now=now, lease_until=now + LEASE)

    def is_in_progress(self) -> bool:
        earlier = self.ctx.store.idempotency_keys.find(self.key, self.content_hash, now=self.ctx.clock.now())
        return earlier is not None and earlier.response is None

    def is_double_click(self, earlier: EarlierRequest) -> bool:
        return earlier.completed_at is not None and self.ctx.clock.now() - earlier.completed_at < DOUBLE_CLICK

    def renew(self, claim: KeyClaim) -> None:
        self.ctx.store.idempotency_keys.renew(claim, lease_until=self.ctx.clock.now() + LEASE)

    def finish(self, claim: KeyClaim, response: Response | None, retention: _Retention) -> None:
        """Store a successful response; free the key of a failed request."""
        keys, now = self.ctx.store.idempotency_keys, self.ctx.clock.now()
        if response is None or response.status_code > retention.max_status:
            keys.release(claim)
            return
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in response.raw_headers]
        stored = StoredResponse(response.status_code, headers, bytes(response.body))
        keys.complete(claim, stored, now=now, body_until=now + retention.body, expires_at=now + retention.key)


def _attempt(request: Request, value: str, content_hash: str = "") -> _Attempt:
    app_state = get_app_state(request)
    caller: Caller | None = request.state.caller
    key = IdempotencyKey(
        caller=caller.identity if caller else "",
        path=request.url.path,
        value=value,
        secret=_credential_secret(request, caller),
    )
    return _Attempt(app_state.network(caller.network_id).ctx if caller else app_state.ctx, key, content_hash)


def _credential_secret(request: Request, caller: Caller | None) -> str:
    """Return the secret that the caller signed in with; empty for an anonymous caller and the local user."""
    if caller is not None and caller.token is not None:
        return request.headers["authorization"]
    return (read_session_cookie(request) or "") if caller is not None and caller.session is not None else ""


async def _claim_after_first(attempt: _Attempt) -> tuple[KeyClaim | EarlierRequest, bool]:
    """Claim the key after an earlier request has ended; also return True if one was in progress."""
    claim = await run_in_threadpool(attempt.claim)
    was_in_progress = False
    while isinstance(claim, EarlierRequest) and claim.response is None:
        was_in_progress = True
        while await run_in_threadpool(attempt.is_in_progress):
            await asyncio.sleep(POLL_SECONDS)
        claim = await run_in_threadpool(attempt.claim)
    return claim, was_in_progress


async def _run(
    request: Request, endpoint: Endpoint, attempt: _Attempt, claim: KeyClaim, retention: _Retention
) -> Response:
    renewal = asyncio.create_task(_renew_regularly(attempt, claim))
    response: Response | None = None
    try:
        response = await endpoint(request)
        return response
    finally:
        renewal.cancel()
        with suppress(StoreUnavailable):  # the request is done: its caller must learn that, and the lease ends anyway
            await run_in_threadpool(attempt.finish, claim, response, retention)


async def _renew_regularly(attempt: _Attempt, claim: KeyClaim) -> None:
    while True:
        await asyncio.sleep(LEASE.total_seconds() / 3)
        with suppress(StoreUnavailable):  # the next renewal may still be in time
            await run_in_threadpool(attempt.renew, claim)


def _restore(stored: StoredResponse) -> Response:
    response = Response(stored.body, stored.status)
    response.raw_headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in stored.headers]
    return response


def _replay_form(earlier: EarlierRequest, *, is_double_click: bool) -> Response:
    assert earlier.response is not None  # noqa: S101 - _claim_after_first waits for it
    stored = earlier.response
    if stored.status < 300 and not stored.body:
        raise HTTPProblem(SENT_BEFORE, "Nothing was done again. To do it once more, reload the page first.")
    if stored.status < 300 or is_double_click:
        return _restore(stored)
    redirect = Response(status_code=stored.status, headers={"location": dict(stored.headers)["location"]})
    flash(redirect, "You already submitted this form. Nothing was done again.")
    return redirect


async def _document_header(
    idempotency_key: Annotated[
        str | None,
        Header(
            max_length=MAX_KEY_LENGTH,
            description="Repeating a request with the same key returns the first response without doing it again.",
        ),
    ] = None,
) -> None:
    """Document the header and check its length; ``respond_to_api_request`` reads it."""


ACCEPTS_IDEMPOTENCY_KEY = Depends(_document_header)
