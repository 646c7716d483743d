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
        self._ctx = house
        self._pen = threading.Lock()
        self._local_jobs: dict[str, Job] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._slots = threading.BoundedSemaphore(MAX_PARALLEL_PREREADINGS)
        self._stopping = threading.Event()
        self._heartbeat_thread: threading.Thread | None = None

    def start(self, kind: JobKind, parameters: Mapping[str, Any], *, actor: str | None = None) -> Job:
        """Begin in the background.

        Raises:
            RunInProgress: it is a run, and one goes on here or in another process on this data folder.
        """
        store, now = self._ctx.store, self._ctx.clock.now()
        job = Job(
            id=uuid.uuid4().hex, kind=kind, by=actor or LOCAL_USER, asked=dict(parameters), started_at=now, beat_at=now
        )
        if kind is JobKind.RUN:
            with run_lock(self._ctx.settings.home):
                store.create_job(job)
        else:
            store.create_job(job)
        with self._pen:
            self._local_jobs[job.id] = job
            self._ensure_heartbeat()
        thread = threading.Thread(target=self._run_job, args=(job,), name=f"job-{job.id[:8]}", daemon=True)
        self._threads[job.id] = thread
        thread.start()
        return job

    def restart(self, job_id: str, *, kind: JobKind, actor: str | None = None) -> Job:
        """Begin what failed or was lost once more, as it was asked for.

        Raises:
            NotFound, RunInProgress
            Declined: it goes on, or is finished.
        """
        job = self.find(job_id, kind=kind)
        if job.state not in {JobState.FAILED, JobState.LOST}:
            raise HTTPProblem(WRONG_STATE, "Only what failed can be started again; this goes on, or is done.")
        return self.start(job.kind, job.asked, actor=actor)

    def find(self, job_id: str, *, kind: JobKind | None = None) -> Job:
        """One job as it stands.

        Raises:
            NotFound
        """
        found = self._local_jobs.get(job_id) or self._ctx.store.job(job_id).as_of(self._ctx.clock.now())
        if kind not in (None, found.kind):
            raise NotFound("job", job_id)
        return found

    def list_jobs(self, *, kind: JobKind | None = None, before: str | None = None, limit: int = 50) -> list[Job]:
        """Newest first."""
        now = self._ctx.clock.now()
        found = self._ctx.store.jobs(kind=kind, before=before, limit=limit)
        return [self._local_jobs.get(job.id) or job.as_of(now) for job in found]

    def exists(self, job_id: str) -> bool:
        try:
            return bool(self.find(job_id))
        except NotFound:
            return False

    def stop(self) -> None:
        """Ask the work to end at its next step, wait a little for it, and write down what did not make it."""
        self._stopping.set()
        for thread in list(self._threads.values()):
            thread.join(STOP_TIMEOUT_SECONDS)
        for job in list(self._local_jobs.values()):
            self._finish(job.id, problem_from_error(ServerStopped(), request_id=job.id).model_dump())
        if self._heartbeat_thread is not None:
            self._heartbeat_thread.join(STOP_TIMEOUT_SECONDS)

    def _run_job(self, job: Job) -> None:
        def progress(step: str, n_done: int, n_total: int) -> None:
            if self._stopping.is_set():
                raise ServerStopped
            if known := self._local_jobs.get(job.id):
                self._local_jobs[job.id] = replace(known, step=step, n_done=n_done, n_total=n_total)

        try:
            if job.kind is JobKind.RUN:
                self._finish(job.id, result=JOB_HANDLERS[job.kind](self._ctx, job.asked, progress))
                return
            with self._slots:
                progress(job.step, 0, 0)
                self._finish(job.id, result=JOB_HANDLERS[job.kind](self._ctx, job.asked, progress))
        except PatternmindError as error:
            self._finish(job.id, problem_from_error(error, request_id=job.id).model_dump())
        except Exception as error:  # noqa: BLE001 - the outermost edge of a thread: recorded and ended here
            self._finish(job.id, unexpected_problem(error, request_id=job.id).model_dump())
        finally:
            self._threads.pop(job.id, None)

    def _finish(
        self, job_id: str, problem: Mapping[str, Any] | None = None, *, result: JobResult | None = None
    ) -> None:
        now = self._ctx.clock.now()
        with self._pen:
            known = self._local_jobs.get(job_id)
            if known is None or known.has_ended:
                return
            ended = replace(known, state=JobState.FAILED, finished_at=now, beat_at=now, problem=problem or {})
            if result is not None:
                ended = replace(
                    ended, state=JobState.FINISHED, made=result.id, notes=result.notes, asked=result.parameters
                )
            self._local_jobs[job_id] = ended  # told from here until it is written, and for ever where it cannot be
            try:
                self._ctx.store.update_job(ended)
                del self._local_jobs[job_id]
            except PatternmindError as error:
                log.warning("the end of a job could not be written down: %s", type(error).__name__)

    def _ensure_heartbeat(self) -> None:
        if self._heartbeat_thread is None or not self._heartbeat_thread.is_alive():
            self._heartbeat_thread = threading.Thread(target=self._heartbeat_loop, name="jobs-beat", daemon=True)
            self._heartbeat_thread.start()

    def _heartbeat_loop(self) -> None:
        """Write progress and signs of life until no job of this process is worked on."""
        written: dict[str, Job] = {}
        tick = 0
        while True:
            time.sleep(PROGRESS_INTERVAL_SECONDS)
            tick += 1
            with self._pen:
                mine = {id: job for id, job in self._local_jobs.items() if not job.has_ended}
                if not mine:
                    self._heartbeat_thread = None
                    return
                try:
                    self._write(mine, written, alive=tick % TICKS_PER_HEARTBEAT == 0)
                except PatternmindError as error:
                    log.warning("no progress could be written down: %s", type(error).__name__)

    def _write(self, mine: Mapping[str, Job], written: dict[str, Job], *, alive: bool) -> None:
        now = self._ctx.clock.now()
        for id, job in mine.items():
            if written.get(id) != job:
                self._ctx.store.update_job(replace(job, beat_at=now))
                written[id] = job
        if alive:
            self._ctx.store.record_heartbeat(list(mine), now)
