"""The store of one network on SQLite. Every statement names the network; every write is one transaction."""

from pathlib import Path

from sqlalchemy import insert, select

from patternmind.adapters.store import tables
from patternmind.adapters.store.erase_rows import EraseRows
from patternmind.adapters.store.sealing import Sealer
from patternmind.adapters.store.sign_in_records import read_token, token_row
from patternmind.model.members import Token
from patternmind.model.network import Network


class SqlStore(EraseRows):
    """Implements ``ports.Store``."""

    def __init__(
        self, path: Path, network_id: str = "default", *, name: str = "", sealer: Sealer | None = None
    ) -> None:
        super().__init__(path, network_id)
        self.sealer = sealer or Sealer()
        with self._reading() as connection:
            known = connection.execute(select(tables.network.c.id).where(tables.network.c.id == network_id)).first()
        if known is None:
            self._make_network(Network(id=network_id, name=name or network_id))

    def save_token(self, token: Token) -> None:
        with self._writing() as connection:
            connection.execute(insert(tables.token).values(network_id=self._id, **token_row(token)))

    def tokens(self) -> list[Token]:
        with self._reading() as connection:
            rows = connection.execute(self._of(tables.token).order_by(tables.token.c.created_at)).all()
        return [read_token(row) for row in rows]
