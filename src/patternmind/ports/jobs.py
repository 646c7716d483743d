"""Protocol of the repository of jobs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from patternmind.domain.jobs import Job, JobKind


class JobRepository(Protocol):
    """Jobs and their progress."""

    def create(self, job: Job) -> None:
        """Store a new job, and delete all but the last few hundred ended jobs.

        Raises:
            RunInProgress: the job is a run, and another run of this network is alive.
        """
        ...

    def update(self, job: Job) -> None:
        """Store the progress or the end of a job; a deleted job is ignored."""
        ...

    def record_heartbeat(self, job_ids: Sequence[str], now: datetime) -> None:
        """Record a heartbeat of these jobs."""
        ...

    def get(self, job_id: str) -> Job:
        """Return a job as last stored.

        Raises:
            NotFound: the job does not exist.
        """
        ...

    def list_recent(
        self, *, kind: JobKind | None = None, before: str | None = None, limit: int | None = None
    ) -> list[Job]:
        """Return jobs, newest first; ``before`` is the id of the last job of the previous page."""
        ...
