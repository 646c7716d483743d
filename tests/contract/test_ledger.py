"""What every ``Ledger`` keeps, asked of the store and of the double in memory: no limit is passed, nothing is lost."""

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
from typing import Any, Protocol

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.fixtures.builders import NOON, build_case, build_submission

from patternmind.domain.calls import (
    Budget,
    CachedAnswer,
    Call,
    CallOutcome,
    sum_calls,
    to_nanousd,
)
from patternmind.errors import BudgetReached
from patternmind.llm.gateway import MemoryLedger
from patternmind.ports import CallLedger, RunOutcome, RunParameters
from patternmind.storage import SqlStore

SOON = NOON + dt.timedelta(minutes=2)


class ForgetfulLedger(CallLedger, Protocol):
    """Both ledgers forget what a case was in."""

    def delete_cached_answers(self, case_ids: list[str]) -> int: ...


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    opened = SqlStore(tmp_path / "patternmind.db")
    yield opened
    opened.close()


@pytest.fixture(params=["store", "memory"])
def ledger(request: pytest.FixtureRequest) -> Any:
    return MemoryLedger() if request.param == "memory" else request.getfixturevalue("store")


def a_call(id: str = "1", **known: Any) -> Call:
    given: dict[str, Any] = {"task": "naming", "model": "openai/small", "at": NOON, **known}
    return Call(id=id, **given)


def asking(id: str, usd: float, **known: Any) -> Call:
    """A call with money put aside for two minutes."""
    return a_call(id, reserved_usd=usd, reserved_until=SOON, **known)


def an_answer(key: str = "k", **known: Any) -> CachedAnswer:
    given: dict[str, Any] = {
        "model": "openai/small",
        "prompt_hash": "p",
        "input_hash": "i",
        "parameters": {"max_tokens": 10},
        "value": {"name": "täpe", "quotes": [{"n": 1.5}]},
        "case_ids": ("c-1", "c-2"),
        "at": NOON,
        "n_tokens": 42,
        "cost_usd": 0.000078,
        **known,
    }
    return CachedAnswer(key=key, **given)


