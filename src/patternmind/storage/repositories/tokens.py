"""Store API tokens."""

from datetime import datetime

from sqlalchemy import select

from patternmind.domain.members import ApiToken
from patternmind.errors import NotFound
from patternmind.storage import schema
from patternmind.storage.account_records import read_token, token_row
from patternmind.storage.database import InstallationRepository, SqlRepository

table = schema.token


class SqlTokenRepository(SqlRepository):
    """Implements ``ports.TokenRepository``."""

    def save(self, token: ApiToken) -> None:
        with self._source.writing() as tx:
            tx.insert(table, token_row(token))

    def list_all(self) -> list[ApiToken]:
        with self._source.reading() as tx:
            return [read_token(row) for row in tx.rows(tx.select(table).order_by(table.c.created_at))]

    def revoke(self, token_id: str, at: datetime) -> None:
        with self._source.writing() as tx:
            if not tx.update(table, {"revoked_at": at.isoformat()}, table.c.id == token_id):
                raise NotFound("token", token_id)


class SqlTokenDirectory(InstallationRepository):
    """Implements ``ports.TokenDirectory``."""

    def find(self, sha256: str) -> tuple[str, ApiToken] | None:
        with self._file.reading() as connection:
            row = connection.execute(select(table).where(table.c.sha256 == sha256)).first()
        return (row.network_id, read_token(row)) if row else None

    def exist(self) -> bool:
        with self._file.reading() as connection:
            return connection.execute(select(table.c.id).limit(1)).first() is not None
