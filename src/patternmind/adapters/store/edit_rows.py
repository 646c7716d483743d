"""The append-only log of what people decided about themes, and the last run as a decision leaves it."""

from dataclasses import replace

from sqlalchemy import Connection, delete, func, insert

from patternmind.adapters.store import records, tables
from patternmind.adapters.store.run_rows import RunRows
from patternmind.errors import ChangedMeanwhile
from patternmind.model.edits import Edit
from patternmind.ports import Amended


class EditRows(RunRows):
    """Edits; one of them changes the themes of its lens's last run in the same transaction."""

    def edits(self, lens: str | None = None) -> list[Edit]:
        edit = tables.edit
        query = self._of(edit).order_by(edit.c.seq)
        with self._reading() as connection:
            rows = connection.execute(query if lens is None else query.where(edit.c.lens == lens)).all()
        return [records.read_edit(row.body) for row in rows]

    def append_edit(self, edit: Edit, *, expected_seq: int, amended: Amended | None = None) -> None:
        kept = tables.edit
        with self._writing() as connection:
            newest = connection.execute(self._of(kept, func.coalesce(func.max(kept.c.seq), 0))).scalar_one()
            last = self._last(connection, edit.lens)
            if newest != expected_seq or (last and last.id) != (amended and amended.run_id):
                raise ChangedMeanwhile("themes of lens", edit.lens)
            connection.execute(
                insert(kept).values(network_id=self._id, seq=edit.seq, lens=edit.lens, body=records.edit_record(edit))
            )
            if amended is not None:
                self._amend(connection, amended, edit)

    def _amend(self, connection: Connection, amended: Amended, edit: Edit) -> None:
        """Put the themes and places of a run anew; what the run told of its changes stays as it was told."""
        for table in (tables.theme, tables.area, tables.assignment):
            of_run = (table.c.network_id == self._id) & (table.c.run_id == amended.run_id)
            connection.execute(delete(table).where(of_run))
        self._put_themes(connection, amended.run_id, amended)
        run = self._run(connection, amended.run_id)
        if run.parameters.draft:
            self._replace_drafts(connection, amended.drafts, edit.at, edit.lens)
        self._put_run(
            connection,
            replace(
                run,
                n_themes=sum(bool(theme.case_ids) for theme in amended.themes),
                n_outliers=sum(one.theme_id is None for one in amended.assignments),
                n_drafts=len(amended.drafts),
                proposals=tuple(amended.proposals),
            ),
        )
