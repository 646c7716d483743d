"""The gateway over real HTTP through litellm: what each kind of server costs, in requests, time and money."""

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
from patternmind.domain.calls import (
    Budget,
    CallOutcome,
    Endpoint,
    ModelChoice,
    Price,
    current_run_id,
    sum_calls,
)
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
ONE_REPLY_USD = (30 * 1 + 12 * 4) / 1e6
"""Of the server's 30 tokens read and 12 written, at the price of ``CHEAP``."""


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    """litellm loads for seconds at the first call; the limits below are shorter than that."""
    with serve_model([completion("{}")]) as provider:
        gateway_to(provider).ping()


def prompts(n: int) -> list[RenderedPrompt]:
    return [replace(PROMPT, user=f"{CASE_TEXT} {number}") for number in range(n)]


def questions(n: int) -> list[LlmRequest]:
    return [LlmRequest("naming", prompt) for prompt in prompts(n)]


# What a server may do


@dataclass(frozen=True)
class Trouble:
    """A server, how a call to it ends, and what it was made to pay; ``billed`` may be asked for unanswered requests."""

    answers: tuple[ProviderResponse, ...]
    outcome: CallOutcome
    n_requests: int
    reason: str = ""
    n_paid: int = 0
    n_billed: int = 0


BIG = b'{"choices": [{"message": {"content": "' + b"x" * (10 << 20) + b'"}}]}'
OK = completion(FITS)
HALF = ProviderResponse(raw=json.dumps(OK.body).encode()[:120])
DRIP = ProviderResponse(body=OK.body, drip_seconds=0.1)

TROUBLES = {
    "429 with Retry-After": Trouble((failure_response(429, Retry_After="3"), OK), CallOutcome.ANSWERED, 2, n_paid=1),
    "429 for ever": Trouble((failure_response(429),), CallOutcome.FAILED, 3, r"rate limit .* requests made: 3"),
    "500 twice": Trouble((failure_response(500), failure_response(500), OK), CallOutcome.ANSWERED, 3, n_paid=1),
    "500 for ever": Trouble(
        (failure_response(500),), CallOutcome.FAILED, 3, r"server failed \(500\); requests made: 3"
    ),
    "slow drip": Trouble((DRIP,), CallOutcome.FAILED, 3, "no complete answer within", n_billed=3),
    "never": Trouble(
        (ProviderResponse(never_answers=True),), CallOutcome.FAILED, 3, "no complete answer within", n_billed=3
    ),
    "half the HTTP body": Trouble((HALF,), CallOutcome.FAILED, 3, "no usable response", n_billed=3),
    "connection reset": Trouble(
        (ProviderResponse(resets=True),), CallOutcome.FAILED, 3, "no usable response", n_billed=3
    ),
    "half JSON once": Trouble((completion(FITS[:9]), OK), CallOutcome.REPAIRED, 2, n_paid=2),
    "half JSON": Trouble((completion(FITS[:9]),), CallOutcome.NEEDS_A_PERSON, 2, "no valid JSON", n_paid=2),
    "wrong schema": Trouble((completion('{"x": 1}'),), CallOutcome.NEEDS_A_PERSON, 2, "repair fits the schema", 2),
    "refusal": Trouble((completion(None, refusal="no"),), CallOutcome.REFUSED, 1, "refused to answer", n_paid=1),
    "content filter": Trouble((completion("", finish="content_filter"),), CallOutcome.FILTERED, 1, "filter", n_paid=1),
    "empty": Trouble((completion(""),), CallOutcome.EMPTY, 1, "was empty", n_paid=1),
    "10 MB": Trouble((ProviderResponse(raw=BIG),), CallOutcome.CUT_OFF, 1, "longer than allowed", n_billed=1),
    "cut off": Trouble((completion("{", finish="length"),), CallOutcome.CUT_OFF, 1, "longer than allowed", n_paid=1),
    "key refused": Trouble((failure_response(401),), CallOutcome.FAILED, 1, "key was refused"),
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=list(TROUBLES))
def test_every_trouble_ends_as_stated_and_is_counted(trouble: Trouble) -> None:
    ledger = MemoryLedger()
    limit = 1.0 if trouble.n_billed == 3 else 10.0
    with serve_model(trouble.answers) as provider:
        gateway = gateway_to(provider, ledger=ledger, timeout_seconds=limit, max_tokens=100)
        begun = time.monotonic()
        [result] = ask_all(gateway, [LlmRequest("naming", PROMPT)])
        took = time.monotonic() - begun
        assert len(provider.requests) == trouble.n_requests
    if isinstance(result, GatewayFailed):
        assert (result.outcome, result.task) == (trouble.outcome, "naming")
        assert re.search(trouble.reason, result.reason)
        assert CASE_TEXT not in str(result)
    [call] = ledger.list_calls()
    assert (call.outcome, call.n_attempts) == (trouble.outcome, trouble.n_requests)
    assert isinstance(result, ModelAnswer) == (trouble.reason == "")
    most = (max_prompt_tokens(PROMPT) * 1 + 100 * 4) / 1e6
    assert call.cost_usd == pytest.approx(trouble.n_paid * ONE_REPLY_USD + trouble.n_billed * most)
    assert (call.reserved_usd, call.reserved_until) == (0, None)
    assert took < trouble.n_requests * limit + 5  # the drip alone would take half a minute


