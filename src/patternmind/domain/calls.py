"""Calls of the language model: which model is asked, what it may cost, and what became of each call."""

import math
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from patternmind.errors import BudgetReached

current_run_id: ContextVar[str] = ContextVar("current_run", default="")
"""The id of the run that goes on in this context; calls are recorded under it. Empty outside of a run."""


class CallOutcome(StrEnum):
    """What became of a call. Only the first three gave a usable answer."""

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
    """USD for a million tokens read and a million tokens written."""

    input_usd: float
    output_usd: float

    def cost_usd(self, n_tokens_in: int, n_tokens_out: int) -> float:
        return (n_tokens_in * self.input_usd + n_tokens_out * self.output_usd) / 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One model where it is served.

    Attributes:
        model: a litellm name, such as ``openai/gpt-4o-mini``.
        api_base: its address; None for the provider's own.
        price: as set by a person; None leaves it to the list that came with litellm.
    """

    model: str
    api_base: str | None = None
    api_key: str | None = field(default=None, repr=False)
    price: Price | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChoice:
    """Which model is asked for which task, and which one where that one does not answer."""

    default: Endpoint
    by_task: Mapping[str, Endpoint] = field(default_factory=dict[str, Endpoint])
    fallback: Endpoint | None = None

    def endpoints_for(self, task: str) -> tuple[Endpoint, ...]:
        """The endpoints to ask, in order."""
        first = self.by_task.get(task, self.default)
        return (first,) if self.fallback is None or self.fallback == first else (first, self.fallback)

    @property
    def name(self) -> str:
        """The usual model, and those of single tasks behind it."""
        others = ", ".join(f"{task}: {one.model}" for task, one in sorted(self.by_task.items()))
        return f"{self.default.model} ({others})" if others else self.default.model

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Every endpoint once, the usual first."""
        last = (self.fallback,) if self.fallback else ()
        return tuple(dict.fromkeys((self.default, *self.by_task.values(), *last)))


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLimits:
    """What one call may take.

    Attributes:
        timeout_seconds: wall-clock limit of one HTTP request.
        max_attempts: HTTP requests of one call to one model, the repair among them.
        max_tokens: longest answer; reasoning counts.
        n_parallel: requests under way at once in this process.
    """

    timeout_seconds: float = 60.0
    max_attempts: int = 3
    max_tokens: int = 4000
    max_parallel: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The most that may be spent, in USD; None is no limit.

    Attributes:
        run_usd: for one run, the unfinished ones that it goes on from included.
        network_usd: for the network, all time.
        month_usd: for the network in one calendar month, UTC.
    """

    run_usd: float | None = None
    network_usd: float | None = None
    month_usd: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call to one model, as far as it has come. It never holds a text.

    Attributes:
        run_id: empty for a call outside of a run.
        input_hash: of everything that was shown, the prompt's text and answer schema.
        n_attempts: HTTP requests made.
        cost_usd: of all its requests; a request without an answer that may have been billed counts as reserved.
        reserved_usd: put aside for the request that is under way.
        reserved_until: when that request is over in any case; who has not settled by then is dead.
        seconds: from the first request to the end, waits included.
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
        """The month that pays for it, in UTC, such as 2026-11."""
        return self.at.astimezone(UTC).strftime("%Y-%m")


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedAnswer:
    """A paid answer, to be had again for nothing.

    Attributes:
        key: a hash of all that the answer depends on: model, address, parameters, prompt, input.
        case_ids: the cases whose text the model saw; None where the caller did not say.
        n_tokens, cost_usd: when it was paid.
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
    """What a number of calls came to.

    Attributes:
        n_asked: questions put, answered from the cache or not; a question that went to the fallback counts twice.
        n_requests: HTTP requests made.
        outcomes: number of calls by outcome.
        open_usd: reserved for requests under way.
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
    """Money in whole billionths of a dollar, rounded up: sums are exact, and no sum is less than its parts.

    A token at 0.15 USD a million costs 150 of them.
    """
    return math.ceil(round(usd * 1e9, 3))


def check_budget(
    scope: str, limit_usd: float | None, *, spent_nanousd: int, reserved_nanousd: int, requested_nanousd: int
) -> None:
    """Refuse what does not fit.

    Args:
        scope: run, network or month.
        spent, open, needed: paid, reserved by other calls, and asked for, in billionths of a dollar.

    Raises:
        BudgetReached
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
    """What these calls came to."""
    calls = list(calls)
    outcomes: dict[str, int] = {}
    for one in calls:
        outcomes[one.outcome.value] = outcomes.get(one.outcome.value, 0) + 1
    open_calls = outcomes.get(CallOutcome.IN_FLIGHT, 0)
    return CallTotals(
        n_calls=len(calls),
        n_cached=outcomes.get(CallOutcome.CACHED, 0),
        n_failed=sum(one.outcome not in USABLE_OUTCOMES for one in calls) - open_calls,
        n_requests=sum(one.n_attempts for one in calls),
        n_tokens_in=sum(one.n_tokens_in for one in calls),
        n_tokens_out=sum(one.n_tokens_out for one in calls),
        cost_usd=sum(to_nanousd(one.cost_usd) for one in calls) / 1e9,
        reserved_usd=sum(to_nanousd(one.reserved_usd) for one in calls) / 1e9,
        outcomes=dict(sorted(outcomes.items())),
    )
