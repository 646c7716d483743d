"""Transactions on the rows of one network."""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, Executable, Insert, Select, Table, delete, insert, select, update

from patternmind.storage.encryption import FieldCipher
from patternmind.storage.engine import DatabaseFile

MAX_IN_VALUES = 900
"""Maximum number of values in one IN list, which keeps statements small; SQLite accepts a few thousand."""

Condition = ColumnElement[bool]


class TransactionSource(Protocol):
    """Source of transactions for a repository: a database, or a transaction that is already open."""

    def reading(self) -> "AbstractContextManager[Transaction]": ...

    def writing(self) -> "AbstractContextManager[Transaction]": ...


class Transaction:
    """An open transaction, limited to the rows of one network.

    It is a ``TransactionSource`` too: repositories made from it share the transaction.
    """

    def __init__(self, connection: Connection, network_id: str, cipher: FieldCipher) -> None:
        self.connection = connection
        self.network_id = network_id
        self.cipher = cipher

    @contextmanager
    def reading(self) -> Generator["Transaction"]:
        yield self

    @contextmanager
    def writing(self) -> Generator["Transaction"]:
        yield self

    def select(self, table: Table, *columns: Any) -> Select[Any]:
        return select(*(columns or (table,))).where(table.c.network_id == self.network_id)

    def rows(self, query: Executable) -> Sequence[Any]:
        return self.connection.execute(query).all()

    def stream(self, query: Executable) -> Iterator[Any]:
        yield from self.connection.execute(query)

    def first(self, query: Executable) -> Any:
        """Return the first row, or None."""
        return self.connection.execute(query).first()

    def scalar(self, query: Executable) -> Any:
        """Return the first column of the first row, or None."""
        return self.connection.execute(query).scalar()

    def scalars(self, query: Executable) -> list[Any]:
        return list(self.connection.execute(query).scalars())

    def insert(self, table: Table, values: Mapping[str, Any]) -> None:
        self.insert_all(table, [values])

    def insert_all(self, table: Table, rows: Iterable[Mapping[str, Any]], *, statement: Insert | None = None) -> None:
        """Insert rows of this network, optionally with another INSERT statement."""
        values = [{"network_id": self.network_id, **row} for row in rows]
        if values:
            self.connection.execute(insert(table) if statement is None else statement, values)

    def update(self, table: Table, values: Mapping[str, Any], *conditions: Condition) -> int:
        """Update rows of this network and return their number."""
        in_network = table.c.network_id == self.network_id
        return self.connection.execute(update(table).where(in_network, *conditions).values(dict(values))).rowcount

    def delete(self, table: Table, *conditions: Condition) -> int:
        """Delete rows of this network and return their number."""
        in_network = table.c.network_id == self.network_id
        return self.connection.execute(delete(table).where(in_network, *conditions)).rowcount


class Database:
    """The rows of one network in a database."""

    def __init__(self, file: DatabaseFile, network_id: str, cipher: FieldCipher) -> None:
        self._file = file
        self._network_id = network_id
        self._cipher = cipher

    @contextmanager
    def reading(self) -> Generator[Transaction]:
        with self._file.reading() as connection:
            yield Transaction(connection, self._network_id, self._cipher)

    @contextmanager
    def writing(self) -> Generator[Transaction]:
        with self._file.writing() as connection:
            yield Transaction(connection, self._network_id, self._cipher)


class SqlRepository:
    """Base of the repositories; each method uses one transaction of ``source``."""

    def __init__(self, source: TransactionSource) -> None:
        self._source = source


class InstallationRepository:
    """Base of the repositories of the whole installation; each method uses one transaction of ``file``."""

    def __init__(self, file: DatabaseFile) -> None:
        self._file = file


def chunked(values: Sequence[str]) -> Iterable[Sequence[str]]:
    return (values[start : start + MAX_IN_VALUES] for start in range(0, len(values), MAX_IN_VALUES))
