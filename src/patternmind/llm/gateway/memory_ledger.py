"""The double of a ledger: in memory, for one process; it passes the contract of the real one."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from threading import Lock

from patternmind.domain.calls import (
    Budget,
    CachedAnswer,
    Call,
    CallOutcome,
    check_budget,
    to_nanousd,
)


class MemoryLedger:
    """``Ledger`` without a database. It knows no runs, so that no run goes on from another."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._calls: dict[str, Call] = {}
        self._answers: dict[str, CachedAnswer] = {}

    def find_cached_answer(self, keys: Sequence[str]) -> CachedAnswer | None:
        with self._lock:
            return next((self._answers[key] for key in keys if key in self._answers), None)

    def reserve(self, call: Call, budget: Budget, now: datetime) -> None:
        with self._lock:
            self._calls = {
                id: one if id == call.id else _expire_reservation(one, now) for id, one in self._calls.items()
            }
            others = [one for one in self._calls.values() if one.id != call.id]
            in_month = [one for one in others if one.month == call.month]
            if call.run_id:
                _check_limit("run", budget.run_usd, [one for one in others if one.run_id == call.run_id], call)
            _check_limit("month", budget.month_usd, in_month, call)
            _check_limit("network", budget.network_usd, others, call)
            self._calls[call.id] = call

    def settle(self, call: Call, answer: CachedAnswer | None = None) -> None:
        with self._lock:
            self._calls[call.id] = replace(call, reserved_usd=0.0, reserved_until=None)
            if answer is not None:
                self._answers[answer.key] = answer

    def list_calls(self, run_id: str | None = None) -> list[Call]:
        with self._lock:
            found = [one for one in self._calls.values() if run_id is None or one.run_id == run_id]
        return sorted(found, key=lambda one: (one.at, one.id))

    def delete_cached_answers(self, case_ids: Iterable[str]) -> int:
        """As ``Store.delete_cached_answers``."""
        gone = set(case_ids)
        with self._lock:
            saw = [key for key, one in self._answers.items() if one.case_ids is None or gone & set(one.case_ids)]
            for key in saw if gone else ():
                del self._answers[key]
        return len(saw) if gone else 0


def _expire_reservation(call: Call, now: datetime) -> Call:
    """The call, lost where its request must be over and nobody settled it."""
    if call.reserved_until is None or call.reserved_until >= now:
        return call
    cost_usd = (to_nanousd(call.cost_usd) + to_nanousd(call.reserved_usd)) / 1e9
    return replace(call, outcome=CallOutcome.LOST, cost_usd=cost_usd, reserved_usd=0.0, reserved_until=None)


def _check_limit(scope: str, limit_usd: float | None, others: Sequence[Call], call: Call) -> None:
    check_budget(
        scope,
        limit_usd,
        spent_nanousd=sum(to_nanousd(one.cost_usd) for one in others) + to_nanousd(call.cost_usd),
        reserved_nanousd=sum(to_nanousd(one.reserved_usd) for one in others),
        requested_nanousd=to_nanousd(call.reserved_usd),
    )
