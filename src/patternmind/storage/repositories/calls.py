"""Ledger of model calls: costs, reservations and cached answers.

A reservation is checked and stored in one transaction that excludes other writers, with SQLite's BEGIN IMMEDIATE or a
lock on the network's row (FOR UPDATE, which SQLite omits). The limits and the stored sums are therefore correct over
all threads and processes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func

from patternmind.domain.calls import Budget, CachedAnswer, Call, CallOutcome, check_budget, to_nanousd
from patternmind.storage import schema
from patternmind.storage.database import SqlRepository, Transaction, chunked
from patternmind.storage.repositories.networks import SqlNetworkRepository

ALL_TIME_KEY = ""
"""Key of the sum over all time."""

CONVERTED_FIELDS = frozenset({"cost_usd", "reserved_usd", "reserved_until", "at"})
"""Fields of a call that are stored in another form."""

model_call, spend, answer_table, answer_case = schema.model_call, schema.model_spend, schema.answer, schema.answer_case


class SqlCallRepository(SqlRepository):
    """Implements ``ports.CallLedger``."""

    def find_cached_answer(self, keys: Sequence[str]) -> CachedAnswer | None:
        with self._source.reading() as tx:
            rows = {row.key: row for row in tx.rows(tx.select(answer_table).where(answer_table.c.key.in_(keys)))}
            row = next((rows[key] for key in keys if key in rows), None)
            if row is None:
                return None
            query = tx.select(answer_case, answer_case.c.case_id).where(answer_case.c.key == row.key)
            case_ids = tuple(tx.scalars(query.order_by(answer_case.c.case_id)))
        return _read_answer(row, case_ids)

    def reserve(self, call: Call, budget: Budget, now: datetime) -> None:
        with self._source.writing() as tx:
            SqlNetworkRepository(tx).lock()
            _close_lost_calls(tx, call.id, now)
            has_run_budget = call.run_id and budget.run_usd is not None
            limits = (
                ("run", budget.run_usd if call.run_id else None, _budgeted_run_ids(tx, call) if has_run_budget else []),
                ("month", budget.month_usd, [call.month]),
                ("network", budget.network_usd, [ALL_TIME_KEY]),
            )
            own_spent, own_reserved = _stored_cost(tx, call.id)
            for scope, limit_usd, keys in limits:
                if limit_usd is None:
                    continue
                spent, reserved = _sum_spend(tx, scope, keys)
                check_budget(
                    scope,
                    limit_usd,
                    spent_nanousd=spent - own_spent + to_nanousd(call.cost_usd),
                    reserved_nanousd=reserved - own_reserved,
                    requested_nanousd=to_nanousd(call.reserved_usd),
                )
            _put_call(tx, call)

    def settle(self, call: Call, answer: CachedAnswer | None = None) -> None:
        with self._source.writing() as tx:
            SqlNetworkRepository(tx).lock()
            _put_call(tx, replace(call, reserved_usd=0.0, reserved_until=None))
            if answer is not None:
                _put_answer(tx, answer)

    def list_all(self, run_id: str | None = None) -> list[Call]:
        with self._source.reading() as tx:
            query = tx.select(model_call).order_by(model_call.c.at, model_call.c.id)
            rows = tx.rows(query if run_id is None else query.where(model_call.c.run_id == run_id))
        return [_read_call(row) for row in rows]

    def delete_answers_of(self, case_ids: Iterable[str]) -> int:
        """Delete the answers that saw one of the cases, and those with unknown cases."""
        ids = sorted(set(case_ids))
        if not ids:
            return 0
        with self._source.writing() as tx:
            keys = set(tx.scalars(tx.select(answer_table, answer_table.c.key).where(answer_table.c.cases_known == 0)))
            for chunk in chunked(ids):
                query = tx.select(answer_case, answer_case.c.key).where(answer_case.c.case_id.in_(chunk))
                keys.update(tx.scalars(query))
            for chunk in chunked(sorted(keys)):
                for table in (answer_case, answer_table):
                    tx.delete(table, table.c.key.in_(chunk))
        return len(keys)


def _close_lost_calls(tx: Transaction, except_call_id: str, now: datetime) -> None:
    """Close unsettled calls whose request has ended; their reservation may have been billed and becomes cost."""
    is_expired = (model_call.c.id != except_call_id) & (model_call.c.reserved_until < _utc_text(now))
    for lost in [_read_call(row) for row in tx.rows(tx.select(model_call).where(is_expired))]:
        cost_usd = (to_nanousd(lost.cost_usd) + to_nanousd(lost.reserved_usd)) / 1e9
        closed = replace(lost, outcome=CallOutcome.LOST, cost_usd=cost_usd)
        _put_call(tx, replace(closed, reserved_usd=0.0, reserved_until=None))


def _budgeted_run_ids(tx: Transaction, call: Call) -> list[str]:
    """Return a call's run and the unfinished runs of its lens directly before it.

    They share one budget, so that a restarted run does not get its budget again.
    """
    run = schema.run
    this_run = tx.first(tx.select(run, run.c.number, run.c.lens).where(run.c.id == call.run_id))
    if this_run is None:
        return [call.run_id]
    earlier = tx.select(run).where(run.c.lens == this_run.lens, run.c.number < this_run.number)
    finished = earlier.where(run.c.state == "finished")
    last_number = tx.scalar(finished.with_only_columns(func.coalesce(func.max(run.c.number), 0)))
    return [*tx.scalars(earlier.where(run.c.number > last_number).with_only_columns(run.c.id)), call.run_id]


def _sum_spend(tx: Transaction, scope: str, keys: Sequence[str]) -> tuple[int, int]:
    """Return the paid and the reserved amount, in billionths of a dollar."""
    sums = [func.coalesce(func.sum(amount), 0) for amount in (spend.c.cost_nanousd, spend.c.reserved_nanousd)]
    paid, reserved = tx.first(tx.select(spend, *sums).where(spend.c.scope == scope, spend.c.key.in_(keys)))
    return int(paid), int(reserved)


def _stored_cost(tx: Transaction, call_id: str) -> tuple[int, int]:
    """Return the stored paid and reserved amounts of a call; zeros for an unknown call."""
    query = tx.select(model_call, model_call.c.cost_nanousd, model_call.c.reserved_nanousd)
    row = tx.first(query.where(model_call.c.id == call_id))
    return (0, 0) if row is None else (row.cost_nanousd, row.reserved_nanousd)


def _put_call(tx: Transaction, call: Call) -> None:
    """Store the call, and add the change of its amounts to the sums."""
    before, row = _stored_cost(tx, call.id), _call_row(call)
    if not tx.update(model_call, row, model_call.c.id == call.id):
        tx.insert(model_call, row)
    change = (row["cost_nanousd"] - before[0], row["reserved_nanousd"] - before[1])
    if change != (0, 0):
        _add_spend(tx, "network", ALL_TIME_KEY, change)
        _add_spend(tx, "month", call.month, change)
        _add_spend(tx, "run", call.run_id, change)


def _add_spend(tx: Transaction, scope: str, key: str, change: tuple[int, int]) -> None:
    is_sum = (spend.c.scope == scope) & (spend.c.key == key)
    sums = {"cost_nanousd": spend.c.cost_nanousd + change[0], "reserved_nanousd": spend.c.reserved_nanousd + change[1]}
    if not tx.update(spend, sums, is_sum):
        tx.insert(spend, {"scope": scope, "key": key, "cost_nanousd": change[0], "reserved_nanousd": change[1]})


def _put_answer(tx: Transaction, new: CachedAnswer) -> None:
    """Store an answer, replacing one that another process stored under the same key."""
    for table in (answer_case, answer_table):
        tx.delete(table, table.c.key == new.key)
    row = {
        "key": new.key,
        "model": new.model,
        "prompt_hash": new.prompt_hash,
        "input_hash": new.input_hash,
        "parameters": dict(new.parameters),
        "value": dict(new.value),
        "cases_known": int(new.case_ids is not None),
        "at": new.at.isoformat(),
        "n_tokens": new.n_tokens,
        "cost_nanousd": to_nanousd(new.cost_usd),
    }
    tx.insert(answer_table, row)
    tx.insert_all(answer_case, [{"key": new.key, "case_id": case_id} for case_id in sorted(set(new.case_ids or ()))])


def _read_answer(row: Any, case_ids: tuple[str, ...]) -> CachedAnswer:
    return CachedAnswer(
        key=row.key,
        model=row.model,
        prompt_hash=row.prompt_hash,
        input_hash=row.input_hash,
        parameters=row.parameters,
        value=row.value,
        case_ids=case_ids if row.cases_known else None,
        at=datetime.fromisoformat(row.at),
        n_tokens=row.n_tokens,
        cost_usd=row.cost_nanousd / 1e9,
    )


def _call_row(call: Call) -> dict[str, Any]:
    unchanged = {field.name: getattr(call, field.name) for field in fields(call) if field.name not in CONVERTED_FIELDS}
    return {
        **unchanged,
        "outcome": call.outcome.value,
        "at": _utc_text(call.at),
        "cost_nanousd": to_nanousd(call.cost_usd),
        "reserved_nanousd": to_nanousd(call.reserved_usd),
        "reserved_until": _utc_text(call.reserved_until) if call.reserved_until else None,
    }


def _read_call(row: Any) -> Call:
    unchanged = {field.name: getattr(row, field.name) for field in fields(Call) if field.name not in CONVERTED_FIELDS}
    values: dict[str, Any] = {
        **unchanged,
        "outcome": CallOutcome(row.outcome),
        "at": datetime.fromisoformat(row.at),
        "cost_usd": row.cost_nanousd / 1e9,
        "reserved_usd": row.reserved_nanousd / 1e9,
        "reserved_until": datetime.fromisoformat(row.reserved_until) if row.reserved_until else None,
    }
    return Call(**values)


def _utc_text(at: datetime) -> str:
    """Format a time in UTC with a fixed length, so that texts sort chronologically."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