def test_nobody_at_the_address_costs_nothing() -> None:
    ledger = MemoryLedger()
    with serve_model([]) as provider:
        nobody = ModelChoice(default=Endpoint(model="openai/x", api_base="http://127.0.0.1:9/v1", price=Price(1, 1)))
        with pytest.raises(GatewayFailed):
            gateway_to(provider, choice=nobody, ledger=ledger).ask("naming", PROMPT)
    assert [(one.n_attempts, one.cost_usd) for one in ledger.list_calls()] == [(3, 0.0)]


def test_who_drips_for_ever_is_hung_up_on() -> None:
    with serve_model([ProviderResponse(body=OK.body, drip_seconds=0.05)]) as provider:
        with pytest.raises(GatewayFailed):
            gateway_to(provider, timeout_seconds=0.2, max_attempts=1).ask("naming", PROMPT)
        give_up = time.monotonic() + 5
        while provider.n_open and time.monotonic() < give_up:
            time.sleep(0.02)
        assert provider.n_open == 0


def test_what_is_given_up_before_it_is_sent_is_not_sent_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """litellm may take its time to make a request ready, the first of a process most of all."""
    late = Event()
    made = completion_module.load_litellm()

    def slow(**request: Any) -> object:
        try:
            time.sleep(0.4)
            return made(**request)
        finally:
            late.set()

    monkeypatch.setattr(completion_module, "load", lambda: slow)
    with serve_model([OK]) as provider:
        with pytest.raises(GatewayFailed, match="no complete answer within"):
            gateway_to(provider, timeout_seconds=0.2, max_attempts=1).ask("naming", PROMPT)
        assert late.wait(10)
        assert provider.requests == []


def test_where_the_provider_does_not_count_the_reservation_is_the_cost() -> None:
    with serve_model([completion(FITS, tokens=None)]) as provider:
        answer = gateway_to(provider, max_tokens=100).ask("naming", PROMPT)
    assert answer.cost_usd == pytest.approx((max_prompt_tokens(PROMPT) + 400) / 1e6)


# Paid once


def test_the_second_time_is_free_and_says_what_it_had_cost() -> None:
    ledger = MemoryLedger()
    with serve_model([OK]) as provider:
        first = gateway_to(provider, ledger=ledger).ask("naming", PROMPT)
        again = gateway_to(provider, ledger=ledger).ask("naming", PROMPT)
        assert len(provider.requests) == 1
    assert again == replace(first, cached=True)
    assert first.cost_usd == pytest.approx(ONE_REPLY_USD)
    totals = sum_calls(ledger.list_calls())
    assert (totals.n_calls, totals.n_cached, totals.n_requests) == (2, 1, 1)
    assert totals.cost_usd == pytest.approx(ONE_REPLY_USD)


