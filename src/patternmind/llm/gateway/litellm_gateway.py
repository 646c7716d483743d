"""LLM gateway: response cache, budget enforcement, retries, and error reporting."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from threading import BoundedSemaphore, Condition

from patternmind.domain.calls import (
    Budget,
    CachedAnswer,
    Call,
    CallLimits,
    CallOutcome,
    Endpoint,
    ModelChoice,
    Price,
    current_run_id,
)
from patternmind.errors import BudgetReached, GatewayFailed
from patternmind.llm.gateway.answers import InvalidAnswer, Reply, ask_with_repair, parse_answer
from patternmind.llm.gateway.cache_keys import answer_key, input_hash
from patternmind.llm.gateway.completion import CompletionResponse, TokenUsage, load_litellm, request_completion
from patternmind.llm.gateway.failures import RequestFailure, wait_seconds
from patternmind.llm.gateway.prices import max_prompt_tokens, price_of
from patternmind.ports import CallLedger, Clock, ModelAnswer, RenderedPrompt

CHECK_TASK = "check"
"""Task of the one-token call of ``doctor``."""

GRACE_SECONDS = 60.0
"""Time that a process has to settle a finished request before its reservation expires."""

POLL_SECONDS = 0.2
"""Interval of checks for settlements by other processes; threads of this process notify at once."""


class LiteLLMGateway:
    """``LanguageModel`` for any provider that litellm supports.

    No temperature is sent: reasoning models refuse any value but their own.
    """

    def __init__(
        self,
        choice: ModelChoice,
        ledger: CallLedger,
        clock: Clock,
        *,
        limits: CallLimits = CallLimits(),  # noqa: B008 - frozen
        budget: Budget = Budget(),  # noqa: B008 - frozen
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Store the settings; nothing is loaded or sent yet.

        An endpoint without a key uses the provider's usual variable (``OPENAI_API_KEY``, ...), but only if it has no
        ``api_base`` either, so that the key is not sent to another address. Without its time in the queue, ``ask``
        takes at most ``max_attempts`` times ``timeout_seconds`` and the waits between, twice that with a fallback.
        """
        self.choice, self._ledger, self._clock = choice, ledger, clock
        self.limits, self._budget, self.sleep = limits, budget, sleep
        self.slots = BoundedSemaphore(limits.max_parallel)
        self._settled = Condition()

    @property
    def name(self) -> str:
        return self.choice.name

    @property
    def n_parallel(self) -> int:
        """Number of requests to send in parallel."""
        return self.limits.max_parallel

    def check_prices(self) -> None:
        """Check before any work that each model has a price.

        Raises:
            PriceUnknown: A model has no price.
        """
        for endpoint in self.choice.endpoints:
            price_of(endpoint)

    def ask(self, task: str, prompt: RenderedPrompt) -> ModelAnswer:
        """Return an answer that fits the prompt's schema, from the cache if possible.

        Raises:
            GatewayFailed: The request failed ``max_attempts`` times, its repair failed, or a retry cannot help. The
                fallback, if any and suitable, failed as well.
            BudgetReached, PriceUnknown: The request was not sent.
        """
        endpoints = self.choice.endpoints_for(task)
        cached = self._cached_answer(task, prompt, endpoints)
        if cached is not None:
            return cached
        for endpoint in endpoints[:-1]:
            try:
                return self._ask_endpoint(endpoint, task, prompt)
            except GatewayFailed as error:
                if not error.can_use_fallback:
                    raise
        return self._ask_endpoint(endpoints[-1], task, prompt)

    def ping(self, endpoint: Endpoint | None = None) -> Call:
        """Send one request for one token, to check address, key, model name and price.

        Raises:
            GatewayFailed, BudgetReached, PriceUnknown: The check failed.
        """
        prompt = RenderedPrompt(id=CHECK_TASK, hash="", system="", user="ping", answer_schema={})
        open_call = _OpenCall(self, endpoint or self.choice.default, CHECK_TASK, prompt, max_tokens=1)
        outcome = open_call.send_once(prompt)
        failure = outcome if isinstance(outcome, RequestFailure) else None
        open_call.finish(failure.outcome if failure else CallOutcome.ANSWERED)
        if failure:
            raise failure.to_error("the connection check")
        return open_call.call

    def _cached_answer(self, task: str, prompt: RenderedPrompt, endpoints: tuple[Endpoint, ...]) -> ModelAnswer | None:
        """Return the cached answer, unless it is damaged."""
        keys = [answer_key(endpoint, prompt, self.parameters) for endpoint in endpoints]
        cached = self._ledger.find_cached_answer(keys)
        if cached is None or _is_corrupt(cached, prompt):
            return None
        self._ledger.settle(replace(self.new_call(task, cached.model, prompt), outcome=CallOutcome.CACHED))
        return ModelAnswer(
            value=cached.value, model=cached.model, n_tokens=cached.n_tokens, cost_usd=cached.cost_usd, cached=True
        )

    def _ask_endpoint(self, endpoint: Endpoint, task: str, prompt: RenderedPrompt) -> ModelAnswer:
        open_call = _OpenCall(self, endpoint, task, prompt, max_tokens=self.limits.max_tokens)
        try:
            answer = ask_with_repair(task, prompt, open_call.send_with_retries, model=endpoint.model)
        except GatewayFailed as error:
            open_call.finish(CallOutcome(error.outcome))
            raise
        except BudgetReached:
            open_call.finish(CallOutcome.OVER_BUDGET)
            raise
        to_cache = CachedAnswer(
            key=answer_key(endpoint, prompt, self.parameters),
            model=endpoint.model,
            prompt_hash=prompt.hash,
            input_hash=open_call.call.input_hash,
            parameters=self.parameters,
            value=answer.value,
            case_ids=prompt.case_ids,
            at=self._clock.now(),
            n_tokens=answer.n_tokens,
            cost_usd=open_call.call.cost_usd,
        )
        open_call.finish(CallOutcome.REPAIRED if open_call.n_replies > 1 else CallOutcome.ANSWERED, to_cache)
        return replace(answer, cost_usd=open_call.call.cost_usd)

    # for _OpenCall

    @property
    def parameters(self) -> dict[str, int]:
        """Request parameters in addition to model and prompt; part of the cache key."""
        return {"max_tokens": self.limits.max_tokens}

    def new_call(self, task: str, model: str, prompt: RenderedPrompt) -> Call:
        return Call(
            id=uuid.uuid4().hex,
            run_id=current_run_id.get(),
            task=task,
            model=model,
            prompt_hash=prompt.hash,
            input_hash=input_hash(prompt),
            at=self._clock.now(),
        )

    def reserve(self, call: Call) -> Call:
        """Reserve the cost of a call; wait while only open calls exceed the budget.

        The wait ends, because open calls are settled or their reservations expire.

        Raises:
            BudgetReached: The call does not fit the budget.
        """
        while True:
            now = self._clock.now()
            until = now + timedelta(seconds=self.limits.timeout_seconds + GRACE_SECONDS)
            reserved = replace(call, reserved_until=until)
            with self._settled:
                try:
                    self._ledger.reserve(reserved, self._budget, now)
                except BudgetReached as error:
                    if not error.pending:
                        raise
                    self._settled.wait(POLL_SECONDS)
                else:
                    return reserved

    def settle(self, call: Call, answer: CachedAnswer | None = None) -> Call:
        settled = replace(call, reserved_usd=0.0, reserved_until=None)
        with self._settled:
            self._ledger.settle(settled, answer)
            self._settled.notify_all()
        return settled


