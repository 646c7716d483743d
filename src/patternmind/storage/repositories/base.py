"""What every part of the store stands on: one database, one network, one transaction at a time."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Select, Table, insert, select

from patternmind.storage.engine import open_engine, read_transaction, write_transaction

MAX_IN_VALUES = 900
"""SQLite takes a few thousand values in one IN list; slices keep every statement small."""


class NetworkScopedStore:
    """The rows of one network; every statement made with ``_of`` names it."""

    def __init__(self, path: Path, network_id: str) -> None:
        self.path = path
        self._engine: Engine = open_engine(path)
        self._id = network_id

    def close(self) -> None:
        self._engine.dispose()

    def _read_transaction(self):
        return read_transaction(self._engine, self.path)

    def _write_transaction(self):
        return write_transaction(self._engine, self.path)

    def _of(self, table: Table, *columns: Any) -> Select[Any]:
        return select(*(columns or (table,))).where(table.c.network_id == self._id)


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), rows)


def chunked(values: Sequence[str]) -> Iterable[Sequence[str]]:
    return (values[start : start + MAX_IN_VALUES] for start in range(0, len(values), MAX_IN_VALUES))
