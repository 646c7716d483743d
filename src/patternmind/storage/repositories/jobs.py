"""Store jobs and their progress for all processes on this data folder."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, update

from patternmind.domain.jobs import Job, JobKind, JobState
from patternmind.errors import NotFound, RunInProgress
from patternmind.ports import TextRewrite
from patternmind.storage import schema
from patternmind.storage.repositories.base import NetworkScopedStore

MAX_ENDED_JOBS = 500
"""Maximum number of ended jobs; their results are kept without them."""

PARAMETERS_KEY = "asked"
"""Key of a job's parameters in its stored body; existing databases use it."""


class JobRepository(NetworkScopedStore):
    """Jobs and change counters.

    Free-text parameters of a job may contain text of a case, so they are rewritten like all other text.
    """

    def create_job(self, job: Job) -> None:
        with self._write_transaction() as connection:
            if job.kind is JobKind.RUN:
                self._refuse_second_run(connection, job.started_at)
            table = schema.job
            newest = connection.execute(self._select(table, func.coalesce(func.max(table.c.number), 0))).scalar_one()
            row = {"network_id": self._network_id, "id": job.id, "number": newest + 1, **self._job_row(connection, job)}
            connection.execute(insert(table).values(row))
            ended = (table.c.network_id == self._network_id) & (table.c.state != JobState.RUNNING.value)
            connection.execute(delete(table).where(ended, table.c.number <= newest + 1 - MAX_ENDED_JOBS))

    def _refuse_second_run(self, connection: Connection, now: datetime) -> None:
        table = schema.job
        query = self._select(table).where(table.c.kind == JobKind.RUN.value, table.c.state == JobState.RUNNING.value)
        for row in connection.execute(query):
            if read_job(row).as_of(now).state is JobState.RUNNING:
                raise RunInProgress(f"job {row.id}")

    def update_job(self, job: Job) -> None:
        table = schema.job
        is_job = (table.c.network_id == self._network_id) & (table.c.id == job.id)
        with self._write_transaction() as connection:
            connection.execute(update(table).where(is_job).values(self._job_row(connection, job)))

    def record_heartbeat(self, job_ids: Sequence[str], now: datetime) -> None:
        table = schema.job
        are_jobs = (table.c.network_id == self._network_id) & table.c.id.in_(job_ids)
        with self._write_transaction() as connection:
            connection.execute(update(table).where(are_jobs).values(beat_at=now.isoformat()))

    def _job_row(self, connection: Connection, job: Job) -> dict[str, Any]:
        table = schema.job
        changed = connection.execute(self._select(table, func.coalesce(func.max(table.c.changed), 0))).scalar_one()
        body = asdict(job)
        body[PARAMETERS_KEY] = body.pop("parameters")
        for name in ("id", "kind", "state", "beat_at", "started_at", "finished_at"):
            del body[name]
        return {
            "kind": job.kind.value,
            "state": job.state.value,
            "started_at": job.started_at.isoformat(),
            "beat_at": job.beat_at.isoformat(),
            "finished_at": job.finished_at.isoformat() if job.finished_at else None,
            "changed": changed + 1,
            "body": body,
        }

    def job(self, job_id: str) -> Job:
        with self._read_transaction() as connection:
            row = connection.execute(self._select(schema.job).where(schema.job.c.id == job_id)).first()
        if row is None:
            raise NotFound("job", job_id, "GET /api/v1/jobs lists the last ones.")
        return read_job(row)

    def jobs(self, *, kind: JobKind | None = None, before: str | None = None, limit: int | None = None) -> list[Job]:
        table = schema.job
        query = self._select(table).order_by(table.c.number.desc())
        if kind is not None:
            query = query.where(table.c.kind == kind.value)
        if before is not None:
            older = self._select(table, table.c.number).where(table.c.id == before).scalar_subquery()
            query = query.where(table.c.number < older)
        with self._read_transaction() as connection:
            return [read_job(row) for row in connection.execute(query.limit(limit))]

    def change_counters(self) -> dict[str, int]:
        job, edit, decision, run = schema.job, schema.edit, schema.decision, schema.run
        queries = {
            "jobs": self._select(job, func.coalesce(func.max(job.c.changed), 0)),
            "themes": self._select(edit, func.coalesce(func.max(edit.c.seq), 0)),
            "reviews": self._select(decision, func.count()),
            "runs": self._select(run, func.count()).where(run.c.state == "finished"),
        }
        with self._read_transaction() as connection:
            return {name: connection.execute(query).scalar_one() for name, query in queries.items()}

    def _rewrite_jobs(self, connection: Connection, rewrite: TextRewrite) -> None:
        table = schema.job
        for row in connection.execute(self._select(table)).all():
            parameters = {
                name: rewrite.rewrite_text(value) if isinstance(value, str) and name in FREE_TEXT_PARAMETERS else value
                for name, value in row.body[PARAMETERS_KEY].items()
            }
            notes = [rewrite.rewrite_text(note) for note in row.body["notes"]]
            body = {**row.body, PARAMETERS_KEY: parameters, "notes": notes}
            if body != row.body:
                is_job = (table.c.network_id == self._network_id) & (table.c.id == row.id)
                connection.execute(update(table).where(is_job).values(body=body))

    def _delete_jobs_of_case(self, connection: Connection, case_id: str) -> None:
        table = schema.job
        for row in connection.execute(self._select(table)).all():
            if row.body[PARAMETERS_KEY].get("case") == case_id:
                is_job = (table.c.network_id == self._network_id) & (table.c.id == row.id)
                connection.execute(delete(table).where(is_job))


FREE_TEXT_PARAMETERS = frozenset({"topic", "session", "leave_with"})
"""Parameters of a pre-reading that a person writes; the others are ids, dates and numbers."""


def read_job(row: Any) -> Job:
    body: dict[str, Any] = {**row.body, "notes": tuple(row.body["notes"])}
    body["parameters"] = body.pop(PARAMETERS_KEY)
    return Job(
        id=row.id,
        kind=JobKind(row.kind),
        state=JobState(row.state),
        started_at=datetime.fromisoformat(row.started_at),
        beat_at=datetime.fromisoformat(row.beat_at),
        finished_at=datetime.fromisoformat(row.finished_at) if row.finished_at else None,
        **body,
    )
