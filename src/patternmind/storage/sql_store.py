"""Store of one network on SQLite.

Every statement names the network, and every write is one transaction.
"""

from pathlib import Path

from sqlalchemy import insert, select

from patternmind.domain.members import ApiToken
from patternmind.domain.networks import Network
from patternmind.storage import schema
from patternmind.storage.account_records import read_token, token_row
from patternmind.storage.encryption import FieldCipher
from patternmind.storage.repositories.dismissed_names import DismissedNameRepository
from patternmind.storage.repositories.draft_queries import DraftQueries
from patternmind.storage.repositories.run_history import RunHistory


class SqlStore(DraftQueries, RunHistory, DismissedNameRepository):
    """Implements ``ports.Store``."""

    def __init__(
        self, path: Path, network_id: str = "default", *, name: str = "", cipher: FieldCipher | None = None
    ) -> None:
        super().__init__(path, network_id)
        self.cipher = cipher or FieldCipher()
        with self._read_transaction() as connection:
            row = connection.execute(select(schema.network.c.id).where(schema.network.c.id == network_id)).first()
        if row is None:
            self._create_network(Network(id=network_id, name=name or network_id))

    def save_token(self, token: ApiToken) -> None:
        with self._write_transaction() as connection:
            connection.execute(insert(schema.token).values(network_id=self._network_id, **token_row(token)))

    def tokens(self) -> list[ApiToken]:
        with self._read_transaction() as connection:
            rows = connection.execute(self._select(schema.token).order_by(schema.token.c.created_at)).all()
        return [read_token(row) for row in rows]
