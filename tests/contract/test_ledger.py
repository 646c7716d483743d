"""Contract of ``CallLedger``, for the store and the in-memory ledger: limits hold, and no call is lost."""

import datetime as dt
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.fixtures.builders import NOON, build_case, build_submission

from patternmind.domain.calls import Budget, CachedAnswer, Call, CallOutcome, sum_calls, to_nanousd
from patternmind.errors import BudgetReached
from patternmind.llm.gateway import MemoryLedger
from patternmind.ports import CallLedger, RunOutcome, RunParameters
from patternmind.storage import SqlStore
from patternmind.storage.database import Transaction
from patternmind.storage.encryption import FieldCipher
from patternmind.storage.repositories.networks import SqlNetworkRepository

SOON = NOON + dt.timedelta(minutes=2)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    opened = SqlStore(tmp_path / "patternmind.db")
    yield opened
    opened.close()


@pytest.fixture(params=["store", "memory"])
def ledger(request: pytest.FixtureRequest) -> Any:
    return MemoryLedger() if request.param == "memory" else request.getfixturevalue("store").calls


def make_call(id: str = "1", **overrides: Any) -> Call:
    values: dict[str, Any] = {"task": "naming", "model": "openai/small", "at": NOON, **overrides}
    return Call(id=id, **values)


def make_reserved_call(id: str, usd: float, **overrides: Any) -> Call:
    """Make a call with an amount reserved for two minutes."""
    return make_call(id, reserved_usd=usd, reserved_until=SOON, **overrides)


def make_answer(key: str = "k", **overrides: Any) -> CachedAnswer:
    values: dict[str, Any] = {
        "model": "openai/small",
        "prompt_hash": "p",
        "input_hash": "i",
        "parameters": {"max_tokens": 10},
        "value": {"name": "täpe", "quotes": [{"n": 1.5}]},
        "case_ids": ("c-1", "c-2"),
        "at": NOON,
        "n_tokens": 42,
        "cost_usd": 0.000078,
        **overrides,
    }
    return CachedAnswer(key=key, **values)


def test_ledger_stores_all_fields_of_a_call(ledger: CallLedger) -> None:
    call = make_call(
        run_id="run-0001",
        prompt_hash="p",
        input_hash="i",
        outcome=CallOutcome.NEEDS_A_PERSON,
        n_attempts=3,
        n_tokens_in=900,
        n_tokens_out=12,
        cost_usd=0.000123,
        seconds=1.25,
    )
    ledger.settle(call)
    ledger.settle(make_call("2"))
    assert ledger.list_all("run-0001") == [call]
    assert ledger.list_all("") == [make_call("2")]
    assert [call.id for call in ledger.list_all()] == ["1", "2"]


def test_ledger_lists_a_reservation_until_the_call_is_settled(ledger: CallLedger) -> None:
    ledger.reserve(make_reserved_call("1", 0.5), Budget(), NOON)
    assert ledger.list_all() == [make_reserved_call("1", 0.5)]
    ledger.settle(replace(make_reserved_call("1", 0.5), cost_usd=0.1, outcome=CallOutcome.ANSWERED))
    assert ledger.list_all() == [make_call("1", cost_usd=0.1, outcome=CallOutcome.ANSWERED)]


@pytest.mark.parametrize("scope", ["run", "network", "month"])
def test_ledger_refuses_a_call_over_budget_without_storing_it(ledger: CallLedger, scope: str) -> None:
    budget = Budget(**{f"{scope}_usd": 0.1})
    ledger.settle(make_call("1", run_id="run-0001", cost_usd=0.06))
    with pytest.raises(BudgetReached) as refused:
        ledger.reserve(make_reserved_call("2", 0.05, run_id="run-0001"), budget, NOON)
    assert [call.id for call in ledger.list_all()] == ["1"]
    error = refused.value
    assert (error.scope, error.limit_usd, error.spent_usd, error.needed_usd) == (scope, 0.1, 0.06, 0.05)
    assert (error.pending, error.exit_code) == (False, 4)
    assert f"PATTERNMIND_BUDGET_{scope.upper()}_USD" in str(error)
    ledger.reserve(make_reserved_call("2", 0.04, run_id="run-0001"), budget, NOON)


