"""The store of one network on SQLite. Every statement names the network; every write is one transaction."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from sqlalchemy import insert, select

from patternmind.adapters.store import tables
from patternmind.adapters.store.draft_reads import DraftReads
from patternmind.adapters.store.sealing import Sealer
from patternmind.model.network import Network
from patternmind.ports import Token


class SqlStore(DraftReads):
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
        row = asdict(token)
        row["created_at"] = token.created_at.isoformat()
        row["expires_at"] = token.expires_at.isoformat() if token.expires_at else None
        with self._writing() as connection:
            connection.execute(insert(tables.token).values(network_id=self._id, **row))

    def tokens(self) -> list[Token]:
        with self._reading() as connection:
            rows = connection.execute(self._of(tables.token).order_by(tables.token.c.created_at)).all()
        return [
            Token(
                id=row.id,
                name=row.name,
                sha256=row.sha256,
                created_at=datetime.fromisoformat(row.created_at),
                expires_at=datetime.fromisoformat(row.expires_at) if row.expires_at else None,
            )
            for row in rows
        ]
