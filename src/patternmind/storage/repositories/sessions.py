"""Store sessions and sign-in links by the hashes of their secrets."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, insert, select, update

from patternmind.domain.members import Session, SignInLink
from patternmind.storage import schema
from patternmind.storage.account_records import link_row, read_link, read_session, session_row
from patternmind.storage.database import InstallationRepository

session_table, link_table = schema.session, schema.sign_in_link


class SqlSignInLinkRepository(InstallationRepository):
    """Implements ``ports.SignInLinkRepository``."""

    def save(self, link: SignInLink) -> None:
        with self._file.writing() as connection:
            connection.execute(insert(link_table).values(**link_row(link)))

    def find(self, sha256: str) -> SignInLink | None:
        with self._file.reading() as connection:
            row = connection.execute(select(link_table).where(link_table.c.sha256 == sha256)).first()
        return read_link(row) if row else None

    def consume(self, sha256: str) -> SignInLink | None:
        with self._file.writing() as connection:
            row = connection.execute(select(link_table).where(link_table.c.sha256 == sha256)).first()
            if row is None:
                return None
            connection.execute(delete(link_table).where(link_table.c.sha256 == sha256))
            if row.account_id is None:
                connection.execute(delete(link_table).where(link_table.c.account_id.is_(None)))
        return read_link(row)

    def delete_expired(self, now: datetime) -> None:
        with self._file.writing() as connection:
            connection.execute(delete(link_table).where(link_table.c.expires_at < now.isoformat()))


class SqlSessionRepository(InstallationRepository):
    """Implements ``ports.SessionRepository``."""

    def save(self, session: Session) -> None:
        row = session_row(session)
        with self._file.writing() as connection:
            if not connection.execute(
                update(session_table).where(session_table.c.sha256 == session.sha256).values(**row)
            ).rowcount:
                connection.execute(insert(session_table).values(**row))

    def find(self, sha256: str) -> Session | None:
        with self._file.reading() as connection:
            row = connection.execute(select(session_table).where(session_table.c.sha256 == sha256)).first()
        return read_session(row) if row else None

    def list_all(self, account_id: str) -> list[Session]:
        query = (
            select(session_table)
            .where(session_table.c.account_id == account_id)
            .order_by(session_table.c.created_at.desc())
        )
        with self._file.reading() as connection:
            return [read_session(row) for row in connection.execute(query).all()]

    def delete_all(self, sha256s: Sequence[str]) -> None:
        if not sha256s:
            return
        with self._file.writing() as connection:
            connection.execute(delete(session_table).where(session_table.c.sha256.in_(sha256s)))

    def delete_expired(self, *, created_before: datetime, seen_before: datetime) -> None:
        is_expired = (session_table.c.created_at < created_before.isoformat()) | (
            session_table.c.seen_at < seen_before.isoformat()
        )
        with self._file.writing() as connection:
            connection.execute(delete(session_table).where(is_expired))
