"""Runs with a language model: costs, budgets, failures and continuation."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.fixtures.commands import CommandRunner
from tests.fixtures.in_process import InProcess, on_a_copy
from tests.fixtures.model_server import Provider, ProviderResponse, completion, failure_response, serve_model
from tests.fixtures.networks import SharedHome
from tests.fixtures.sample import ingest_sample

PROMPTS = Path(__file__).parents[2] / "prompts"
CALL_USD = 0.05
"""Cost of a request: 100 output tokens at 500 USD per million, as many as are reserved for it."""


def schemas() -> dict[str, Mapping[str, Any]]:
    """Return the answer schema of every prompt by the start of its system message."""
    schema_by_start: dict[str, Mapping[str, Any]] = {}
    for path in PROMPTS.glob("*.md"):
        _, header, text = path.read_text(encoding="utf-8").split("---\n", 2)
        system = re.split(r"^## System\n", text, flags=re.MULTILINE)[1].strip()
        schema_by_start[system[:60]] = yaml.safe_load(header)["answer_schema"]
    return schema_by_start


def minimal_answer(schema: Mapping[str, Any]) -> Any:
    """Return the smallest valid answer: null if allowed, and only required properties."""
    if "enum" in schema:
        return schema["enum"][0]
    kinds: Any = schema.get("type", "object")
    kind: str = kinds if isinstance(kinds, str) else "null" if "null" in kinds else kinds[0]
    if kind == "object":
        return {name: minimal_answer(schema["properties"][name]) for name in schema.get("required", ())}
    if kind == "array":
        return [minimal_answer(schema["items"])] * schema.get("minItems", 0)
    plain: dict[str, Any] = {"null": None, "boolean": False, "integer": 1, "number": 1}
    return "word" if kind == "string" else plain[kind]


def respond(request: Mapping[str, Any]) -> ProviderResponse:
    answer = minimal_answer(schemas()[request["messages"][0]["content"][:60]])
    return completion(json.dumps(answer), tokens=(10, 100))


@pytest.fixture
def provider() -> Iterator[Provider]:
    with serve_model(respond) as serving:
        yield serving


@pytest.fixture
def patternmind(tmp_path: Path, provider: Provider, shared_home: SharedHome) -> CommandRunner:
    """The command on the cases of the sample network, with a model that costs something."""
    return on_a_copy(shared_home("sample-cases", ingest_sample), tmp_path).with_env(
        PATTERNMIND_MODEL="openai/test-model",
        PATTERNMIND_API_BASE=provider.url,
        PATTERNMIND_PRICES="openai/test-model=0/500",
        PATTERNMIND_MODEL_MAX_TOKENS="100",
    )


def test_run_stops_at_its_budget_and_continues_when_it_is_raised(
    patternmind: CommandRunner, provider: Provider
) -> None:
    stopped = patternmind.with_env(PATTERNMIND_BUDGET_RUN_USD="0.10")("run", "--json")
    assert (stopped.code, stopped.out) == (4, "")
    assert "budget of 0.1 USD for this run is reached" in stopped.err
    assert "PATTERNMIND_BUDGET_RUN_USD" in stopped.err
    assert len(provider.requests) == 2
    [cost] = patternmind("runs", "--json").json()
    assert (cost["state"], cost["cost_usd"]) == ("failed", pytest.approx(0.10))

    rich = patternmind.with_env(PATTERNMIND_BUDGET_RUN_USD="50", PATTERNMIND_BUDGET_MONTH_USD="none")
    run = rich("run", "--json").json()
    n_needed = len(provider.requests)
    assert n_needed > 2
    assert run["calls"]["cached"] == 2
    assert run["calls"]["requests"] == n_needed - 2
    calls = rich("runs", "--calls", "--json").json()
    assert sum(call["cost_usd"] for call in calls) == pytest.approx((n_needed - 2) * CALL_USD)
    assert {call["outcome"] for call in calls} == {"cached", "answered"}

    again = patternmind.with_env(PATTERNMIND_BUDGET_RUN_USD="0")("run", "--from-scratch", "--json").json()
    assert again["calls"]["cost_usd"] == 0
    assert again["calls"]["cached"] == again["calls"]["asked"]
    assert len(provider.requests) == n_needed
    assert "from cache" in patternmind("runs").out
    assert "cached" in patternmind("runs", "--calls", "--run", run["run_id"]).out


def test_run_completes_and_reports_when_the_model_fails(patternmind: CommandRunner, provider: Provider) -> None:
    provider.responses = [failure_response(400)]
    run = patternmind.with_env(PATTERNMIND_BUDGET_RUN_USD="none")("run", "--json").json()
    assert run["themes"] > 1
    assert run["calls"]["failed"] == run["calls"]["requests"] == len(provider.requests)
    assert run["calls"]["cost_usd"] == 0
    assert any("refused (400)" in note for note in run["notes"])
    calls = patternmind("runs", "--calls", "--run", run["run_id"], "--json").json()
    assert {call["outcome"] for call in calls} == {"failed"}


def test_run_stops_before_any_work_when_the_price_is_unknown(patternmind: CommandRunner, provider: Provider) -> None:
    unpriced = patternmind.with_env(PATTERNMIND_PRICES="")
    stopped = unpriced("run")
    assert stopped.code == 2
    assert 'PATTERNMIND_PRICES="openai/test-model=0.15/0.60"' in stopped.err
    assert patternmind("runs", "--json").json() == []
    assert provider.requests == []


def test_run_refuses_a_model_for_an_unknown_task(patternmind: CommandRunner) -> None:
    stopped = patternmind.with_env(PATTERNMIND_TASK_MODELS="nameing=openai/gpt-4o")("run")
    assert stopped.code == 2
    assert 'an unknown task "nameing". Tasks are: ' in stopped.err
    assert "theme-name" in stopped.err


def test_doctor_requests_one_token_from_every_model_and_reports_costs(
    patternmind: CommandRunner, provider: Provider
) -> None:
    two = patternmind.with_env(
        PATTERNMIND_FALLBACK_MODEL=f"openai/second@{provider.url}",
        PATTERNMIND_PRICES="openai/test-model=0/500,openai/second=0/0",
    )
    provider.responses = [completion("", finish="length", tokens=(8, 1))]
    finding = two("doctor", "--json").json()[-1]
    assert finding["ok"]
    assert [request["max_tokens"] for request in provider.requests] == [1, 1]
    for statement in (
        "openai/test-model answers in",
        f"at {provider.url}, no key, 0 USD in and 500 USD out per million tokens",
        "openai/second answers in",
        "free of charge",
        "0.0005 USD this month of 10",
        "at most 1 USD per run",
    ):
        assert statement in finding["says"]
    calls = patternmind("runs", "--calls", "--run", "none", "--json").json()
    assert [(call["task"], call["outcome"], call["cost_usd"]) for call in calls] == [
        ("check", "answered", 0.0005),
        ("check", "answered", 0.0),
    ]


def test_doctor_reports_what_is_wrong_with_a_model(patternmind: CommandRunner, provider: Provider) -> None:
    provider.responses = [failure_response(401)]
    result = patternmind("doctor", "--json")
    assert result.code == 1
    finding = json.loads(result.out)[-1]
    assert "the key was refused (401). Check PATTERNMIND_MODEL" in finding["says"]
    unpriced = json.loads(patternmind.with_env(PATTERNMIND_PRICES="")("doctor", "--json").out)[-1]
    assert "The price of openai/test-model is not set" in unpriced["says"]


def test_runs_explains_an_empty_network_and_an_unknown_run(tmp_path: Path) -> None:
    empty = InProcess(tmp_path / "home")
    assert "No runs yet." in empty("runs").out
    assert empty("runs", "--calls").out == "No model calls.\n"
    missing = empty("runs", "--calls", "--run", "run-0009")
    assert (missing.code, missing.err.strip()) == (
        1,
        'There is no run "run-0009" in this network. List them with `patternmind runs`.',
    )
    assert empty("runs", "--run", "run-0001").code == 2
