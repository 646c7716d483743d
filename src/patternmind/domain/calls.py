"""Calls of the language model: endpoints, limits, budgets and outcomes."""

import math
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from patternmind.errors import BudgetReached

current_run_id: ContextVar[str] = ContextVar("current_run", default="")
"""Id of the current run, under which calls are recorded; empty outside a run."""


class CallOutcome(StrEnum):
    """Outcome of a call; only the first three gave a usable answer."""

    ANSWERED = "answered"
    REPAIRED = "repaired"
    CACHED = "cached"
    NEEDS_A_PERSON = "needs a person"
    REFUSED = "refused"
    FILTERED = "filtered"
    EMPTY = "empty"
    CUT_OFF = "cut off"
    FAILED = "failed"
    OVER_BUDGET = "budget reached"
    IN_FLIGHT = "in flight"
    LOST = "lost"


USABLE_OUTCOMES = frozenset({CallOutcome.ANSWERED, CallOutcome.REPAIRED, CallOutcome.CACHED})


@dataclass(frozen=True, slots=True)
class Price:
    """Price in USD of a million input tokens and of a million output tokens."""

    input_usd: float
    output_usd: float

    def cost_usd(self, n_tokens_in: int, n_tokens_out: int) -> float:
        return (n_tokens_in * self.input_usd + n_tokens_out * self.output_usd) / 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A model and the address that serves it.

    Attributes:
        model: litellm name, such as ``openai/gpt-4o-mini``.
        api_base: base URL; None for the provider's own.
        price: price set in the settings; None uses the price list of litellm.
    """

    model: str
    api_base: str | None = None
    api_key: str | None = field(default=None, repr=False)
    price: Price | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChoice:
    """Choice of a model for each task, with a fallback for failed calls."""

    default: Endpoint
    by_task: Mapping[str, Endpoint] = field(default_factory=dict[str, Endpoint])
    fallback: Endpoint | None = None

    def endpoints_for(self, task: str) -> tuple[Endpoint, ...]:
        """Return the endpoints to call for a task, in order."""
        first = self.by_task.get(task, self.default)
        return (first,) if self.fallback is None or self.fallback == first else (first, self.fallback)

    @property
    def name(self) -> str:
        """Name of the default model, followed by the models of single tasks."""
        others = ", ".join(f"{task}: {endpoint.model}" for task, endpoint in sorted(self.by_task.items()))
        return f"{self.default.model} ({others})" if others else self.default.model

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Distinct endpoints, the default first."""
        last = (self.fallback,) if self.fallback else ()
        return tuple(dict.fromkeys((self.default, *self.by_task.values(), *last)))


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLimits:
    """Limits of one call.

    Attributes:
        timeout_seconds: wall-clock limit of one HTTP request.
        max_attempts: maximum HTTP requests of one call to one model, including the repair request.
        max_tokens: maximum length of an answer, including reasoning.
        max_parallel: maximum concurrent requests of this process.
    """

    timeout_seconds: float = 60.0
    max_attempts: int = 3
    max_tokens: int = 4000
    max_parallel: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Spending limits in USD; None means unlimited.

    Attributes:
        run_usd: limit of one run, including the unfinished runs that it continues.
        network_usd: limit of the network over all time.
        month_usd: limit of the network in one calendar month (UTC).
    """

    run_usd: float | None = None
    network_usd: float | None = None
    month_usd: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Current state of one call to one model; it never holds text.

    Attributes:
        run_id: empty for a call outside a run.
        input_hash: hash of everything the model saw, including the prompt's text and its answer schema.
        n_attempts: number of HTTP requests.
        cost_usd: cost of all its requests. A request without an answer may have been billed, so its reservation
            counts as cost.
        reserved_usd: amount reserved for the current request.
        reserved_until: time by which the current request has ended in any case. A call that is not settled by then
            belongs to a dead process.
        seconds: time from the first request to the end, including waits.
    """

    id: str
    task: str
    model: str
    at: datetime
    run_id: str = ""
    prompt_hash: str = ""
    input_hash: str = ""
    outcome: CallOutcome = CallOutcome.IN_FLIGHT
    n_attempts: int = 0
    n_tokens_in: int = 0
    n_tokens_out: int = 0
    cost_usd: float = 0.0
    reserved_usd: float = 0.0
    reserved_until: datetime | None = None
    seconds: float = 0.0

    @property
    def month(self) -> str:
        """UTC month to which the call is charged, such as "2026-11"."""
        return self.at.astimezone(UTC).strftime("%Y-%m")


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedAnswer:
    """A paid answer that can be reused free of charge.

    Attributes:
        key: hash of everything the answer depends on: model, address, parameters, prompt and input.
        case_ids: cases whose text the model saw; None if the caller did not name them.
        n_tokens, cost_usd: tokens and cost of the original call.
    """

    key: str
    model: str
    prompt_hash: str
    input_hash: str
    parameters: Mapping[str, Any]
    value: Mapping[str, Any]
    case_ids: tuple[str, ...] | None
    at: datetime
    n_tokens: int = 0
    cost_usd: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTotals:
    """Totals over several calls.

    Attributes:
        n_calls: number of calls, cached or not; a request that went to the fallback counts twice.
        n_requests: number of HTTP requests.
        outcomes: number of calls by outcome.
        reserved_usd: amount reserved for requests in progress.
    """

    n_calls: int = 0
    n_cached: int = 0
    n_failed: int = 0
    n_requests: int = 0
    n_tokens_in: int = 0
    n_tokens_out: int = 0
    cost_usd: float = 0.0
    reserved_usd: float = 0.0
    outcomes: Mapping[str, int] = field(default_factory=dict[str, int])


