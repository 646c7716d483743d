"""The store on SQLAlchemy: tables, migrations, records, and one repository for one network."""

from patternmind.storage.repositories.sessions import SqlAccounts
from patternmind.storage.sql_store import SqlStore

__all__ = ["SqlAccounts", "SqlStore"]
