"""The way into every route of the API: first who asks, then whether it was asked before, then the route."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Annotated, Any, cast

from fastapi import Depends, Header, Query
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from patternmind.bootstrap import House
from patternmind.web.answers import LensName
from patternmind.web.auth import Caller, identify
from patternmind.web.jobs import RunJobs
from patternmind.web.problems import MEDIA_TYPE
from patternmind.web.repeats import LONGEST_KEY, Repeats

Lens = Annotated[LensName | None, Query(description="A lens other than that of the last run.")]


class Rooms:
    """What the routes share. ``local``: the server listens on loopback only."""

    def __init__(self, house: House, *, local: bool) -> None:
        self.house = house
        self.local = local
        self.jobs = RunJobs(house)
        self.repeats = Repeats()


class Door(APIRoute):
    """A route behind the door. Who is not let in has not even their body read."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        route = super().get_route_handler()

        async def enter(request: Request) -> Response:
            rooms = _rooms(request)
            request.state.caller = await run_in_threadpool(identify, rooms.house, request, local=rooms.local)
            return await rooms.repeats.answer(request, route)

        return enter


def _rooms(request: Request) -> Rooms:
    return cast(Rooms, request.app.state.rooms)


async def _house(request: Request) -> House:
    return _rooms(request).house


async def _jobs(request: Request) -> RunJobs:
    return _rooms(request).jobs


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
    403: "Refused: an unknown host, or a page of another site.",
    404: "There is no such thing in this network.",
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


EVERYWHERE = problems(401, 403, 413, 422, 500, 503)
