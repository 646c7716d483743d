"""Tests of the gateway over real HTTP through litellm.

They check the cost of each kind of server in requests, time and money.
"""

import datetime as dt
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from threading import Barrier, BrokenBarrierError, Event, Thread
from typing import Any

import pytest
from tests.fixtures.builders import NOON
from tests.fixtures.model_server import (
    CASE_TEXT,
    Provider,
    ProviderResponse,
    completion,
    endpoint_at,
    failure_response,
    gateway_to,
    serve_model,
    skip_sleep,
)

from patternmind.clock import FixedClock
from patternmind.domain.calls import Budget, CallOutcome, Endpoint, ModelChoice, Price, current_run_id, sum_calls
from patternmind.errors import BudgetReached, GatewayFailed
from patternmind.llm.batch import LlmRequest, ask_all
from patternmind.llm.gateway import MemoryLedger, build_model_choice, listed_price
from patternmind.llm.gateway import completion as completion_module
from patternmind.llm.gateway.endpoints import describe_address, describe_key_source
from patternmind.llm.gateway.prices import max_prompt_tokens
from patternmind.ports import ModelAnswer, RenderedPrompt

PROMPT = RenderedPrompt(
    id="theme-name",
    hash="0123456789abcdef",
    system="Answer with one JSON object.",
    user=CASE_TEXT,
    answer_schema={
        "type": "object",
        "required": ["name"],
        "additionalProperties": False,
        "properties": {"name": {"type": "string", "maxLength": 20}},
    },
)
FITS = json.dumps({"name": "pallets on hold"})
REPLY_USD = (30 * 1 + 12 * 4) / 1e6
"""Cost of the server's 30 input and 12 output tokens, at the price ``CHEAP``."""


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    """Load litellm before the tests, because its first call takes longer than their timeouts."""
    with serve_model([completion("{}")]) as provider:
        gateway_to(provider).ping()


def prompts(n: int) -> list[RenderedPrompt]:
    return [replace(PROMPT, user=f"{CASE_TEXT} {number}") for number in range(n)]


def requests(n: int) -> list[LlmRequest]:
    return [LlmRequest("naming", prompt) for prompt in prompts(n)]


# behaviour of servers


@dataclass(frozen=True)
class Fault:
    """A faulty server with the expected result of a call.

    Attributes:
        n_paid: number of responses whose tokens are paid.
        n_billed: number of requests without an answer, which the provider may have billed.
    """

    responses: tuple[ProviderResponse, ...]
    outcome: CallOutcome
    n_requests: int
    reason: str = ""
    n_paid: int = 0
    n_billed: int = 0


LARGE_BODY = b'{"choices": [{"message": {"content": "' + b"x" * (10 << 20) + b'"}}]}'
OK = completion(FITS)
HALF = ProviderResponse(raw=json.dumps(OK.body).encode()[:120])
DRIP = ProviderResponse(body=OK.body, drip_seconds=0.1)

FAULTS = {
    "429 with Retry-After": Fault((failure_response(429, Retry_After="3"), OK), CallOutcome.ANSWERED, 2, n_paid=1),
    "429 always": Fault((failure_response(429),), CallOutcome.FAILED, 3, r"rate limit .* requests made: 3"),
    "500 twice": Fault((failure_response(500), failure_response(500), OK), CallOutcome.ANSWERED, 3, n_paid=1),
    "500 always": Fault((failure_response(500),), CallOutcome.FAILED, 3, r"server failed \(500\); requests made: 3"),
    "slow drip": Fault((DRIP,), CallOutcome.FAILED, 3, "no complete answer within", n_billed=3),
    "never": Fault(
        (ProviderResponse(never_answers=True),), CallOutcome.FAILED, 3, "no complete answer within", n_billed=3
    ),
    "half the HTTP body": Fault((HALF,), CallOutcome.FAILED, 3, "no usable response", n_billed=3),
    "connection reset": Fault(
        (ProviderResponse(resets=True),), CallOutcome.FAILED, 3, "no usable response", n_billed=3
    ),
    "half JSON once": Fault((completion(FITS[:9]), OK), CallOutcome.REPAIRED, 2, n_paid=2),
    "half JSON": Fault((completion(FITS[:9]),), CallOutcome.NEEDS_A_PERSON, 2, "no valid JSON", n_paid=2),
    "wrong schema": Fault((completion('{"x": 1}'),), CallOutcome.NEEDS_A_PERSON, 2, "repair fits the schema", 2),
    "refusal": Fault((completion(None, refusal="no"),), CallOutcome.REFUSED, 1, "refused to answer", n_paid=1),
    "content filter": Fault((completion("", finish="content_filter"),), CallOutcome.FILTERED, 1, "filter", n_paid=1),
    "empty": Fault((completion(""),), CallOutcome.EMPTY, 1, "was empty", n_paid=1),
    "10 MB": Fault((ProviderResponse(raw=LARGE_BODY),), CallOutcome.CUT_OFF, 1, "longer than allowed", n_billed=1),
    "cut off": Fault((completion("{", finish="length"),), CallOutcome.CUT_OFF, 1, "longer than allowed", n_paid=1),
    "key refused": Fault((failure_response(401),), CallOutcome.FAILED, 1, "key was refused"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))
