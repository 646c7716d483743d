"""Budget, kills and every trouble at once, over real HTTP through litellm, in processes of their own."""

import datetime as dt
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.test_model_calls import answer as fitting
from tests.fixtures.commands import SAMPLE, CommandRunner, clean_environment
from tests.fixtures.model_server import (
    Provider,
    ProviderResponse,
    completion,
    failure_response,
    serve_model,
)

from patternmind.domain.calls import (
    Budget,
    Call,
    CallOutcome,
    sum_calls,
)
from patternmind.errors import BudgetReached
from patternmind.ports import RunParameters
from patternmind.storage import SqlStore

pytestmark = pytest.mark.prove

REPOSITORY = Path(__file__).parents[2]
N_QUESTIONS = 50
"""A process; two of them need 1 USD at 0.01 USD a call."""

ASKER = """
import sys
from pathlib import Path
from patternmind.clock import SystemClock
from patternmind.llm.gateway import LiteLLMGateway
from patternmind.storage import SqlStore
from patternmind.llm.batch import Question, ask_all
from patternmind.errors import BudgetReached
from patternmind.domain.calls import Budget, CallLimits, Endpoint, ModelChoice, Price, current_run
from patternmind.ports import RenderedPrompt

path, url, name, run_usd, n = sys.argv[1:]
model = Endpoint(model="openai/test-model", api_base=url, price=Price(0, 100))
limits = CallLimits(timeout_seconds=30, max_tokens=100, n_parallel=8)
gateway = LiteLLMGateway(
    ModelChoice(usual=model), SqlStore(Path(path)), SystemClock(), limits=limits, budget=Budget(run_usd=float(run_usd))
)
current_run.set("run-0001")
prompts = [
    RenderedPrompt(id="t", hash="h", system="s", user=f"{name} {i}", answer_schema={"type": "object"}, case_ids=())
    for i in range(int(n))
]
try:
    ask_all(gateway, [Question("t", prompt) for prompt in prompts])
except BudgetReached as reached:
    sys.exit(reached.exit_code)
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    opened = SqlStore(tmp_path / "patternmind.db")
    opened.begin_run(RunParameters(), dt.datetime.now(dt.UTC))
    yield opened
    opened.close()


def started(store: SqlStore, provider: Provider, name: str, *, run_usd: float, n: int = N_QUESTIONS) -> Any:
    arguments = [str(store.path), provider.url, name, str(run_usd), str(n)]
    return subprocess.Popen(
        [sys.executable, "-c", ASKER, *arguments], cwd=REPOSITORY, env=clean_environment(), process_group=0
    )


def both(store: SqlStore, provider: Provider, run_usd: float) -> list[int]:
    askers = [started(store, provider, name, run_usd=run_usd) for name in ("north", "south")]
    return [asker.wait(timeout=300) for asker in askers]


def test_two_processes_with_eight_threads_each_never_pass_the_budget_and_go_on_when_it_is_raised(
    store: SqlStore,
) -> None:
    most = [0.0]

    def react(request: Mapping[str, Any]) -> ProviderResponse:
        totals = sum_calls(store.list_calls())  # as any other process sees it while calls are under way
        most.append(totals.cost_usd + totals.reserved_usd)
        return completion("{}", tokens=(20, 100))

    with serve_model(react) as provider:
        assert both(store, provider, 0.10) == [4, 4]
        assert len(provider.requests) == 10
        totals = sum_calls(store.list_calls())
        assert (totals.cost_usd, totals.reserved_usd) == (0.10, 0.0)
        assert max(most) <= 0.10

        assert both(store, provider, 1.00) == [0, 0]
        assert len(provider.requests) == 2 * N_QUESTIONS
        totals = sum_calls(store.list_calls())
        assert (totals.cost_usd, totals.reserved_usd) == (1.0, 0.0)
        assert max(most) <= 1.00

        assert both(store, provider, 0.0) == [0, 0]
        assert len(provider.requests) == 2 * N_QUESTIONS
    print(f"\nrequests 10, then 90, then 0; most committed seen at any request {max(most):.2f} USD")


def test_what_a_killed_process_had_reserved_stays_spent(store: SqlStore) -> None:
    with serve_model([ProviderResponse(never_answers=True)]) as provider:
        asker = started(store, provider, "north", run_usd=0.10, n=3)
        give_up = time.monotonic() + 60
        while len(provider.requests) < 3 and time.monotonic() < give_up:
            time.sleep(0.05)
        os.killpg(asker.pid, signal.SIGKILL)
        asker.wait()
        assert len(provider.requests) == 3
    assert sum_calls(store.list_calls()).reserved_usd == 0.03
    later = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=3)
    call = Call(id="next", task="t", model="m", run_id="run-0001", at=later, reserved_usd=0.08)
    with pytest.raises(BudgetReached):
        store.reserve(call, Budget(run_usd=0.10), later)
    store.reserve(call, Budget(run_usd=0.11), later)
    outcomes = Counter(one.outcome for one in store.list_calls())
    assert outcomes == {CallOutcome.LOST: 3, CallOutcome.IN_FLIGHT: 1}
    assert sum_calls(store.list_calls()).cost_usd == 0.03


def test_a_run_completes_through_every_trouble_and_its_report_names_each_failure(tmp_path: Path) -> None:
    big = ProviderResponse(raw=b'{"choices": [{"message": {"content": "' + b"x" * (10 << 20) + b'"}}]}')
    troubles = itertools.cycle(
        [
            failure_response(429, Retry_After="0.2"),
            failure_response(500),
            ProviderResponse(body=completion("{}").body, drip_seconds=0.05),
            completion('{"name": "half'),
            completion('{"wrong": 1}'),
            completion(None, refusal="no"),
            completion(""),
            big,
            ProviderResponse(never_answers=True),
            None,
        ]
    )

    def react(request: Mapping[str, Any]) -> ProviderResponse:
        return next(troubles) or fitting(request)

    with serve_model(react) as provider:
        patternmind = CommandRunner(tmp_path / "home").with_env(
            PATTERNMIND_MODEL="openai/test-model",
            PATTERNMIND_API_BASE=provider.url,
            PATTERNMIND_PRICES="openai/test-model=0/0",
            PATTERNMIND_MODEL_TIMEOUT_SECONDS="1",
        )
        patternmind("ingest", SAMPLE / "cases-2026Q3.csv", SAMPLE / "cases-2026Q4.csv")
        done = patternmind("run", "--json", seconds=600)
        assert done.code == 0, done
        report = done.json()
        calls = patternmind("runs", "--calls", "--json").json()
        assert sum(call["n_attempts"] for call in calls) == len(provider.requests)
    failed = [call for call in calls if call["outcome"] not in {"answered", "repaired", "cached"}]
    assert report["calls"]["failed"] == len(failed) > 0
    assert report["notes"]
    # Three requests at most, each in its second, the waits between them, 1 and 2 seconds, and a busy machine.
    assert max(call["seconds"] for call in calls) < 3 * 1 + 3 + 5
    print(
        f"\n{len(calls)} calls, {len(provider.requests)} requests: {json.dumps(Counter(c['outcome'] for c in calls))}"
    )
    print("\n".join(report["notes"]))
