"""What the steward said of possible names."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import insert

from patternmind.storage import schema
from patternmind.storage.repositories.base import NetworkScopedStore


class DismissedNameRepository(NetworkScopedStore):
    """Possible names that are none, by digest: no word of a case is kept."""

    def dismissed_names(self) -> set[str]:
        with self._read_transaction() as connection:
            return set(connection.execute(self._of(schema.dismissed_name, schema.dismissed_name.c.digest)).scalars())

    def dismiss_names(self, digests: Iterable[str], *, actor: str, at: datetime) -> None:
        rows = [
            {"network_id": self._id, "digest": one, "by": actor, "at": at.isoformat()} for one in sorted(set(digests))
        ]
        with self._write_transaction() as connection:
            if rows:
                connection.execute(insert(schema.dismissed_name).prefix_with("OR IGNORE"), rows)