@pytest.mark.parametrize(
    "other",
    [
        {"user": "another text"},
        {"system": "another system"},
        {"hash": "another file"},
        {"answer_schema": {**PROMPT.answer_schema, "minProperties": 1}},
    ],
)
def test_another_prompt_or_form_is_another_question(other: Mapping[str, Any]) -> None:
    ledger = MemoryLedger()
    with serve_model([OK]) as provider:
        for prompt in (PROMPT, replace(PROMPT, **other)):
            gateway_to(provider, ledger=ledger).ask("naming", prompt)
        assert len(provider.requests) == 2


def test_another_model_address_or_length_is_another_question() -> None:
    ledger = MemoryLedger()
    with serve_model([OK]) as provider, serve_model([OK]) as elsewhere:
        gateway_to(provider, ledger=ledger).ask("naming", PROMPT)
        gateway_to(provider, ledger=ledger, max_tokens=9).ask("naming", PROMPT)
        gateway_to(elsewhere, ledger=ledger).ask("naming", PROMPT)
        other = ModelChoice(default=endpoint_at(provider, "openai/other"))
        gateway_to(provider, ledger=ledger, choice=other).ask("naming", PROMPT)
        assert (len(provider.requests), len(elsewhere.requests)) == (3, 1)


def test_a_fence_drawn_at_random_does_not_make_another_question() -> None:
    ledger = MemoryLedger()
    with serve_model([OK]) as provider:
        for fence in ("<<<a1", "<<<b2"):
            prompt = replace(PROMPT, user=f"{fence} {CASE_TEXT}", input_hash="of the variables")
            gateway_to(provider, ledger=ledger).ask("naming", prompt)
        assert len(provider.requests) == 1


def test_an_answer_is_kept_with_the_cases_it_saw() -> None:
    ledger = MemoryLedger()
    with serve_model([OK]) as provider:
        gateway = gateway_to(provider, ledger=ledger)
        gateway.ask("naming", replace(PROMPT, case_ids=("c-1",)))
        assert ledger.delete_cached_answers(["c-2"]) == 0
        assert ledger.delete_cached_answers(["c-1"]) == 1
        gateway.ask("naming", PROMPT)
        assert len(provider.requests) == 2


def test_a_failure_is_not_kept() -> None:
    ledger = MemoryLedger()
    with serve_model([completion(None, refusal="no"), OK]) as provider:
        gateway = gateway_to(provider, ledger=ledger)
        with pytest.raises(GatewayFailed):
            gateway.ask("naming", PROMPT)
        assert gateway.ask("naming", PROMPT).value == {"name": "pallets on hold"}


# Budgets


def a_budget_of(n_calls: int, *, max_tokens: int = 12) -> Budget:
    """Enough for so many calls that cost all they may."""
    return Budget(run_usd=n_calls * (max_prompt_tokens(prompts(1)[0]) + max_tokens * 4) / 1e6)


def dear(prompt_tokens: int) -> ProviderResponse:
    """An answer that costs exactly what was reserved for it."""
    return completion(FITS, tokens=(prompt_tokens, 12))


@pytest.fixture
def _in_a_run() -> Any:
    before = current_run_id.set("run-0001")
    yield
    current_run_id.reset(before)


