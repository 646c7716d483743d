"""What every ``LanguageModel`` keeps, asked of the litellm gateway over a real socket and of its shipped double.

Below the contract stands what only the gateway does: retries, waits, limits.
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
    """litellm loads for seconds at the first call; the limits below are shorter than that."""
    with serve_model([completion("{}")]) as provider:
        gateway_to(provider).ping()


# The contract


@dataclass(frozen=True)
class Scripted:
    """A model under test, and the texts it was sent so far."""

    model: LanguageModel
    sent: Callable[[], list[str]]


Script = Callable[[Sequence[ScriptedReply]], AbstractContextManager[Scripted]]


def as_http(line: ScriptedReply) -> ProviderResponse:
    if isinstance(line, ScriptedFailure):
        known = {
            REFUSED_FAILURE: completion(None, refusal="no"),
            FILTERED_FAILURE: completion("", finish="content_filter"),
            SERVER_FAILURE: failure_response(500),
        }
        return known[line]
    return completion(line if isinstance(line, str) else json.dumps(line))


@contextmanager
def real_gateway(lines: Sequence[ScriptedReply]) -> Generator[Scripted]:
    with serve_model([as_http(line) for line in lines]) as provider:
        yield Scripted(gateway_to(provider), lambda: provider.users)


@contextmanager
def shipped_double(lines: Sequence[ScriptedReply]) -> Generator[Scripted]:
    model = ScriptedModel({"naming": lines})
    yield Scripted(model, lambda: [request.prompt.user for request in model.requests])


@pytest.fixture(params=[real_gateway, shipped_double])
def script(request: pytest.FixtureRequest) -> Script:
    return request.param


@pytest.mark.parametrize(
    "line", [FITS, json.dumps(FITS), f"```json\n{json.dumps(FITS)}\n```", f"Here it is:\n```\n{json.dumps(FITS)}\n```"]
)
def test_an_answer_that_fits_is_given_back_as_it_is(script: Script, line: ScriptedReply) -> None:
    with script([line]) as scripted:
        answer = scripted.model.ask("naming", PROMPT)
        assert answer.value == FITS
        assert answer.model == scripted.model.name
        assert scripted.sent() == [CASE_TEXT]


@pytest.mark.parametrize("first", ["{'name': 1}", "I would call it a pallet.", TOO_LONG, {"title": "x"}, "[1]"])
def test_an_answer_that_does_not_fit_is_repaired_once(script: Script, first: ScriptedReply) -> None:
    with script([first, FITS]) as scripted:
        assert scripted.model.ask("naming", PROMPT).value == FITS
        asked, repair = scripted.sent()
        assert asked == CASE_TEXT
        assert repair.startswith(CASE_TEXT)
        assert "could not be used" in repair


def test_the_repair_names_every_place_and_its_rule(script: Script) -> None:
    with script([TOO_LONG, FITS]) as scripted:
        scripted.model.ask("naming", PROMPT)
        assert "at $.name, which must fulfil maxLength: 20" in scripted.sent()[1]
    with script([{"title": "x"}, FITS]) as scripted:
        scripted.model.ask("naming", PROMPT)
        assert "'name' is a required property" in scripted.sent()[1]
        assert "'title' was unexpected" in scripted.sent()[1]


def test_two_answers_that_do_not_fit_are_a_failure(script: Script) -> None:
    with script(["no idea", TOO_LONG, FITS]) as scripted:
        with pytest.raises(GatewayFailed) as failure:
            scripted.model.ask("naming", PROMPT)
        assert failure.value.task == "naming"
        assert failure.value.reason == "neither the answer nor its repair fits the schema (properties/name/maxLength)"
        assert len(scripted.sent()) == 2


@pytest.mark.parametrize(
    "line", [REFUSED_FAILURE, FILTERED_FAILURE, ScriptedFailure("the answer was empty"), SERVER_FAILURE]
)
def test_no_answer_is_a_failure_with_its_reason(script: Script, line: ScriptedFailure) -> None:
    lines: list[ScriptedReply] = ["  "] if line.reason == "the answer was empty" else [line]
    with script(lines) as scripted:
        with pytest.raises(GatewayFailed) as failure:
            scripted.model.ask("naming", PROMPT)
        assert failure.value.reason == line.reason


@pytest.mark.parametrize("lines", [[TOO_LONG, TOO_LONG], [SERVER_FAILURE], [f"{CASE_TEXT} {{"] * 2])
def test_no_failure_repeats_a_text(script: Script, lines: list[ScriptedReply]) -> None:
    with script(lines) as scripted:
        with pytest.raises(GatewayFailed) as failure:
            scripted.model.ask("naming", PROMPT)
        error: BaseException | None = failure.value
        while error is not None:
            assert "4711" not in str(error)
            error = error.__cause__ or error.__context__


# Only the gateway


def only(endpoint: Endpoint) -> ModelChoice:
    return ModelChoice(default=endpoint)


def test_tokens_and_cost_of_both_replies_count() -> None:
    with serve_model([completion("no idea"), completion(json.dumps(FITS))]) as provider:
        answer = gateway_to(provider).ask("naming", PROMPT)
    assert (answer.n_tokens, answer.cost_usd) == (84, pytest.approx(2 * (30 * 1 + 12 * 4) / 1e6))


def test_a_listed_price_is_counted() -> None:
    with serve_model([completion(json.dumps(FITS))]) as provider:
        listed = only(endpoint_at(provider, "openai/gpt-4o-mini", price=None))
        answer = gateway_to(provider, choice=listed).ask("naming", PROMPT)
    assert answer.cost_usd == pytest.approx((30 * 0.15 + 12 * 0.6) / 1e6)


def test_an_unknown_price_sends_nothing_unless_one_is_set() -> None:
    with serve_model([completion(json.dumps(FITS))]) as provider:
        unpriced = endpoint_at(provider, price=None)
        gateway = gateway_to(provider, choice=only(unpriced))
        for refuses in (gateway.check_prices, gateway.ping, lambda: gateway.ask("naming", PROMPT)):
            with pytest.raises(PriceUnknown, match=r'PATTERNMIND_PRICES="openai/test-model=') as refused:
                refuses()
        assert refused.value.exit_code == 2
        assert provider.requests == []
        free = only(replace(unpriced, price=Price(0, 0)))
        assert gateway_to(provider, choice=free).ask("naming", PROMPT).cost_usd == 0


def test_the_rate_limit_is_waited_for_as_long_as_the_server_says() -> None:
    waits: list[float] = []
    with serve_model([failure_response(429, Retry_After="7"), completion(json.dumps(FITS))]) as provider:
        assert gateway_to(provider, sleep=waits.append).ask("naming", PROMPT).value == FITS
        assert len(provider.requests) == 2
    assert waits == [7.0]


@pytest.mark.parametrize("after", ["86400", "Fri, 01 Jan 2100 00:00:00 GMT", "inf"])
def test_no_wait_is_longer_than_half_a_minute(after: str) -> None:
    waits: list[float] = []
    with serve_model([failure_response(503, Retry_After=after), completion(json.dumps(FITS))]) as provider:
        gateway_to(provider, sleep=waits.append).ask("naming", PROMPT)
    assert waits == [30.0]


@pytest.mark.parametrize("after", ["0", "-5", "nan", formatdate(0, usegmt=True)])
def test_a_wait_that_is_over_is_none(after: str) -> None:
    waits: list[float] = []
    with serve_model([failure_response(429, Retry_After=after), completion(json.dumps(FITS))]) as provider:
        gateway_to(provider, sleep=waits.append).ask("naming", PROMPT)
    assert waits == [0.0]


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 529])
def test_three_passing_failures_are_three_requests_and_then_the_end(status: int) -> None:
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
def test_a_lasting_failure_is_one_request(status: int, reason: str) -> None:
    with serve_model([failure_response(status)]) as provider:
        with pytest.raises(GatewayFailed) as failure:
            gateway_to(provider).ask("naming", PROMPT)
        assert failure.value.reason == reason
        assert len(provider.requests) == 1


def test_the_repair_is_one_of_the_three_requests() -> None:
    with serve_model([failure_response(500), completion("no idea"), failure_response(500)]) as provider:
        with pytest.raises(GatewayFailed, match="requests made: 3"):
            gateway_to(provider).ask("naming", PROMPT)
        assert len(provider.requests) == 3
    with serve_model([failure_response(500), failure_response(500), completion("no idea")]) as provider:
        with pytest.raises(GatewayFailed, match="no attempt remained to repair it"):
            gateway_to(provider).ask("naming", PROMPT)
        assert len(provider.requests) == 3


def test_a_slow_drip_is_given_up_at_the_limit() -> None:
    drip = ProviderResponse(body=completion(json.dumps(FITS)).body, drip_seconds=0.2)
    with serve_model([drip]) as provider:
        start = time.monotonic()
        with pytest.raises(GatewayFailed, match=r"no complete answer within 0\.5 s; requests made: 2"):
            gateway_to(provider, timeout_seconds=0.5, max_attempts=2).ask("naming", PROMPT)
        assert time.monotonic() - start < 2
        assert len(provider.requests) == 2


def test_nobody_at_the_address_is_a_failure_with_a_remedy() -> None:
    nobody = only(Endpoint(model="openai/test-model", api_base="http://127.0.0.1:9/v1", price=CHEAP))
    with (
        serve_model([]) as provider,
        pytest.raises(GatewayFailed, match="check that the address is right and reachable"),
    ):
        gateway_to(provider, choice=nobody).ask("naming", PROMPT)


def test_a_model_of_no_provider_is_a_failure_with_a_remedy() -> None:
    with serve_model([]) as provider, pytest.raises(GatewayFailed, match="check its name, for example openai/gpt-4o"):
        gateway_to(provider, choice=only(Endpoint(model="no-such-model", price=CHEAP))).ask("naming", PROMPT)


@pytest.mark.parametrize("body", [{}, {"choices": []}, {"choices": [{"message": None}]}])
def test_a_response_of_another_shape_is_a_failure(body: Mapping[str, Any]) -> None:
    with serve_model([ProviderResponse(body=body)]) as provider, pytest.raises(GatewayFailed):
        gateway_to(provider).ask("naming", PROMPT)


def test_an_answer_cut_off_is_not_repaired() -> None:
    with serve_model([completion('{"name": "pal', finish="length")]) as provider:
        with pytest.raises(GatewayFailed, match="longer than allowed and cut off"):
            gateway_to(provider).ask("naming", PROMPT)
        assert len(provider.requests) == 1


def test_a_key_from_the_environment_does_not_travel_to_another_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-another-house")
    with serve_model([completion(json.dumps(FITS))]) as provider:
        gateway_to(provider).ask("naming", PROMPT)
        gateway_to(provider, choice=only(endpoint_at(provider, api_key="ours"))).ask("naming", PROMPT)
        assert provider.keys == ["Bearer none", "Bearer ours"]


def test_a_ping_is_one_request_for_one_token() -> None:
    with serve_model([completion("", finish="length")]) as provider:
        gateway_to(provider).ping()
        assert [request["max_tokens"] for request in provider.requests] == [1]
    with serve_model([failure_response(500)]) as provider:
        with pytest.raises(GatewayFailed, match=r"the connection check failed: the model's server failed \(500\)"):
            gateway_to(provider).ping()
        assert len(provider.requests) == 1


def test_nothing_is_printed_and_no_text_is_logged(
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


# Reading an answer


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
def test_what_is_no_fitting_object_is_said_by_rule(content: str, rule: str) -> None:
    unfit = parse_answer(content, PROMPT.answer_schema)
    assert isinstance(unfit, InvalidAnswer)
    assert unfit.rule == rule


def test_a_fence_inside_the_answer_does_not_end_it() -> None:
    content = '```json\n{"name": "a ``` b"}\n```'
    assert parse_answer(content, PROMPT.answer_schema) == {"name": "a ``` b"}


# Only the double


def test_a_script_may_be_a_function_of_the_prompt() -> None:
    model = ScriptedModel({"naming": lambda prompt: {"name": prompt.user[:6]}})
    assert model.ask("naming", PROMPT).value == {"name": "pallet"}
    assert [(request.task, request.prompt) for request in model.requests] == [("naming", PROMPT)]


def test_a_script_that_ends_fails() -> None:
    model = ScriptedModel({"naming": [FITS]})
    model.ask("naming", PROMPT)
    for task in ("naming", "another"):
        with pytest.raises(GatewayFailed, match="the script has no further answer"):
            model.ask(task, PROMPT)
