"""Jobs: requested long work with its progress and its result."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

HEARTBEAT_TIMEOUT = timedelta(seconds=45)
"""Time without a heartbeat after which a job counts as lost; a large import can block the store that long."""


class JobKind(StrEnum):
    RUN = "run"
    PREREADING = "pre-reading"


class JobState(StrEnum):
    """State of a job.

    ``LOST`` means that its process ended without a report. It is derived from the last heartbeat and never stored.
    """

    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A piece of long work.

    Attributes:
        beat_at: time of the last heartbeat.
        made: id of its result, a run or a pre-reading.
        notes: remarks on how the result was made, for its reader.
        parameters: values by the field names of its form, sufficient to start it again. Free text of a person is
            redacted before it is stored.
        problem: problem details of its failure, without any text of a case.
    """

    id: str
    kind: JobKind
    by: str
    parameters: Mapping[str, Any]
    started_at: datetime
    beat_at: datetime
    state: JobState = JobState.RUNNING
    finished_at: datetime | None = None
    step: str = ""
    n_done: int = 0
    n_total: int = 0
    made: str = ""
    notes: tuple[str, ...] = ()
    problem: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def as_of(self, now: datetime) -> "Job":
        """Return the job with its state at ``now``: lost if its last heartbeat is too old."""
        silent = self.state is JobState.RUNNING and now - self.beat_at > HEARTBEAT_TIMEOUT
        return replace(self, state=JobState.LOST) if silent else self

    @property
    def has_ended(self) -> bool:
        return self.state is not JobState.RUNNING