def test_budget_counts_only_calls_of_its_scope(ledger: CallLedger) -> None:
    last_month = dt.datetime(2026, 10, 31, 23, 59, tzinfo=dt.UTC)
    ledger.settle(make_call("1", run_id="run-0001", cost_usd=0.09, at=last_month))
    ledger.reserve(
        make_reserved_call("2", 0.09, run_id="run-0002"), Budget(run_usd=0.1, month_usd=0.1, network_usd=0.18), NOON
    )
    with pytest.raises(BudgetReached, match="this network"):
        ledger.reserve(make_reserved_call("3", 0.01), Budget(run_usd=0.0, month_usd=1, network_usd=0.18), NOON)


def test_budget_month_is_the_utc_month(ledger: CallLedger) -> None:
    late = dt.datetime(2026, 11, 1, 1, 0, tzinfo=dt.timezone(dt.timedelta(hours=2)))  # 23:00 of October in UTC
    ledger.settle(make_call("1", cost_usd=0.1, at=late))
    ledger.reserve(make_reserved_call("2", 0.1), Budget(month_usd=0.1), NOON)


def test_budget_error_is_pending_only_when_open_reservations_cause_it(ledger: CallLedger) -> None:
    budget = Budget(network_usd=0.1)
    ledger.reserve(make_reserved_call("1", 0.08), budget, NOON)
    with pytest.raises(BudgetReached) as pending:
        ledger.reserve(make_reserved_call("2", 0.08), budget, NOON)
    with pytest.raises(BudgetReached) as permanent:
        ledger.reserve(make_reserved_call("3", 0.11), budget, NOON)
    assert (pending.value.pending, permanent.value.pending) == (True, False)


def test_reservation_of_a_retry_includes_the_cost_of_the_first_request(ledger: CallLedger) -> None:
    budget = Budget(network_usd=0.1)
    ledger.reserve(make_reserved_call("1", 0.06), budget, NOON)
    with pytest.raises(BudgetReached):
        ledger.reserve(make_reserved_call("1", 0.06, cost_usd=0.05), budget, NOON)
    ledger.reserve(make_reserved_call("1", 0.05, cost_usd=0.05), budget, NOON)
    assert ledger.list_all() == [make_reserved_call("1", 0.05, cost_usd=0.05)]


def test_expired_reservation_becomes_cost_and_its_call_is_lost(ledger: CallLedger) -> None:
    budget = Budget(network_usd=0.1)
    ledger.reserve(make_reserved_call("1", 0.06, cost_usd=0.01), budget, NOON)
    ledger.reserve(make_call("2"), budget, SOON)
    assert ledger.list_all()[0].outcome is CallOutcome.IN_FLIGHT
    with pytest.raises(BudgetReached) as refused:
        ledger.reserve(make_reserved_call("3", 0.05), budget, SOON + dt.timedelta(seconds=1))
    assert refused.value.pending is False
    ledger.reserve(make_call("4"), budget, SOON + dt.timedelta(seconds=1))
    assert ledger.list_all()[0] == make_call("1", outcome=CallOutcome.LOST, cost_usd=0.07)


def test_lost_call_can_still_be_settled(ledger: CallLedger) -> None:
    ledger.reserve(make_reserved_call("1", 0.06), Budget(), NOON)
    ledger.reserve(make_call("2"), Budget(), SOON + dt.timedelta(hours=1))
    ledger.settle(make_call("1", outcome=CallOutcome.ANSWERED, cost_usd=0.02), make_answer())
    assert ledger.list_all()[0] == make_call("1", outcome=CallOutcome.ANSWERED, cost_usd=0.02)
    assert ledger.find_cached_answer(["k"]) == make_answer()


@given(costs=st.lists(st.floats(0, 0.02), max_size=20), limit=st.floats(0, 0.2))
def test_budget_is_never_exceeded_by_any_sequence_of_calls(costs: list[float], limit: float) -> None:
    ledger = MemoryLedger()
    for number, usd in enumerate(costs):
        call = make_reserved_call(str(number), usd)
        try:
            ledger.reserve(call, Budget(network_usd=limit), NOON)
        except BudgetReached:
            continue
        if number % 2:
            ledger.settle(replace(call, cost_usd=usd))
        totals = sum_calls(ledger.list_all())
        assert totals.cost_usd + totals.reserved_usd <= limit + 1e-9


