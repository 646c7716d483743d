"""A case taken out of every table and out of the file; of it only the id stays, in logs and in the list of erasures."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from patternmind.adapters.store import tables
from patternmind.adapters.store.engine import scrub
from patternmind.adapters.store.found_rows import read_found
from patternmind.adapters.store.retell_rows import RetellRows
from patternmind.errors import NotFound
from patternmind.ports import Erasure, Retelling


class EraseRows(RetellRows):
    """Erasing."""

    def forget_case(
        self, case_id: str, retelling: Retelling, *, kept_vectors: Collection[str], by: str, at: datetime
    ) -> None:
        case = tables.case
        with self._writing() as connection:
            mine = (case.c.network_id == self._id) & (case.c.id == case_id)
            if connection.execute(select(case.c.id).where(mine)).first() is None:
                raise NotFound("case", case_id)
            self._retell(connection, retelling)
            self._forget_found(connection, case_id)
            self._forget_rows(connection, case_id)
            self._keep_vectors(connection, kept_vectors)
            connection.execute(delete(case).where(mine))
            self._write_words_anew(connection)
            row = {"case_id": case_id, "at": at.isoformat(), "by": by}
            connection.execute(insert(tables.erasure).values(network_id=self._id, **row))

    def _forget_rows(self, connection: Connection, case_id: str) -> None:
        """Every other table that keeps something by the id of a case.

        The one place for whatever is kept by a case's id: deleted here, in the transaction that deletes the case.
        """
        self._forget_answers(connection, [case_id])  # what a model answered about it
        for table in (tables.submission, tables.assignment):
            mine = (table.c.network_id == self._id) & (table.c.case_id == case_id)
            connection.execute(delete(table).where(mine))
        connection.execute(
            delete(tables.fits).where(tables.fits.c.network_id == self._id)
        )  # the next run makes its own
        case = tables.case
        repeats = (case.c.network_id == self._id) & (case.c.duplicate_of == case_id)
        connection.execute(update(case).where(repeats).values(duplicate_of=None))

    def _forget_found(self, connection: Connection, case_id: str) -> None:
        for row in connection.execute(self._of(tables.found)).all():
            found = read_found(row.body, row.partition)
            if case_id in found.case_ids:
                self._put_found(connection, row.run_id, row.lens, found.without(case_id, found.memory))

    def _keep_vectors(self, connection: Connection, kept: Collection[str]) -> None:
        """No vector but these: one of an earlier text of the case cannot be told from any other."""
        vector = tables.vector
        known = connection.execute(self._of(vector, vector.c.text_hash).distinct()).scalars()
        self._drop_vectors(connection, set(known) - set(kept))

    def erasures(self) -> list[Erasure]:
        erasure = tables.erasure
        with self._reading() as connection:
            rows = connection.execute(self._of(erasure).order_by(erasure.c.at, erasure.c.case_id)).all()
        return [Erasure(case_id=row.case_id, by=row.by, at=datetime.fromisoformat(row.at)) for row in rows]

    def scrub(self) -> None:
        self._engine.dispose()
        scrub(self.path)
