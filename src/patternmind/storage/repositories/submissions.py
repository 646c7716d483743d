"""Store submissions unredacted, separate from the redacted text, and encrypted if there is a key."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import func

from patternmind.domain.cases import Case, Submission
from patternmind.errors import NotFound
from patternmind.ports import RawTextCounts
from patternmind.storage import records, schema
from patternmind.storage.database import SqlRepository, Transaction
from patternmind.storage.encryption import KEY_ID_FIELD
from patternmind.storage.repositories.networks import SqlNetworkRepository

submission, withdrawal = schema.submission, schema.withdrawal


class SqlSubmissionRepository(SqlRepository):
    """Implements ``ports.SubmissionRepository``; the cipher of a transaction contains the keys of the settings."""

    def list_all(self) -> list[Submission]:
        with self._source.reading() as tx:
            newest_rows = {row.case_id: row for row in _versions(tx)}
            withdrawn_ids = set(tx.scalars(tx.select(withdrawal, withdrawal.c.case_id)))
            return [_decrypt(tx, row) for row in newest_rows.values() if row.case_id not in withdrawn_ids]

    def get(self, case_id: str, version: int | None = None) -> Submission:
        with self._source.reading() as tx:
            rows = [row for row in _versions(tx, case_id) if version in (None, row.version)]
            if not rows:
                raise NotFound("case" if version is None else f"version {version} of case", case_id)
            return _decrypt(tx, rows[-1])

    def count_versions(self, case_id: str) -> int:
        newest = func.max(submission.c.version)
        with self._source.reading() as tx:
            return tx.scalar(tx.select(submission, newest).where(submission.c.case_id == case_id)) or 0

    def count_raw_texts(self) -> RawTextCounts:
        is_encrypted = submission.c.body[KEY_ID_FIELD].as_string().is_not(None)
        with self._source.reading() as tx:
            count = tx.select(submission, func.count())
            key_id = SqlNetworkRepository(tx).raw_key_id()
            return RawTextCounts(
                n_texts=tx.scalar(count),
                n_encrypted=tx.scalar(count.where(is_encrypted)),
                key_id=key_id,
                is_readable=key_id in {None, tx.cipher.key_id},
            )

    def reencrypt_all(self) -> int:
        with self._source.writing() as tx:
            rows = list(_versions(tx))
            for row in rows:
                associated_data = _associated_data(tx, row.case_id, row.version)
                body = tx.cipher.encrypt(tx.cipher.decrypt(row.body, associated_data), associated_data)
                is_version = (submission.c.case_id == row.case_id) & (submission.c.version == row.version)
                tx.update(submission, {"body": body}, is_version)
            SqlNetworkRepository(tx).save_raw_key_id(tx.cipher.key_id)
        return len(rows)

    def check_key(self) -> None:
        """Check that new raw text is encrypted with the key of the stored text; the first text defines the key.

        Raises:
            RawTextKeyInvalid: stored raw text is encrypted with another key.
        """
        with self._source.writing() as tx:
            networks = SqlNetworkRepository(tx)
            stored_key_id = networks.raw_key_id()
            tx.cipher.check_key(stored_key_id)
            if stored_key_id != tx.cipher.key_id:
                networks.save_raw_key_id(tx.cipher.key_id)

    def add_version(self, new: Submission, case: Case) -> None:
        """Store a changed submission as a new version; redacting the same submission again adds none."""
        with self._source.writing() as tx:
            rows = list(_versions(tx, case.id))
            if rows and _decrypt(tx, rows[-1]) == new:
                return
            version = rows[-1].version + 1 if rows else 1
            body = tx.cipher.encrypt(records.submission_record(new), _associated_data(tx, case.id, version))
            row = {"case_id": case.id, "version": version, "body": body, "content_hash": case.content_hash}
            tx.insert(submission, row)

    def is_superseded_import(self, new: Submission, case: Case) -> bool:
        """Return True if a file contains an old text that a member has since edited; the edit is kept."""
        if new.by is not None:
            return False
        with self._source.reading() as tx:
            rows = list(_versions(tx, case.id))
            if not any(row.content_hash == case.content_hash for row in rows[:-1]):
                return False
            return _decrypt(tx, rows[-1]).by is not None

    def delete_of_case(self, case_id: str) -> None:
        with self._source.writing() as tx:
            tx.delete(submission, submission.c.case_id == case_id)


def _versions(tx: Transaction, case_id: str | None = None) -> Iterator[Any]:
    """Yield all versions, ordered by case and version."""
    query = tx.select(submission).order_by(submission.c.case_id, submission.c.version)
    yield from tx.stream(query if case_id is None else query.where(submission.c.case_id == case_id))


def _decrypt(tx: Transaction, row: Any) -> Submission:
    return records.read_submission(tx.cipher.decrypt(row.body, _associated_data(tx, row.case_id, row.version)))


def _associated_data(tx: Transaction, case_id: str, version: int) -> str:
    """Return the data that binds an encrypted text to its row; stored texts depend on its format."""
    return f"{tx.network_id}\n{case_id}\n{version}"
