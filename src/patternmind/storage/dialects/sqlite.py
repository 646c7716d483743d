"""SQL that only SQLite understands: full-text search, JSON functions, and hints to the query planner."""

import re
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, Insert, Table, func, insert, literal_column, select

from patternmind.storage import schema


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
