"""Long work: one run at a time in a thread of its own. A job is how to ask after it; the store's runs are the truth."""

import threading
import uuid
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime

from patternmind.adapters.runlock import run_lock
from patternmind.bootstrap import House
from patternmind.errors import NotFound, PatternmindError, RunInProgress
from patternmind.ports import RunParameters, RunRecord
from patternmind.web.problems import Problem, ServerStopped, problem_of, unexpected

MOST_KEPT = 100
STOP_SECONDS = 5.0
"""How long a stopping server waits for a run; the next run finishes what was cut off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """``state`` is running, finished or failed; ``record`` is there when finished, ``problem`` when failed."""

    id: str
    parameters: RunParameters
    state: str
    started_at: datetime
    finished_at: datetime | None = None
    step: str = ""
    n_done: int = 0
    n_total: int = 0
    record: RunRecord | None = None
    problem: Problem | None = None


class RunJobs:
    """The jobs of this process, newest last. Safe to use from any thread."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._lock = threading.Lock()
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    def start(self, parameters: RunParameters) -> Job:
        """Begin a run in the background.

        Raises:
            RunInProgress: here, or in another process on this data folder.
        """
        with self._lock:
            busy = next((job for job in self._jobs.values() if job.state == "running"), None)
            if busy is not None:
                raise RunInProgress(f"job {busy.id}")
            with run_lock(self._house.settings.home):
                job = Job(
                    id=uuid.uuid4().hex, parameters=parameters, state="running", started_at=self._house.clock.now()
                )
            self._jobs[job.id] = job
            while len(self._jobs) > MOST_KEPT:
                self._jobs.popitem(last=False)
            self._thread = threading.Thread(target=self._work, args=(job,), name=f"run-{job.id[:8]}", daemon=True)
            self._thread.start()
        return job

    def job(self, job_id: str) -> Job:
        """One job.

        Raises:
            NotFound: never begun, or by a server process that has stopped since.
        """
        with self._lock:
            if job_id not in self._jobs:
                raise NotFound("job", job_id, "Jobs are forgotten when the server stops; the runs themselves are kept.")
            return self._jobs[job_id]

    def stop(self) -> None:
        """Ask the run to end at its next batch, and wait a little for it."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)

    def _work(self, job: Job) -> None:
        def progress(step: str, n_done: int, n_total: int) -> None:
            if self._stopping.is_set():
                raise ServerStopped
            self._change(job.id, step=step, n_done=n_done, n_total=n_total)

        try:
            record = self._house.run(job.parameters, progress=progress)
            self._end(job.id, "finished", record=record)
        except PatternmindError as error:
            self._end(job.id, "failed", problem=problem_of(error, request_id=job.id))
        except Exception as error:  # noqa: BLE001 - the outermost edge of a thread: recorded and ended here
            self._end(job.id, "failed", problem=unexpected(error, request_id=job.id))

    def _end(self, job_id: str, state: str, *, record: RunRecord | None = None, problem: Problem | None = None) -> None:
        self._change(job_id, state=state, finished_at=self._house.clock.now(), record=record, problem=problem)

    def _change(self, job_id: str, **changes: object) -> None:
        with self._lock:
            self._jobs[job_id] = replace(self._jobs[job_id], **changes)  # pyright: ignore[reportArgumentType]
