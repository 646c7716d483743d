"""Store runs with their themes, areas, assignments and theme changes."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, Table, func, insert, update

from patternmind.domain.edits import EditConflict
from patternmind.domain.themes import Assignment, Theme, ThemeChange
from patternmind.errors import NotFound, VersionConflict
from patternmind.ports import (
    RunOutcome,
    RunParameters,
    RunRecord,
    RunRevision,
)
from patternmind.storage import records, schema
from patternmind.storage.repositories.base import insert_rows
from patternmind.storage.repositories.drafts import DraftRepository
from patternmind.storage.repositories.machine_results import MachineResultRepository
from patternmind.storage.repositories.stored_fits import StoredFitsRepository

WHOLE_TEXT_LENS = "all"
"""Lens over the whole text of a case."""


class RunRepository(DraftRepository, MachineResultRepository, StoredFitsRepository):
    """Runs; a finished run is stored with its drafts in the same transaction."""

    def begin_run(self, parameters: RunParameters, now: datetime) -> RunRecord:
        run = schema.run
        with self._write_transaction() as connection:
            self._close_open_runs(connection, "interrupted", now)
            number = connection.execute(self._select(run, func.coalesce(func.max(run.c.number), 0))).scalar_one() + 1
            record = RunRecord(
                id=f"run-{number:04d}", number=number, parameters=parameters, state="running", started_at=now
            )
            connection.execute(insert(run).values(network_id=self._network_id, **_run_row(record)))
        return record

    def _close_open_runs(self, connection: Connection, state: str, now: datetime) -> None:
        run = schema.run
        open_runs = (run.c.network_id == self._network_id) & (run.c.state == "running")
        connection.execute(update(run).where(open_runs).values(state=state, finished_at=now.isoformat()))

    def finish_run(self, run_id: str, outcome: RunOutcome, now: datetime) -> RunRecord:
        with self._write_transaction() as connection:
            running = self._get_run(connection, run_id)
            lens = running.parameters.lens
            self._check_no_newer_edit(connection, lens, outcome.last_edit_seq)
            record = replace(
                running,
                state="finished",
                finished_at=now,
                n_cases=len(outcome.assignments),
                n_themes=sum(bool(theme.case_ids) for theme in outcome.themes),
                n_outliers=sum(assignment.theme_id is None for assignment in outcome.assignments),
                n_drafts=len(outcome.drafts),
                conflicts=tuple(outcome.conflicts),
                seconds=dict(outcome.seconds),
                notes=tuple(outcome.notes),
                fingerprint=outcome.fingerprint,
            )
            self._put_outcome(connection, run_id, outcome)
            if outcome.machine_result is not None:
                self._save_machine_result(connection, run_id, lens, outcome.machine_result)
            self._save_fits(connection, lens, outcome.fits)
            if self._should_mark_duplicates(connection, lens):
                self._mark_duplicates(connection, outcome)
            if running.parameters.draft:
                self._replace_drafts(connection, outcome.drafts, now, lens)
            self._put_run(connection, record)
        return record

    def _check_no_newer_edit(self, connection: Connection, lens: str, last_edit_seq: int | None) -> None:
        """Reject the outcome of a run during which a theme was edited."""
        edit = schema.edit
        newest = self._select(edit, func.coalesce(func.max(edit.c.seq), 0)).where(edit.c.lens == lens)
        if last_edit_seq is not None and connection.execute(newest).scalar_one() != last_edit_seq:
            raise VersionConflict("themes of lens", lens)

    def _put_themes(self, connection: Connection, run_id: str, outcome: RunOutcome | RunRevision) -> None:
        of_run = {"network_id": self._network_id, "run_id": run_id}
        insert_rows(
            connection,
            schema.theme,
            [{**of_run, "id": theme.id, "rank": rank, **theme_row(theme)} for rank, theme in enumerate(outcome.themes)],
        )
        insert_rows(connection, schema.area, [{**of_run, "id": id, "name": name} for id, name in outcome.areas.items()])
        names = [field.name for field in fields(Assignment)]  # ``asdict`` would copy every value, which takes seconds
        insert_rows(
            connection,
            schema.assignment,
            [{**of_run, **{name: getattr(assignment, name) for name in names}} for assignment in outcome.assignments],
        )

    def _put_outcome(self, connection: Connection, run_id: str, outcome: RunOutcome) -> None:
        self._put_themes(connection, run_id, outcome)
        of_run = {"network_id": self._network_id, "run_id": run_id}
        insert_rows(
            connection,
            schema.theme_change,
            [
                {**of_run, "seq": seq, "theme_id": change.theme_id, "body": records.change_record(change)}
                for seq, change in enumerate(outcome.changes)
            ],
        )

    def _should_mark_duplicates(self, connection: Connection, lens: str) -> bool:
        """Return True for the lens that decides near-duplicates.

        The whole text shows best which cases repeat each other. Another lens decides only if it was never run.
        """
        return lens == WHOLE_TEXT_LENS or self._last_run(connection, WHOLE_TEXT_LENS) is None

    def _mark_duplicates(self, connection: Connection, outcome: RunOutcome) -> None:
        """Update the near-duplicates of this run's cases.

        A pair stays marked if one of its cases was not in the run, because the run could not compare them.
        """
        case, run_case_ids = schema.case, {assignment.case_id for assignment in outcome.assignments}
        for row in connection.execute(self._select(case, case.c.id, case.c.duplicate_of)).all():
            original = outcome.duplicate_of.get(row.id)
            is_compared = row.id in run_case_ids and (
                row.duplicate_of in run_case_ids or not row.duplicate_of or original
            )
            if is_compared and original != row.duplicate_of:
                is_case = (case.c.network_id == self._network_id) & (case.c.id == row.id)
                connection.execute(update(case).where(is_case).values(duplicate_of=original))

    def fail_run(self, run_id: str, reason: str, now: datetime) -> None:
        with self._write_transaction() as connection:
            run = self._get_run(connection, run_id)
            self._put_run(connection, replace(run, state="failed", finished_at=now, notes=(*run.notes, reason)))

    def _get_run(self, connection: Connection, run_id: str) -> RunRecord:
        row = connection.execute(self._select(schema.run).where(schema.run.c.id == run_id)).first()
        if row is None:
            raise NotFound("run", run_id)
        return _read_run(row)

    def _put_run(self, connection: Connection, record: RunRecord) -> None:
        where = (schema.run.c.network_id == self._network_id) & (schema.run.c.id == record.id)
        connection.execute(update(schema.run).where(where).values(_run_row(record)))

    def last_run(self, lens: str | None = None) -> RunRecord | None:
        with self._read_transaction() as connection:
            return self._last_run(connection, lens)

    def _last_run(self, connection: Connection, lens: str | None) -> RunRecord | None:
        run = schema.run
        query = self._select(run).where(run.c.state == "finished").order_by(run.c.number.desc()).limit(1)
        row = connection.execute(query if lens is None else query.where(run.c.lens == lens)).first()
        return _read_run(row) if row is not None else None

    def runs(self) -> list[RunRecord]:
        with self._read_transaction() as connection:
            rows = connection.execute(self._select(schema.run).order_by(schema.run.c.number)).all()
        return [_read_run(row) for row in rows]

    def themes(self, lens: str | None = None) -> list[Theme]:
        theme = schema.theme
        rows = self._rows_of_last_run(theme, lens, theme.c.rank)
        return [records.read_theme(row.body) for row in rows]

    def theme_ids(self) -> set[str]:
        with self._read_transaction() as connection:
            return set(connection.execute(self._select(schema.theme, schema.theme.c.id).distinct()).scalars())

    def areas(self, lens: str | None = None) -> dict[str, str]:
        return {row.id: row.name for row in self._rows_of_last_run(schema.area, lens, schema.area.c.id)}

    def assignments(self, lens: str | None = None) -> list[Assignment]:
        rows = self._rows_of_last_run(schema.assignment, lens, schema.assignment.c.case_id)
        return [read_assignment(row) for row in rows]

    def seen_case_ids(self, lens: str | None = None, *, up_to_number: int | None = None) -> set[str]:
        run, assignment = schema.run, schema.assignment
        runs = self._select(run, run.c.id).where(run.c.state == "finished")
        runs = runs if lens is None else runs.where(run.c.lens == lens)
        runs = runs if up_to_number is None else runs.where(run.c.number <= up_to_number)
        query = self._select(assignment, assignment.c.case_id).where(assignment.c.run_id.in_(runs)).distinct()
        with self._read_transaction() as connection:
            return set(connection.execute(query).scalars())

    def _rows_of_last_run(self, table: Table, lens: str | None, order: Any) -> Sequence[Any]:
        with self._read_transaction() as connection:
            last = self._last_run(connection, lens)
            if last is None:
                return []
            return connection.execute(self._select(table).where(table.c.run_id == last.id).order_by(order)).all()

    def theme_changes(self, run_id: str) -> list[ThemeChange]:
        change = schema.theme_change
        query = self._select(change).where(change.c.run_id == run_id).order_by(change.c.seq)
        with self._read_transaction() as connection:
            return [records.read_change(row.body) for row in connection.execute(query)]


def theme_row(theme: Theme) -> dict[str, Any]:
    """Return the row of a theme: its record, and a card without the keys that grow with the network."""
    record = records.theme_record(theme)
    centre = np.asarray(theme.centre, np.float32).tobytes() if theme.centre else None
    return {
        "body": record,
        "card": {key: value for key, value in record.items() if key not in records.CARD_EXCLUDED_FIELDS}
        | {"case_ids": ()},
        "n_members": len(theme.case_ids),
        "centre": centre,
    }


def _run_row(record: RunRecord) -> dict[str, Any]:
    body = asdict(record)
    for name in ("id", "number", "state", "started_at", "finished_at", "fingerprint"):
        del body[name]
    return {
        "id": record.id,
        "number": record.number,
        "lens": record.parameters.lens,
        "state": record.state,
        "started_at": record.started_at.isoformat(),
        "finished_at": record.finished_at.isoformat() if record.finished_at else None,
        "fingerprint": record.fingerprint,
        "body": body,
    }


def read_assignment(row: Any) -> Assignment:
    return Assignment(
        case_id=row.case_id,
        theme_id=row.theme_id,
        area_id=row.area_id,
        strength=row.strength,
        nearest_theme_id=row.nearest_theme_id,
        second_theme_id=row.second_theme_id,
        second_strength=row.second_strength,
        outlier_score=row.outlier_score,
        reason=row.reason,
        x=row.x,
        y=row.y,
    )


def _read_run(row: Any) -> RunRecord:
    body = dict(row.body)
    parameters = RunParameters(**body.pop("parameters"))
    body["notes"] = tuple(body["notes"])
    body["conflicts"] = tuple(_read_conflict(record) for record in body.get("conflicts", ()))
    return RunRecord(
        id=row.id,
        number=row.number,
        parameters=parameters,
        state=row.state,
        started_at=datetime.fromisoformat(row.started_at),
        finished_at=datetime.fromisoformat(row.finished_at) if row.finished_at else None,
        fingerprint=row.fingerprint,
        **body,
    )


def _read_conflict(record: Mapping[str, Any]) -> EditConflict:
    values: dict[str, Any] = {**record, "theme_ids": tuple(record["theme_ids"]), "case_ids": tuple(record["case_ids"])}
    return EditConflict(**values)
