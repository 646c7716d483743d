"""Store submissions unredacted, separate from the redacted text, and encrypted if there is a key."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from patternmind.domain.cases import Case, Submission
from patternmind.errors import NotFound
from patternmind.ports import RawTextCounts
from patternmind.storage import records, schema
from patternmind.storage.encryption import KEY_ID_FIELD, FieldCipher
from patternmind.storage.repositories.base import NetworkScopedStore


class SubmissionRepository(NetworkScopedStore):
    """Submissions; ``cipher`` contains the keys of the settings."""

    cipher = FieldCipher()

    def submissions(self) -> list[Submission]:
        with self._read_transaction() as connection:
            newest_rows = {row.case_id: row for row in self._submission_rows(connection)}
            withdrawal = schema.withdrawal
            withdrawn_ids = set(connection.execute(self._select(withdrawal, withdrawal.c.case_id)).scalars())
            return [self._decrypt(row) for row in newest_rows.values() if row.case_id not in withdrawn_ids]

    def submission(self, case_id: str, version: int | None = None) -> Submission:
        with self._read_transaction() as connection:
            rows = [row for row in self._submission_rows(connection, case_id) if version in (None, row.version)]
            if not rows:
                raise NotFound("case" if version is None else f"version {version} of case", case_id)
            return self._decrypt(rows[-1])

    def count_versions(self, case_id: str) -> int:
        with self._read_transaction() as connection:
            return self._count_versions(connection, case_id)

    def _count_versions(self, connection: Connection, case_id: str) -> int:
        table = schema.submission
        newest = self._select(table, func.max(table.c.version)).where(table.c.case_id == case_id)
        return connection.execute(newest).scalar_one() or 0

    def _submission_rows(self, connection: Connection, case_id: str | None = None) -> Iterator[Any]:
        """Yield all versions, ordered by case and version."""
        table = schema.submission
        query = self._select(table).order_by(table.c.case_id, table.c.version)
        yield from connection.execute(query if case_id is None else query.where(table.c.case_id == case_id))

    def _decrypt(self, row: Any) -> Submission:
        return records.read_submission(self.cipher.decrypt(row.body, self._associated_data(row.case_id, row.version)))

    def _associated_data(self, case_id: str, version: int) -> str:
        return f"{self._network_id}\n{case_id}\n{version}"

    def _save_submission_version(self, connection: Connection, submission: Submission, case: Case) -> None:
        """Store a changed submission as a new version; redacting the same submission again adds none."""
        rows = list(self._submission_rows(connection, case.id))
        if rows and self._decrypt(rows[-1]) == submission:
            return
        version = rows[-1].version + 1 if rows else 1
        body = self.cipher.encrypt(records.submission_record(submission), self._associated_data(case.id, version))
        row = {"case_id": case.id, "version": version, "body": body, "content_hash": case.content_hash}
        connection.execute(insert(schema.submission).values(network_id=self._network_id, **row))

    def _is_superseded_import(self, connection: Connection, submission: Submission, case: Case) -> bool:
        """Return True if a file contains an old text that a member has since edited; the edit is kept."""
        if submission.by is not None:
            return False
        rows = list(self._submission_rows(connection, case.id))
        if not any(row.content_hash == case.content_hash for row in rows[:-1]):
            return False
        return self._decrypt(rows[-1]).by is not None

    def _check_key(self, connection: Connection) -> None:
        """Check that new raw text is encrypted with the key of the stored text; the first text defines the key.

        Raises:
            RawTextKeyInvalid: stored raw text is encrypted with another key.
        """
        stored_key_id = self._stored_key_id(connection)
        self.cipher.check_key(stored_key_id)
        if stored_key_id != self.cipher.key_id:
            self._store_key_id(connection)

    def _stored_key_id(self, connection: Connection) -> str | None:
        network = schema.network
        return connection.execute(select(network.c.raw_key).where(network.c.id == self._network_id)).scalar_one()

    def _store_key_id(self, connection: Connection) -> None:
        network = schema.network
        is_network = network.c.id == self._network_id
        connection.execute(update(network).where(is_network).values(raw_key=self.cipher.key_id))

    def reencrypt_submissions(self) -> int:
        table = schema.submission
        with self._write_transaction() as connection:
            rows = list(self._submission_rows(connection))
            for row in rows:
                associated_data = self._associated_data(row.case_id, row.version)
                body = self.cipher.encrypt(self.cipher.decrypt(row.body, associated_data), associated_data)
                of_case = (table.c.network_id == self._network_id) & (table.c.case_id == row.case_id)
                connection.execute(update(table).where(of_case, table.c.version == row.version).values(body=body))
            self._store_key_id(connection)
        return len(rows)

    def raw_text_counts(self) -> RawTextCounts:
        table = schema.submission
        with self._read_transaction() as connection:
            n_texts = connection.execute(self._select(table, func.count())).scalar_one()
            is_encrypted = table.c.body[KEY_ID_FIELD].as_string().is_not(None)
            n_encrypted = connection.execute(self._select(table, func.count()).where(is_encrypted)).scalar_one()
            key_id = self._stored_key_id(connection)
        return RawTextCounts(
            n_texts=n_texts, n_encrypted=n_encrypted, key_id=key_id, is_readable=key_id in {None, self.cipher.key_id}
        )
