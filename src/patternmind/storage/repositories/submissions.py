"""What was handed in, as it was: kept apart from the redacted text, and sealed where there is a key."""

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
    """Submissions; what opens them is handed in with the settings."""

    sealer = FieldCipher()

    def submissions(self) -> list[Submission]:
        with self._read_transaction() as connection:
            newest = {row.case_id: row for row in self._submission_rows(connection)}
            gone = set(connection.execute(self._of(schema.withdrawal, schema.withdrawal.c.case_id)).scalars())
            return [self._decrypt(row) for row in newest.values() if row.case_id not in gone]

    def submission(self, case_id: str, version: int | None = None) -> Submission:
        with self._read_transaction() as connection:
            rows = [row for row in self._submission_rows(connection, case_id) if version in (None, row.version)]
            if not rows:
                raise NotFound("case" if version is None else f"version {version} of case", case_id)
            return self._decrypt(rows[-1])

    def n_versions(self, case_id: str) -> int:
        with self._read_transaction() as connection:
            return self._count_versions(connection, case_id)

    def _count_versions(self, connection: Connection, case_id: str) -> int:
        kept = schema.submission
        newest = self._of(kept, func.max(kept.c.version)).where(kept.c.case_id == case_id)
        return connection.execute(newest).scalar_one() or 0

    def _submission_rows(self, connection: Connection, case_id: str | None = None) -> Iterator[Any]:
        """Every version, by case and age."""
        kept = schema.submission
        query = self._of(kept).order_by(kept.c.case_id, kept.c.version)
        yield from connection.execute(query if case_id is None else query.where(kept.c.case_id == case_id))

    def _decrypt(self, row: Any) -> Submission:
        return records.read_submission(self.sealer.open(row.body, self._place(row.case_id, row.version)))

    def _place(self, case_id: str, version: int) -> str:
        return f"{self._id}\n{case_id}\n{version}"

    def _save_submission_version(self, connection: Connection, submission: Submission, case: Case) -> None:
        """A new version where what was handed in is new; redacting the same submission again keeps the one there is."""
        kept = schema.submission
        rows = list(self._submission_rows(connection, case.id))
        if rows and self._decrypt(rows[-1]) == submission:
            return
        version = rows[-1].version + 1 if rows else 1
        body = self.sealer.seal(records.submission_record(submission), self._place(case.id, version))
        row = {"case_id": case.id, "version": version, "body": body, "content_hash": case.content_hash}
        connection.execute(insert(kept).values(network_id=self._id, **row))

    def _is_superseded_import(self, connection: Connection, submission: Submission, case: Case) -> bool:
        """Whether a file brings a text again that a person has edited since at the desk: their edit stands."""
        if submission.by is not None:
            return False
        rows = list(self._submission_rows(connection, case.id))
        if not any(row.content_hash == case.content_hash for row in rows[:-1]):
            return False
        return self._decrypt(rows[-1]).by is not None

    def _check_key(self, connection: Connection) -> None:
        """Nothing is written in the open beside what is sealed; the first thing sealed says by which key.

        Raises:
            RawTextLocked
        """
        name = self._stored_key_id(connection)
        self.sealer.check(name)
        if name != self.sealer.key_id:
            self._store_key_id(connection)

    def _stored_key_id(self, connection: Connection) -> str | None:
        network = schema.network
        return connection.execute(select(network.c.raw_key).where(network.c.id == self._id)).scalar_one()

    def _store_key_id(self, connection: Connection) -> None:
        network = schema.network
        mine = network.c.id == self._id
        connection.execute(update(network).where(mine).values(raw_key=self.sealer.key_id))

    def reencrypt_submissions(self) -> int:
        kept = schema.submission
        with self._write_transaction() as connection:
            n = 0
            for row in list(self._submission_rows(connection)):
                place = self._place(row.case_id, row.version)
                body = self.sealer.seal(self.sealer.open(row.body, place), place)
                mine = (kept.c.network_id == self._id) & (kept.c.case_id == row.case_id)
                connection.execute(update(kept).where(mine, kept.c.version == row.version).values(body=body))
                n += 1
            self._store_key_id(connection)
        return n

    def raw_text_counts(self) -> RawTextCounts:
        kept = schema.submission
        with self._read_transaction() as connection:
            n = connection.execute(self._of(kept, func.count())).scalar_one()
            has_key = kept.c.body[KEY_ID_FIELD].as_string().is_not(None)
            sealed = connection.execute(self._of(kept, func.count()).where(has_key)).scalar_one()
            key_name = self._stored_key_id(connection)
        return RawTextCounts(
            n=n, n_encrypted=sealed, key_id=key_name, is_readable=key_name in {None, self.sealer.key_id}
        )
