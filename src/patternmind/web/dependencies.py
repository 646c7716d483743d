"""FastAPI dependencies of routes: the caller, and the services of the caller's network."""

from typing import Annotated, cast

from fastapi import Depends
from starlette.requests import Request

from patternmind.bootstrap import AppContext
from patternmind.jobs.runner import JobRunner
from patternmind.web.caller import Caller
from patternmind.web.event_streams import EventStreams
from patternmind.web.state import AppState, NetworkContext, get_app_state


def get_caller(request: Request) -> Caller:
    return cast(Caller, request.state.caller)


def get_network_context(request: Request) -> NetworkContext:
    """Return the context of the caller's network; a handler gets no other network."""
    return get_app_state(request).network(get_caller(request).network_id)


def _context_dependency(request: Request) -> AppContext:
    return get_network_context(request).ctx


def _job_runner_dependency(request: Request) -> JobRunner:
    return get_network_context(request).jobs


async def _event_streams_dependency(request: Request) -> EventStreams:
    return get_app_state(request).event_streams


async def _caller_dependency(request: Request) -> Caller:
    return get_caller(request)


async def _app_state_dependency(request: Request) -> AppState:
    return get_app_state(request)


AppStateDep = Annotated[AppState, Depends(_app_state_dependency)]
ContextDep = Annotated[AppContext, Depends(_context_dependency)]
JobRunnerDep = Annotated[JobRunner, Depends(_job_runner_dependency)]
EventStreamsDep = Annotated[EventStreams, Depends(_event_streams_dependency)]
CallerDep = Annotated[Caller, Depends(_caller_dependency)]
