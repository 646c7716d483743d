"""Store runs with their assignments, machine results and fits."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime

from sqlalchemy import func

from patternmind.domain.machine_result import MachineResult
from patternmind.domain.read_models import Page
from patternmind.domain.stored_fits import StoredFits
from patternmind.domain.themes import Assignment
from patternmind.errors import NotFound
from patternmind.ports import RunParameters, RunRecord, TextRewrite
from patternmind.storage import records, run_records, schema
from patternmind.storage.database import SqlRepository, Transaction, chunked

run, assignment, result, fits_table = schema.run, schema.assignment, schema.machine_result, schema.stored_fits


class SqlRunRepository(SqlRepository):
    """Implements ``ports.RunRepository``."""

    def begin(self, parameters: RunParameters, now: datetime) -> RunRecord:
        with self._source.writing() as tx:
            tx.update(run, {"state": "interrupted", "finished_at": now.isoformat()}, run.c.state == "running")
            number = tx.scalar(tx.select(run, func.coalesce(func.max(run.c.number), 0))) + 1
            record = RunRecord(
                id=f"run-{number:04d}", number=number, parameters=parameters, state="running", started_at=now
            )
            tx.insert(run, run_records.run_row(record))
        return record

    def fail(self, run_id: str, reason: str, now: datetime) -> None:
        with self._source.writing() as tx:
            runs = SqlRunRepository(tx)
            runs.save(run_records.failed(runs.get(run_id), reason, now))

    def save(self, record: RunRecord) -> None:
        with self._source.writing() as tx:
            tx.update(run, run_records.run_row(record), run.c.id == record.id)

    def get(self, run_id: str) -> RunRecord:
        with self._source.reading() as tx:
            row = tx.first(tx.select(run).where(run.c.id == run_id))
        if row is None:
            raise NotFound("run", run_id)
        return run_records.read_run(row)

    def latest(self, lens: str | None = None) -> RunRecord | None:
        with self._source.reading() as tx:
            query = tx.select(run).where(run.c.state == "finished").order_by(run.c.number.desc()).limit(1)
            row = tx.first(query if lens is None else query.where(run.c.lens == lens))
        return None if row is None else run_records.read_run(row)

    def list_all(self) -> list[RunRecord]:
        with self._source.reading() as tx:
            return [run_records.read_run(row) for row in tx.rows(tx.select(run).order_by(run.c.number))]

    def assignments(self, lens: str | None = None) -> list[Assignment]:
        with self._source.reading() as tx:
            query = tx.select(assignment).where(assignment.c.run_id == _latest_id(tx, lens))
            return [run_records.read_assignment(row) for row in tx.rows(query.order_by(assignment.c.case_id))]

    def assignment_of(self, case_id: str, lens: str | None = None) -> Assignment | None:
        return self.assignments_of([case_id], lens).get(case_id)

    def assignments_of(self, case_ids: Sequence[str], lens: str | None = None) -> dict[str, Assignment]:
        """Return the assignments of these cases in the last run, by case id."""
        with self._source.reading() as tx:
            query = tx.select(assignment).where(assignment.c.run_id == _latest_id(tx, lens))
            return {
                row.case_id: run_records.read_assignment(row)
                for chunk in chunked(case_ids)
                for row in tx.rows(query.where(assignment.c.case_id.in_(chunk)))
            }

    def assignment_page(
        self, lens: str | None = None, *, limit: int, cursor: str | None = None
    ) -> Page[tuple[str | None, Assignment]]:
        case = schema.case
        is_case = (case.c.network_id == assignment.c.network_id) & (case.c.id == assignment.c.case_id)
        with self._source.reading() as tx:
            query = tx.select(assignment, assignment, case.c.external_id).outerjoin(case, is_case)
            query = query.where(assignment.c.run_id == _latest_id(tx, lens), assignment.c.case_id > (cursor or ""))
            rows = tx.rows(query.order_by(assignment.c.case_id).limit(limit + 1))
        items = tuple((row.external_id, run_records.read_assignment(row)) for row in rows[:limit])
        return Page(items, items[-1][1].case_id if len(rows) > limit else None)

    def count_assigned(self, run_id: str) -> tuple[int, int]:
        """Return the number of existing cases of a run, and of those without a theme."""
        with self._source.reading() as tx:
            query = tx.select(assignment, func.count()).where(assignment.c.run_id == run_id)
            return tx.scalar(query), tx.scalar(query.where(assignment.c.theme_id.is_(None)))

    def theme_ids_by_case(self, run_id: str) -> dict[str, str | None]:
        with self._source.reading() as tx:
            query = tx.select(assignment, assignment.c.case_id, assignment.c.theme_id)
            rows = tx.rows(query.where(assignment.c.run_id == run_id).order_by(assignment.c.case_id))
        return {row.case_id: row.theme_id for row in rows}

    def seen_case_ids(self, lens: str | None = None, *, up_to_number: int | None = None) -> set[str]:
        with self._source.reading() as tx:
            runs = tx.select(run, run.c.id).where(run.c.state == "finished")
            runs = runs if lens is None else runs.where(run.c.lens == lens)
            runs = runs if up_to_number is None else runs.where(run.c.number <= up_to_number)
            query = tx.select(assignment, assignment.c.case_id).where(assignment.c.run_id.in_(runs))
            return set(tx.scalars(query.distinct()))

    def moved_cases(self, run_id: str) -> list[tuple[str, str, str | None]]:
        current, former = assignment, assignment.alias("former")
        same_case = (former.c.network_id == current.c.network_id) & (former.c.case_id == current.c.case_id)
        has_moved = current.c.theme_id.is_(None) | (current.c.theme_id != former.c.theme_id)
        with self._source.reading() as tx:
            this_run = SqlRunRepository(tx).get(run_id)
            same_lens = (run.c.lens == this_run.parameters.lens) & (run.c.state == "finished")
            earlier = tx.select(run, run.c.id).where(same_lens, run.c.number < this_run.number)
            previous_id = tx.scalar(earlier.order_by(run.c.number.desc()).limit(1))
            query = (
                tx.select(current, current.c.case_id, former.c.theme_id.label("former_theme_id"), current.c.theme_id)
                .join(former, same_case & (former.c.run_id == (previous_id or "")))
                .where(current.c.run_id == run_id, former.c.theme_id.is_not(None), has_moved)
                .order_by(current.c.case_id)
            )
            return [(row.case_id, row.former_theme_id, row.theme_id) for row in tx.rows(query)]

    def machine_result(self, run_id: str) -> MachineResult | None:
        with self._source.reading() as tx:
            row = tx.first(tx.select(result).where(result.c.run_id == run_id))
        return None if row is None else run_records.read_machine_result(row.body, row.partition)

    def stored_fits(self, lens: str) -> StoredFits | None:
        with self._source.reading() as tx:
            row = tx.first(tx.select(fits_table).where(fits_table.c.lens == lens))
        return None if row is None else run_records.read_fits(row)

    def add_assignments(self, run_id: str, assignments: Iterable[Assignment]) -> None:
        names = [field.name for field in fields(Assignment)]  # ``asdict`` would copy every value, which takes seconds
        rows = [{"run_id": run_id, **{name: getattr(item, name) for name in names}} for item in assignments]
        with self._source.writing() as tx:
            tx.insert_all(assignment, rows)

    def delete_assignments(self, run_id: str) -> None:
        with self._source.writing() as tx:
            tx.delete(assignment, assignment.c.run_id == run_id)

    def save_machine_result(self, run_id: str, lens: str, new: MachineResult) -> None:
        with self._source.writing() as tx:
            tx.delete(result, result.c.lens == lens)
            tx.insert(result, {"run_id": run_id, "lens": lens, **run_records.machine_result_row(new)})

    def save_fits(self, lens: str, fits: StoredFits | None) -> None:
        """Replace the fits of a lens; None only deletes them."""
        with self._source.writing() as tx:
            tx.delete(fits_table, fits_table.c.lens == lens)
            if fits is not None:
                tx.insert(fits_table, {"lens": lens, **run_records.fits_row(fits)})

    def delete_case(self, case_id: str) -> None:
        """Delete a case from all assignments and machine results, and delete all fits.

        The next run computes the fits again.
        """
        with self._source.writing() as tx:
            tx.delete(assignment, assignment.c.case_id == case_id)
            tx.delete(fits_table)
            for row in tx.rows(tx.select(result)):
                stored = run_records.read_machine_result(row.body, row.partition)
                if case_id in stored.case_ids:
                    without = stored.without_case(case_id, stored.known_themes)
                    SqlRunRepository(tx).save_machine_result(row.run_id, row.lens, without)

    def rewrite(self, rewrite: TextRewrite) -> None:
        """Rewrite the notes and conflicts of runs, and the themes of machine results."""
        with self._source.writing() as tx:
            for row in tx.rows(tx.select(run)):
                notes = [rewrite.rewrite_text(note) for note in row.body["notes"]]
                conflicts = [
                    {**conflict, "text": rewrite.rewrite_text(conflict["text"])}
                    for conflict in row.body.get("conflicts", ())
                ]
                body = {**row.body, "notes": notes, "conflicts": conflicts}
                if body != {"conflicts": [], **row.body}:
                    tx.update(run, {"body": body}, run.c.id == row.id)
            for row in tx.rows(tx.select(result, result.c.run_id, result.c.body)):
                themes = [rewrite.rewrite_theme(records.read_theme(record)) for record in row.body["memory"]]
                body = {**row.body, "memory": [records.theme_record(theme) for theme in themes]}
                tx.update(result, {"body": body}, result.c.run_id == row.run_id)


def _latest_id(tx: Transaction, lens: str | None) -> str:
    """Return the id of the newest finished run of a lens, or an empty string."""
    latest = SqlRunRepository(tx).latest(lens)
    return latest.id if latest else ""
