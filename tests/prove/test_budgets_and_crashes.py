"""Proof that budgets hold across processes, kills and every kind of failure.

The processes call a server over real HTTP through litellm.
"""

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
from tests.acceptance.test_model_calls import respond
from tests.fixtures.commands import SAMPLE, CommandRunner, clean_environment
from tests.fixtures.model_server import Provider, ProviderResponse, completion, failure_response, serve_model

from patternmind.domain.calls import Budget, Call, CallOutcome, sum_calls
from patternmind.errors import BudgetReached
from patternmind.ports import RunParameters
from patternmind.storage import SqlStore

pytestmark = pytest.mark.prove

REPOSITORY = Path(__file__).parents[2]
N_REQUESTS = 50
"""Requests per process; two processes need 1 USD at 0.01 USD per call."""

REQUEST_SCRIPT = """
import sys
from pathlib import Path
from patternmind.clock import SystemClock
from patternmind.llm.gateway import LiteLLMGateway
from patternmind.storage import SqlStore
from patternmind.llm.batch import LlmRequest, ask_all
from patternmind.errors import BudgetReached
from patternmind.domain.calls import Budget, CallLimits, Endpoint, ModelChoice, Price, current_run_id
from patternmind.ports import RenderedPrompt

path, url, name, run_usd, n = sys.argv[1:]
model = Endpoint(model="openai/test-model", api_base=url, price=Price(0, 100))
limits = CallLimits(timeout_seconds=30, max_tokens=100, max_parallel=8)
budget = Budget(run_usd=float(run_usd))
gateway = LiteLLMGateway(
    ModelChoice(default=model), SqlStore(Path(path)).calls, SystemClock(), limits=limits, budget=budget
)
current_run_id.set("run-0001")
prompts = [
    RenderedPrompt(id="t", hash="h", system="s", user=f"{name} {i}", answer_schema={"type": "object"}, case_ids=())
    for i in range(int(n))
]
try:
    ask_all(gateway, [LlmRequest("t", prompt) for prompt in prompts])
except BudgetReached as error:
    sys.exit(error.exit_code)
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    store = SqlStore(tmp_path / "patternmind.db")
    store.runs.begin(RunParameters(), dt.datetime.now(dt.UTC))
    yield store
    store.close()


def start_process(store: SqlStore, provider: Provider, name: str, *, run_usd: float, n: int = N_REQUESTS) -> Any:
    arguments = [str(store.path), provider.url, name, str(run_usd), str(n)]
    return subprocess.Popen(
        [sys.executable, "-c", REQUEST_SCRIPT, *arguments], cwd=REPOSITORY, env=clean_environment(), process_group=0
    )


def run_both(store: SqlStore, provider: Provider, run_usd: float) -> list[int]:
    """Run two processes at the same time and return their exit codes."""
    processes = [start_process(store, provider, name, run_usd=run_usd) for name in ("north", "south")]
    return [process.wait(timeout=300) for process in processes]


def test_budget_holds_for_two_processes_with_eight_threads_each_and_can_be_raised(store: SqlStore) -> None:
    committed_usd = [0.0]

    def react(request: Mapping[str, Any]) -> ProviderResponse:
        totals = sum_calls(store.calls.list_all())  # as another process sees it while calls are in flight
        committed_usd.append(totals.cost_usd + totals.reserved_usd)
        return completion("{}", tokens=(20, 100))

    with serve_model(react) as provider:
        assert run_both(store, provider, 0.10) == [4, 4]
        assert len(provider.requests) == 10
        totals = sum_calls(store.calls.list_all())
        assert (totals.cost_usd, totals.reserved_usd) == (0.10, 0.0)
        assert max(committed_usd) <= 0.10

        assert run_both(store, provider, 1.00) == [0, 0]
        assert len(provider.requests) == 2 * N_REQUESTS
        totals = sum_calls(store.calls.list_all())
        assert (totals.cost_usd, totals.reserved_usd) == (1.0, 0.0)
        assert max(committed_usd) <= 1.00

        assert run_both(store, provider, 0.0) == [0, 0]
        assert len(provider.requests) == 2 * N_REQUESTS
    print(f"\nrequests 10, then 90, then 0; at most {max(committed_usd):.2f} USD committed at any request")


def test_reservations_of_a_killed_process_count_as_spent(store: SqlStore) -> None:
    with serve_model([ProviderResponse(never_answers=True)]) as provider:
        process = start_process(store, provider, "north", run_usd=0.10, n=3)
        deadline = time.monotonic() + 60
        while len(provider.requests) < 3 and time.monotonic() < deadline:
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert len(provider.requests) == 3
    assert sum_calls(store.calls.list_all()).reserved_usd == 0.03
    later = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=3)
    call = Call(id="next", task="t", model="m", run_id="run-0001", at=later, reserved_usd=0.08)
    with pytest.raises(BudgetReached):
        store.calls.reserve(call, Budget(run_usd=0.10), later)
    store.calls.reserve(call, Budget(run_usd=0.11), later)
    outcomes = Counter(call.outcome for call in store.calls.list_all())
    assert outcomes == {CallOutcome.LOST: 3, CallOutcome.IN_FLIGHT: 1}
    assert sum_calls(store.calls.list_all()).cost_usd == 0.03


def test_run_completes_and_reports_every_failure_when_the_server_fails_in_every_way(tmp_path: Path) -> None:
    too_large = ProviderResponse(raw=b'{"choices": [{"message": {"content": "' + b"x" * (10 << 20) + b'"}}]}')
    failures = itertools.cycle(
        [
            failure_response(429, Retry_After="0.2"),
            failure_response(500),
            ProviderResponse(body=completion("{}").body, drip_seconds=0.05),
            completion('{"name": "half'),
            completion('{"wrong": 1}'),
            completion(None, refusal="no"),
            completion(""),
            too_large,
            ProviderResponse(never_answers=True),
            None,
        ]
    )

    def react(request: Mapping[str, Any]) -> ProviderResponse:
        return next(failures) or respond(request)

    with serve_model(react) as provider:
        patternmind = CommandRunner(tmp_path / "home").with_env(
            PATTERNMIND_MODEL="openai/test-model",
            PATTERNMIND_API_BASE=provider.url,
            PATTERNMIND_PRICES="openai/test-model=0/0",
            PATTERNMIND_MODEL_TIMEOUT_SECONDS="1",
        )
        patternmind("ingest", SAMPLE / "cases-2026Q3.csv", SAMPLE / "cases-2026Q4.csv")
        result = patternmind("run", "--json", seconds=600)
        assert result.code == 0, result
        report = result.json()
        calls = patternmind("runs", "--calls", "--json").json()
        assert sum(call["n_attempts"] for call in calls) == len(provider.requests)
    failed = [call for call in calls if call["outcome"] not in {"answered", "repaired", "cached"}]
    assert report["calls"]["failed"] == len(failed) > 0
    assert report["notes"]
    # At most three requests of one second each, two waits of 1 and 2 seconds, and a margin for a busy machine.
    assert max(call["seconds"] for call in calls) < 3 * 1 + 3 + 5
    outcomes = Counter(call["outcome"] for call in calls)
    print(f"\n{len(calls)} calls, {len(provider.requests)} requests: {json.dumps(outcomes)}")
    print("\n".join(report["notes"]))