@pytest.mark.usefixtures("_in_a_run")
def test_the_call_that_does_not_fit_never_leaves_and_what_was_answered_is_kept() -> None:
    ledger, n_most = MemoryLedger(), max_prompt_tokens(prompts(1)[0])
    with serve_model([dear(n_most)]) as provider:
        gateway = gateway_to(provider, ledger=ledger, budget=a_budget_of(7), max_tokens=12, n_parallel=1)
        with pytest.raises(BudgetReached, match="PATTERNMIND_BUDGET_RUN_USD") as stopped:
            ask_all(gateway, questions(10))
        assert stopped.value.exit_code == 4
        assert len(provider.requests) == 7
        assert sum_calls(ledger.list_calls("run-0001")).cost_usd == pytest.approx(a_budget_of(7).run_usd)
        assert sum_calls(ledger.list_calls()).outcomes == {"answered": 7, "budget reached": 1}

        raised = gateway_to(provider, ledger=ledger, budget=a_budget_of(10), max_tokens=12, n_parallel=1)
        results = ask_all(raised, questions(10))
        assert all(isinstance(one, ModelAnswer) for one in results)
        assert len(provider.requests) == 10


@pytest.mark.usefixtures("_in_a_run")
def test_eight_threads_do_not_pass_the_budget() -> None:
    ledger, n_most = MemoryLedger(), max_prompt_tokens(prompts(1)[0])
    with serve_model([dear(n_most)]) as provider:
        gateway = gateway_to(provider, ledger=ledger, budget=a_budget_of(5), max_tokens=12, n_parallel=8)
        with pytest.raises(BudgetReached):
            ask_all(gateway, questions(30))
        assert len(provider.requests) == 5
    totals = sum_calls(ledger.list_calls())
    assert totals.cost_usd == pytest.approx(a_budget_of(5).run_usd)
    assert totals.reserved_usd == 0


@pytest.mark.usefixtures("_in_a_run")
def test_what_is_only_reserved_is_waited_for() -> None:
    """Eight at once reserve far more than they cost: none of them is turned away while there is money."""
    with serve_model([OK]) as provider:
        gateway = gateway_to(provider, budget=a_budget_of(2, max_tokens=4000), n_parallel=8)
        results = ask_all(gateway, questions(16))
        assert all(isinstance(one, ModelAnswer) for one in results)
        assert len(provider.requests) == 16


@pytest.mark.usefixtures("_in_a_run")
def test_a_retry_and_a_repair_need_money_too() -> None:
    ledger = MemoryLedger()
    with serve_model([completion("no", tokens=(max_prompt_tokens(PROMPT), 12)), OK]) as provider:
        budget = a_budget_of(1)
        with pytest.raises(BudgetReached):
            gateway_to(provider, ledger=ledger, budget=budget, max_tokens=12).ask("naming", PROMPT)
        assert len(provider.requests) == 1
    [call] = ledger.list_calls()
    assert (call.outcome, call.n_attempts, call.reserved_usd) == (CallOutcome.OVER_BUDGET, 1, 0)


def test_the_budget_of_a_month_begins_anew_with_the_next() -> None:
    ledger, clock = MemoryLedger(), FixedClock(NOON)
    month = Budget(month_usd=a_budget_of(1).run_usd)
    with serve_model([dear(max_prompt_tokens(prompts(1)[0]))]) as provider:
        gateway = gateway_to(provider, ledger=ledger, clock=clock, budget=month, max_tokens=12)
        gateway.ask("naming", prompts(1)[0])
        with pytest.raises(BudgetReached, match="this month"):
            gateway.ask("naming", prompts(2)[1])
        clock.at = NOON + dt.timedelta(days=30)
        gateway.ask("naming", prompts(2)[1])


# Several models


def two_models(provider: Provider, elsewhere: Provider) -> ModelChoice:
    return ModelChoice(
        default=endpoint_at(provider, "openai/first"),
        by_task={"pattern": endpoint_at(elsewhere, "openai/large")},
        fallback=endpoint_at(elsewhere, "openai/second"),
    )


