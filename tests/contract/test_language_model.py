"""Contract of ``LanguageModel`` for the litellm gateway and the scripted model.

The gateway is called over a real socket. The tests after the contract cover its own behaviour: retries, waits, limits.
"""

import json
import logging
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from email.utils import formatdate
from typing import Any

import pytest
from tests.fixtures.model_server import (
    CASE_TEXT,
    CHEAP,
    ProviderResponse,
    completion,
    endpoint_at,
    failure_response,
    gateway_to,
    serve_model,
)

from patternmind.domain.calls import Endpoint, ModelChoice, Price
from patternmind.errors import GatewayFailed, PriceUnknown
from patternmind.llm.gateway import InvalidAnswer, parse_answer
from patternmind.llm.scripted_model import (
    FILTERED_FAILURE,
    REFUSED_FAILURE,
    SERVER_FAILURE,
    ScriptedFailure,
    ScriptedModel,
    ScriptedReply,
)
from patternmind.ports import LanguageModel, RenderedPrompt

PROMPT = RenderedPrompt(
    id="theme-name",
    hash="0123456789abcdef",
    system="Answer with one JSON object.",
    user=CASE_TEXT,
    answer_schema={
        "type": "object",
        "required": ["name"],
        "additionalProperties": False,
        "properties": {"name": {"type": ["string", "null"], "maxLength": 20}},
    },
)

FITS = {"name": "pallets on hold"}
TOO_LONG = {"name": f"{CASE_TEXT}, again and again"}


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    """Load litellm before the tests, because its first call takes longer than their timeouts."""
    with serve_model([completion("{}")]) as provider:
        gateway_to(provider).ping()


# contract of every language model


@dataclass(frozen=True)
class Scripted:
    """A model under test, with the texts that it received."""

    model: LanguageModel
    received: Callable[[], list[str]]


Script = Callable[[Sequence[ScriptedReply]], AbstractContextManager[Scripted]]


def as_http_response(reply: ScriptedReply) -> ProviderResponse:
    if isinstance(reply, ScriptedFailure):
        responses = {
            REFUSED_FAILURE: completion(None, refusal="no"),
            FILTERED_FAILURE: completion("", finish="content_filter"),
            SERVER_FAILURE: failure_response(500),
        }
        return responses[reply]
    return completion(reply if isinstance(reply, str) else json.dumps(reply))


@contextmanager
def real_gateway(replies: Sequence[ScriptedReply]) -> Generator[Scripted]:
    with serve_model([as_http_response(reply) for reply in replies]) as provider:
        yield Scripted(gateway_to(provider), lambda: provider.users)


@contextmanager
def scripted_model(replies: Sequence[ScriptedReply]) -> Generator[Scripted]:
    model = ScriptedModel({"naming": replies})
    yield Scripted(model, lambda: [request.prompt.user for request in model.requests])


@pytest.fixture(params=[real_gateway, scripted_model])
def script(request: pytest.FixtureRequest) -> Script:
    return request.param


@pytest.mark.parametrize(
    "reply", [FITS, json.dumps(FITS), f"```json\n{json.dumps(FITS)}\n```", f"Here it is:\n```\n{json.dumps(FITS)}\n```"]
)
def test_model_returns_a_valid_answer_unchanged(script: Script, reply: ScriptedReply) -> None:
    with script([reply]) as scripted:
        answer = scripted.model.ask("naming", PROMPT)
        assert answer.value == FITS
        assert answer.model == scripted.model.name
        assert scripted.received() == [CASE_TEXT]


@pytest.mark.parametrize("first", ["{'name': 1}", "I would call it a pallet.", TOO_LONG, {"title": "x"}, "[1]"])
def test_model_requests_one_repair_of_an_invalid_answer(script: Script, first: ScriptedReply) -> None:
    with script([first, FITS]) as scripted:
        assert scripted.model.ask("naming", PROMPT).value == FITS
        request, repair_request = scripted.received()
        assert request == CASE_TEXT
        assert repair_request.startswith(CASE_TEXT)
        assert "could not be used" in repair_request


def test_repair_request_names_every_place_and_its_rule(script: Script) -> None:
    with script([TOO_LONG, FITS]) as scripted:
        scripted.model.ask("naming", PROMPT)
        assert "at $.name, which must fulfil maxLength: 20" in scripted.received()[1]
    with script([{"title": "x"}, FITS]) as scripted:
        scripted.model.ask("naming", PROMPT)
        assert "'name' is a required property" in scripted.received()[1]
        assert "'title' was unexpected" in scripted.received()[1]


def test_model_fails_after_two_invalid_answers(script: Script) -> None:
    with script(["no idea", TOO_LONG, FITS]) as scripted:
        with pytest.raises(GatewayFailed) as failure:
            scripted.model.ask("naming", PROMPT)
        assert failure.value.task == "naming"
        assert failure.value.reason == "neither the answer nor its repair fits the schema (properties/name/maxLength)"
        assert len(scripted.received()) == 2


