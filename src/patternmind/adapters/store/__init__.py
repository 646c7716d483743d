"""The store on SQLAlchemy: tables, migrations, records, and one repository for one network."""

from patternmind.adapters.store.repository import SqlStore

__all__ = ["SqlStore"]
