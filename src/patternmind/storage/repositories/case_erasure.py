"""A case taken out of every table and out of the file; of it only the id stays, in logs and in the list of erasures.

Withdrawn is the same but for what was handed in: that stays, where no list, run or search ever looks.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, Table, delete, insert, select, update

from patternmind.domain.cases import Case, Submission
from patternmind.errors import NotFound, VersionConflict
from patternmind.ports import Erasure, TextRewrite, Withdrawal
from patternmind.storage import schema
from patternmind.storage.engine import purge_deleted
from patternmind.storage.repositories.machine_results import read_machine_result
from patternmind.storage.repositories.text_rewrite import TextRewriting


class CaseErasure(TextRewriting):
    """Erasing."""

    def forget_case(
        self, case_id: str, retelling: TextRewrite, *, kept_vectors: Collection[str], by: str, at: datetime
    ) -> None:
        with self._writing() as connection:
            if not self._end_withdrawal(connection, case_id):
                self._take_out(connection, case_id, retelling, kept_vectors)
            self._forget_by_id(connection, case_id, schema.submission)
            row = {"case_id": case_id, "at": at.isoformat(), "by": by}
            connection.execute(insert(schema.erasure).values(network_id=self._id, **row))

    def withdraw_case(
        self, case_id: str, retelling: TextRewrite, *, kept_vectors: Collection[str], by: str, at: datetime
    ) -> None:
        with self._writing() as connection:
            self._take_out(connection, case_id, retelling, kept_vectors)
            row = {"case_id": case_id, "at": at.isoformat(), "by": by}
            connection.execute(insert(schema.withdrawal).values(network_id=self._id, **row))

    def withdrawals(self) -> list[Withdrawal]:
        kept = schema.withdrawal
        with self._reading() as connection:
            rows = connection.execute(self._of(kept).order_by(kept.c.at, kept.c.case_id)).all()
        return [Withdrawal(case_id=row.case_id, by=row.by, at=datetime.fromisoformat(row.at)) for row in rows]

    def put_back(self, submission: Submission, case: Case, *, n_people: int | None = None) -> None:
        with self._writing() as connection:
            if n_people is not None and len(self._roster(connection)) != n_people:
                raise VersionConflict("roster of network", self._id)
            if not self._end_withdrawal(connection, case.id):
                raise NotFound("withdrawn case", case.id)
            self._put_cases(connection, [(submission, case)])

    def _end_withdrawal(self, connection: Connection, case_id: str) -> bool:
        return self._forget_by_id(connection, case_id, schema.withdrawal) > 0

    def _take_out(
        self, connection: Connection, case_id: str, retelling: TextRewrite, kept_vectors: Collection[str]
    ) -> None:
        """The case and all that was made of it; what was handed in stays."""
        case = schema.case
        mine = (case.c.network_id == self._id) & (case.c.id == case_id)
        if connection.execute(select(case.c.id).where(mine)).first() is None:
            raise NotFound("case", case_id)
        self._retell(connection, retelling)
        self._forget_found(connection, case_id)
        self._forget_rows(connection, case_id)
        self._keep_vectors(connection, kept_vectors)
        connection.execute(delete(case).where(mine))
        self._write_words_anew(connection)

    def _forget_by_id(self, connection: Connection, case_id: str, table: Table) -> int:
        mine = (table.c.network_id == self._id) & (table.c.case_id == case_id)
        return connection.execute(delete(table).where(mine)).rowcount

    def _forget_rows(self, connection: Connection, case_id: str) -> None:
        """Every other table that keeps something by the id of a case, but what was handed in.

        The one place for whatever is kept by a case's id: deleted here, in the transaction that deletes the case.
        """
        self._forget_answers(connection, [case_id])  # what a model answered about it
        self._forget_jobs(connection, case_id)
        self._forget_by_id(connection, case_id, schema.assignment)
        connection.execute(
            delete(schema.stored_fits).where(schema.stored_fits.c.network_id == self._id)
        )  # the next run makes its own
        case = schema.case
        repeats = (case.c.network_id == self._id) & (case.c.duplicate_of == case_id)
        connection.execute(update(case).where(repeats).values(duplicate_of=None))

    def _forget_found(self, connection: Connection, case_id: str) -> None:
        for row in connection.execute(self._of(schema.machine_result)).all():
            found = read_machine_result(row.body, row.partition)
            if case_id in found.case_ids:
                self._put_found(connection, row.run_id, row.lens, found.without(case_id, found.memory))

    def _keep_vectors(self, connection: Connection, kept: Collection[str]) -> None:
        """No vector but these: one of an earlier text of the case cannot be told from any other."""
        vector = schema.vector
        known = connection.execute(self._of(vector, vector.c.text_hash).distinct()).scalars()
        self._drop_vectors(connection, set(known) - set(kept))

    def erasures(self) -> list[Erasure]:
        erasure = schema.erasure
        with self._reading() as connection:
            rows = connection.execute(self._of(erasure).order_by(erasure.c.at, erasure.c.case_id)).all()
        return [Erasure(case_id=row.case_id, by=row.by, at=datetime.fromisoformat(row.at)) for row in rows]

    def scrub(self) -> None:
        self._engine.dispose()
        purge_deleted(self.path)
