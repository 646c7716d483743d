"""Store the audit logs."""

from sqlalchemy import func, insert, select

from patternmind.domain.members import AuditEntry
from patternmind.storage import schema
from patternmind.storage.account_records import audit_row, read_audit
from patternmind.storage.database import InstallationRepository

table = schema.audit


class SqlAuditLog(InstallationRepository):
    """Implements ``ports.AuditLog``."""

    def append(self, network_id: str, entry: AuditEntry) -> None:
        newest = select(func.coalesce(func.max(table.c.number), 0)).where(table.c.network_id == network_id)
        with self._file.writing() as connection:
            number = connection.execute(newest).scalar_one() + 1
            connection.execute(insert(table).values(network_id=network_id, number=number, **audit_row(entry)))

    def list_recent(self, network_id: str, *, before: int | None = None, limit: int = 50) -> list[AuditEntry]:
        query = select(table).where(table.c.network_id == network_id)
        if before is not None:
            query = query.where(table.c.number < before)
        with self._file.reading() as connection:
            rows = connection.execute(query.order_by(table.c.number.desc()).limit(limit)).all()
        return [read_audit(row) for row in rows]
