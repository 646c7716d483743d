"""Store the possible names that the steward dismissed."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import insert

from patternmind.storage import schema
from patternmind.storage.repositories.base import NetworkScopedStore


class DismissedNameRepository(NetworkScopedStore):
    """Dismissed possible names by digest; no word of a case is stored."""

    def dismissed_names(self) -> set[str]:
        with self._read_transaction() as connection:
            return set(
                connection.execute(self._select(schema.dismissed_name, schema.dismissed_name.c.digest)).scalars()
            )

    def dismiss_names(self, digests: Iterable[str], *, actor: str, at: datetime) -> None:
        rows = [
            {"network_id": self._network_id, "digest": digest, "by": actor, "at": at.isoformat()}
            for digest in sorted(set(digests))
        ]
        with self._write_transaction() as connection:
            if rows:
                connection.execute(insert(schema.dismissed_name).prefix_with("OR IGNORE"), rows)
