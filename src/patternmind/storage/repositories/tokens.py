"""Store the API tokens of a network."""

from patternmind.domain.members import ApiToken
from patternmind.storage import schema
from patternmind.storage.account_records import read_token, token_row
from patternmind.storage.database import SqlRepository

table = schema.token


class SqlTokenRepository(SqlRepository):
    """Implements ``ports.TokenRepository``."""

    def save(self, token: ApiToken) -> None:
        with self._source.writing() as tx:
            tx.insert(table, token_row(token))

    def list_all(self) -> list[ApiToken]:
        with self._source.reading() as tx:
            return [read_token(row) for row in tx.rows(tx.select(table).order_by(table.c.created_at))]
