"""All SQL and errors that only SQLite understands, but for the migrations. One transaction writes at a time."""

import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import sqlalchemy
from sqlalchemy import (
    URL,
    ColumnElement,
    Connection,
    Engine,
    Insert,
    Table,
    event,
    func,
    insert,
    literal_column,
    select,
)

from patternmind.errors import ErrorCode, StoreUnavailable
from patternmind.storage import schema

BUSY_TIMEOUT_MS = 30_000
WAL_INDEX_BYTES = 32 << 10

# The database file ---------------------------------------------------------------------------------------------------


def create_engine(path: Path) -> Engine:
    """Create an engine; a transaction with the execution option ``writes`` takes the write lock at its start."""
    engine = sqlalchemy.create_engine(
        URL.create("sqlite", database=str(path)),
        hide_parameters=True,  # parameters are case text
    )

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


def read_revision(path: Path) -> str | None:
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


def back_up(source: Path, target: Path) -> None:
    """Copy the database consistently before a migration, with SQLite's backup function."""
    if shutil.disk_usage(source.parent).free < source.stat().st_size * 2:
        raise StoreUnavailable(
            f"There is too little disk space to back up {source} before migrating it. Free some space, then try again."
        )
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


def vacuum(path: Path, *, seconds: float) -> bool:
    """Rewrite the file without deleted data, and empty its log.

    SQLite otherwise keeps the data until the space is used again.

    Args:
        seconds: time to wait for other processes.

    Returns:
        False if another process is reading, so that the log cannot be emptied.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in (f"busy_timeout={int(seconds * 1000)}", "secure_delete=ON", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("VACUUM")
        is_busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not is_busy


def store_error(path: Path, error: BaseException) -> StoreUnavailable:
    """Describe an error of SQLite or the file system with its remedy."""
    text = str(getattr(error, "orig", error)).casefold()
    if isinstance(error, FileExistsError | NotADirectoryError):
        message = f"{path.parent} is a file, not a folder. Use another data folder."
    elif "readonly" in text or "read-only" in text or isinstance(error, PermissionError) or "unable to open" in text:
        message = f"{path} cannot be written. Give yourself write rights on its folder, or use another data folder."
    elif "not a database" in text or "malformed" in text:
        message = f"{path} is not a patternmind database or is damaged. Restore a backup, or use another data folder."
    else:
        return StoreUnavailable(_disk_message(path, error, text))
    return StoreUnavailable(message, code=ErrorCode.UNUSABLE_FOLDER)


def _disk_message(path: Path, error: BaseException, text: str) -> str:
    if "full" in text or "no space" in text or ("disk i/o" in text and _is_disk_full(path)):
        return f"The disk that holds {path} is full. Free some space, then try again; nothing was lost."
    if "locked" in text:
        return f"{path} has been in use by another process for too long. Try again when it has finished."
    return f"{path} cannot be used ({type(error).__name__}). Check the disk and the folder's rights; nothing was lost."


def _is_disk_full(path: Path) -> bool:
    """Return True if the disk lacks space for the index of SQLite's log (32 KiB).

    SQLite then reports "disk I/O error".
    """
    try:
        return shutil.disk_usage(path.parent).free < WAL_INDEX_BYTES
    except OSError:
        return False


# Statements ----------------------------------------------------------------------------------------------------------


def insert_or_ignore(table: Table) -> Insert:
    """Return an INSERT that skips rows whose key exists."""
    return insert(table).prefix_with("OR IGNORE")


def likely(condition: ColumnElement[Any]) -> Any:
    """Keep the planner from choosing an index for a condition, which is usually true."""
    return func.likely(condition)


def json_values(column: Any, *paths: str) -> Any:
    """Return an expression for a JSON list of the values at some paths."""
    return func.json_extract(column, *paths, type_=column.type)


def json_length(column: Any, path: str) -> Any:
    return func.json_array_length(column, path)


def fts_query(words: str) -> str:
    """Build a full-text query that matches cases with all words, each also as a prefix.

    The query is empty if there are no words.
    """
    return " ".join(f'"{word}"*' for word in re.findall(r"\w+", words))


def select_matching_numbers(query: str) -> Any:
    """Select the write numbers of the cases that match a full-text query."""
    rowid = cast(Any, literal_column("rowid"))
    is_match: Any = literal_column("case_words").op("MATCH")(query)
    return select(rowid).select_from(schema.case_words).where(is_match)


def rebuild_word_index(connection: Connection) -> None:
    """Rebuild the word index, whose older segments otherwise keep the words of former texts."""
    connection.exec_driver_sql("INSERT INTO case_words (case_words) VALUES ('delete-all')")
    connection.exec_driver_sql("INSERT INTO case_words (rowid, words) SELECT number, words FROM case_said")
