"""The append-only log of what people decided about themes, and the last run as a decision leaves it."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, delete, func, insert

from patternmind.domain.edits import Edit
from patternmind.errors import VersionConflict
from patternmind.ports import RunRevision
from patternmind.storage import records, schema
from patternmind.storage.repositories.runs import RunRepository


class EditRepository(RunRepository):
    """Edits; one of them changes the themes of its lens's last run in the same transaction."""

    def edits(self, lens: str | None = None) -> list[Edit]:
        edit = schema.edit
        query = self._of(edit).order_by(edit.c.seq)
        with self._read_transaction() as connection:
            rows = connection.execute(query if lens is None else query.where(edit.c.lens == lens)).all()
        return [records.read_edit(row.body) for row in rows]

    def append_edit(self, edit: Edit, *, expected_seq: int, revision: RunRevision | None = None) -> None:
        self.append_edits([edit], expected_seq=expected_seq, revision=revision)

    def append_edits(self, edits: Sequence[Edit], *, expected_seq: int, revision: RunRevision | None = None) -> None:
        kept, lens = schema.edit, edits[-1].lens
        with self._write_transaction() as connection:
            newest = connection.execute(self._of(kept, func.coalesce(func.max(kept.c.seq), 0))).scalar_one()
            last = self._last_run(connection, lens)
            stale = (last and last.id) != (revision and revision.run_id)
            if newest != expected_seq or (stale and any(edit.changes_themes for edit in edits)):
                raise VersionConflict("themes of lens", lens)
            for edit in edits:
                row = {"seq": edit.seq, "lens": lens, "body": records.edit_record(edit)}
                connection.execute(insert(kept).values(network_id=self._id, **row))
            if revision is not None:
                self._apply_revision(connection, revision, edits[-1])

    def cases_moved_by_run(self, run_id: str) -> list[tuple[str, str, str | None]]:
        run, now, before = schema.run, schema.assignment, schema.assignment.alias("before")
        with self._read_transaction() as connection:
            here = self._run(connection, run_id)
            same_lens = (run.c.lens == here.parameters.lens) & (run.c.state == "finished")
            earlier = self._of(run, run.c.id).where(same_lens, run.c.number < here.number)
            last = connection.execute(earlier.order_by(run.c.number.desc()).limit(1)).scalar()
            same_case = (before.c.network_id == now.c.network_id) & (before.c.case_id == now.c.case_id)
            elsewhere = now.c.theme_id.is_(None) | (now.c.theme_id != before.c.theme_id)
            query = (
                self._of(now, now.c.case_id, before.c.theme_id.label("was"), now.c.theme_id)
                .join(before, same_case & (before.c.run_id == (last or "")))
                .where(now.c.run_id == run_id, before.c.theme_id.is_not(None), elsewhere)
                .order_by(now.c.case_id)
            )
            return [(row.case_id, row.was, row.theme_id) for row in connection.execute(query)]

    def _apply_revision(self, connection: Connection, revision: RunRevision, edit: Edit) -> None:
        """Put the themes and places of a run anew; what the run told of its changes stays as it was told."""
        for table in (schema.theme, schema.area, schema.assignment):
            of_run = (table.c.network_id == self._id) & (table.c.run_id == revision.run_id)
            connection.execute(delete(table).where(of_run))
        self._put_themes(connection, revision.run_id, revision)
        run = self._run(connection, revision.run_id)
        if run.parameters.draft:
            self._replace_drafts(connection, revision.drafts, edit.at, edit.lens)
        self._put_run(
            connection,
            replace(
                run,
                n_themes=sum(bool(theme.case_ids) for theme in revision.themes),
                n_outliers=sum(one.theme_id is None for one in revision.assignments),
                n_drafts=len(revision.drafts),
                conflicts=tuple(revision.conflicts),
            ),
        )