@pytest.mark.parametrize(
    "failure", [REFUSED_FAILURE, FILTERED_FAILURE, ScriptedFailure("the answer was empty"), SERVER_FAILURE]
)
def test_model_fails_with_a_reason_when_it_has_no_answer(script: Script, failure: ScriptedFailure) -> None:
    replies: list[ScriptedReply] = ["  "] if failure.reason == "the answer was empty" else [failure]
    with script(replies) as scripted:
        with pytest.raises(GatewayFailed) as error:
            scripted.model.ask("naming", PROMPT)
        assert error.value.reason == failure.reason


@pytest.mark.parametrize("replies", [[TOO_LONG, TOO_LONG], [SERVER_FAILURE], [f"{CASE_TEXT} {{"] * 2])
def test_failure_never_contains_text(script: Script, replies: list[ScriptedReply]) -> None:
    with script(replies) as scripted:
        with pytest.raises(GatewayFailed) as failure:
            scripted.model.ask("naming", PROMPT)
        error: BaseException | None = failure.value
        while error is not None:
            assert "4711" not in str(error)
            error = error.__cause__ or error.__context__


# gateway only


def choice_of(endpoint: Endpoint) -> ModelChoice:
    return ModelChoice(default=endpoint)


def test_gateway_counts_tokens_and_cost_of_both_replies() -> None:
    with serve_model([completion("no idea"), completion(json.dumps(FITS))]) as provider:
        answer = gateway_to(provider).ask("naming", PROMPT)
    assert (answer.n_tokens, answer.cost_usd) == (84, pytest.approx(2 * (30 * 1 + 12 * 4) / 1e6))


def test_gateway_uses_the_listed_price() -> None:
    with serve_model([completion(json.dumps(FITS))]) as provider:
        listed = choice_of(endpoint_at(provider, "openai/gpt-4o-mini", price=None))
        answer = gateway_to(provider, choice=listed).ask("naming", PROMPT)
    assert answer.cost_usd == pytest.approx((30 * 0.15 + 12 * 0.6) / 1e6)


def test_gateway_sends_nothing_when_the_price_is_unknown_and_not_set() -> None:
    with serve_model([completion(json.dumps(FITS))]) as provider:
        unpriced = endpoint_at(provider, price=None)
        gateway = gateway_to(provider, choice=choice_of(unpriced))
        for call in (gateway.check_prices, gateway.ping, lambda: gateway.ask("naming", PROMPT)):
            with pytest.raises(PriceUnknown, match=r'PATTERNMIND_PRICES="openai/test-model=') as error:
                call()
        assert error.value.exit_code == 2
        assert provider.requests == []
        free = choice_of(replace(unpriced, price=Price(0, 0)))
        assert gateway_to(provider, choice=free).ask("naming", PROMPT).cost_usd == 0


def test_gateway_waits_for_the_retry_after_time_of_the_server() -> None:
    waits: list[float] = []
    with serve_model([failure_response(429, Retry_After="7"), completion(json.dumps(FITS))]) as provider:
        assert gateway_to(provider, sleep=waits.append).ask("naming", PROMPT).value == FITS
        assert len(provider.requests) == 2
    assert waits == [7.0]


@pytest.mark.parametrize("after", ["86400", "Fri, 01 Jan 2100 00:00:00 GMT", "inf"])
def test_gateway_waits_at_most_half_a_minute(after: str) -> None:
    waits: list[float] = []
    with serve_model([failure_response(503, Retry_After=after), completion(json.dumps(FITS))]) as provider:
        gateway_to(provider, sleep=waits.append).ask("naming", PROMPT)
    assert waits == [30.0]


@pytest.mark.parametrize("after", ["0", "-5", "nan", formatdate(0, usegmt=True)])
def test_gateway_does_not_wait_when_the_retry_after_time_is_over(after: str) -> None:
    waits: list[float] = []
    with serve_model([failure_response(429, Retry_After=after), completion(json.dumps(FITS))]) as provider:
        gateway_to(provider, sleep=waits.append).ask("naming", PROMPT)
    assert waits == [0.0]


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 529])
def test_gateway_fails_after_three_temporary_failures(status: int) -> None:
    waits: list[float] = []
    with serve_model([failure_response(status)]) as provider:
        with pytest.raises(GatewayFailed, match="requests made: 3"):
            gateway_to(provider, sleep=waits.append).ask("naming", PROMPT)
        assert len(provider.requests) == 3
    assert waits == [1.0, 2.0]


@pytest.mark.parametrize(
    ("status", "reason"),
    [(400, "refused (400)"), (401, "the key was refused (401)"), (404, "the model or the address was not found (404)")],
)
def test_gateway_does_not_retry_a_permanent_failure(status: int, reason: str) -> None:
    with serve_model([failure_response(status)]) as provider:
        with pytest.raises(GatewayFailed) as failure:
            gateway_to(provider).ask("naming", PROMPT)
        assert failure.value.reason == reason
        assert len(provider.requests) == 1


def test_gateway_counts_the_repair_as_one_of_three_requests() -> None:
    with serve_model([failure_response(500), completion("no idea"), failure_response(500)]) as provider:
        with pytest.raises(GatewayFailed, match="requests made: 3"):
            gateway_to(provider).ask("naming", PROMPT)
        assert len(provider.requests) == 3
    with serve_model([failure_response(500), failure_response(500), completion("no idea")]) as provider:
        with pytest.raises(GatewayFailed, match="no attempt remained to repair it"):
            gateway_to(provider).ask("naming", PROMPT)
        assert len(provider.requests) == 3