def test_a_call_is_kept_whole(ledger: ForgetfulLedger) -> None:
    call = a_call(
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
    ledger.settle(a_call("2"))
    assert ledger.list_calls("run-0001") == [call]
    assert ledger.list_calls("") == [a_call("2")]
    assert [one.id for one in ledger.list_calls()] == ["1", "2"]


def test_a_reservation_is_seen_and_settling_frees_it(ledger: ForgetfulLedger) -> None:
    ledger.reserve(asking("1", 0.5), Budget(), NOON)
    assert ledger.list_calls() == [asking("1", 0.5)]
    ledger.settle(replace(asking("1", 0.5), cost_usd=0.1, outcome=CallOutcome.ANSWERED))
    assert ledger.list_calls() == [a_call("1", cost_usd=0.1, outcome=CallOutcome.ANSWERED)]


@pytest.mark.parametrize("scope", ["run", "network", "month"])
def test_what_does_not_fit_is_refused_and_not_written(ledger: ForgetfulLedger, scope: str) -> None:
    budget = Budget(**{f"{scope}_usd": 0.1})
    ledger.settle(a_call("1", run_id="run-0001", cost_usd=0.06))
    with pytest.raises(BudgetReached) as refused:
        ledger.reserve(asking("2", 0.05, run_id="run-0001"), budget, NOON)
    assert [one.id for one in ledger.list_calls()] == ["1"]
    said = refused.value
    assert (said.scope, said.limit_usd, said.spent_usd, said.needed_usd) == (scope, 0.1, 0.06, 0.05)
    assert (said.pending, said.exit_code) == (False, 4)
    assert f"PATTERNMIND_BUDGET_{scope.upper()}_USD" in str(said)
    ledger.reserve(asking("2", 0.04, run_id="run-0001"), budget, NOON)


def test_a_budget_counts_what_belongs_to_it(ledger: ForgetfulLedger) -> None:
    last_month = dt.datetime(2026, 10, 31, 23, 59, tzinfo=dt.UTC)
    ledger.settle(a_call("1", run_id="run-0001", cost_usd=0.09, at=last_month))
    ledger.reserve(asking("2", 0.09, run_id="run-0002"), Budget(run_usd=0.1, month_usd=0.1, network_usd=0.18), NOON)
    with pytest.raises(BudgetReached, match="this network"):
        ledger.reserve(asking("3", 0.01), Budget(run_usd=0.0, month_usd=1, network_usd=0.18), NOON)


def test_the_month_is_that_of_utc(ledger: ForgetfulLedger) -> None:
    late = dt.datetime(2026, 11, 1, 1, 0, tzinfo=dt.timezone(dt.timedelta(hours=2)))  # 23:00 of October in UTC
    ledger.settle(a_call("1", cost_usd=0.1, at=late))
    ledger.reserve(asking("2", 0.1), Budget(month_usd=0.1), NOON)


def test_only_calls_under_way_in_the_way_are_worth_waiting_for(ledger: ForgetfulLedger) -> None:
    budget = Budget(network_usd=0.1)
    ledger.reserve(asking("1", 0.08), budget, NOON)
    with pytest.raises(BudgetReached) as waits:
        ledger.reserve(asking("2", 0.08), budget, NOON)
    with pytest.raises(BudgetReached) as never:
        ledger.reserve(asking("3", 0.11), budget, NOON)
    assert (waits.value.pending, never.value.pending) == (True, False)


def test_a_call_that_asks_again_pays_for_its_first_request_too(ledger: ForgetfulLedger) -> None:
    budget = Budget(network_usd=0.1)
    ledger.reserve(asking("1", 0.06), budget, NOON)
    with pytest.raises(BudgetReached):
        ledger.reserve(asking("1", 0.06, cost_usd=0.05), budget, NOON)
    ledger.reserve(asking("1", 0.05, cost_usd=0.05), budget, NOON)
    assert ledger.list_calls() == [asking("1", 0.05, cost_usd=0.05)]


def test_what_a_dead_process_reserved_stays_spent_and_its_call_is_lost(ledger: ForgetfulLedger) -> None:
    budget = Budget(network_usd=0.1)
    ledger.reserve(asking("1", 0.06, cost_usd=0.01), budget, NOON)
    ledger.reserve(a_call("2"), budget, SOON)
    assert ledger.list_calls()[0].outcome is CallOutcome.IN_FLIGHT
    with pytest.raises(BudgetReached) as refused:
        ledger.reserve(asking("3", 0.05), budget, SOON + dt.timedelta(seconds=1))
    assert refused.value.pending is False
    ledger.reserve(a_call("4"), budget, SOON + dt.timedelta(seconds=1))
    assert ledger.list_calls()[0] == a_call("1", outcome=CallOutcome.LOST, cost_usd=0.07)


def test_who_was_only_slow_settles_after_all(ledger: ForgetfulLedger) -> None:
    ledger.reserve(asking("1", 0.06), Budget(), NOON)
    ledger.reserve(a_call("2"), Budget(), SOON + dt.timedelta(hours=1))
    ledger.settle(a_call("1", outcome=CallOutcome.ANSWERED, cost_usd=0.02), an_answer())
    assert ledger.list_calls()[0] == a_call("1", outcome=CallOutcome.ANSWERED, cost_usd=0.02)
    assert ledger.find_cached_answer(["k"]) == an_answer()


@given(costs=st.lists(st.floats(0, 0.02), max_size=20), limit=st.floats(0, 0.2))
def test_no_order_of_calls_passes_the_limit(costs: list[float], limit: float) -> None:
    ledger = MemoryLedger()
    for number, usd in enumerate(costs):
        call = asking(str(number), usd)
        try:
            ledger.reserve(call, Budget(network_usd=limit), NOON)
        except BudgetReached:
            continue
        if number % 2:
            ledger.settle(replace(call, cost_usd=usd))
        totals = sum_calls(ledger.list_calls())
        assert totals.cost_usd + totals.reserved_usd <= limit + 1e-9


def test_threads_together_hold_the_limit(ledger: ForgetfulLedger) -> None:
    def spend(number: int) -> bool:
        call = asking(str(number), 0.01)
        try:
            ledger.reserve(call, Budget(network_usd=0.1), NOON)
        except BudgetReached:
            return False
        ledger.settle(replace(call, cost_usd=0.01))
        return True

    with ThreadPoolExecutor(8) as threads:
        went = list(threads.map(spend, range(30)))
    assert sum(went) == 10
    assert sum_calls(ledger.list_calls()).cost_usd == 0.1


SPENDER = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tests.contract.test_ledger import spend_all
print(spend_all(Path(sys.argv[1]), sys.argv[2]))
"""


def spend_all(path: Path, name: str) -> int:
    """What one of several processes does: 8 threads put 40 calls; the number of those that went."""
    store = SqlStore(path)

    def spend(number: int) -> bool:
        call = asking(f"{name}-{number}", 0.01)
        try:
            store.reserve(call, Budget(network_usd=0.1), NOON)
        except BudgetReached:
            return False
        store.settle(replace(call, cost_usd=0.01))
        return True

    with ThreadPoolExecutor(8) as threads:
        return sum(threads.map(spend, range(40)))


def test_processes_together_hold_the_limit(store: SqlStore) -> None:
    here = Path(__file__).parents[2]
    spenders = [
        subprocess.Popen(
            [sys.executable, "-c", SPENDER, str(store.path), name], cwd=here, stdout=subprocess.PIPE, text=True
        )
        for name in ("north", "south")
    ]
    went = [int(one.communicate(timeout=120)[0]) for one in spenders]
    assert sum(went) == 10
    assert sum_calls(store.list_calls()).cost_usd == 0.1


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
def test_the_sums_that_budgets_look_at_are_those_of_the_calls(store: SqlStore, steps: list[Any]) -> None:
    """Whatever is reserved, settled, settled late or lost, in two months and two runs."""
    network_id = uuid.uuid4().hex
    store = SqlStore(store.path, network_id)
    for number, (step, id, when, usd) in enumerate(steps):
        at = NOON + dt.timedelta(days=10 * id)
        call = asking(str(id), usd, at=at, run_id=f"run-{id % 2}", cost_usd=number / 100)
        if step == "reserve":
            store.reserve(call, Budget(), NOON + dt.timedelta(minutes=when))
        else:
            store.settle(call)
    with closing(sqlite3.connect(store.path)) as connection:
        sums = connection.execute("SELECT * FROM model_spend WHERE network_id = ?", [network_id]).fetchall()
    kept = {(scope, key): (paid, open) for _, scope, key, paid, open in sums}
    expected: dict[tuple[str, str], tuple[int, int]] = {}
    for call in store.list_calls():
        for scope, key in (("network", ""), ("month", call.month), ("run", call.run_id)):
            paid, open = expected.get((scope, key), (0, 0))
            expected[scope, key] = (paid + to_nanousd(call.cost_usd), open + to_nanousd(call.reserved_usd))
    store.close()
    assert {key: money for key, money in kept.items() if money != (0, 0)} == {
        key: money for key, money in expected.items() if money != (0, 0)
    }


# Answers


def test_an_answer_is_kept_whole_and_the_first_key_wins(ledger: ForgetfulLedger) -> None:
    ledger.settle(a_call(), an_answer("a"))
    ledger.settle(a_call(), an_answer("b", case_ids=None, value={"name": None}))
    assert ledger.find_cached_answer(["x", "b", "a"]) == an_answer("b", case_ids=None, value={"name": None})
    assert ledger.find_cached_answer(["a", "b"]) == an_answer("a")
    assert ledger.find_cached_answer(["x"]) is None


def test_the_same_question_answered_twice_keeps_the_last(ledger: ForgetfulLedger) -> None:
    ledger.settle(a_call(), an_answer())
    ledger.settle(a_call(), an_answer(value={"name": "other"}, case_ids=("c-3",)))
    assert ledger.find_cached_answer(["k"]) == an_answer(value={"name": "other"}, case_ids=("c-3",))
    assert ledger.delete_cached_answers(["c-1"]) == 0


def test_forgetting_a_case_removes_what_saw_it_or_may_have(ledger: ForgetfulLedger) -> None:
    for key, seen in {"saw": ("c-1", "c-2"), "not": ("c-2",), "none": (), "unknown": None}.items():
        ledger.settle(a_call(key), an_answer(key, case_ids=seen))
    assert ledger.delete_cached_answers([]) == 0
    assert ledger.delete_cached_answers(["c-1", "c-9"]) == 2
    left = [key for key in ("saw", "not", "none", "unknown") if ledger.find_cached_answer([key])]
    assert left == ["not", "none"]
    assert ledger.delete_cached_answers(["c-1"]) == 0


# Only the store


def test_networks_see_and_pay_their_own(store: SqlStore) -> None:
    other = SqlStore(store.path, "south")
    store.settle(a_call("1", cost_usd=0.1), an_answer())
    assert (other.list_calls(), other.find_cached_answer(["k"])) == ([], None)
    other.reserve(asking("1", 0.1), Budget(network_usd=0.1, month_usd=0.1), NOON)
    assert other.delete_cached_answers(["c-1"]) == 0
    assert store.find_cached_answer(["k"]) == an_answer()
    other.close()


def test_a_run_that_is_begun_again_does_not_get_its_money_anew(store: SqlStore) -> None:
    budget = Budget(run_usd=0.1)

    def begin(lens: str = "all") -> str:
        return store.begin_run(RunParameters(lens=lens), NOON).id

    def finish(run_id: str) -> None:
        empty = RunOutcome(themes=[], areas={}, changes=[], assignments=[], duplicate_of={}, drafts=[])
        store.finish_run(run_id, empty, NOON)

    first = begin()
    store.settle(a_call("1", run_id=first, cost_usd=0.06))
    store.fail_run(first, "BudgetReached", NOON)
    other = begin("problem")
    store.reserve(asking("2", 0.1, run_id=other), budget, NOON)
    again = begin()
    with pytest.raises(BudgetReached) as refused:
        store.reserve(asking("3", 0.05, run_id=again), budget, NOON)
    assert refused.value.spent_usd == 0.06
    store.reserve(asking("3", 0.04, run_id=again), budget, NOON)
    finish(again)
    store.reserve(asking("4", 0.1, run_id=begin()), budget, NOON)


def test_a_case_with_another_text_takes_its_answers_with_it(store: SqlStore) -> None:
    case, other = build_case("c-1"), build_case("c-2", "Nothing")
    store.save_cases([(build_submission(), case), (build_submission(), other)])
    store.settle(a_call(), an_answer("saw", case_ids=("c-1",)))
    store.settle(a_call(), an_answer("not", case_ids=("c-2",)))
    store.save_cases([(build_submission(), replace(case, team="another"))])
    assert store.find_cached_answer(["saw"]) is not None
    told = build_case("c-1", "Another text.", text_version="v2")
    store.save_cases([(build_submission("Another text."), told)], dry_run=True)
    assert store.find_cached_answer(["saw"]) is not None
    store.save_cases([(build_submission("Another text."), told)])
    assert store.find_cached_answer(["saw"]) is None
    assert store.find_cached_answer(["not"]) is not None


def test_on_postgresql_a_reservation_locks_the_row_of_its_network(store: SqlStore) -> None:
    """SQLite's write lock is the whole database's; there, the statement that stands in for it must not be left out."""
    from sqlalchemy.dialects import postgresql

    said: list[str] = []

    class Recording:
        def execute(self, statement: Any) -> Any:
            said.append(str(statement.compile(dialect=postgresql.dialect())))
            return self

        def one(self) -> None: ...

    recording: Any = Recording()
    store._lock_network(recording)  # pyright: ignore[reportPrivateUsage]
    assert said[0].endswith("FOR UPDATE")


def test_a_forgotten_answer_is_not_in_the_file(store: SqlStore) -> None:
    store.settle(a_call(), an_answer(value={"name": "canary 4711"}))
    store.delete_cached_answers(["c-2"])
    store.close()
    assert b"canary 4711" not in b"".join(path.read_bytes() for path in store.path.parent.glob("patternmind.db"))
