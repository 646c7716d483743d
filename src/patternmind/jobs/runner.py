"""Long work in threads of this process, written down so that every process sees it and none of it is forgotten.

A run is alone on its data folder; pre-readings are worked on a few at a time. While a job is worked on, its process
gives a sign of life every few seconds; without one it counts as lost, says so, and can be started again.
"""

import logging
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from patternmind.bootstrap import AppContext
from patternmind.domain.jobs import Job, JobKind, JobState
from patternmind.errors import NotFound, PatternmindError
from patternmind.jobs.handlers import JOB_HANDLERS, JobResult
from patternmind.storage.run_lock import run_lock
from patternmind.web.problems import (
    WRONG_STATE,
    HTTPProblem,
    ServerStopped,
    problem_from_error,
    unexpected_problem,
)

log = logging.getLogger("patternmind.web")

STOP_TIMEOUT_SECONDS = 5.0
"""How long a stopping server waits for its work; the next run finishes what was cut off."""

PROGRESS_INTERVAL_SECONDS = 0.5
"""How often progress is written down, where there is any."""

TICKS_PER_HEARTBEAT = 10
"""A sign of life without progress comes every so many ticks."""

MAX_PARALLEL_PREREADINGS = 2
"""Pre-readings worked on at a time; the others wait."""

LOCAL_USER = "the person at this machine"


class JobRunner:
    """The jobs of one network. Those of this process are known here too, so that their progress is told at once."""

    def __init__(self, house: AppContext) -> None:
        self._house = house
        self._pen = threading.Lock()
        self._here: dict[str, Job] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._slots = threading.BoundedSemaphore(MAX_PARALLEL_PREREADINGS)
        self._stopping = threading.Event()
        self._beating: threading.Thread | None = None

    def start(self, kind: JobKind, asked: Mapping[str, Any], *, by: str | None = None) -> Job:
        """Begin in the background.

        Raises:
            RunInProgress: it is a run, and one goes on here or in another process on this data folder.
        """
        store, now = self._house.store, self._house.clock.now()
        job = Job(id=uuid.uuid4().hex, kind=kind, by=by or LOCAL_USER, asked=dict(asked), started_at=now, beat_at=now)
        if kind is JobKind.RUN:
            with run_lock(self._house.settings.home):
                store.begin_job(job)
        else:
            store.begin_job(job)
        with self._pen:
            self._here[job.id] = job
            self._beat_from_now_on()
        thread = threading.Thread(target=self._work, args=(job,), name=f"job-{job.id[:8]}", daemon=True)
        self._threads[job.id] = thread
        thread.start()
        return job

    def restart(self, job_id: str, *, kind: JobKind, by: str | None = None) -> Job:
        """Begin what failed or was lost once more, as it was asked for.

        Raises:
            NotFound, RunInProgress
            Declined: it goes on, or is finished.
        """
        job = self.job(job_id, kind=kind)
        if job.state not in {JobState.FAILED, JobState.LOST}:
            raise HTTPProblem(WRONG_STATE, "Only what failed can be started again; this goes on, or is done.")
        return self.start(job.kind, job.asked, by=by)

    def job(self, job_id: str, *, kind: JobKind | None = None) -> Job:
        """One job as it stands.

        Raises:
            NotFound
        """
        found = self._here.get(job_id) or self._house.store.job(job_id).as_of(self._house.clock.now())
        if kind not in (None, found.kind):
            raise NotFound("job", job_id)
        return found

    def jobs(self, *, kind: JobKind | None = None, before: str | None = None, limit: int = 50) -> list[Job]:
        """Newest first."""
        now = self._house.clock.now()
        found = self._house.store.jobs(kind=kind, before=before, limit=limit)
        return [self._here.get(job.id) or job.as_of(now) for job in found]

    def knows(self, job_id: str) -> bool:
        try:
            return bool(self.job(job_id))
        except NotFound:
            return False

    def stop(self) -> None:
        """Ask the work to end at its next step, wait a little for it, and write down what did not make it."""
        self._stopping.set()
        for thread in list(self._threads.values()):
            thread.join(STOP_TIMEOUT_SECONDS)
        for job in list(self._here.values()):
            self._end(job.id, problem_from_error(ServerStopped(), request_id=job.id).model_dump())
        if self._beating is not None:
            self._beating.join(STOP_TIMEOUT_SECONDS)

    def _work(self, job: Job) -> None:
        def progress(step: str, n_done: int, n_total: int) -> None:
            if self._stopping.is_set():
                raise ServerStopped
            if known := self._here.get(job.id):
                self._here[job.id] = replace(known, step=step, n_done=n_done, n_total=n_total)

        try:
            if job.kind is JobKind.RUN:
                self._end(job.id, made=JOB_HANDLERS[job.kind](self._house, job.asked, progress))
                return
            with self._slots:
                progress(job.step, 0, 0)
                self._end(job.id, made=JOB_HANDLERS[job.kind](self._house, job.asked, progress))
        except PatternmindError as error:
            self._end(job.id, problem_from_error(error, request_id=job.id).model_dump())
        except Exception as error:  # noqa: BLE001 - the outermost edge of a thread: recorded and ended here
            self._end(job.id, unexpected_problem(error, request_id=job.id).model_dump())
        finally:
            self._threads.pop(job.id, None)

    def _end(self, job_id: str, problem: Mapping[str, Any] | None = None, *, made: JobResult | None = None) -> None:
        now = self._house.clock.now()
        with self._pen:
            known = self._here.get(job_id)
            if known is None or known.ended:
                return
            ended = replace(known, state=JobState.FAILED, finished_at=now, beat_at=now, problem=problem or {})
            if made is not None:
                ended = replace(ended, state=JobState.FINISHED, made=made.id, notes=made.notes, asked=made.asked)
            self._here[job_id] = ended  # told from here until it is written, and for ever where it cannot be
            try:
                self._house.store.put_job(ended)
                del self._here[job_id]
            except PatternmindError as error:
                log.warning("the end of a job could not be written down: %s", type(error).__name__)

    def _beat_from_now_on(self) -> None:
        if self._beating is None or not self._beating.is_alive():
            self._beating = threading.Thread(target=self._beat, name="jobs-beat", daemon=True)
            self._beating.start()

    def _beat(self) -> None:
        """Write progress and signs of life until no job of this process is worked on."""
        written: dict[str, Job] = {}
        tick = 0
        while True:
            time.sleep(PROGRESS_INTERVAL_SECONDS)
            tick += 1
            with self._pen:
                mine = {id: job for id, job in self._here.items() if not job.ended}
                if not mine:
                    self._beating = None
                    return
                try:
                    self._write(mine, written, alive=tick % TICKS_PER_HEARTBEAT == 0)
                except PatternmindError as error:
                    log.warning("no progress could be written down: %s", type(error).__name__)

    def _write(self, mine: Mapping[str, Job], written: dict[str, Job], *, alive: bool) -> None:
        now = self._house.clock.now()
        for id, job in mine.items():
            if written.get(id) != job:
                self._house.store.put_job(replace(job, beat_at=now))
                written[id] = job
        if alive:
            self._house.store.beat(list(mine), now)