def test_gateway_ends_every_fault_with_the_expected_outcome_and_cost(fault: Fault) -> None:
    ledger = MemoryLedger()
    limit = 1.0 if fault.n_billed == 3 else 10.0
    with serve_model(fault.responses) as provider:
        gateway = gateway_to(provider, ledger=ledger, timeout_seconds=limit, max_tokens=100)
        started_at = time.monotonic()
        [result] = ask_all(gateway, [LlmRequest("naming", PROMPT)])
        seconds = time.monotonic() - started_at
        assert len(provider.requests) == fault.n_requests
    if isinstance(result, GatewayFailed):
        assert (result.outcome, result.task) == (fault.outcome, "naming")
        assert re.search(fault.reason, result.reason)
        assert CASE_TEXT not in str(result)
    [call] = ledger.list_all()
    assert (call.outcome, call.n_attempts) == (fault.outcome, fault.n_requests)
    assert isinstance(result, ModelAnswer) == (fault.reason == "")
    max_usd = (max_prompt_tokens(PROMPT) * 1 + 100 * 4) / 1e6
    assert call.cost_usd == pytest.approx(fault.n_paid * REPLY_USD + fault.n_billed * max_usd)
    assert (call.reserved_usd, call.reserved_until) == (0, None)
    assert seconds < fault.n_requests * limit + 5  # the drip alone would take half a minute


def test_gateway_counts_no_cost_when_the_address_is_unreachable() -> None:
    ledger = MemoryLedger()
    with serve_model([]) as provider:
        unreachable = Endpoint(model="openai/x", api_base="http://127.0.0.1:9/v1", price=Price(1, 1))
        with pytest.raises(GatewayFailed):
            gateway_to(provider, choice=ModelChoice(default=unreachable), ledger=ledger).ask("naming", PROMPT)
    assert [(call.n_attempts, call.cost_usd) for call in ledger.list_all()] == [(3, 0.0)]


def test_gateway_closes_the_connection_to_a_server_that_never_finishes() -> None:
    with serve_model([ProviderResponse(body=OK.body, drip_seconds=0.05)]) as provider:
        with pytest.raises(GatewayFailed):
            gateway_to(provider, timeout_seconds=0.2, max_attempts=1).ask("naming", PROMPT)
        deadline = time.monotonic() + 5
        while provider.n_open and time.monotonic() < deadline:
            time.sleep(0.02)
        assert provider.n_open == 0


