"""Store sign-in links, sessions and tokens by their hashes, and the audit log."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, insert, select, update

from patternmind.domain.members import (
    ApiToken,
    AuditEntry,
    Session,
    SignInLink,
)
from patternmind.errors import NotFound
from patternmind.storage import schema
from patternmind.storage.account_records import (
    audit_row,
    link_row,
    read_audit,
    read_link,
    read_session,
    read_token,
    session_row,
)
from patternmind.storage.repositories.accounts import AccountRepository


class SqlAccounts(AccountRepository):
    """Implements ``ports.Accounts``."""

    def save_link(self, link: SignInLink) -> None:
        with self._write_transaction() as connection:
            connection.execute(insert(schema.sign_in_link).values(**link_row(link)))

    def find_link(self, sha256: str) -> SignInLink | None:
        table = schema.sign_in_link
        with self._read_transaction() as connection:
            row = connection.execute(select(table).where(table.c.sha256 == sha256)).first()
        return read_link(row) if row else None

    def consume_link(self, sha256: str) -> SignInLink | None:
        table = schema.sign_in_link
        with self._write_transaction() as connection:
            row = connection.execute(select(table).where(table.c.sha256 == sha256)).first()
            if row is None:
                return None
            connection.execute(delete(table).where(table.c.sha256 == sha256))
            if row.account_id is None:
                connection.execute(delete(table).where(table.c.account_id.is_(None)))
        return read_link(row)

    def save_session(self, session: Session) -> None:
        table, row = schema.session, session_row(session)
        with self._write_transaction() as connection:
            if not connection.execute(update(table).where(table.c.sha256 == session.sha256).values(**row)).rowcount:
                connection.execute(insert(table).values(**row))

    def find_session(self, sha256: str) -> Session | None:
        table = schema.session
        with self._read_transaction() as connection:
            row = connection.execute(select(table).where(table.c.sha256 == sha256)).first()
        return read_session(row) if row else None

    def list_sessions(self, account_id: str) -> list[Session]:
        table = schema.session
        query = select(table).where(table.c.account_id == account_id).order_by(table.c.created_at.desc())
        with self._read_transaction() as connection:
            return [read_session(row) for row in connection.execute(query).all()]

    def delete_sessions(self, sha256s: Sequence[str]) -> None:
        if not sha256s:
            return
        with self._write_transaction() as connection:
            connection.execute(delete(schema.session).where(schema.session.c.sha256.in_(sha256s)))

    def delete_expired(
        self, *, links_expired_before: datetime, sessions_created_before: datetime, sessions_seen_before: datetime
    ) -> None:
        link, session = schema.sign_in_link, schema.session
        is_expired = (session.c.created_at < sessions_created_before.isoformat()) | (
            session.c.seen_at < sessions_seen_before.isoformat()
        )
        with self._write_transaction() as connection:
            connection.execute(delete(link).where(link.c.expires_at < links_expired_before.isoformat()))
            connection.execute(delete(session).where(is_expired))

    def find_token(self, sha256: str) -> tuple[str, ApiToken] | None:
        with self._read_transaction() as connection:
            row = connection.execute(select(schema.token).where(schema.token.c.sha256 == sha256)).first()
        return (row.network_id, read_token(row)) if row else None

    def has_tokens(self) -> bool:
        with self._read_transaction() as connection:
            return connection.execute(select(schema.token.c.id).limit(1)).first() is not None

    def revoke_token(self, network_id: str, token_id: str, at: datetime) -> None:
        table = schema.token
        is_token = (table.c.network_id == network_id) & (table.c.id == token_id)
        with self._write_transaction() as connection:
            if not connection.execute(update(table).where(is_token).values(revoked_at=at.isoformat())).rowcount:
                raise NotFound("token", token_id)

    def append_audit(self, network_id: str, entry: AuditEntry) -> None:
        table = schema.audit
        newest = select(func.coalesce(func.max(table.c.number), 0)).where(table.c.network_id == network_id)
        with self._write_transaction() as connection:
            number = connection.execute(newest).scalar_one() + 1
            connection.execute(insert(table).values(network_id=network_id, number=number, **audit_row(entry)))

    def list_audit(self, network_id: str, *, before: int | None = None, limit: int = 50) -> list[AuditEntry]:
        table = schema.audit
        query = select(table).where(table.c.network_id == network_id)
        if before is not None:
            query = query.where(table.c.number < before)
        with self._read_transaction() as connection:
            rows = connection.execute(query.order_by(table.c.number.desc()).limit(limit)).all()
        return [read_audit(row) for row in rows]
