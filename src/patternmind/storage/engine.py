"""Open the SQLite database: pragmas, transactions, migrations and error messages."""

import shutil
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError, OperationalError

from patternmind.errors import SchemaTooNew, StoreUnavailable

MIGRATIONS = Path(__file__).parent / "migrations"
REVISIONS = tuple(sorted(path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9]*.py")))
"""Known schema revisions, oldest first."""

BUSY_TIMEOUT_MS = 30_000
WAL_INDEX_BYTES = 32 << 10


def open_engine(path: Path) -> Engine:
    """Open a database at the newest schema; create or migrate it if necessary.

    Raises:
        SchemaTooNew: a newer program wrote it; nothing is changed.
        StoreUnavailable: the file is read-only, damaged or not a database, or the disk is full.
    """
    with translate_db_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        revision = _read_revision(path)
        if revision is not None and revision not in REVISIONS:
            raise SchemaTooNew(path, revision)
        engine = _create_engine(path)
        if revision != REVISIONS[-1]:
            if revision is not None:
                _back_up(path, path.with_suffix(f".before-{REVISIONS[-1]}.db"))
            _migrate(engine)
    return engine


@contextmanager
def write_transaction(engine: Engine, path: Path) -> Generator[Connection]:
    """Begin a transaction that holds the write lock from its start."""
    with translate_db_errors(path), engine.connect().execution_options(writes=True) as connection, connection.begin():
        yield connection


@contextmanager
def read_transaction(engine: Engine, path: Path) -> Generator[Connection]:
    """Begin a transaction that reads one consistent snapshot of the database."""
    with translate_db_errors(path), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def translate_db_errors(path: Path) -> Generator[None]:
    """Raise errors of SQLite and the file system as ``StoreUnavailable``, with a remedy."""
    try:
        yield
    except (OperationalError, DatabaseError, sqlite3.Error, OSError) as error:
        raise StoreUnavailable(_error_message(path, error)) from error


def purge_deleted(path: Path, *, seconds: float = BUSY_TIMEOUT_MS / 1000) -> None:
    """Remove deleted data from the database file and its log.

    SQLite otherwise keeps it there until the space is used again.

    Args:
        seconds: time to wait for other processes.

    Raises:
        StoreUnavailable: another process is reading, so the log cannot be emptied; or the disk is full.
    """
    with translate_db_errors(path), closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in (f"busy_timeout={int(seconds * 1000)}", "secure_delete=ON", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("VACUUM")
        busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise StoreUnavailable(
            f"Another process is reading {path}, so its log still contains deleted data. Stop it, then run this again."
        )


def _error_message(path: Path, error: BaseException) -> str:
    text = str(getattr(error, "orig", error)).casefold()
    if "readonly" in text or "read-only" in text or isinstance(error, PermissionError) or "unable to open" in text:
        return f"{path} cannot be written. Give yourself write rights on its folder, or name another with --home."
    if isinstance(error, FileExistsError | NotADirectoryError):
        return f"{path.parent} is a file, not a folder. Name another data folder with --home."
    if "full" in text or "no space" in text or ("disk i/o" in text and _is_disk_full(path)):
        return f"The disk that holds {path} is full. Free some space and run the command again; nothing was lost."
    if "locked" in text:
        return f"{path} has been in use by another process for too long. Try again when it has finished."
    if "not a database" in text or "malformed" in text:
        return f"{path} is not a patternmind database or is damaged. Restore a backup, or name another folder."
    return f"{path} cannot be used ({type(error).__name__}). Check the disk and the folder's rights; nothing was lost."


def _is_disk_full(path: Path) -> bool:
    """Return True if the disk lacks space for the index of SQLite's log (32 KiB).

    SQLite then reports "disk I/O error".
    """
    try:
        return shutil.disk_usage(path.parent).free < WAL_INDEX_BYTES
    except OSError:
        return False


def _create_engine(path: Path) -> Engine:
    engine = create_engine(URL.create("sqlite", database=str(path)), hide_parameters=True)  # parameters are case text

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, record: object) -> None:  # pyright: ignore[reportUnusedFunction]
        del record
        connection.isolation_level = None  # _begin sends BEGIN: the driver's own comes too late for a write lock
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:  # pyright: ignore[reportUnusedFunction]
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _read_revision(path: Path) -> str | None:
    """Return the schema revision of the file, None for a new file.

    It takes 1 ms because it uses neither SQLAlchemy nor Alembic.
    """
    if not path.exists() or path.stat().st_size == 0:
        return None
    read_only = f"{path.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(read_only, uri=True, timeout=BUSY_TIMEOUT_MS / 1000)) as connection:
        tables = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        if not tables[0]:
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return row[0] if row else None


def _migrate(engine: Engine) -> None:
    from alembic import command  # 0.3 s
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _back_up(source: Path, target: Path) -> None:
    """Copy the database consistently before a migration, with SQLite's backup function."""
    if shutil.disk_usage(source.parent).free < source.stat().st_size * 2:
        raise StoreUnavailable(
            f"There is too little disk space to back up {source} before migrating it. Free some space, then try again."
        )
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