def test_gateway_does_not_send_a_request_after_its_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check a slow preparation by litellm, as in the first request of a process."""
    finished = Event()
    complete = completion_module.load_litellm()

    def slow(**request: Any) -> object:
        try:
            time.sleep(0.4)
            return complete(**request)
        finally:
            finished.set()

    monkeypatch.setattr(completion_module, "load_litellm", lambda: slow)
    with serve_model([OK]) as provider:
        with pytest.raises(GatewayFailed, match="no complete answer within"):
            gateway_to(provider, timeout_seconds=0.2, max_attempts=1).ask("naming", PROMPT)
        assert finished.wait(10)
        assert provider.requests == []


def test_cost_is_the_reservation_when_the_provider_reports_no_usage() -> None:
    with serve_model([completion(FITS, tokens=None)]) as provider:
        answer = gateway_to(provider, max_tokens=100).ask("naming", PROMPT)
    assert answer.cost_usd == pytest.approx((max_prompt_tokens(PROMPT) + 400) / 1e6)


# response cache


def test_cached_answer_is_free_and_states_its_original_cost() -> None:
    ledger = MemoryLedger()
    with serve_model([OK]) as provider:
        first = gateway_to(provider, ledger=ledger).ask("naming", PROMPT)
        again = gateway_to(provider, ledger=ledger).ask("naming", PROMPT)
        assert len(provider.requests) == 1
    assert again == replace(first, cached=True)
    assert first.cost_usd == pytest.approx(REPLY_USD)
    totals = sum_calls(ledger.list_all())
    assert (totals.n_calls, totals.n_cached, totals.n_requests) == (2, 1, 1)
    assert totals.cost_usd == pytest.approx(REPLY_USD)


@pytest.mark.parametrize(
    "changes",
    [
        {"user": "another text"},
        {"system": "another system"},
        {"hash": "another file"},
        {"answer_schema": {**PROMPT.answer_schema, "minProperties": 1}},
    ],
)
def test_cache_key_includes_the_prompt_and_the_answer_schema(changes: Mapping[str, Any]) -> None:
    ledger = MemoryLedger()
    with serve_model([OK]) as provider:
        for prompt in (PROMPT, replace(PROMPT, **changes)):
            gateway_to(provider, ledger=ledger).ask("naming", prompt)
        assert len(provider.requests) == 2


def test_cache_key_includes_the_model_the_address_and_the_maximum_length() -> None:
    ledger = MemoryLedger()
    with serve_model([OK]) as provider, serve_model([OK]) as elsewhere:
        gateway_to(provider, ledger=ledger).ask("naming", PROMPT)
        gateway_to(provider, ledger=ledger, max_tokens=9).ask("naming", PROMPT)
        gateway_to(elsewhere, ledger=ledger).ask("naming", PROMPT)
        other = ModelChoice(default=endpoint_at(provider, "openai/other"))
        gateway_to(provider, ledger=ledger, choice=other).ask("naming", PROMPT)
        assert (len(provider.requests), len(elsewhere.requests)) == (3, 1)


def test_cache_key_excludes_the_random_fence() -> None:
    ledger = MemoryLedger()
    with serve_model([OK]) as provider:
        for fence in ("<<<a1", "<<<b2"):
            prompt = replace(PROMPT, user=f"{fence} {CASE_TEXT}", input_hash="of the variables")
            gateway_to(provider, ledger=ledger).ask("naming", prompt)
        assert len(provider.requests) == 1


def test_cached_answers_are_deleted_by_the_ids_of_their_cases() -> None:
    ledger = MemoryLedger()
    with serve_model([OK]) as provider:
        gateway = gateway_to(provider, ledger=ledger)
        gateway.ask("naming", replace(PROMPT, case_ids=("c-1",)))
        assert ledger.delete_answers_of(["c-2"]) == 0
        assert ledger.delete_answers_of(["c-1"]) == 1
        gateway.ask("naming", PROMPT)
        assert len(provider.requests) == 2


def test_gateway_does_not_cache_a_failure() -> None:
    ledger = MemoryLedger()
    with serve_model([completion(None, refusal="no"), OK]) as provider:
        gateway = gateway_to(provider, ledger=ledger)
        with pytest.raises(GatewayFailed):
            gateway.ask("naming", PROMPT)
        assert gateway.ask("naming", PROMPT).value == {"name": "pallets on hold"}


# budgets


def budget_for(n_calls: int, *, max_tokens: int = 12) -> Budget:
    """Return a budget for a number of calls at their maximum cost."""
    return Budget(run_usd=n_calls * (max_prompt_tokens(prompts(1)[0]) + max_tokens * 4) / 1e6)


def response_at_maximum_cost(prompt_tokens: int) -> ProviderResponse:
    """Return a response that costs exactly its reservation."""
    return completion(FITS, tokens=(prompt_tokens, 12))


@pytest.fixture
def _in_a_run() -> Any:
    token = current_run_id.set("run-0001")
    yield
    current_run_id.reset(token)


@pytest.mark.usefixtures("_in_a_run")
def test_gateway_stops_sending_when_budget_is_exhausted_and_caches_answers() -> None:
    ledger, max_input_tokens = MemoryLedger(), max_prompt_tokens(prompts(1)[0])
    with serve_model([response_at_maximum_cost(max_input_tokens)]) as provider:
        gateway = gateway_to(provider, ledger=ledger, budget=budget_for(7), max_tokens=12, max_parallel=1)
        with pytest.raises(BudgetReached, match="PATTERNMIND_BUDGET_RUN_USD") as error:
            ask_all(gateway, requests(10))
        assert error.value.exit_code == 4
        assert len(provider.requests) == 7
        assert sum_calls(ledger.list_all("run-0001")).cost_usd == pytest.approx(budget_for(7).run_usd)
        assert sum_calls(ledger.list_all()).outcomes == {"answered": 7, "budget reached": 1}

        gateway_with_more = gateway_to(provider, ledger=ledger, budget=budget_for(10), max_tokens=12, max_parallel=1)
        results = ask_all(gateway_with_more, requests(10))
        assert all(isinstance(result, ModelAnswer) for result in results)
        assert len(provider.requests) == 10


@pytest.mark.usefixtures("_in_a_run")
def test_budget_holds_for_eight_threads() -> None:
    ledger, max_input_tokens = MemoryLedger(), max_prompt_tokens(prompts(1)[0])
    with serve_model([response_at_maximum_cost(max_input_tokens)]) as provider:
        gateway = gateway_to(provider, ledger=ledger, budget=budget_for(5), max_tokens=12, max_parallel=8)
        with pytest.raises(BudgetReached):
            ask_all(gateway, requests(30))
        assert len(provider.requests) == 5
    totals = sum_calls(ledger.list_all())
    assert totals.cost_usd == pytest.approx(budget_for(5).run_usd)
    assert totals.reserved_usd == 0


@pytest.mark.usefixtures("_in_a_run")
def test_gateway_waits_for_reservations_of_other_requests() -> None:
    """Eight parallel requests reserve far more than they cost, but the budget suffices."""
    with serve_model([OK]) as provider:
        gateway = gateway_to(provider, budget=budget_for(2, max_tokens=4000), max_parallel=8)
        results = ask_all(gateway, requests(16))
        assert all(isinstance(result, ModelAnswer) for result in results)
        assert len(provider.requests) == 16


@pytest.mark.usefixtures("_in_a_run")
def test_budget_applies_to_the_repair_request() -> None:
    ledger = MemoryLedger()
    with serve_model([completion("no", tokens=(max_prompt_tokens(PROMPT), 12)), OK]) as provider:
        budget = budget_for(1)
        with pytest.raises(BudgetReached):
            gateway_to(provider, ledger=ledger, budget=budget, max_tokens=12).ask("naming", PROMPT)
        assert len(provider.requests) == 1
    [call] = ledger.list_all()
    assert (call.outcome, call.n_attempts, call.reserved_usd) == (CallOutcome.OVER_BUDGET, 1, 0)


def test_monthly_budget_resets_with_the_next_month() -> None:
    ledger, clock = MemoryLedger(), FixedClock(NOON)
    budget = Budget(month_usd=budget_for(1).run_usd)
    with serve_model([response_at_maximum_cost(max_prompt_tokens(prompts(1)[0]))]) as provider:
        gateway = gateway_to(provider, ledger=ledger, clock=clock, budget=budget, max_tokens=12)
        gateway.ask("naming", prompts(1)[0])
        with pytest.raises(BudgetReached, match="this month"):
            gateway.ask("naming", prompts(2)[1])
        clock.at = NOON + dt.timedelta(days=30)
        gateway.ask("naming", prompts(2)[1])


# several models


def two_models(provider: Provider, elsewhere: Provider) -> ModelChoice:
    return ModelChoice(
        default=endpoint_at(provider, "openai/first"),
        by_task={"pattern": endpoint_at(elsewhere, "openai/large")},
        fallback=endpoint_at(elsewhere, "openai/second"),
    )


def test_gateway_uses_the_model_of_the_task() -> None:
    with serve_model([OK]) as provider, serve_model([OK]) as elsewhere:
        gateway = gateway_to(provider, choice=two_models(provider, elsewhere))
        assert gateway.ask("naming", PROMPT).model == "openai/first"
        assert gateway.ask("pattern", PROMPT).model == "openai/large"
        assert gateway.name == "openai/first (pattern: openai/large)"
        assert [request["model"] for request in elsewhere.requests] == ["large"]


@pytest.mark.parametrize(
    ("response", "n_first"),
    [
        (failure_response(500), 3),
        (failure_response(429), 3),
        (failure_response(404), 1),
        (ProviderResponse(resets=True), 3),
    ],
)
def test_fallback_answers_when_the_first_model_cannot(response: ProviderResponse, n_first: int) -> None:
    ledger = MemoryLedger()
    with serve_model([response]) as provider, serve_model([OK]) as elsewhere:
        choice = two_models(provider, elsewhere)
        first = gateway_to(provider, choice=choice, ledger=ledger).ask("naming", PROMPT)
        assert first.model == "openai/second"
        assert (len(provider.requests), len(elsewhere.requests)) == (n_first, 1)
        outcomes = [(call.model, call.outcome) for call in ledger.list_all()]
        assert sorted(outcomes) == [("openai/first", "failed"), ("openai/second", "answered")]
        again = gateway_to(provider, choice=choice, ledger=ledger).ask("naming", PROMPT)
        assert again == replace(first, cached=True)
        assert (len(provider.requests), len(elsewhere.requests)) == (n_first, 1)


@pytest.mark.parametrize(
    "response",
    [completion(None, refusal="no"), completion(""), completion("no"), failure_response(401), failure_response(400)],
)
def test_fallback_is_not_used_when_the_first_model_refuses(response: ProviderResponse) -> None:
    with serve_model([response]) as provider, serve_model([OK]) as elsewhere:
        with pytest.raises(GatewayFailed):
            gateway_to(provider, choice=two_models(provider, elsewhere)).ask("naming", PROMPT)
        assert elsewhere.requests == []


def test_failure_states_the_reason_of_the_fallback_when_both_fail() -> None:
    with serve_model([failure_response(500)]) as provider, serve_model([completion("")]) as elsewhere:
        with pytest.raises(GatewayFailed, match="empty") as error:
            gateway_to(provider, choice=two_models(provider, elsewhere)).ask("naming", PROMPT)
        assert error.value.outcome == CallOutcome.EMPTY


# parallel requests


def test_results_and_failures_are_in_the_order_of_the_requests() -> None:
    def react(request: Mapping[str, Any]) -> ProviderResponse:
        number = int(request["messages"][-1]["content"].split()[-1])
        return failure_response(400) if number % 3 == 0 else completion(json.dumps({"name": f"n{number}"}))

    with serve_model(react) as provider:
        results = ask_all(gateway_to(provider, max_parallel=4), requests(12))
    names = [result.value["name"] if isinstance(result, ModelAnswer) else result.outcome for result in results]
    assert names == ["failed" if number % 3 == 0 else f"n{number}" for number in range(12)]


def test_gateway_sends_a_repeated_request_once() -> None:
    with serve_model([OK]) as provider:
        results = ask_all(gateway_to(provider), [*requests(1), *requests(2), *requests(1)])
        assert len(provider.requests) == 2
    assert results[0] == results[1] == results[3]


def test_gateway_sends_as_many_parallel_requests_as_allowed() -> None:
    three_requests = Barrier(3)
    responses: list[ProviderResponse] = []

    def react(request: Mapping[str, Any]) -> ProviderResponse:
        responses.append(OK)
        return OK

    with serve_model(react) as provider:
        gateway = gateway_to(provider, max_parallel=3)
        real = provider.take

        def take(request: dict[str, Any], key: str | None) -> ProviderResponse:
            three_requests.wait(timeout=10)  # breaks unless three requests come at the same time
            return real(request, key)

        provider.take = take  # type: ignore[method-assign]
        ask_all(gateway, requests(6))
    assert len(responses) == 6


def test_gateway_limits_parallel_requests_over_all_threads() -> None:
    """Four threads of the caller send requests, and the limit is two.

    The server delays two requests, and a third one must not arrive in that time.
    """
    three_requests = Barrier(3)
    met: list[bool] = []

    with serve_model([OK]) as provider:
        gateway = gateway_to(provider, max_parallel=2)
        real = provider.take

        def take(request: dict[str, Any], key: str | None) -> ProviderResponse:
            try:
                three_requests.wait(timeout=0.3)
                met.append(True)
            except BrokenBarrierError:
                three_requests.reset()
            return real(request, key)

        provider.take = take  # type: ignore[method-assign]
        threads = [Thread(target=gateway.ask, args=("naming", prompt)) for prompt in prompts(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert len(provider.requests) == 4
    assert met == []


def test_calls_are_recorded_under_the_current_run_in_every_thread() -> None:
    ledger = MemoryLedger()
    with serve_model([OK]) as provider:
        gateway = gateway_to(provider, ledger=ledger)
        token = current_run_id.set("run-0007")
        ask_all(gateway, requests(5))
        current_run_id.reset(token)
        gateway.ask("naming", PROMPT)
    assert len(ledger.list_all("run-0007")) == 5
    assert len(ledger.list_all("")) == 1


def test_call_record_has_all_figures_but_no_text() -> None:
    ledger = MemoryLedger()
    with serve_model([failure_response(500), OK]) as provider:
        gateway_to(provider, ledger=ledger, sleep=skip_sleep).ask("naming", PROMPT)
    [call] = ledger.list_all()
    assert (call.task, call.model, call.prompt_hash) == ("naming", "openai/test-model", PROMPT.hash)
    assert (call.n_attempts, call.n_tokens_in, call.n_tokens_out) == (2, 30, 12)
    assert call.seconds > 0
    assert "4711" not in repr(call)


# names, addresses and prices


def test_address_and_key_apply_to_the_provider_of_the_default_model() -> None:
    choice = build_model_choice(
        "openai/a",
        api_base="http://ours/v1",
        api_key="k",
        task_models={"same": "openai/b", "local": "openai/c@http://localhost:8000/v1", "ours": "x/d@http://ours/v1"},
        fallback="anthropic/claude",
        prices={"openai/c": Price(0, 0)},
    )
    address_and_key = {endpoint.model: (endpoint.api_base, endpoint.api_key) for endpoint in choice.endpoints}
    assert address_and_key == {
        "openai/a": ("http://ours/v1", "k"),
        "openai/b": ("http://ours/v1", "k"),
        "openai/c": ("http://localhost:8000/v1", None),
        "x/d": ("http://ours/v1", "k"),
        "anthropic/claude": (None, None),
    }
    assert choice.by_task["local"].price == Price(0, 0)
    assert "k" not in {part.strip("'") for part in repr(choice).split("=")}


def test_model_name_keeps_an_at_sign_without_an_address() -> None:
    assert build_model_choice("vertex_ai/claude@20240620").default.model == "vertex_ai/claude@20240620"


def test_address_and_key_are_described_without_secrets() -> None:
    local = Endpoint(model="openai/a", api_base="http://user:secret@host:8000/v1?token=secret", api_key="sk-1")
    assert describe_address(local) == "at http://host:8000/v1"
    assert describe_key_source(local) == "key from PATTERNMIND_API_KEY"
    assert describe_key_source(Endpoint(model="openai/a")) == "key from the provider's usual variable"


def test_prices_come_from_the_list_of_the_pinned_litellm() -> None:
    assert listed_price("openai/gpt-4o-mini") == Price(0.15, 0.6)
    assert listed_price("anthropic/claude-sonnet-4-5") == Price(3, 15)
    assert listed_price("ollama/llama3") is None
    assert listed_price("openai/no-such-model") is None
    long_prompt_price = listed_price("gemini/gemini-2.5-pro", 150_000)
    assert long_prompt_price is not None
    assert long_prompt_price.input_usd > 1.25
