"""Base of the repositories: one database, one network, one transaction at a time."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Select, Table, insert, select

from patternmind.storage.engine import open_engine, read_transaction, write_transaction

MAX_IN_VALUES = 900
"""Maximum number of values in one IN list, which keeps statements small; SQLite accepts a few thousand."""


class NetworkScopedStore:
    """Rows of one network; ``_select`` limits a query to it."""

    def __init__(self, path: Path, network_id: str) -> None:
        self.path = path
        self._engine: Engine = open_engine(path)
        self._network_id = network_id

    def close(self) -> None:
        self._engine.dispose()

    def _read_transaction(self):
        return read_transaction(self._engine, self.path)

    def _write_transaction(self):
        return write_transaction(self._engine, self.path)

    def _select(self, table: Table, *columns: Any) -> Select[Any]:
        return select(*(columns or (table,))).where(table.c.network_id == self._network_id)


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), rows)


def chunked(values: Sequence[str]) -> Iterable[Sequence[str]]:
    return (values[start : start + MAX_IN_VALUES] for start in range(0, len(values), MAX_IN_VALUES))
