"""Background threads for jobs, with their state in the store.

All processes see the state, and it survives a restart. Only one run at a time is allowed per data folder; pre-readings
run a few at a time. While a job runs, its process records a heartbeat every few seconds. A job without heartbeat is
reported as lost and can be restarted.
"""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from patternmind.bootstrap import AppContext
from patternmind.domain.jobs import Job, JobKind, JobState
from patternmind.domain.members import LOCAL_USER
from patternmind.errors import JobNotFailed, NotFound, PatternmindError, ServerStopped
from patternmind.jobs.handlers import JOB_HANDLERS, JobResult
from patternmind.storage.run_lock import run_lock

log = logging.getLogger("patternmind.web")

STOP_TIMEOUT_SECONDS = 5.0
"""Longest wait of a stopping server for each job; the next run completes what an interrupted one left."""

PROGRESS_INTERVAL_SECONDS = 0.5
"""Interval between writes of progress, if there is any."""

TICKS_PER_HEARTBEAT = 10
"""Progress intervals between two heartbeats."""

MAX_PARALLEL_PREREADINGS = 2
"""Pre-readings that run at the same time; further ones wait."""


FailureDescriber = Callable[[Exception, str], Mapping[str, Any]]
"""Returns the problem details to store for an exception and a job id; they contain no case text."""


