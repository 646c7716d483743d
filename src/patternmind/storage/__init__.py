"""Storage on SQLAlchemy and SQLite: schema, migrations, records and repositories."""

from patternmind.storage.sql_accounts import SqlAccounts
from patternmind.storage.sql_store import SqlStore

__all__ = ["SqlAccounts", "SqlStore"]
