"""The gateway: what is kept is not paid twice, what does not fit the budget is not sent, what fails says why."""

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
from patternmind.llm.gateway.answers import (
    InvalidAnswer,
    Reply,
    ask_with_repair,
    parse_answer,
)
from patternmind.llm.gateway.cache_keys import answer_key, input_hash
from patternmind.llm.gateway.completion import (
    CompletionResponse,
    TokenUsage,
    load_litellm,
    request_completion,
)
from patternmind.llm.gateway.failures import RequestFailure, wait_seconds
from patternmind.llm.gateway.prices import max_prompt_tokens, price_of
from patternmind.ports import (
    CallLedger,
    Clock,
    ModelAnswer,
    RenderedPrompt,
)

CHECK_TASK = "check"
"""The task of the doctor's one-token call."""

GRACE_SECONDS = 60.0
"""Longer than a process may stall between the end of a request and settling it, before it is taken for dead."""

POLL_SECONDS = 0.2
"""How often to look whether another process settled; a thread of this one is heard of at once."""


class LiteLLMGateway:
    """``LanguageModel`` over any provider that litellm speaks to.

    Temperature is left to the provider: reasoning models refuse any but their own.
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
        """Nothing is loaded or sent yet.

        An endpoint without a key takes the provider's usual variable (``OPENAI_API_KEY``, ...), but only where it has
        no ``api_base`` either: that key must not travel to another address. ``ask`` takes at most ``max_attempts``
        times ``timeout_seconds`` and the waits between, twice that with a fallback, beside waiting for its turn.
        """
        self._choice, self._ledger, self._clock = choice, ledger, clock
        self._limits, self._budget, self._sleep = limits, budget, sleep
        self._turns = BoundedSemaphore(limits.max_parallel)
        self._settled = Condition()

    @property
    def name(self) -> str:
        return self._choice.name

    @property
    def choice(self) -> ModelChoice:
        return self._choice

    @property
    def n_parallel(self) -> int:
        """How many questions to put at once."""
        return self._limits.max_parallel

    def check_prices(self) -> None:
        """Find out before any work that a model has no price.

        Raises:
            PriceUnknown
        """
        for endpoint in self._choice.endpoints:
            price_of(endpoint)

    def ask(self, task: str, prompt: RenderedPrompt) -> ModelAnswer:
        """One answer that fits the prompt's schema, from the cache where it was paid before.

        Raises:
            GatewayFailed: after ``max_attempts`` requests, one repair, or at once where trying again cannot help; and
                the fallback, where there is one and it may do better, did not answer either.
            BudgetReached, PriceUnknown: not sent.
        """
        endpoints = self._choice.endpoints_for(task)
        kept = self._kept(task, prompt, endpoints)
        if kept is not None:
            return kept
        for endpoint in endpoints[:-1]:
            try:
                return self._ask_endpoint(endpoint, task, prompt)
            except GatewayFailed as failed:
                if not failed.can_use_fallback:
                    raise
        return self._ask_endpoint(endpoints[-1], task, prompt)

    def ping(self, endpoint: Endpoint | None = None) -> Call:
        """One request for one token, answered: address, key, model name and price are right.

        Raises:
            GatewayFailed, BudgetReached, PriceUnknown
        """
        prompt = RenderedPrompt(id=CHECK_TASK, hash="", system="", user="ping", answer_schema={})
        one = _OpenCall(self, endpoint or self._choice.default, CHECK_TASK, prompt, max_tokens=1)
        outcome = one.request(prompt)
        failure = outcome if isinstance(outcome, RequestFailure) else None
        one.end(failure.outcome if failure else CallOutcome.ANSWERED)
        if failure:
            raise failure.to_error("the connection check")
        return one.call

    def _kept(self, task: str, prompt: RenderedPrompt, endpoints: tuple[Endpoint, ...]) -> ModelAnswer | None:
        """The cached answer; one that is damaged or fits no longer is as good as not there."""
        kept = self._ledger.find_cached_answer([answer_key(one, prompt, self.parameters) for one in endpoints])
        if kept is None or _is_corrupt(kept, prompt):
            return None
        self._ledger.settle(replace(self.new_call(task, kept.model, prompt), outcome=CallOutcome.CACHED))
        return ModelAnswer(
            value=kept.value, model=kept.model, n_tokens=kept.n_tokens, cost_usd=kept.cost_usd, cached=True
        )

    def _ask_endpoint(self, endpoint: Endpoint, task: str, prompt: RenderedPrompt) -> ModelAnswer:
        one = _OpenCall(self, endpoint, task, prompt, max_tokens=self._limits.max_tokens)
        try:
            answer = ask_with_repair(task, prompt, one.send, model=endpoint.model)
        except GatewayFailed as failed:
            one.end(CallOutcome(failed.outcome))
            raise
        except BudgetReached:
            one.end(CallOutcome.OVER_BUDGET)
            raise
        kept = CachedAnswer(
            key=answer_key(endpoint, prompt, self.parameters),
            model=endpoint.model,
            prompt_hash=prompt.hash,
            input_hash=one.call.input_hash,
            parameters=self.parameters,
            value=answer.value,
            case_ids=prompt.case_ids,
            at=self._clock.now(),
            n_tokens=answer.n_tokens,
            cost_usd=one.call.cost_usd,
        )
        one.end(CallOutcome.REPAIRED if one.n_replies > 1 else CallOutcome.ANSWERED, kept)
        return replace(answer, cost_usd=one.call.cost_usd)

    # for _Asking

    @property
    def parameters(self) -> dict[str, int]:
        """What is sent beside model and prompt; part of the cache's key."""
        return {"max_tokens": self._limits.max_tokens}

    @property
    def limits(self) -> CallLimits:
        return self._limits

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

    def slots(self) -> BoundedSemaphore:
        return self._turns

    def wait(self, seconds: float) -> None:
        self._sleep(seconds)

    def reserve(self, call: Call) -> Call:
        """The call with its reservation, stored. Where only calls under way are in the way, wait for them to settle.

        It ends: those settle, or their reservation runs out.

        Raises:
            BudgetReached
        """
        while True:
            now = self._clock.now()
            until = now + timedelta(seconds=self._limits.timeout_seconds + GRACE_SECONDS)
            reserved = replace(call, reserved_until=until)
            with self._settled:
                try:
                    self._ledger.reserve(reserved, self._budget, now)
                except BudgetReached as reached:
                    if not reached.pending:
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
    """One call under way: its record as it stands, and how many of its requests are left."""

    gateway: LiteLLMGateway
    endpoint: Endpoint
    task: str
    prompt: RenderedPrompt
    max_tokens: int
    n_replies: int = 0

    def __post_init__(self) -> None:
        load_litellm()  # seconds, once in a process, and none of this call's
        self.begun = time.monotonic()
        self.call = self.gateway.new_call(self.task, self.endpoint.model, self.prompt)
        self._attempts: Iterator[int] = iter(range(1, self.gateway.limits.max_attempts + 1))

    def send(self, prompt: RenderedPrompt) -> Reply:
        """The reply, from as many of the attempts as it takes.

        Raises:
            GatewayFailed, BudgetReached, PriceUnknown
        """
        for attempt in self._attempts:
            before = self.call.n_tokens_in + self.call.n_tokens_out
            response = self.request(prompt)
            outcome = response.content if isinstance(response, CompletionResponse) else response
            if isinstance(outcome, str):
                self.n_replies += 1
                return Reply(outcome, self.call.n_tokens_in + self.call.n_tokens_out - before)
            if not outcome.is_retryable:
                raise outcome.to_error(self.task)
            if attempt == self.gateway.limits.max_attempts:
                raise outcome.to_error(self.task, f"; requests made: {attempt}")
            self.call = self.gateway.settle(self.call)  # others may have the money while this one waits
            self.gateway.wait(wait_seconds(attempt, outcome.retry_after))
        raise GatewayFailed(
            self.task,
            "the answer did not fit, and no request was left to repair it",
            outcome=CallOutcome.NEEDS_A_PERSON,
        )

    def request(self, prompt: RenderedPrompt) -> CompletionResponse | RequestFailure:
        """One HTTP request, paid from what was reserved for it."""
        n_most = max_prompt_tokens(prompt)
        price = price_of(self.endpoint, n_most)
        messages = [
            {"role": role, "content": text} for role, text in (("system", prompt.system), ("user", prompt.user)) if text
        ]
        with self.gateway.slots():
            self.call = self.gateway.reserve(replace(self.call, reserved_usd=price.cost_usd(n_most, self.max_tokens)))
            outcome = request_completion(
                self.endpoint,
                messages,
                max_tokens=self.max_tokens,
                timeout_seconds=self.gateway.limits.timeout_seconds,
            )
        self.call = _with_usage(self.call, outcome, price)
        return outcome

    def end(self, outcome: CallOutcome, answer: CachedAnswer | None = None) -> None:
        self.call = self.gateway.settle(
            replace(self.call, outcome=outcome, seconds=round(time.monotonic() - self.begun, 3)), answer
        )


def _with_usage(call: Call, outcome: CompletionResponse | RequestFailure, price: Price) -> Call:
    """The call with one request more; what cannot be known to be free or cheaper costs what was reserved."""
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
    """Whether a stored value no longer fits; the key holds the schema, so this is damage."""
    return isinstance(parse_answer(json.dumps(dict(cached.value)), prompt.answer_schema), InvalidAnswer)
