"""The ledger: calls of the language model, what they cost, what is reserved for them, and the answers they gave.

A reservation is checked and written in one transaction that nobody else can write in: SQLite's BEGIN IMMEDIATE, or a
lock on the network's row (FOR UPDATE, which SQLite leaves out). So the limits hold for all threads and processes, and
so do the sums that are kept with every row.
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
"""The key of the sum over all time."""

CONVERTED_FIELDS = frozenset({"cost_usd", "reserved_usd", "reserved_until", "at"})
"""Fields of a call that are kept in another form."""


class CallRepository(NetworkScopedStore):
    """Implements ``ports.Ledger``."""

    def find_cached_answer(self, keys: Sequence[str]) -> CachedAnswer | None:
        answer, seen = schema.answer, schema.answer_case
        with self._read_transaction() as connection:
            rows = {row.key: row for row in connection.execute(self._of(answer).where(answer.c.key.in_(keys)))}
            row = next((rows[key] for key in keys if key in rows), None)
            if row is None:
                return None
            of_answer = self._of(seen, seen.c.case_id).where(seen.c.key == row.key).order_by(seen.c.case_id)
            case_ids = tuple(connection.execute(of_answer).scalars())
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
            own = self._stored_cost(connection, call.id)
            for scope, limit_usd, keys in limits:
                if limit_usd is None:
                    continue
                spent, open = self._sum_spend(connection, scope, keys)
                check_budget(
                    scope,
                    limit_usd,
                    spent_nanousd=spent - own[0] + to_nanousd(call.cost_usd),
                    reserved_nanousd=open - own[1],
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
        query = self._of(call).order_by(call.c.at, call.c.id)
        with self._read_transaction() as connection:
            rows = connection.execute(query if run_id is None else query.where(call.c.run_id == run_id)).all()
        return [_read_call(row) for row in rows]

    def forget_answers(self, case_ids: Iterable[str]) -> int:
        with self._write_transaction() as connection:
            return self._delete_cached_answers(connection, sorted(set(case_ids)))

    def _delete_cached_answers(self, connection: Connection, case_ids: Sequence[str]) -> int:
        """Remove the answers that saw a case; where one of them is not known to have, it may have."""
        answer, seen = schema.answer, schema.answer_case
        if not case_ids:
            return 0
        gone = set(connection.execute(self._of(answer, answer.c.key).where(answer.c.cases_known == 0)).scalars())
        for part in chunked(case_ids):
            gone.update(connection.execute(self._of(seen, seen.c.key).where(seen.c.case_id.in_(part))).scalars())
        for part in chunked(sorted(gone)):
            for table in (seen, answer):
                connection.execute(delete(table).where(table.c.network_id == self._id, table.c.key.in_(part)))
        return len(gone)

    def _lock_network(self, connection: Connection) -> None:
        network = schema.network
        connection.execute(select(network.c.id).where(network.c.id == self._id).with_for_update()).one()

    def _close_lost_calls(self, connection: Connection, except_call_id: str, now: datetime) -> None:
        """Calls whose request must be over and whom nobody settled: what was reserved for them may have been billed."""
        call = schema.model_call
        over = self._of(call).where(call.c.id != except_call_id, call.c.reserved_until < _utc_text(now))
        for lost in [_read_call(row) for row in connection.execute(over).all()]:
            cost_usd = (to_nanousd(lost.cost_usd) + to_nanousd(lost.reserved_usd)) / 1e9
            closed = replace(lost, outcome=CallOutcome.LOST, cost_usd=cost_usd)
            self._put_call(connection, replace(closed, reserved_usd=0.0, reserved_until=None))

    def _budgeted_run_ids(self, connection: Connection, run_id: str) -> list[str]:
        """A run and the unfinished ones of its lens before it: one that is begun again does not get its money anew."""
        run = schema.run
        this = connection.execute(self._of(run, run.c.number, run.c.lens).where(run.c.id == run_id)).first()
        if this is None:
            return [run_id]
        before = self._of(run).where(run.c.lens == this.lens, run.c.number < this.number)
        finished = before.where(run.c.state == "finished").with_only_columns(func.coalesce(func.max(run.c.number), 0))
        last = connection.execute(finished).scalar_one()
        ids = before.where(run.c.number > last).with_only_columns(run.c.id)
        return [*connection.execute(ids).scalars(), run_id]

    def _sum_spend(self, connection: Connection, scope: str, keys: Sequence[str]) -> tuple[int, int]:
        """What is paid and what is reserved, in billionths of a dollar."""
        spend = schema.model_spend
        sums = [func.coalesce(func.sum(money), 0) for money in (spend.c.cost_nanousd, spend.c.reserved_nanousd)]
        query = self._of(spend, *sums).where(spend.c.scope == scope, spend.c.key.in_(keys))
        row: Any = connection.execute(query).one()
        return int(row[0]), int(row[1])

    def _stored_cost(self, connection: Connection, call_id: str) -> tuple[int, int]:
        """What is paid and what is reserved for one call as it is stored; nothing for one that is not."""
        call = schema.model_call.c
        query = self._of(schema.model_call, call.cost_nanousd, call.reserved_nanousd).where(call.id == call_id)
        row: Any = connection.execute(query).first()
        return (0, 0) if row is None else (row.cost_nanousd, row.reserved_nanousd)

    def _put_call(self, connection: Connection, call: Call) -> None:
        """Write the row, and what changed of its money into the sums."""
        mine = (schema.model_call.c.network_id == self._id) & (schema.model_call.c.id == call.id)
        before, row = self._stored_cost(connection, call.id), _call_row(call)
        if connection.execute(update(schema.model_call).where(mine).values(row)).rowcount == 0:
            connection.execute(insert(schema.model_call).values(network_id=self._id, **row))
        more = (row["cost_nanousd"] - before[0], row["reserved_nanousd"] - before[1])
        if more != (0, 0):
            self._add(connection, "network", ALL_TIME_KEY, more)
            self._add(connection, "month", call.month, more)
            self._add(connection, "run", call.run_id, more)

    def _add(self, connection: Connection, scope: str, key: str, change: tuple[int, int]) -> None:
        spend = schema.model_spend
        mine = (spend.c.network_id == self._id) & (spend.c.scope == scope) & (spend.c.key == key)
        grown = {
            "cost_nanousd": spend.c.cost_nanousd + change[0],
            "reserved_nanousd": spend.c.reserved_nanousd + change[1],
        }
        if connection.execute(update(spend).where(mine).values(grown)).rowcount == 0:
            new = {"scope": scope, "key": key, "cost_nanousd": change[0], "reserved_nanousd": change[1]}
            connection.execute(insert(spend).values(network_id=self._id, **new))

    def _put_answer(self, connection: Connection, answer: CachedAnswer) -> None:
        """In place of one under the same key: two processes may have asked the same at once."""
        for table in (schema.answer_case, schema.answer):
            connection.execute(delete(table).where(table.c.network_id == self._id, table.c.key == answer.key))
        connection.execute(
            insert(schema.answer).values(
                network_id=self._id,
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
        of_answer = {"network_id": self._id, "key": answer.key}
        rows = [{**of_answer, "case_id": case_id} for case_id in sorted(set(answer.case_ids or ()))]
        insert_rows(connection, schema.answer_case, rows)


def _call_row(call: Call) -> dict[str, Any]:
    same = {one.name: getattr(call, one.name) for one in fields(call) if one.name not in CONVERTED_FIELDS}
    return {
        **same,
        "outcome": call.outcome.value,
        "at": _utc_text(call.at),
        "cost_nanousd": to_nanousd(call.cost_usd),
        "reserved_nanousd": to_nanousd(call.reserved_usd),
        "reserved_until": _utc_text(call.reserved_until) if call.reserved_until else None,
    }


def _read_call(row: Any) -> Call:
    same = {one.name: getattr(row, one.name) for one in fields(Call) if one.name not in CONVERTED_FIELDS}
    values: dict[str, Any] = {
        **same,
        "outcome": CallOutcome(row.outcome),
        "at": datetime.fromisoformat(row.at),
        "cost_usd": row.cost_nanousd / 1e9,
        "reserved_usd": row.reserved_nanousd / 1e9,
        "reserved_until": datetime.fromisoformat(row.reserved_until) if row.reserved_until else None,
    }
    return Call(**values)


def _utc_text(at: datetime) -> str:
    """In UTC and of one length, so that texts order as moments do."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
