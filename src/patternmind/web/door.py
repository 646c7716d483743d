"""The way into every route: first who asks, then whether they may, then whether it was asked before, then the route."""

from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Annotated, Any, cast
from urllib.parse import quote

from fastapi import Depends, Header, Query
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from patternmind.bootstrap import House
from patternmind.errors import PatternmindError
from patternmind.web.answers import LensName
from patternmind.web.auth import Caller, identify
from patternmind.web.forms import check_form
from patternmind.web.guard import SAFE_METHODS
from patternmind.web.jobs import RunJobs
from patternmind.web.problems import MEDIA_TYPE, TOKEN_NEEDED, Declined, problem_of
from patternmind.web.rendering import error_page
from patternmind.web.repeats import LONGEST_KEY, Repeats
from patternmind.web.rights import Need, needs_of

Lens = Annotated[LensName | None, Query(description="A lens other than that of the last run.")]


class Rooms:
    """What the routes share. ``local``: the server listens on loopback only."""

    def __init__(self, house: House, *, local: bool) -> None:
        self.house = house
        self.local = local
        self.jobs = RunJobs(house)
        self.repeats = Repeats()
        self.identify: Callable[[Request], Caller] = partial(identify, house, local=local)


def rooms_of(request: Request) -> Rooms:
    return cast(Rooms, request.app.state.rooms)


class _Behind(APIRoute):
    """A route with a door before it. Who is not let in has not even their body read."""

    @property
    def need(self) -> Need:
        """What the route declared; one that declared nothing is open to nobody."""
        declared = needs_of(self.dependencies)
        if len(declared) != 1:
            raise RuntimeError(f"{self.path} must declare one need, and declares {len(declared)}")
        return declared[0]


class Door(_Behind):
    """The way into a route of the API: turned away with problem details."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        route, need = super().get_route_handler(), self.need

        async def enter(request: Request) -> Response:
            rooms = rooms_of(request)
            request.state.caller = await run_in_threadpool(rooms.identify, request)
            admit(request, need)
            return await rooms.repeats.answer(request, route)

        return enter


class PageDoor(_Behind):
    """The way into a page: sent to sign in, or told on a page what is wrong.

    A form must hold the token of the page it was on (``{{ form_token() }}``), or a script send it in a header.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        route, need = super().get_route_handler(), self.need

        async def enter(request: Request) -> Response:
            try:
                request.state.caller = await run_in_threadpool(_who_reads, request, need)
                admit(request, need)
                await check_form(request)
                return await route(request)
            except Declined as declined:
                if declined.kind is TOKEN_NEEDED:
                    return RedirectResponse(sign_in_address(request), status_code=303)
                return error_page(request, declined.kind.title, declined.detail, declined.status_code)
            except PatternmindError as error:
                said = problem_of(error, request_id=request.state.request_id)
                return error_page(request, said.title, said.detail, said.status)

        return enter


def _who_reads(request: Request, need: Need) -> Caller | None:
    """The caller; nobody where nobody is needed and nobody has signed in."""
    try:
        return rooms_of(request).identify(request)
    except Declined:
        if need.action is None:
            return None
        raise


def admit(request: Request, need: Need) -> None:
    """Let the caller in if the matrix does.

    Raises:
        Declined: it does not.
    """
    if need.action is not None:
        reading = request.method in SAFE_METHODS
        request.state.caller.must(need.action, need.own, proposing=need.proposing, reading=reading)
    request.state.admitted = need


def sign_in_address(request: Request) -> str:
    """The sign-in page, which leads back to the page that was asked for."""
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return f"/sign-in?next={quote(asked, safe='/')}" if request.method == "GET" else "/sign-in"


async def _house(request: Request) -> House:
    return rooms_of(request).house


async def _jobs(request: Request) -> RunJobs:
    return rooms_of(request).jobs


async def _caller(request: Request) -> Caller:
    return cast(Caller, request.state.caller)


async def _idempotency_key(
    idempotency_key: Annotated[
        str | None,
        Header(
            max_length=LONGEST_KEY,
            description="The same key with the same request gives the same answer, without doing it again.",
        ),
    ] = None,
) -> None:
    """For the documentation and the length; ``Repeats`` reads it."""


TheHouse = Annotated[House, Depends(_house)]
TheJobs = Annotated[RunJobs, Depends(_jobs)]
TheCaller = Annotated[Caller, Depends(_caller)]

MAY_REPEAT = Depends(_idempotency_key)

SAYS: Mapping[int, str] = {
    400: "The request cannot be read.",
    401: "A valid bearer token is needed.",
    403: "Refused: an unknown host, a page of another site, or no role that allows it.",
    404: "There is no such thing in this network.",
    408: "The request came too slowly.",
    409: "Not possible now.",
    412: "Somebody changed it meanwhile.",
    413: "The request is too large.",
    422: "The request is not valid; `errors` names the fields.",
    500: "Something unexpected happened; the server's log has the place.",
    503: "The data folder or the encoder cannot be used now.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The documentation of answers that are problem details."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": SAYS[status], "content": content} for status in statuses}


EVERYWHERE = problems(401, 403, 408, 413, 422, 500, 503)