class JobRunner:
    """Starts and tracks the jobs of a network.

    Progress of this process's own jobs is in memory and always current.

    Args:
        ctx: the network.
        describe_failure: describes the exception of a failed job.
    """

    def __init__(self, ctx: AppContext, *, describe_failure: FailureDescriber) -> None:
        self._ctx = ctx
        self._describe_failure = describe_failure
        self._lock = threading.Lock()
        self._local_jobs: dict[str, Job] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._slots = threading.BoundedSemaphore(MAX_PARALLEL_PREREADINGS)
        self._stopping = threading.Event()
        self._heartbeat_thread: threading.Thread | None = None

    def start(self, kind: JobKind, parameters: Mapping[str, Any], *, actor: str | None = None) -> Job:
        """Start a job in the background.

        Raises:
            RunInProgress: the job is a run, and another run is in progress on this data folder.
        """
        store, now = self._ctx.store, self._ctx.clock.now()
        job = Job(
            id=uuid.uuid4().hex,
            kind=kind,
            by=actor or LOCAL_USER,
            parameters=dict(parameters),
            started_at=now,
            beat_at=now,
        )
        if kind is JobKind.RUN:
            with run_lock(self._ctx.settings.home):
                store.jobs.create(job)
        else:
            store.jobs.create(job)
        with self._lock:
            self._local_jobs[job.id] = job
            self._ensure_heartbeat()
        thread = threading.Thread(target=self._run_job, args=(job,), name=f"job-{job.id[:8]}", daemon=True)
        self._threads[job.id] = thread
        thread.start()
        return job

    def restart(self, job_id: str, *, kind: JobKind, actor: str | None = None) -> Job:
        """Restart a failed or lost job with its original parameters.

        Raises:
            NotFound: no job of this kind has the id.
            RunInProgress: the job is a run, and another run is in progress.
            JobNotFailed: the job is running or finished.
        """
        job = self.find(job_id, kind=kind)
        if job.state not in {JobState.FAILED, JobState.LOST}:
            raise JobNotFailed
        return self.start(job.kind, job.parameters, actor=actor)

    def find(self, job_id: str, *, kind: JobKind | None = None) -> Job:
        """Return a job in its current state.

        Raises:
            NotFound: no job has the id, or it is of another kind.
        """
        job = self._local_jobs.get(job_id) or self._ctx.store.jobs.get(job_id).as_of(self._ctx.clock.now())
        if kind not in (None, job.kind):
            raise NotFound("job", job_id)
        return job

    def list_jobs(self, *, kind: JobKind | None = None, before: str | None = None, limit: int = 50) -> list[Job]:
        """List jobs, newest first, that are older than the job ``before``."""
        now = self._ctx.clock.now()
        jobs = self._ctx.store.jobs.list_recent(kind=kind, before=before, limit=limit)
        return [self._local_jobs.get(job.id) or job.as_of(now) for job in jobs]

    def exists(self, job_id: str) -> bool:
        try:
            return bool(self.find(job_id))
        except NotFound:
            return False

    def stop(self) -> None:
        """Interrupt all jobs at their next step, wait, and store those still running as failed."""
        self._stopping.set()
        for thread in list(self._threads.values()):
            thread.join(STOP_TIMEOUT_SECONDS)
        for job in list(self._local_jobs.values()):
            self._finish(job.id, self._describe_failure(ServerStopped(), job.id))
        if self._heartbeat_thread is not None:
            self._heartbeat_thread.join(STOP_TIMEOUT_SECONDS)

    def _run_job(self, job: Job) -> None:
        def progress(step: str, n_done: int, n_total: int) -> None:
            if self._stopping.is_set():
                raise ServerStopped
            if current := self._local_jobs.get(job.id):
                self._local_jobs[job.id] = replace(current, step=step, n_done=n_done, n_total=n_total)

        try:
            if job.kind is JobKind.RUN:
                self._finish(job.id, result=JOB_HANDLERS[job.kind](self._ctx, job.parameters, progress))
                return
            with self._slots:
                progress(job.step, 0, 0)
                self._finish(job.id, result=JOB_HANDLERS[job.kind](self._ctx, job.parameters, progress))
        except Exception as error:  # noqa: BLE001 - the last handler of a thread: it records every error
            self._finish(job.id, self._describe_failure(error, job.id))
        finally:
            self._threads.pop(job.id, None)

    def _finish(
        self, job_id: str, problem: Mapping[str, Any] | None = None, *, result: JobResult | None = None
    ) -> None:
        now = self._ctx.clock.now()
        with self._lock:
            current = self._local_jobs.get(job_id)
            if current is None or current.has_ended:
                return
            ended = replace(current, state=JobState.FAILED, finished_at=now, beat_at=now, problem=problem or {})
            if result is not None:
                ended = replace(
                    ended, state=JobState.FINISHED, made=result.id, notes=result.notes, parameters=result.parameters
                )
            self._local_jobs[job_id] = ended  # served from memory until it is stored, or always if that fails
            try:
                self._ctx.store.jobs.update(ended)
                del self._local_jobs[job_id]
            except PatternmindError as error:
                log.warning("could not store the end of a job: %s", type(error).__name__)

    def _ensure_heartbeat(self) -> None:
        if self._heartbeat_thread is None or not self._heartbeat_thread.is_alive():
            self._heartbeat_thread = threading.Thread(target=self._heartbeat_loop, name="jobs-beat", daemon=True)
            self._heartbeat_thread.start()

    def _heartbeat_loop(self) -> None:
        """Store progress and heartbeats until no job of this process is running."""
        written: dict[str, Job] = {}
        tick = 0
        while True:
            time.sleep(PROGRESS_INTERVAL_SECONDS)
            tick += 1
            with self._lock:
                running = {id: job for id, job in self._local_jobs.items() if not job.has_ended}
                if not running:
                    self._heartbeat_thread = None
                    return
                try:
                    self._write_progress(running, written, is_heartbeat_due=tick % TICKS_PER_HEARTBEAT == 0)
                except PatternmindError as error:
                    log.warning("could not store the progress of jobs: %s", type(error).__name__)

    def _write_progress(self, running: Mapping[str, Job], written: dict[str, Job], *, is_heartbeat_due: bool) -> None:
        now = self._ctx.clock.now()
        for id, job in running.items():
            if written.get(id) != job:
                self._ctx.store.jobs.update(replace(job, beat_at=now))
                written[id] = job
        if is_heartbeat_due:
            self._ctx.store.jobs.record_heartbeat(list(running), now)
