"""Store the append-only log of people's edits, and revise the last run accordingly."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, delete, func, insert

from patternmind.domain.edits import Edit
from patternmind.errors import VersionConflict
from patternmind.ports import RunRevision
from patternmind.storage import records, schema
from patternmind.storage.repositories.runs import RunRepository


class EditRepository(RunRepository):
    """Edits of themes; an edit changes the last run of its lens in the same transaction."""

    def edits(self, lens: str | None = None) -> list[Edit]:
        edit = schema.edit
        query = self._select(edit).order_by(edit.c.seq)
        with self._read_transaction() as connection:
            rows = connection.execute(query if lens is None else query.where(edit.c.lens == lens)).all()
        return [records.read_edit(row.body) for row in rows]

    def append_edit(self, edit: Edit, *, expected_seq: int, revision: RunRevision | None = None) -> None:
        self.append_edits([edit], expected_seq=expected_seq, revision=revision)

    def append_edits(self, edits: Sequence[Edit], *, expected_seq: int, revision: RunRevision | None = None) -> None:
        table, lens = schema.edit, edits[-1].lens
        with self._write_transaction() as connection:
            newest = connection.execute(self._select(table, func.coalesce(func.max(table.c.seq), 0))).scalar_one()
            last = self._last_run(connection, lens)
            is_stale = (last and last.id) != (revision and revision.run_id)
            if newest != expected_seq or (is_stale and any(edit.changes_themes for edit in edits)):
                raise VersionConflict("themes of lens", lens)
            for edit in edits:
                row = {"seq": edit.seq, "lens": lens, "body": records.edit_record(edit)}
                connection.execute(insert(table).values(network_id=self._network_id, **row))
            if revision is not None:
                self._apply_revision(connection, revision, edits[-1])

    def cases_moved_by_run(self, run_id: str) -> list[tuple[str, str, str | None]]:
        run, current, former = schema.run, schema.assignment, schema.assignment.alias("former")
        with self._read_transaction() as connection:
            this_run = self._get_run(connection, run_id)
            same_lens = (run.c.lens == this_run.parameters.lens) & (run.c.state == "finished")
            earlier = self._select(run, run.c.id).where(same_lens, run.c.number < this_run.number)
            previous_id = connection.execute(earlier.order_by(run.c.number.desc()).limit(1)).scalar()
            same_case = (former.c.network_id == current.c.network_id) & (former.c.case_id == current.c.case_id)
            has_moved = current.c.theme_id.is_(None) | (current.c.theme_id != former.c.theme_id)
            query = (
                self._select(current, current.c.case_id, former.c.theme_id.label("former_theme_id"), current.c.theme_id)
                .join(former, same_case & (former.c.run_id == (previous_id or "")))
                .where(current.c.run_id == run_id, former.c.theme_id.is_not(None), has_moved)
                .order_by(current.c.case_id)
            )
            return [(row.case_id, row.former_theme_id, row.theme_id) for row in connection.execute(query)]

    def _apply_revision(self, connection: Connection, revision: RunRevision, edit: Edit) -> None:
        """Replace the themes and assignments of a run; its reported theme changes stay as they are."""
        for table in (schema.theme, schema.area, schema.assignment):
            of_run = (table.c.network_id == self._network_id) & (table.c.run_id == revision.run_id)
            connection.execute(delete(table).where(of_run))
        self._put_themes(connection, revision.run_id, revision)
        run = self._get_run(connection, revision.run_id)
        if run.parameters.draft:
            self._replace_drafts(connection, revision.drafts, edit.at, edit.lens)
        self._put_run(
            connection,
            replace(
                run,
                n_themes=sum(bool(theme.case_ids) for theme in revision.themes),
                n_outliers=sum(assignment.theme_id is None for assignment in revision.assignments),
                n_drafts=len(revision.drafts),
                conflicts=tuple(revision.conflicts),
            ),
        )
