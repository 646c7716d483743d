"""The way into every route: first who asks, then whether they may, then whether it was asked before, then the route."""

import threading
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, cast
from urllib.parse import quote

from fastapi import Depends, Header, Query
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from patternmind.bootstrap import AppContext
from patternmind.errors import PatternmindError
from patternmind.jobs.runner import JobRunner
from patternmind.web.api.schemas import LensName
from patternmind.web.audit import record_change
from patternmind.web.auth import Caller, identify
from patternmind.web.event_streams import EventStreams
from patternmind.web.form_replay import FormReplayCache
from patternmind.web.forms import parse_saved_form, serialize_form, verify_form_token
from patternmind.web.idempotency import MAX_KEY_LENGTH, Endpoint, IdempotencyCache
from patternmind.web.middleware import SAFE_METHODS
from patternmind.web.permissions import Permission, permissions_of
from patternmind.web.problems import (
    FORM_REFUSED,
    KIND_BY_STATUS,
    MALFORMED,
    MEDIA_TYPE,
    NOT_FOUND,
    TOKEN_NEEDED,
    HTTPProblem,
    build_problem,
    problem_from_error,
    validation_problem,
)
from patternmind.web.rate_limit import RateLimiter
from patternmind.web.templating import error_page, render

LensQuery = Annotated[LensName | None, Query(description="A lens other than that of the last run.")]


MAX_WRONG_TOKENS_PER_MINUTE = 30
MAX_WRONG_PASSWORDS = 10
WRONG_PASSWORD_WINDOW_SECONDS = 15 * 60

GO_BACK_DETAIL = "Go back and try again; what you wrote is still on the page you came from."


@dataclass(frozen=True, slots=True)
class NetworkContext:
    """One network in this process."""

    ctx: AppContext
    jobs: JobRunner


class AppState:
    """What the routes share.

    Attributes:
        house: of the network that the server was started on; its clock, encoder and accounts are those of all.
        is_local: nobody but this machine can have sent a request.
    """

    def __init__(self, house: AppContext, *, is_local: bool) -> None:
        self.ctx = house
        self.is_local = is_local
        self.event_streams = EventStreams()
        self.idempotency_cache = IdempotencyCache()
        self.form_replay_cache = FormReplayCache()
        self.identify_caller: Callable[[Request], Caller] = partial(identify, self)
        self.token_limiter = RateLimiter(MAX_WRONG_TOKENS_PER_MINUTE, seconds=60)
        self.password_limiter = RateLimiter(MAX_WRONG_PASSWORDS, seconds=WRONG_PASSWORD_WINDOW_SECONDS)
        self._networks = {house.settings.network: NetworkContext(house, JobRunner(house))}
        self._lock = threading.Lock()

    def network(self, network_id: str) -> NetworkContext:
        """The room of a network that somebody was found to be in."""
        with self._lock:
            if network_id not in self._networks:
                house = self.ctx.for_network(network_id)
                self._networks[network_id] = NetworkContext(house, JobRunner(house))
            return self._networks[network_id]

    def clear_replay_caches(self) -> None:
        """Give no answer of before again: a case was erased, and one of them may hold its text."""
        self.idempotency_cache.clear()
        self.form_replay_cache.clear()

    def stop(self) -> None:
        for room in self._networks.values():
            room.jobs.stop()

    def has_credentials(self) -> bool:
        """Whether anybody could say who they are: from then on everybody must."""
        return self.ctx.accounts.has_tokens() or self.ctx.accounts.has_accounts()


def get_app_state(request: Request) -> AppState:
    return cast(AppState, request.app.state.rooms)


class AuthorizedRoute(APIRoute):
    """A route with a door before it. Who is not let in has not even their body read."""

    @property
    def permission(self) -> Permission:
        """What the route declared; one that declared nothing is open to nobody."""
        declared = permissions_of(self.dependencies)
        if len(declared) != 1:
            raise RuntimeError(f"{self.path} must declare one need, and declares {len(declared)}")
        return declared[0]


class ApiRoute(AuthorizedRoute):
    """The way into a route of the API: turned away with problem details.

    A script of our own pages may send the session; to change something, with the form token of its page.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        route, need = super().get_route_handler(), self.permission

        async def enter(request: Request) -> Response:
            rooms = get_app_state(request)
            caller = request.state.caller = await run_in_threadpool(rooms.identify_caller, request)
            authorize(request, need)
            if caller.session is not None:
                await verify_form_token(request)
            return await rooms.idempotency_cache.respond(request, _with_audit(route, need))

        return enter


class PageRoute(AuthorizedRoute):
    """The way into a page: sent to sign in, or told on a page what is wrong.

    A form must hold the token of the page it was on (``{{ form_token() }}``), or a script send it in a header.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        route, need = super().get_route_handler(), self.permission

        async def enter(request: Request) -> Response:
            try:
                request.state.caller = await run_in_threadpool(_identify_reader, request, need)
                authorize(request, need)
                await verify_form_token(request)
                return await get_app_state(request).form_replay_cache.respond(request, _with_audit(route, need))
            except HTTPProblem as declined:
                return await _rejection_response(request, declined)
            except PatternmindError as error:
                said = problem_from_error(error, request_id=request.state.request_id)
            except RequestValidationError as error:
                said = validation_problem(error, request_id=request.state.request_id)
            except HTTPException as error:
                said = build_problem(
                    KIND_BY_STATUS.get(error.status_code, MALFORMED),
                    GO_BACK_DETAIL,
                    request_id=request.state.request_id,
                )
            return error_page(request, said.title, said.detail, said.status)

        return enter