def test_a_task_has_its_own_model() -> None:
    with serve_model([OK]) as provider, serve_model([OK]) as elsewhere:
        gateway = gateway_to(provider, choice=two_models(provider, elsewhere))
        assert gateway.ask("naming", PROMPT).model == "openai/first"
        assert gateway.ask("pattern", PROMPT).model == "openai/large"
        assert gateway.name == "openai/first (pattern: openai/large)"
        assert [request["model"] for request in elsewhere.requests] == ["large"]


@pytest.mark.parametrize(
    ("answer", "n_first"),
    [
        (failure_response(500), 3),
        (failure_response(429), 3),
        (failure_response(404), 1),
        (ProviderResponse(resets=True), 3),
    ],
)
def test_the_fallback_answers_where_the_first_model_cannot(answer: ProviderResponse, n_first: int) -> None:
    ledger = MemoryLedger()
    with serve_model([answer]) as provider, serve_model([OK]) as elsewhere:
        choice = two_models(provider, elsewhere)
        first = gateway_to(provider, choice=choice, ledger=ledger).ask("naming", PROMPT)
        assert first.model == "openai/second"
        assert (len(provider.requests), len(elsewhere.requests)) == (n_first, 1)
        outcomes = [(one.model, one.outcome) for one in ledger.list_calls()]
        assert sorted(outcomes) == [("openai/first", "failed"), ("openai/second", "answered")]
        again = gateway_to(provider, choice=choice, ledger=ledger).ask("naming", PROMPT)
        assert again == replace(first, cached=True)
        assert (len(provider.requests), len(elsewhere.requests)) == (n_first, 1)


@pytest.mark.parametrize(
    "answer",
    [completion(None, refusal="no"), completion(""), completion("no"), failure_response(401), failure_response(400)],
)
def test_the_fallback_is_not_asked_what_the_first_model_will_not_answer(answer: ProviderResponse) -> None:
    with serve_model([answer]) as provider, serve_model([OK]) as elsewhere:
        with pytest.raises(GatewayFailed):
            gateway_to(provider, choice=two_models(provider, elsewhere)).ask("naming", PROMPT)
        assert elsewhere.requests == []


def test_where_the_fallback_fails_too_its_reason_is_told() -> None:
    with serve_model([failure_response(500)]) as provider, serve_model([completion("")]) as elsewhere:
        with pytest.raises(GatewayFailed, match="empty") as failed:
            gateway_to(provider, choice=two_models(provider, elsewhere)).ask("naming", PROMPT)
        assert failed.value.outcome == CallOutcome.EMPTY


# Many at once


def test_results_stand_in_the_order_of_the_questions_each_failure_in_its_place() -> None:
    def react(request: Mapping[str, Any]) -> ProviderResponse:
        number = int(request["messages"][-1]["content"].split()[-1])
        return failure_response(400) if number % 3 == 0 else completion(json.dumps({"name": f"n{number}"}))

    with serve_model(react) as provider:
        results = ask_all(gateway_to(provider, n_parallel=4), questions(12))
    told = [one.value["name"] if isinstance(one, ModelAnswer) else one.outcome for one in results]
    assert told == ["failed" if number % 3 == 0 else f"n{number}" for number in range(12)]


def test_the_same_question_twice_is_asked_once() -> None:
    with serve_model([OK]) as provider:
        results = ask_all(gateway_to(provider), [*questions(1), *questions(2), *questions(1)])
        assert len(provider.requests) == 2
    assert results[0] == results[1] == results[3]


def test_as_many_are_under_way_as_allowed_and_no_more() -> None:
    together = Barrier(3)
    n_at_once: list[int] = []

    def react(request: Mapping[str, Any]) -> ProviderResponse:
        n_at_once.append(1)
        return OK

    with serve_model(react) as provider:
        gateway = gateway_to(provider, n_parallel=3)
        real = provider.take

        def take(request: dict[str, Any], key: str | None) -> ProviderResponse:
            together.wait(timeout=10)  # three must come together, else this breaks
            return real(request, key)

        provider.take = take  # type: ignore[method-assign]
        ask_all(gateway, questions(6))
    assert len(n_at_once) == 6


