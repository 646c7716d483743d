"""Store jobs and their progress for all processes on this data folder."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import func

from patternmind.domain.jobs import Job, JobKind, JobState
from patternmind.errors import NotFound, RunInProgress
from patternmind.ports import TextRewrite
from patternmind.storage import schema
from patternmind.storage.database import SqlRepository, Transaction

MAX_ENDED_JOBS = 500
"""Maximum number of ended jobs; their results are kept without them."""

PARAMETERS_KEY = "asked"
"""Key of a job's parameters in its stored body; existing databases use it."""

FREE_TEXT_PARAMETERS = frozenset({"topic", "session", "leave_with"})
"""Parameters of a pre-reading that a person writes; the others are ids, dates and numbers."""

table = schema.job


class SqlJobRepository(SqlRepository):
    """Implements ``ports.JobRepository``.

    Free-text parameters of a job may contain text of a case, so they are rewritten like all other text.
    """

    def create(self, job: Job) -> None:
        with self._source.writing() as tx:
            if job.kind is JobKind.RUN:
                _refuse_second_run(tx, job.started_at)
            number = tx.scalar(tx.select(table, func.coalesce(func.max(table.c.number), 0))) + 1
            tx.insert(table, {"id": job.id, "number": number, **_job_row(tx, job)})
            tx.delete(table, table.c.state != JobState.RUNNING.value, table.c.number <= number - MAX_ENDED_JOBS)

    def update(self, job: Job) -> None:
        with self._source.writing() as tx:
            tx.update(table, _job_row(tx, job), table.c.id == job.id)

    def record_heartbeat(self, job_ids: Sequence[str], now: datetime) -> None:
        with self._source.writing() as tx:
            tx.update(table, {"beat_at": now.isoformat()}, table.c.id.in_(job_ids))

    def get(self, job_id: str) -> Job:
        with self._source.reading() as tx:
            row = tx.first(tx.select(table).where(table.c.id == job_id))
        if row is None:
            raise NotFound("job", job_id, "GET /api/v1/jobs lists the last ones.")
        return read_job(row)

    def list_recent(
        self, *, kind: JobKind | None = None, before: str | None = None, limit: int | None = None
    ) -> list[Job]:
        with self._source.reading() as tx:
            query = tx.select(table).order_by(table.c.number.desc())
            if kind is not None:
                query = query.where(table.c.kind == kind.value)
            if before is not None:
                number = tx.select(table, table.c.number).where(table.c.id == before).scalar_subquery()
                query = query.where(table.c.number < number)
            return [read_job(row) for row in tx.rows(query.limit(limit))]

    def rewrite(self, rewrite: TextRewrite) -> None:
        with self._source.writing() as tx:
            for row in tx.rows(tx.select(table)):
                parameters = {
                    name: rewrite.rewrite_text(value)
                    if isinstance(value, str) and name in FREE_TEXT_PARAMETERS
                    else value
                    for name, value in row.body[PARAMETERS_KEY].items()
                }
                notes = [rewrite.rewrite_text(note) for note in row.body["notes"]]
                body = {**row.body, PARAMETERS_KEY: parameters, "notes": notes}
                if body != row.body:
                    tx.update(table, {"body": body}, table.c.id == row.id)

    def delete_of_case(self, case_id: str) -> None:
        with self._source.writing() as tx:
            for row in tx.rows(tx.select(table)):
                if row.body[PARAMETERS_KEY].get("case") == case_id:
                    tx.delete(table, table.c.id == row.id)


def _refuse_second_run(tx: Transaction, now: datetime) -> None:
    query = tx.select(table).where(table.c.kind == JobKind.RUN.value, table.c.state == JobState.RUNNING.value)
    for row in tx.rows(query):
        if read_job(row).as_of(now).state is JobState.RUNNING:
            raise RunInProgress(f"job {row.id}")


def _job_row(tx: Transaction, job: Job) -> dict[str, Any]:
    n_changes = tx.scalar(tx.select(table, func.coalesce(func.max(table.c.changed), 0)))
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
        "changed": n_changes + 1,
        "body": body,
    }


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
