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

from patternmind.bootstrap import House
from patternmind.errors import PatternmindError
from patternmind.web.answers import LensName
from patternmind.web.audit import note_change
from patternmind.web.auth import Caller, identify
from patternmind.web.forms import check_form, kept_form, read_kept
from patternmind.web.guard import SAFE_METHODS
from patternmind.web.jobs import Jobs
from patternmind.web.limiting import Tries
from patternmind.web.problems import (
    FORM_REFUSED,
    MALFORMED,
    MEDIA_TYPE,
    NOT_FOUND,
    OF_STATUS,
    TOKEN_NEEDED,
    Declined,
    invalid,
    problem,
    problem_of,
)
from patternmind.web.rendering import error_page, render
from patternmind.web.repeats import LONGEST_KEY, Endpoint, Repeats
from patternmind.web.rights import Need, needs_of
from patternmind.web.sendings import Sendings
from patternmind.web.streams import Streams

Lens = Annotated[LensName | None, Query(description="A lens other than that of the last run.")]


WRONG_TOKENS = 30
PASSWORD_TRIES = 10
PASSWORD_SECONDS = 15 * 60

GO_BACK = "Go back and try again; what you wrote is still on the page you came from."


@dataclass(frozen=True, slots=True)
class Room:
    """One network in this process."""

    house: House
    jobs: Jobs


class Rooms:
    """What the routes share.

    Attributes:
        house: of the network that the server was started on; its clock, encoder and accounts are those of all.
        local: nobody but this machine can have sent a request.
    """

    def __init__(self, house: House, *, local: bool) -> None:
        self.house = house
        self.local = local
        self.streams = Streams()
        self.repeats = Repeats()
        self.sendings = Sendings()
        self.identify: Callable[[Request], Caller] = partial(identify, self)
        self.wrong_tokens = Tries(WRONG_TOKENS, seconds=60)
        self.wrong_passwords = Tries(PASSWORD_TRIES, seconds=PASSWORD_SECONDS)
        self._rooms = {house.settings.network: Room(house, Jobs(house))}
        self._lock = threading.Lock()

    def of(self, network_id: str) -> Room:
        """The room of a network that somebody was found to be in."""
        with self._lock:
            if network_id not in self._rooms:
                house = self.house.on(network_id)
                self._rooms[network_id] = Room(house, Jobs(house))
            return self._rooms[network_id]

    def forget(self) -> None:
        """Give no answer of before again: a case was erased, and one of them may hold its text."""
        self.repeats.forget()
        self.sendings.forget()

    def stop(self) -> None:
        for room in self._rooms.values():
            room.jobs.stop()

    def has_people(self) -> bool:
        """Whether anybody could say who they are: from then on everybody must."""
        return self.house.accounts.has_tokens() or self.house.accounts.has_accounts()


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
    """The way into a route of the API: turned away with problem details.

    A script of our own pages may send the session; to change something, with the form token of its page.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        route, need = super().get_route_handler(), self.need

        async def enter(request: Request) -> Response:
            rooms = rooms_of(request)
            caller = request.state.caller = await run_in_threadpool(rooms.identify, request)
            admit(request, need)
            if caller.session is not None:
                await check_form(request)
            return await rooms.repeats.answer(request, _noted(route, need))

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
                return await rooms_of(request).sendings.answer(request, _noted(route, need))
            except Declined as declined:
                return await _turned_away(request, declined)
            except PatternmindError as error:
                said = problem_of(error, request_id=request.state.request_id)
            except RequestValidationError as error:
                said = invalid(error, request_id=request.state.request_id)
            except HTTPException as error:
                said = problem(
                    OF_STATUS.get(error.status_code, MALFORMED), GO_BACK, request_id=request.state.request_id
                )
            return error_page(request, said.title, said.detail, said.status)

        return enter


def _noted(route: Endpoint, need: Need) -> Endpoint:
    """The route, and a line in the audit log when it has changed something."""

    async def answer(request: Request) -> Response:
        response = await route(request)
        await run_in_threadpool(note_change, request, response, need.action)
        return response

    return answer


async def _turned_away(request: Request, declined: Declined) -> Response:
    """To sign in and back; with a form that was sent after all, so that nothing a person wrote is lost."""
    if declined.kind is TOKEN_NEEDED:
        kept = await kept_form(request)
        if kept is None:
            return RedirectResponse(sign_in_address(request), status_code=303)
        return render(request, "sign_in/form.html", 401, next=request.url.path, kept=kept, error="", sign_in_name="")
    if declined.kind is FORM_REFUSED and request.headers.get("sec-fetch-site") == "same-origin":
        kept = await kept_form(request)
        if kept is not None and request.state.caller is not None:
            return render(request, "sign_in/resume.html", 403, target=request.url.path, kept=read_kept(kept))
    return error_page(request, declined.kind.title, declined.detail, declined.status_code, headers=declined.headers)


def _who_reads(request: Request, need: Need) -> Caller | None:
    """Who signed in; nobody where nobody is needed. Pages are for members, who have a name to decide under."""
    try:
        caller = rooms_of(request).identify(request)
    except Declined as declined:
        if need.action is None and declined.kind is TOKEN_NEEDED:
            return None
        raise
    if caller.session is not None:
        return caller
    if need.action is None:
        return None
    raise Declined(TOKEN_NEEDED, "Sign in first.")


async def missing_page(request: Request) -> Response:
    """For a browser at an address of no page."""
    try:
        request.state.caller = await run_in_threadpool(_who_reads, request, Need(None))
    except Declined:
        request.state.caller = None
    detail = "The address leads nowhere. A link may be old, or a letter of it missing."
    return error_page(request, NOT_FOUND.title, detail, NOT_FOUND.status)


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


def room_of(request: Request) -> Room:
    """The room of the caller's network: a route sees that network and no other."""
    return rooms_of(request).of(caller_of(request).network_id)


def caller_of(request: Request) -> Caller:
    return cast(Caller, request.state.caller)


def _house(request: Request) -> House:
    return room_of(request).house


def _jobs(request: Request) -> Jobs:
    return room_of(request).jobs


async def _streams(request: Request) -> Streams:
    return rooms_of(request).streams


async def _caller(request: Request) -> Caller:
    return caller_of(request)


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


async def _rooms(request: Request) -> Rooms:
    return rooms_of(request)


TheRooms = Annotated[Rooms, Depends(_rooms)]
TheHouse = Annotated[House, Depends(_house)]
TheJobs = Annotated[Jobs, Depends(_jobs)]
TheStreams = Annotated[Streams, Depends(_streams)]
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
    429: "Too many tries; `Retry-After` says when to come again.",
    422: "The request is not valid; `errors` names the fields.",
    500: "Something unexpected happened; the server's log has the place.",
    503: "The data folder or the encoder cannot be used now.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The documentation of answers that are problem details."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": SAYS[status], "content": content} for status in statuses}


EVERYWHERE = problems(401, 403, 408, 413, 422, 429, 500, 503)