def _with_audit(handler: Endpoint, permission: Permission) -> Endpoint:
    """The route, and a line in the audit log when it has changed something."""

    async def answer(request: Request) -> Response:
        response = await handler(request)
        await run_in_threadpool(record_change, request, response, permission.action)
        return response

    return answer


async def _rejection_response(request: Request, error: HTTPProblem) -> Response:
    """To sign in and back; with a form that was sent after all, so that nothing a person wrote is lost."""
    if error.kind is TOKEN_NEEDED:
        kept = await serialize_form(request)
        if kept is None:
            return RedirectResponse(sign_in_url(request), status_code=303)
        return render(request, "sign_in/form.html", 401, next=request.url.path, kept=kept, error="", sign_in_name="")
    if error.kind is FORM_REFUSED and request.headers.get("sec-fetch-site") == "same-origin":
        kept = await serialize_form(request)
        if kept is not None and request.state.caller is not None:
            return render(request, "sign_in/resume.html", 403, target=request.url.path, kept=parse_saved_form(kept))
    return error_page(request, error.kind.title, error.detail, error.status_code, headers=error.headers)


def _identify_reader(request: Request, permission: Permission) -> Caller | None:
    """Who signed in; nobody where nobody is needed. Pages are for members, who have a name to decide under."""
    try:
        caller = get_app_state(request).identify_caller(request)
    except HTTPProblem as declined:
        if permission.action is None and declined.kind is TOKEN_NEEDED:
            return None
        raise
    if caller.session is not None:
        return caller
    if permission.action is None:
        return None
    raise HTTPProblem(TOKEN_NEEDED, "Sign in first.")


async def not_found_page(request: Request) -> Response:
    """For a browser at an address of no page."""
    try:
        request.state.caller = await run_in_threadpool(_identify_reader, request, Permission(None))
    except HTTPProblem:
        request.state.caller = None
    detail = "The address leads nowhere. A link may be old, or a letter of it missing."
    return error_page(request, NOT_FOUND.title, detail, NOT_FOUND.status)


def authorize(request: Request, permission: Permission) -> None:
    """Let the caller in if the matrix does.

    Raises:
        Declined: it does not.
    """
    if permission.action is not None:
        reading = request.method in SAFE_METHODS
        request.state.caller.require(permission.action, permission.own, proposing=permission.proposing, reading=reading)
    request.state.admitted = permission


def sign_in_url(request: Request) -> str:
    """The sign-in page, which leads back to the page that was asked for."""
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return f"/sign-in?next={quote(asked, safe='/')}" if request.method == "GET" else "/sign-in"


def get_network_context(request: Request) -> NetworkContext:
    """The room of the caller's network: a route sees that network and no other."""
    return get_app_state(request).network(get_caller(request).network_id)


def get_caller(request: Request) -> Caller:
    return cast(Caller, request.state.caller)


def _context_dependency(request: Request) -> AppContext:
    return get_network_context(request).ctx


def _job_runner_dependency(request: Request) -> JobRunner:
    return get_network_context(request).jobs


async def _event_streams_dependency(request: Request) -> EventStreams:
    return get_app_state(request).event_streams


async def _caller_dependency(request: Request) -> Caller:
    return get_caller(request)


async def _idempotency_key_dependency(
    idempotency_key: Annotated[
        str | None,
        Header(
            max_length=MAX_KEY_LENGTH,
            description="The same key with the same request gives the same answer, without doing it again.",
        ),
    ] = None,
) -> None:
    """For the documentation and the length; ``Repeats`` reads it."""


async def _app_state_dependency(request: Request) -> AppState:
    return get_app_state(request)


AppStateDep = Annotated[AppState, Depends(_app_state_dependency)]
ContextDep = Annotated[AppContext, Depends(_context_dependency)]
JobRunnerDep = Annotated[JobRunner, Depends(_job_runner_dependency)]
EventStreamsDep = Annotated[EventStreams, Depends(_event_streams_dependency)]
CallerDep = Annotated[Caller, Depends(_caller_dependency)]

ACCEPTS_IDEMPOTENCY_KEY = Depends(_idempotency_key_dependency)

STATUS_DESCRIPTIONS: Mapping[int, str] = {
    400: "The request cannot be read.",
    401: "A valid bearer token is needed.",
    403: "Refused: an unknown host, a page of another site, or no role that allows it.",
    404: "There is no such thing in this network.",
    408: "The request came too slowly.",
    409: "Not possible now.",
    412: "Somebody changed it meanwhile.",
    413: "The request is too large.",
    429: "Too many tries; `Retry-After` says when to come again.",
    422: "The request is not valid; `errors` names the fields.",
    500: "Something unexpected happened; the server's log has the place.",
    503: "The data folder or the encoder cannot be used now.",
}


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The documentation of answers that are problem details."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": STATUS_DESCRIPTIONS[status], "content": content} for status in statuses}


COMMON_PROBLEM_RESPONSES = problem_responses(401, 403, 408, 413, 422, 429, 500, 503)
