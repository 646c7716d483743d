"""The store on SQLAlchemy: tables, migrations, records, and one repository for one network."""

from patternmind.adapters.store.repository import SqlStore
from patternmind.adapters.store.sign_in_rows import SqlAccounts

__all__ = ["SqlAccounts", "SqlStore"]