@dataclass
class _OpenCall:
    """A call in progress, with its record and its remaining attempts."""

    gateway: LiteLLMGateway
    endpoint: Endpoint
    task: str
    prompt: RenderedPrompt
    max_tokens: int
    n_replies: int = 0

    def __post_init__(self) -> None:
        load_litellm()  # takes seconds once per process, which do not count for this call
        self.started_at = time.monotonic()
        self.call = self.gateway.new_call(self.task, self.endpoint.model, self.prompt)
        self._attempts: Iterator[int] = iter(range(1, self.gateway.limits.max_attempts + 1))

    def send_with_retries(self, prompt: RenderedPrompt) -> Reply:
        """Send the prompt until a reply arrives or no attempt remains.

        Raises:
            GatewayFailed, BudgetReached, PriceUnknown: There was no reply.
        """
        for attempt in self._attempts:
            n_tokens_before = self.call.n_tokens_in + self.call.n_tokens_out
            response = self.send_once(prompt)
            outcome = response.content if isinstance(response, CompletionResponse) else response
            if isinstance(outcome, str):
                self.n_replies += 1
                return Reply(outcome, self.call.n_tokens_in + self.call.n_tokens_out - n_tokens_before)
            if not outcome.is_retryable:
                raise outcome.to_error(self.task)
            if attempt == self.gateway.limits.max_attempts:
                raise outcome.to_error(self.task, f"; requests made: {attempt}")
            self.call = self.gateway.settle(self.call)  # frees the reservation for other calls during the wait
            self.gateway.sleep(wait_seconds(attempt, outcome.retry_after))
        raise GatewayFailed(
            self.task,
            "the answer was not valid, and no attempt remained to repair it",
            outcome=CallOutcome.NEEDS_A_PERSON,
        )

    def send_once(self, prompt: RenderedPrompt) -> CompletionResponse | RequestFailure:
        """Send one HTTP request, paid from its reservation."""
        max_tokens_in = max_prompt_tokens(prompt)
        price = price_of(self.endpoint, max_tokens_in)
        messages = [
            {"role": role, "content": text} for role, text in (("system", prompt.system), ("user", prompt.user)) if text
        ]
        with self.gateway.slots:
            reserved_usd = price.cost_usd(max_tokens_in, self.max_tokens)
            self.call = self.gateway.reserve(replace(self.call, reserved_usd=reserved_usd))
            outcome = request_completion(
                self.endpoint, messages, max_tokens=self.max_tokens, timeout_seconds=self.gateway.limits.timeout_seconds
            )
        self.call = _with_usage(self.call, outcome, price)
        return outcome

    def finish(self, outcome: CallOutcome, answer: CachedAnswer | None = None) -> None:
        self.call = self.gateway.settle(
            replace(self.call, outcome=outcome, seconds=round(time.monotonic() - self.started_at, 3)), answer
        )


def _with_usage(call: Call, outcome: CompletionResponse | RequestFailure, price: Price) -> Call:
    """Add one request to the call; without a known usage, it costs the whole reservation."""
    usage = outcome.usage if isinstance(outcome, CompletionResponse) else TokenUsage(is_known=not outcome.may_be_billed)
    cost_usd = price.cost_usd(usage.n_tokens_in, usage.n_tokens_out) if usage.is_known else call.reserved_usd
    return replace(
        call,
        n_attempts=call.n_attempts + 1,
        n_tokens_in=call.n_tokens_in + usage.n_tokens_in,
        n_tokens_out=call.n_tokens_out + usage.n_tokens_out,
        cost_usd=call.cost_usd + cost_usd,
    )


def _is_corrupt(cached: CachedAnswer, prompt: RenderedPrompt) -> bool:
    """Return whether a cached value is invalid; its key includes the schema, so it must be damaged."""
    return isinstance(parse_answer(json.dumps(dict(cached.value)), prompt.answer_schema), InvalidAnswer)
