"""Long work as it stands, for every process on this data folder to see."""

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
"""Jobs; what they made is kept without them."""


class JobRepository(NetworkScopedStore):
    """Jobs. What a person asked for may hold words of a case, so it is told anew with all else."""

    def create_job(self, job: Job) -> None:
        with self._write_transaction() as connection:
            if job.kind is JobKind.RUN:
                self._refuse_second_run(connection, job.started_at)
            table = schema.job
            newest = connection.execute(self._of(table, func.coalesce(func.max(table.c.number), 0))).scalar_one()
            row = {"network_id": self._id, "id": job.id, "number": newest + 1, **self._job_row(connection, job)}
            connection.execute(insert(table).values(row))
            ended = (table.c.network_id == self._id) & (table.c.state != JobState.RUNNING.value)
            connection.execute(delete(table).where(ended, table.c.number <= newest + 1 - MAX_ENDED_JOBS))

    def _refuse_second_run(self, connection: Connection, now: datetime) -> None:
        table = schema.job
        query = self._of(table).where(table.c.kind == JobKind.RUN.value, table.c.state == JobState.RUNNING.value)
        for row in connection.execute(query):
            if read_job(row).as_of(now).state is JobState.RUNNING:
                raise RunInProgress(f"job {row.id}")

    def update_job(self, job: Job) -> None:
        table = schema.job
        mine = (table.c.network_id == self._id) & (table.c.id == job.id)
        with self._write_transaction() as connection:
            connection.execute(update(table).where(mine).values(self._job_row(connection, job)))

    def record_heartbeat(self, job_ids: Sequence[str], now: datetime) -> None:
        table = schema.job
        mine = (table.c.network_id == self._id) & table.c.id.in_(job_ids)
        with self._write_transaction() as connection:
            connection.execute(update(table).where(mine).values(beat_at=now.isoformat()))

    def _job_row(self, connection: Connection, job: Job) -> dict[str, Any]:
        table = schema.job
        changed = connection.execute(self._of(table, func.coalesce(func.max(table.c.changed), 0))).scalar_one()
        body = asdict(job)
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
            row = connection.execute(self._of(schema.job).where(schema.job.c.id == job_id)).first()
        if row is None:
            raise NotFound("job", job_id, "GET /api/v1/jobs lists the last ones.")
        return read_job(row)

    def jobs(self, *, kind: JobKind | None = None, before: str | None = None, limit: int | None = None) -> list[Job]:
        table = schema.job
        query = self._of(table).order_by(table.c.number.desc())
        if kind is not None:
            query = query.where(table.c.kind == kind.value)
        if before is not None:
            older = self._of(table, table.c.number).where(table.c.id == before).scalar_subquery()
            query = query.where(table.c.number < older)
        with self._read_transaction() as connection:
            return [read_job(row) for row in connection.execute(query.limit(limit))]

    def marks(self) -> dict[str, int]:
        job, edit, decision, run = schema.job, schema.edit, schema.decision, schema.run
        asked = {
            "jobs": self._of(job, func.coalesce(func.max(job.c.changed), 0)),
            "themes": self._of(edit, func.coalesce(func.max(edit.c.seq), 0)),
            "reviews": self._of(decision, func.count()),
            "runs": self._of(run, func.count()).where(run.c.state == "finished"),
        }
        with self._read_transaction() as connection:
            return {name: connection.execute(query).scalar_one() for name, query in asked.items()}

    def _rewrite_jobs(self, connection: Connection, rewrite: TextRewrite) -> None:
        table = schema.job
        for row in connection.execute(self._of(table)).all():
            asked = {
                name: rewrite.words(value) if isinstance(value, str) and name in FREE_TEXT_PARAMETERS else value
                for name, value in row.body["asked"].items()
            }
            told = {**row.body, "asked": asked, "notes": [rewrite.words(note) for note in row.body["notes"]]}
            if told != row.body:
                mine = (table.c.network_id == self._id) & (table.c.id == row.id)
                connection.execute(update(table).where(mine).values(body=told))

    def _delete_jobs_of_case(self, connection: Connection, case_id: str) -> None:
        """Jobs that were about a case."""
        table = schema.job
        for row in connection.execute(self._of(table)).all():
            if row.body["asked"].get("case") == case_id:
                mine = (table.c.network_id == self._id) & (table.c.id == row.id)
                connection.execute(delete(table).where(mine))


FREE_TEXT_PARAMETERS = frozenset({"topic", "session", "leave_with"})
"""What a person writes when they ask for a pre-reading; the rest are ids, dates and numbers."""


def read_job(row: Any) -> Job:
    body: dict[str, Any] = {**row.body, "notes": tuple(row.body["notes"])}
    return Job(
        id=row.id,
        kind=JobKind(row.kind),
        state=JobState(row.state),
        started_at=datetime.fromisoformat(row.started_at),
        beat_at=datetime.fromisoformat(row.beat_at),
        finished_at=datetime.fromisoformat(row.finished_at) if row.finished_at else None,
        **body,
    )