def test_no_more_requests_are_under_way_than_allowed_whoever_asks() -> None:
    """Four threads of a caller's own, two turns: a third request never comes while two are held back."""
    three = Barrier(3)
    met: list[bool] = []

    with serve_model([OK]) as provider:
        gateway = gateway_to(provider, n_parallel=2)
        real = provider.take

        def take(request: dict[str, Any], key: str | None) -> ProviderResponse:
            try:
                three.wait(timeout=0.3)
                met.append(True)
            except BrokenBarrierError:
                three.reset()
            return real(request, key)

        provider.take = take  # type: ignore[method-assign]
        threads = [Thread(target=gateway.ask, args=("naming", prompt)) for prompt in prompts(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert len(provider.requests) == 4
    assert met == []


def test_calls_are_recorded_under_the_run_that_goes_on_also_from_threads() -> None:
    ledger = MemoryLedger()
    with serve_model([OK]) as provider:
        gateway = gateway_to(provider, ledger=ledger)
        before = current_run_id.set("run-0007")
        ask_all(gateway, questions(5))
        current_run_id.reset(before)
        gateway.ask("naming", PROMPT)
    assert len(ledger.list_calls("run-0007")) == 5
    assert len(ledger.list_calls("")) == 1


def test_a_record_says_everything_but_the_text() -> None:
    ledger = MemoryLedger()
    with serve_model([failure_response(500), OK]) as provider:
        gateway_to(provider, ledger=ledger, sleep=skip_sleep).ask("naming", PROMPT)
    [call] = ledger.list_calls()
    assert (call.task, call.model, call.prompt_hash) == ("naming", "openai/test-model", PROMPT.hash)
    assert (call.n_attempts, call.n_tokens_in, call.n_tokens_out) == (2, 30, 12)
    assert call.seconds > 0
    assert "4711" not in repr(call)


# Names, addresses, prices


def test_address_and_key_belong_to_the_provider_of_the_usual_model() -> None:
    choice = build_model_choice(
        "openai/a",
        api_base="http://ours/v1",
        api_key="k",
        task_models={"same": "openai/b", "local": "openai/c@http://localhost:8000/v1", "ours": "x/d@http://ours/v1"},
        fallback="anthropic/claude",
        prices={"openai/c": Price(0, 0)},
    )
    told = {one.model: (one.api_base, one.api_key) for one in choice.endpoints}
    assert told == {
        "openai/a": ("http://ours/v1", "k"),
        "openai/b": ("http://ours/v1", "k"),
        "openai/c": ("http://localhost:8000/v1", None),
        "x/d": ("http://ours/v1", "k"),
        "anthropic/claude": (None, None),
    }
    assert choice.by_task["local"].price == Price(0, 0)
    assert "k" not in {part.strip("'") for part in repr(choice).split("=")}


def test_an_at_sign_that_leads_to_no_address_belongs_to_the_name() -> None:
    assert build_model_choice("vertex_ai/claude@20240620").default.model == "vertex_ai/claude@20240620"


def test_address_and_key_are_told_without_secrets() -> None:
    local = Endpoint(model="openai/a", api_base="http://user:secret@host:8000/v1?token=secret", api_key="sk-1")
    assert describe_address(local) == "at http://host:8000/v1"
    assert describe_key_source(local) == "key from PATTERNMIND_API_KEY"
    assert describe_key_source(Endpoint(model="openai/a")) == "key from the provider's usual variable"


def test_prices_come_from_the_list_of_the_pinned_litellm() -> None:
    assert listed_price("openai/gpt-4o-mini") == Price(0.15, 0.6)
    assert listed_price("anthropic/claude-sonnet-4-5") == Price(3, 15)
    assert listed_price("ollama/llama3") is None
    assert listed_price("openai/no-such-model") is None
    long = listed_price("gemini/gemini-2.5-pro", 150_000)
    assert long is not None
    assert long.input_usd > 1.25