def to_nanousd(usd: float) -> int:
    """Convert USD to whole billionths of a dollar, rounded up.

    Integers keep sums exact, and rounding up keeps a sum from being less than its parts. A token at 0.15 USD per
    million costs 150 nano-USD.
    """
    return math.ceil(round(usd * 1e9, 3))


def check_budget(
    scope: str, limit_usd: float | None, *, spent_nanousd: int, reserved_nanousd: int, requested_nanousd: int
) -> None:
    """Check that a request fits into a budget.

    Args:
        scope: "run", "network" or "month".
        spent_nanousd: amount paid, in billionths of a dollar.
        reserved_nanousd: amount reserved by other calls, in the same unit.
        requested_nanousd: amount requested now, in the same unit.

    Raises:
        BudgetReached: the request does not fit.
    """
    if limit_usd is None or spent_nanousd + reserved_nanousd + requested_nanousd <= round(limit_usd * 1e9):
        return
    raise BudgetReached(
        scope,
        limit_usd=limit_usd,
        spent_usd=spent_nanousd / 1e9,
        needed_usd=requested_nanousd / 1e9,
        pending=spent_nanousd + requested_nanousd <= round(limit_usd * 1e9),
    )


def sum_calls(calls: Iterable[Call]) -> CallTotals:
    """Sum calls into totals."""
    calls = list(calls)
    outcomes: dict[str, int] = {}
    for call in calls:
        outcomes[call.outcome.value] = outcomes.get(call.outcome.value, 0) + 1
    open_calls = outcomes.get(CallOutcome.IN_FLIGHT, 0)
    return CallTotals(
        n_calls=len(calls),
        n_cached=outcomes.get(CallOutcome.CACHED, 0),
        n_failed=sum(call.outcome not in USABLE_OUTCOMES for call in calls) - open_calls,
        n_requests=sum(call.n_attempts for call in calls),
        n_tokens_in=sum(call.n_tokens_in for call in calls),
        n_tokens_out=sum(call.n_tokens_out for call in calls),
        cost_usd=sum(to_nanousd(call.cost_usd) for call in calls) / 1e9,
        reserved_usd=sum(to_nanousd(call.reserved_usd) for call in calls) / 1e9,
        outcomes=dict(sorted(outcomes.items())),
    )
