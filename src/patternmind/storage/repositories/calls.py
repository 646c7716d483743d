"""Ledger of model calls: costs, reservations and cached answers.

A reservation is checked and stored in one transaction that excludes other writers, with SQLite's BEGIN IMMEDIATE or a
lock on the network's row (FOR UPDATE, which SQLite omits). The limits and the stored sums are therefore correct over
all threads and processes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from patternmind.domain.calls import (
    Budget,
    CachedAnswer,
    Call,
    CallOutcome,
    check_budget,
    to_nanousd,
)
from patternmind.storage import schema
from patternmind.storage.repositories.base import NetworkScopedStore, chunked, insert_rows

ALL_TIME_KEY = ""
"""Key of the sum over all time."""

CONVERTED_FIELDS = frozenset({"cost_usd", "reserved_usd", "reserved_until", "at"})
"""Fields of a call that are stored in another form."""


class CallRepository(NetworkScopedStore):
    """Implements ``ports.Ledger``."""

    def find_cached_answer(self, keys: Sequence[str]) -> CachedAnswer | None:
        answer, answer_case = schema.answer, schema.answer_case
        with self._read_transaction() as connection:
            rows = {row.key: row for row in connection.execute(self._select(answer).where(answer.c.key.in_(keys)))}
            row = next((rows[key] for key in keys if key in rows), None)
            if row is None:
                return None
            query = self._select(answer_case, answer_case.c.case_id).where(answer_case.c.key == row.key)
            case_ids = tuple(connection.execute(query.order_by(answer_case.c.case_id)).scalars())
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

    def reserve(self, call: Call, budget: Budget, now: datetime) -> None:
        with self._write_transaction() as connection:
            self._lock_network(connection)
            self._close_lost_calls(connection, call.id, now)
            run_ids = (
                self._budgeted_run_ids(connection, call.run_id) if call.run_id and budget.run_usd is not None else []
            )
            limits = (
                ("run", budget.run_usd if call.run_id else None, run_ids),
                ("month", budget.month_usd, [call.month]),
                ("network", budget.network_usd, [ALL_TIME_KEY]),
            )
            own_spent, own_reserved = self._stored_cost(connection, call.id)
            for scope, limit_usd, keys in limits:
                if limit_usd is None:
                    continue
                spent, reserved = self._sum_spend(connection, scope, keys)
                check_budget(
                    scope,
                    limit_usd,
                    spent_nanousd=spent - own_spent + to_nanousd(call.cost_usd),
                    reserved_nanousd=reserved - own_reserved,
                    requested_nanousd=to_nanousd(call.reserved_usd),
                )
            self._put_call(connection, call)

    def settle(self, call: Call, answer: CachedAnswer | None = None) -> None:
        with self._write_transaction() as connection:
            self._lock_network(connection)
            self._put_call(connection, replace(call, reserved_usd=0.0, reserved_until=None))
            if answer is not None:
                self._put_answer(connection, answer)

    def list_calls(self, run_id: str | None = None) -> list[Call]:
        call = schema.model_call
        query = self._select(call).order_by(call.c.at, call.c.id)
        with self._read_transaction() as connection:
            rows = connection.execute(query if run_id is None else query.where(call.c.run_id == run_id)).all()
        return [_read_call(row) for row in rows]

    def delete_cached_answers(self, case_ids: Iterable[str]) -> int:
        with self._write_transaction() as connection:
            return self._delete_cached_answers(connection, sorted(set(case_ids)))

    def _delete_cached_answers(self, connection: Connection, case_ids: Sequence[str]) -> int:
        """Delete the answers that saw one of the cases, and those with unknown cases."""
        answer, answer_case = schema.answer, schema.answer_case
        if not case_ids:
            return 0
        keys = set(connection.execute(self._select(answer, answer.c.key).where(answer.c.cases_known == 0)).scalars())
        for chunk in chunked(case_ids):
            query = self._select(answer_case, answer_case.c.key).where(answer_case.c.case_id.in_(chunk))
            keys.update(connection.execute(query).scalars())
        for chunk in chunked(sorted(keys)):
            for table in (answer_case, answer):
                connection.execute(delete(table).where(table.c.network_id == self._network_id, table.c.key.in_(chunk)))
        return len(keys)

    def _lock_network(self, connection: Connection) -> None:
        network = schema.network
        connection.execute(select(network.c.id).where(network.c.id == self._network_id).with_for_update()).one()

    def _close_lost_calls(self, connection: Connection, except_call_id: str, now: datetime) -> None:
        """Close unsettled calls whose request has ended; their reservation may have been billed and becomes cost."""
        call = schema.model_call
        expired = self._select(call).where(call.c.id != except_call_id, call.c.reserved_until < _utc_text(now))
        for lost in [_read_call(row) for row in connection.execute(expired).all()]:
            cost_usd = (to_nanousd(lost.cost_usd) + to_nanousd(lost.reserved_usd)) / 1e9
            closed = replace(lost, outcome=CallOutcome.LOST, cost_usd=cost_usd)
            self._put_call(connection, replace(closed, reserved_usd=0.0, reserved_until=None))

    def _budgeted_run_ids(self, connection: Connection, run_id: str) -> list[str]:
        """Return a run and the unfinished runs of its lens directly before it.

        They share one budget, so that a restarted run does not get its budget again.
        """
        run = schema.run
        this = connection.execute(self._select(run, run.c.number, run.c.lens).where(run.c.id == run_id)).first()
        if this is None:
            return [run_id]
        before = self._select(run).where(run.c.lens == this.lens, run.c.number < this.number)
        finished = before.where(run.c.state == "finished").with_only_columns(func.coalesce(func.max(run.c.number), 0))
        last = connection.execute(finished).scalar_one()
        ids = before.where(run.c.number > last).with_only_columns(run.c.id)
        return [*connection.execute(ids).scalars(), run_id]

    def _sum_spend(self, connection: Connection, scope: str, keys: Sequence[str]) -> tuple[int, int]:
        """Return the paid and the reserved amount, in billionths of a dollar."""
        spend = schema.model_spend
        sums = [func.coalesce(func.sum(money), 0) for money in (spend.c.cost_nanousd, spend.c.reserved_nanousd)]
        query = self._select(spend, *sums).where(spend.c.scope == scope, spend.c.key.in_(keys))
        row: Any = connection.execute(query).one()
        return int(row[0]), int(row[1])

    def _stored_cost(self, connection: Connection, call_id: str) -> tuple[int, int]:
        """Return the stored paid and reserved amounts of a call; zeros for an unknown call."""
        call = schema.model_call.c
        query = self._select(schema.model_call, call.cost_nanousd, call.reserved_nanousd).where(call.id == call_id)
        row: Any = connection.execute(query).first()
        return (0, 0) if row is None else (row.cost_nanousd, row.reserved_nanousd)

    def _put_call(self, connection: Connection, call: Call) -> None:
        """Store the call, and add the change of its amounts to the sums."""
        is_call = (schema.model_call.c.network_id == self._network_id) & (schema.model_call.c.id == call.id)
        before, row = self._stored_cost(connection, call.id), _call_row(call)
        if connection.execute(update(schema.model_call).where(is_call).values(row)).rowcount == 0:
            connection.execute(insert(schema.model_call).values(network_id=self._network_id, **row))
        change = (row["cost_nanousd"] - before[0], row["reserved_nanousd"] - before[1])
        if change != (0, 0):
            self._add_spend(connection, "network", ALL_TIME_KEY, change)
            self._add_spend(connection, "month", call.month, change)
            self._add_spend(connection, "run", call.run_id, change)

    def _add_spend(self, connection: Connection, scope: str, key: str, change: tuple[int, int]) -> None:
        spend = schema.model_spend
        is_sum = (spend.c.network_id == self._network_id) & (spend.c.scope == scope) & (spend.c.key == key)
        sums = {
            "cost_nanousd": spend.c.cost_nanousd + change[0],
            "reserved_nanousd": spend.c.reserved_nanousd + change[1],
        }
        if connection.execute(update(spend).where(is_sum).values(sums)).rowcount == 0:
            row = {"scope": scope, "key": key, "cost_nanousd": change[0], "reserved_nanousd": change[1]}
            connection.execute(insert(spend).values(network_id=self._network_id, **row))

    def _put_answer(self, connection: Connection, answer: CachedAnswer) -> None:
        """Store an answer, replacing one that another process stored under the same key."""
        for table in (schema.answer_case, schema.answer):
            connection.execute(delete(table).where(table.c.network_id == self._network_id, table.c.key == answer.key))
        connection.execute(
            insert(schema.answer).values(
                network_id=self._network_id,
                key=answer.key,
                model=answer.model,
                prompt_hash=answer.prompt_hash,
                input_hash=answer.input_hash,
                parameters=dict(answer.parameters),
                value=dict(answer.value),
                cases_known=int(answer.case_ids is not None),
                at=answer.at.isoformat(),
                n_tokens=answer.n_tokens,
                cost_nanousd=to_nanousd(answer.cost_usd),
            )
        )
        of_answer = {"network_id": self._network_id, "key": answer.key}
        rows = [{**of_answer, "case_id": case_id} for case_id in sorted(set(answer.case_ids or ()))]
        insert_rows(connection, schema.answer_case, rows)


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
