"""Open the database: transactions, migrations and error messages."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DatabaseError

from patternmind.errors import SchemaTooNew, StoreUnavailable
from patternmind.storage.dialects import sqlite

MIGRATIONS = Path(__file__).parent / "migrations"
REVISIONS = tuple(sorted(path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9]*.py")))
"""Known schema revisions, oldest first."""


class DatabaseFile:
    """An open database; every transaction uses a connection of its own."""

    def __init__(self, path: Path) -> None:
        """Open the database, see ``open_engine``."""
        self.path = path
        self._engine = open_engine(path)

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """Begin a transaction that reads one consistent snapshot of the database."""
        with translate_db_errors(self.path), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Generator[Connection]:
        """Begin a transaction that holds the write lock from its start."""
        with translate_db_errors(self.path), _begin_writing(self._engine) as connection:
            yield connection

    def close(self) -> None:
        self._engine.dispose()

    def purge_deleted(self) -> None:
        self._engine.dispose()
        purge_deleted(self.path)


def open_engine(path: Path) -> Engine:
    """Open a database at the newest schema; create or migrate it if necessary.

    Raises:
        SchemaTooNew: a newer program wrote it; nothing is changed.
        StoreUnavailable: the file is read-only, damaged or not a database, or the disk is full.
    """
    with translate_db_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        revision = sqlite.read_revision(path)
        if revision is not None and revision not in REVISIONS:
            raise SchemaTooNew(path, revision)
        engine = sqlite.create_engine(path)
        if revision != REVISIONS[-1]:
            if revision is not None:
                sqlite.back_up(path, path.with_suffix(f".before-{REVISIONS[-1]}.db"))
            _migrate(engine)
    return engine


@contextmanager
def translate_db_errors(path: Path) -> Generator[None]:
    """Raise errors of the database and the file system as ``StoreUnavailable``, with a remedy."""
    try:
        yield
    except (DatabaseError, sqlite3.Error, OSError) as error:
        raise sqlite.store_error(path, error) from error


def purge_deleted(path: Path, *, seconds: float = sqlite.BUSY_TIMEOUT_MS / 1000) -> None:
    """Remove deleted data from the database file and its log.

    Args:
        seconds: time to wait for other processes.

    Raises:
        StoreUnavailable: another process is reading, so the log cannot be emptied; or the disk is full.
    """
    with translate_db_errors(path):
        is_log_empty = sqlite.vacuum(path, seconds=seconds)
    if not is_log_empty:
        raise StoreUnavailable(
            f"Another process is reading {path}, so its log still contains deleted data. Stop it, then try again."
        )


@contextmanager
def _begin_writing(engine: Engine) -> Generator[Connection]:
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        yield connection


def _migrate(engine: Engine) -> None:
    from alembic import command  # 0.3 s
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with _begin_writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