def test_budget_is_never_exceeded_by_concurrent_threads(ledger: CallLedger) -> None:
    def spend(number: int) -> bool:
        call = make_reserved_call(str(number), 0.01)
        try:
            ledger.reserve(call, Budget(network_usd=0.1), NOON)
        except BudgetReached:
            return False
        ledger.settle(replace(call, cost_usd=0.01))
        return True

    with ThreadPoolExecutor(8) as threads:
        accepted = list(threads.map(spend, range(30)))
    assert sum(accepted) == 10
    assert sum_calls(ledger.list_all()).cost_usd == 0.1


SPENDER = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tests.contract.test_ledger import spend_all
print(spend_all(Path(sys.argv[1]), sys.argv[2]))
"""


def spend_all(path: Path, name: str) -> int:
    """Make 40 calls in 8 threads and return the number of accepted ones; run by several processes."""
    store = SqlStore(path)

    def spend(number: int) -> bool:
        call = make_reserved_call(f"{name}-{number}", 0.01)
        try:
            store.calls.reserve(call, Budget(network_usd=0.1), NOON)
        except BudgetReached:
            return False
        store.calls.settle(replace(call, cost_usd=0.01))
        return True

    with ThreadPoolExecutor(8) as threads:
        return sum(threads.map(spend, range(40)))


def test_budget_is_never_exceeded_by_concurrent_processes(store: SqlStore) -> None:
    root = Path(__file__).parents[2]
    spenders = [
        subprocess.Popen(
            [sys.executable, "-c", SPENDER, str(store.path), name], cwd=root, stdout=subprocess.PIPE, text=True
        )
        for name in ("north", "south")
    ]
    accepted = [int(spender.communicate(timeout=120)[0]) for spender in spenders]
    assert sum(accepted) == 10
    assert sum_calls(store.calls.list_all()).cost_usd == 0.1


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["reserve", "settle"]),
            st.integers(0, 4),
            st.integers(0, 3),
            st.sampled_from([0.0, 0.01, 0.0333]),
        ),
        max_size=12,
    )
)
def test_stored_spend_sums_equal_the_sums_of_the_calls(store: SqlStore, steps: list[Any]) -> None:
    """Sums stay correct over reserved, settled, late and lost calls, months and runs."""
    network_id = uuid.uuid4().hex
    store = SqlStore(store.path, network_id)
    for number, (step, id, when, usd) in enumerate(steps):
        at = NOON + dt.timedelta(days=10 * id)
        call = make_reserved_call(str(id), usd, at=at, run_id=f"run-{id % 2}", cost_usd=number / 100)
        if step == "reserve":
            store.calls.reserve(call, Budget(), NOON + dt.timedelta(minutes=when))
        else:
            store.calls.settle(call)
    with closing(sqlite3.connect(store.path)) as connection:
        sums = connection.execute("SELECT * FROM model_spend WHERE network_id = ?", [network_id]).fetchall()
    stored = {(scope, key): (paid, reserved) for _, scope, key, paid, reserved in sums}
    expected: dict[tuple[str, str], tuple[int, int]] = {}
    for call in store.calls.list_all():
        for scope, key in (("network", ""), ("month", call.month), ("run", call.run_id)):
            paid, reserved = expected.get((scope, key), (0, 0))
            expected[scope, key] = (paid + to_nanousd(call.cost_usd), reserved + to_nanousd(call.reserved_usd))
    store.close()
    assert {key: amounts for key, amounts in stored.items() if amounts != (0, 0)} == {
        key: amounts for key, amounts in expected.items() if amounts != (0, 0)
    }


# answers


def test_ledger_returns_the_complete_answer_of_the_first_key(ledger: CallLedger) -> None:
    ledger.settle(make_call(), make_answer("a"))
    ledger.settle(make_call(), make_answer("b", case_ids=None, value={"name": None}))
    assert ledger.find_cached_answer(["x", "b", "a"]) == make_answer("b", case_ids=None, value={"name": None})
    assert ledger.find_cached_answer(["a", "b"]) == make_answer("a")
    assert ledger.find_cached_answer(["x"]) is None


def test_ledger_keeps_the_latest_answer_of_a_key(ledger: CallLedger) -> None:
    ledger.settle(make_call(), make_answer())
    ledger.settle(make_call(), make_answer(value={"name": "other"}, case_ids=("c-3",)))
    assert ledger.find_cached_answer(["k"]) == make_answer(value={"name": "other"}, case_ids=("c-3",))
    assert ledger.delete_answers_of(["c-1"]) == 0


def test_deleting_cached_answers_includes_answers_with_unknown_cases(ledger: CallLedger) -> None:
    for key, case_ids in {"saw": ("c-1", "c-2"), "not": ("c-2",), "none": (), "unknown": None}.items():
        ledger.settle(make_call(key), make_answer(key, case_ids=case_ids))
    assert ledger.delete_answers_of([]) == 0
    assert ledger.delete_answers_of(["c-1", "c-9"]) == 2
    remaining = [key for key in ("saw", "not", "none", "unknown") if ledger.find_cached_answer([key])]
    assert remaining == ["not", "none"]
    assert ledger.delete_answers_of(["c-1"]) == 0


# the store only


def test_ledger_keeps_calls_and_budgets_of_networks_separate(store: SqlStore) -> None:
    other = SqlStore(store.path, "south")
    store.calls.settle(make_call("1", cost_usd=0.1), make_answer())
    assert (other.calls.list_all(), other.calls.find_cached_answer(["k"])) == ([], None)
    other.calls.reserve(make_reserved_call("1", 0.1), Budget(network_usd=0.1, month_usd=0.1), NOON)
    assert other.calls.delete_answers_of(["c-1"]) == 0
    assert store.calls.find_cached_answer(["k"]) == make_answer()
    other.close()


def test_restarted_run_shares_the_budget_of_the_failed_run(store: SqlStore) -> None:
    budget = Budget(run_usd=0.1)

    def begin(lens: str = "all") -> str:
        return store.runs.begin(RunParameters(lens=lens), NOON).id

    def finish(run_id: str) -> None:
        empty = RunOutcome(themes=[], areas={}, changes=[], assignments=[], duplicate_of={}, drafts=[])
        store.finish_run(run_id, empty, NOON)

    first = begin()
    store.calls.settle(make_call("1", run_id=first, cost_usd=0.06))
    store.runs.fail(first, "BudgetReached", NOON)
    other_lens = begin("problem")
    store.calls.reserve(make_reserved_call("2", 0.1, run_id=other_lens), budget, NOON)
    restarted = begin()
    with pytest.raises(BudgetReached) as refused:
        store.calls.reserve(make_reserved_call("3", 0.05, run_id=restarted), budget, NOON)
    assert refused.value.spent_usd == 0.06
    store.calls.reserve(make_reserved_call("3", 0.04, run_id=restarted), budget, NOON)
    finish(restarted)
    store.calls.reserve(make_reserved_call("4", 0.1, run_id=begin()), budget, NOON)


def test_changed_case_text_deletes_its_cached_answers(store: SqlStore) -> None:
    case, other = build_case("c-1"), build_case("c-2", "Nothing")
    store.cases.save_all([(build_submission(), case), (build_submission(), other)])
    store.calls.settle(make_call(), make_answer("saw", case_ids=("c-1",)))
    store.calls.settle(make_call(), make_answer("not", case_ids=("c-2",)))
    store.cases.save_all([(build_submission(), replace(case, team="another"))])
    assert store.calls.find_cached_answer(["saw"]) is not None
    changed = build_case("c-1", "Another text.", text_version="v2")
    store.cases.save_all([(build_submission("Another text."), changed)], dry_run=True)
    assert store.calls.find_cached_answer(["saw"]) is not None
    store.cases.save_all([(build_submission("Another text."), changed)])
    assert store.calls.find_cached_answer(["saw"]) is None
    assert store.calls.find_cached_answer(["not"]) is not None


def test_reservation_locks_the_network_row_on_postgresql(store: SqlStore) -> None:
    """PostgreSQL needs the statement that replaces SQLite's lock of the whole database."""
    from sqlalchemy.dialects import postgresql

    statements: list[str] = []

    class Recording:
        def execute(self, statement: Any) -> Any:
            statements.append(str(statement.compile(dialect=postgresql.dialect())))
            return self

        def one(self) -> None: ...

    recording: Any = Recording()
    SqlNetworkRepository(Transaction(recording, "default", FieldCipher())).lock()
    assert statements[0].endswith("FOR UPDATE")


def test_deleted_answer_is_removed_from_the_database_file(store: SqlStore) -> None:
    store.calls.settle(make_call(), make_answer(value={"name": "canary 4711"}))
    store.calls.delete_answers_of(["c-2"])
    store.close()
    assert b"canary 4711" not in b"".join(path.read_bytes() for path in store.path.parent.glob("patternmind.db"))
