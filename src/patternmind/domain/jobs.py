"""Long work that somebody asked for: what it is, how far it has come, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

HEARTBEAT_TIMEOUT = timedelta(seconds=45)
"""Without a sign of life its process is taken for dead. A store that takes in much at once is busy that long."""


class JobKind(StrEnum):
    RUN = "run"
    PREREADING = "pre-reading"


class JobState(StrEnum):
    """``LOST``: its process ended without a word. It is read off the last sign of life and never stored."""

    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One piece of long work.

    Attributes:
        asked: what was asked for, by the names of its form; enough to start it again. What a person wrote in it is
            redacted before it is kept.
        beat_at: the last sign of life.
        made: the id of what came of it: of a run, of a pre-reading.
        notes: what its reader should know of how it was made.
        problem: problem details of why it failed; no text of a case.
    """

    id: str
    kind: JobKind
    by: str
    asked: Mapping[str, Any]
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
        """The job as it is to be told now: lost where its process has been silent for too long."""
        silent = self.state is JobState.RUNNING and now - self.beat_at > HEARTBEAT_TIMEOUT
        return replace(self, state=JobState.LOST) if silent else self

    @property
    def has_ended(self) -> bool:
        return self.state is not JobState.RUNNING