def test_gateway_abandons_a_slow_response_at_the_timeout() -> None:
    drip = ProviderResponse(body=completion(json.dumps(FITS)).body, drip_seconds=0.2)
    with serve_model([drip]) as provider:
        start = time.monotonic()
        with pytest.raises(GatewayFailed, match=r"no complete answer within 0\.5 s; requests made: 2"):
            gateway_to(provider, timeout_seconds=0.5, max_attempts=2).ask("naming", PROMPT)
        assert time.monotonic() - start < 2
        assert len(provider.requests) == 2


def test_gateway_failure_states_a_remedy_when_the_address_is_unreachable() -> None:
    unreachable = choice_of(Endpoint(model="openai/test-model", api_base="http://127.0.0.1:9/v1", price=CHEAP))
    with (
        serve_model([]) as provider,
        pytest.raises(GatewayFailed, match="check that the address is right and reachable"),
    ):
        gateway_to(provider, choice=unreachable).ask("naming", PROMPT)


def test_gateway_failure_states_a_remedy_when_the_provider_is_unknown() -> None:
    with serve_model([]) as provider, pytest.raises(GatewayFailed, match="check its name, for example openai/gpt-4o"):
        gateway_to(provider, choice=choice_of(Endpoint(model="no-such-model", price=CHEAP))).ask("naming", PROMPT)


@pytest.mark.parametrize("body", [{}, {"choices": []}, {"choices": [{"message": None}]}])
def test_gateway_fails_when_the_response_has_another_shape(body: Mapping[str, Any]) -> None:
    with serve_model([ProviderResponse(body=body)]) as provider, pytest.raises(GatewayFailed):
        gateway_to(provider).ask("naming", PROMPT)


def test_gateway_does_not_repair_a_truncated_answer() -> None:
    with serve_model([completion('{"name": "pal', finish="length")]) as provider:
        with pytest.raises(GatewayFailed, match="longer than allowed and cut off"):
            gateway_to(provider).ask("naming", PROMPT)
        assert len(provider.requests) == 1


def test_gateway_does_not_send_an_environment_key_to_another_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-another-provider")
    with serve_model([completion(json.dumps(FITS))]) as provider:
        gateway_to(provider).ask("naming", PROMPT)
        gateway_to(provider, choice=choice_of(endpoint_at(provider, api_key="ours"))).ask("naming", PROMPT)
        assert provider.keys == ["Bearer none", "Bearer ours"]


def test_ping_sends_one_request_for_one_token() -> None:
    with serve_model([completion("", finish="length")]) as provider:
        gateway_to(provider).ping()
        assert [request["max_tokens"] for request in provider.requests] == [1]
    with serve_model([failure_response(500)]) as provider:
        with pytest.raises(GatewayFailed, match=r"the connection check failed: the model's server failed \(500\)"):
            gateway_to(provider).ping()
        assert len(provider.requests) == 1


def test_gateway_prints_nothing_and_logs_no_text(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with (
        serve_model([failure_response(500), completion(json.dumps(TOO_LONG))]) as provider,
        pytest.raises(GatewayFailed),
    ):
        gateway_to(provider).ask("naming", PROMPT)
    assert capfd.readouterr() == ("", "")
    assert "4711" not in caplog.text


# parsing of answers


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        ("", "no JSON object"),
        ('[{"name": "x"}]', "no JSON object"),
        ('{"name": NaN}', "no valid JSON"),
        ('{"name": "x"} and more', "text after the JSON"),
        ('{"a":' * 100_000, "no valid JSON"),
        ('{"name": 3}', "properties/name/type"),
        ('{"name": "x", "other": 1}', "additionalProperties"),
        ("{}", "required"),
    ],
)
def test_parse_answer_names_the_rule_that_an_answer_breaks(content: str, rule: str) -> None:
    answer = parse_answer(content, PROMPT.answer_schema)
    assert isinstance(answer, InvalidAnswer)
    assert answer.rule == rule


def test_parse_answer_accepts_a_fence_inside_a_string() -> None:
    content = '```json\n{"name": "a ``` b"}\n```'
    assert parse_answer(content, PROMPT.answer_schema) == {"name": "a ``` b"}


# scripted model only


def test_scripted_model_accepts_a_function_of_the_prompt() -> None:
    model = ScriptedModel({"naming": lambda prompt: {"name": prompt.user[:6]}})
    assert model.ask("naming", PROMPT).value == {"name": "pallet"}
    assert [(request.task, request.prompt) for request in model.requests] == [("naming", PROMPT)]


def test_scripted_model_fails_when_its_script_ends() -> None:
    model = ScriptedModel({"naming": [FITS]})
    model.ask("naming", PROMPT)
    for task in ("naming", "another"):
        with pytest.raises(GatewayFailed, match="the script has no further answer"):
            model.ask(task, PROMPT)
