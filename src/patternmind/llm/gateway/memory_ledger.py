"""In-memory call ledger for one process; it passes the contract tests of the stored one."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from threading import Lock

from patternmind.domain.calls import Budget, CachedAnswer, Call, CallOutcome, check_budget, to_nanousd


class MemoryLedger:
    """``CallLedger`` without a database; it has no runs, so no run continues another."""

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
                id: stored if id == call.id else _expire_reservation(stored, now) for id, stored in self._calls.items()
            }
            others = [other for other in self._calls.values() if other.id != call.id]
            in_month = [other for other in others if other.month == call.month]
            if call.run_id:
                _check_limit("run", budget.run_usd, [other for other in others if other.run_id == call.run_id], call)
            _check_limit("month", budget.month_usd, in_month, call)
            _check_limit("network", budget.network_usd, others, call)
            self._calls[call.id] = call

    def settle(self, call: Call, answer: CachedAnswer | None = None) -> None:
        with self._lock:
            self._calls[call.id] = replace(call, reserved_usd=0.0, reserved_until=None)
            if answer is not None:
                self._answers[answer.key] = answer

    def list_all(self, run_id: str | None = None) -> list[Call]:
        with self._lock:
            calls = [call for call in self._calls.values() if run_id is None or call.run_id == run_id]
        return sorted(calls, key=lambda call: (call.at, call.id))

    def delete_answers_of(self, case_ids: Iterable[str]) -> int:
        """Delete the answers to prompts with one of these cases, like the stored ledger does."""
        removed_ids = set(case_ids)
        if not removed_ids:
            return 0
        with self._lock:
            keys = [
                key
                for key, answer in self._answers.items()
                if answer.case_ids is None or removed_ids & set(answer.case_ids)
            ]
            for key in keys:
                del self._answers[key]
        return len(keys)


def _expire_reservation(call: Call, now: datetime) -> Call:
    """Mark a call as lost if its reservation has expired without a settlement."""
    if call.reserved_until is None or call.reserved_until >= now:
        return call
    cost_usd = (to_nanousd(call.cost_usd) + to_nanousd(call.reserved_usd)) / 1e9
    return replace(call, outcome=CallOutcome.LOST, cost_usd=cost_usd, reserved_usd=0.0, reserved_until=None)


def _check_limit(scope: str, limit_usd: float | None, others: Sequence[Call], call: Call) -> None:
    check_budget(
        scope,
        limit_usd,
        spent_nanousd=sum(to_nanousd(other.cost_usd) for other in others) + to_nanousd(call.cost_usd),
        reserved_nanousd=sum(to_nanousd(other.reserved_usd) for other in others),
        requested_nanousd=to_nanousd(call.reserved_usd),
    )
