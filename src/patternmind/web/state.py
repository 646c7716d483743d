"""State that all requests of the application share."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import cast

from starlette.requests import Request

from patternmind.bootstrap import AppContext
from patternmind.jobs.runner import JobRunner
from patternmind.web.caller import Caller
from patternmind.web.event_streams import EventStreams
from patternmind.web.problems import describe_failure
from patternmind.web.rate_limit import RateLimiter

MAX_WRONG_TOKENS_PER_MINUTE = 30
MAX_WRONG_PASSWORDS = 10
WRONG_PASSWORD_WINDOW_SECONDS = 15 * 60


@dataclass(frozen=True, slots=True)
class NetworkContext:
    """A network with its job runner in this process."""

    ctx: AppContext
    jobs: JobRunner


class AppState:
    """Event streams, rate limiters and networks of the application.

    Attributes:
        ctx: the network that the server was started with; its clock, encoder and accounts serve all networks.
        is_local: only this machine can reach the server.
    """

    def __init__(self, ctx: AppContext, *, is_local: bool, identify: Callable[["AppState", Request], Caller]) -> None:
        self.ctx = ctx
        self.is_local = is_local
        self.event_streams = EventStreams()
        self.identify_caller: Callable[[Request], Caller] = partial(identify, self)
        self.token_limiter = RateLimiter(MAX_WRONG_TOKENS_PER_MINUTE, seconds=60)
        self.password_limiter = RateLimiter(MAX_WRONG_PASSWORDS, seconds=WRONG_PASSWORD_WINDOW_SECONDS)
        self._networks = {ctx.settings.network: _network_context(ctx)}
        self._lock = threading.Lock()

    def network(self, network_id: str) -> NetworkContext:
        """Return the context of a network, created on first use."""
        with self._lock:
            if network_id not in self._networks:
                self._networks[network_id] = _network_context(self.ctx.for_network(network_id))
            return self._networks[network_id]

    def stop(self) -> None:
        """Stop the jobs of all networks."""
        for network in self._networks.values():
            network.jobs.stop()

    def has_credentials(self) -> bool:
        """Return True if any token or member exists; every request then needs credentials."""
        return self.ctx.accounts.tokens.exist() or self.ctx.accounts.members.has_accounts()


def _network_context(ctx: AppContext) -> NetworkContext:
    return NetworkContext(ctx, JobRunner(ctx, describe_failure=describe_failure))


def get_app_state(request: Request) -> AppState:
    return cast(AppState, request.app.state.shared)
