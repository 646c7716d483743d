"""Erase or withdraw cases in every table.

Only the id of an erased case remains, in logs and in the list of erasures. A withdrawn case also keeps its submission,
which no list, run or search reads.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, Table, delete, insert, select, update

from patternmind.domain.cases import Case, Submission
from patternmind.errors import NotFound, RosterChanged
from patternmind.ports import Erasure, TextRewrite, Withdrawal
from patternmind.storage import schema
from patternmind.storage.engine import purge_deleted
from patternmind.storage.repositories.machine_results import read_machine_result
from patternmind.storage.repositories.text_rewrite import TextRewriting


class CaseErasure(TextRewriting):
    """Erasure, withdrawal and restoration of cases."""

    def erase_case(
        self, case_id: str, rewrite: TextRewrite, *, kept_text_hashes: Collection[str], actor: str, at: datetime
    ) -> None:
        with self._write_transaction() as connection:
            if not self._delete_withdrawal(connection, case_id):
                self._remove_case(connection, case_id, rewrite, kept_text_hashes)
            self._delete_by_case_id(connection, case_id, schema.submission)
            row = {"case_id": case_id, "at": at.isoformat(), "by": actor}
            connection.execute(insert(schema.erasure).values(network_id=self._network_id, **row))

    def withdraw_case(
        self, case_id: str, rewrite: TextRewrite, *, kept_text_hashes: Collection[str], actor: str, at: datetime
    ) -> None:
        with self._write_transaction() as connection:
            self._remove_case(connection, case_id, rewrite, kept_text_hashes)
            row = {"case_id": case_id, "at": at.isoformat(), "by": actor}
            connection.execute(insert(schema.withdrawal).values(network_id=self._network_id, **row))

    def withdrawals(self) -> list[Withdrawal]:
        withdrawal = schema.withdrawal
        with self._read_transaction() as connection:
            rows = connection.execute(self._select(withdrawal).order_by(withdrawal.c.at, withdrawal.c.case_id)).all()
        return [Withdrawal(case_id=row.case_id, by=row.by, at=datetime.fromisoformat(row.at)) for row in rows]

    def restore_case(self, submission: Submission, case: Case, *, roster_version: int | None = None) -> None:
        with self._write_transaction() as connection:
            if roster_version is not None and len(self._roster(connection)) != roster_version:
                raise RosterChanged(self._network_id)
            if not self._delete_withdrawal(connection, case.id):
                raise NotFound("withdrawn case", case.id)
            self._put_cases(connection, [(submission, case)])

    def _delete_withdrawal(self, connection: Connection, case_id: str) -> bool:
        return self._delete_by_case_id(connection, case_id, schema.withdrawal) > 0

    def _remove_case(
        self, connection: Connection, case_id: str, rewrite: TextRewrite, kept_text_hashes: Collection[str]
    ) -> None:
        """Delete a case and everything derived from it, except its submission."""
        case = schema.case
        is_case = (case.c.network_id == self._network_id) & (case.c.id == case_id)
        if connection.execute(select(case.c.id).where(is_case)).first() is None:
            raise NotFound("case", case_id)
        self._rewrite_texts(connection, rewrite)
        self._remove_from_machine_results(connection, case_id)
        self._delete_derived_rows(connection, case_id)
        self._delete_other_vectors(connection, kept_text_hashes)
        connection.execute(delete(case).where(is_case))
        self._rebuild_word_index(connection)

    def _delete_by_case_id(self, connection: Connection, case_id: str, table: Table) -> int:
        of_case = (table.c.network_id == self._network_id) & (table.c.case_id == case_id)
        return connection.execute(delete(table).where(of_case)).rowcount

    def _delete_derived_rows(self, connection: Connection, case_id: str) -> None:
        """Delete the rows of every other table with a case id, except submissions.

        A new table with a case id must be added here, because this runs in the transaction that deletes the case.
        """
        self._delete_cached_answers(connection, [case_id])
        self._delete_jobs_of_case(connection, case_id)
        self._delete_by_case_id(connection, case_id, schema.assignment)
        connection.execute(
            delete(schema.stored_fits).where(schema.stored_fits.c.network_id == self._network_id)
        )  # the next run computes them again
        case = schema.case
        is_duplicate = (case.c.network_id == self._network_id) & (case.c.duplicate_of == case_id)
        connection.execute(update(case).where(is_duplicate).values(duplicate_of=None))

    def _remove_from_machine_results(self, connection: Connection, case_id: str) -> None:
        for row in connection.execute(self._select(schema.machine_result)).all():
            result = read_machine_result(row.body, row.partition)
            if case_id in result.case_ids:
                self._save_machine_result(
                    connection, row.run_id, row.lens, result.without_case(case_id, result.known_themes)
                )

    def _delete_other_vectors(self, connection: Connection, kept_text_hashes: Collection[str]) -> None:
        """Delete all vectors but these; a vector of the case's earlier text cannot be identified."""
        vector = schema.vector
        stored_hashes = connection.execute(self._select(vector, vector.c.text_hash).distinct()).scalars()
        self._delete_vectors(connection, set(stored_hashes) - set(kept_text_hashes))

    def erasures(self) -> list[Erasure]:
        erasure = schema.erasure
        with self._read_transaction() as connection:
            rows = connection.execute(self._select(erasure).order_by(erasure.c.at, erasure.c.case_id)).all()
        return [Erasure(case_id=row.case_id, by=row.by, at=datetime.fromisoformat(row.at)) for row in rows]

    def purge_deleted(self) -> None:
        self._engine.dispose()
        purge_deleted(self.path)
