"""Jobs are stored for all processes, lost jobs are reported, and events arrive once."""

import datetime as dt
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.test_api import Program
from tests.fixtures.builders import NOON
from tests.fixtures.commands import write_rows
from tests.fixtures.coroutines import run_coroutine
from tests.fixtures.networks import the_cases

from patternmind.bootstrap import AppContext
from patternmind.domain.cases import CaseKind
from patternmind.domain.jobs import HEARTBEAT_TIMEOUT, Job, JobKind, JobState
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.errors import NotFound, RunInProgress
from patternmind.jobs.runner import JobRunner
from patternmind.services.file_import import import_files
from patternmind.settings import Settings
from patternmind.storage import SqlStore
from patternmind.web.api.events import decode_counters, encode_counters
from patternmind.web.event_streams import MAX_STREAMS_PER_CALLER, EventStreams, ServerSentEvent
from patternmind.web.problems import describe_failure


class Clock:
    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> dt.datetime:
        return self.at


def make_job(id: str = "j-1", **overrides: Any) -> Job:
    fields: dict[str, Any] = {
        "kind": JobKind.PREREADING,
        "by": "Ada Berg",
        "parameters": {"topic": "pallets"},
        **overrides,
    }
    return Job(id=id, started_at=NOON, beat_at=fields.pop("beat_at", NOON), **fields)


@pytest.fixture
def store(tmp_path: Path) -> SqlStore:
    return SqlStore(tmp_path / "patternmind.db")


def test_job_is_read_back_as_stored(store: SqlStore) -> None:
    job = make_job()
    store.jobs.create(job)
    assert store.jobs.get("j-1") == job
    ended = replace(
        job, state=JobState.FINISHED, finished_at=NOON, made="d-1", notes=("Made with no AI used.",), step="prepare",
        n_done=1, n_total=1,
    )  # fmt: skip
    store.jobs.update(ended)
    assert store.jobs.get("j-1") == ended
    with pytest.raises(NotFound):
        store.jobs.get("j-2")


def test_jobs_are_listed_newest_first_by_kind_and_page(store: SqlStore) -> None:
    for n in range(5):
        store.jobs.create(make_job(f"j-{n}", kind=JobKind.RUN if n == 2 else JobKind.PREREADING))
    assert [job.id for job in store.jobs.list_recent(limit=2)] == ["j-4", "j-3"]
    assert [job.id for job in store.jobs.list_recent(before="j-3", limit=2)] == ["j-2", "j-1"]
    assert [job.id for job in store.jobs.list_recent(kind=JobKind.RUN)] == ["j-2"]


def test_second_run_is_rejected_unless_first_has_no_heartbeat(store: SqlStore) -> None:
    store.jobs.create(make_job("first", kind=JobKind.RUN))
    with pytest.raises(RunInProgress, match="job first"):
        store.jobs.create(make_job("second", kind=JobKind.RUN))
    store.jobs.create(make_job("third", kind=JobKind.PREREADING))
    later = NOON + HEARTBEAT_TIMEOUT + dt.timedelta(seconds=1)
    assert store.jobs.get("first").as_of(later).state is JobState.LOST
    store.jobs.record_heartbeat(["first"], later)
    assert store.jobs.get("first").as_of(later).state is JobState.RUNNING
    much_later = later + HEARTBEAT_TIMEOUT + dt.timedelta(seconds=1)
    store.jobs.create(replace(make_job("second", kind=JobKind.RUN), started_at=much_later))


def test_store_deletes_old_ended_jobs_but_no_running_jobs(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("patternmind.storage.repositories.jobs.MAX_ENDED_JOBS", 3)
    store.jobs.create(make_job("running"))
    for n in range(6):
        store.jobs.create(make_job(f"j-{n}", state=JobState.FINISHED))
    assert [job.id for job in store.jobs.list_recent()] == ["j-5", "j-4", "j-3", "running"]


def test_job_change_increments_only_job_counter(store: SqlStore) -> None:
    before = store.change_counters()
    store.jobs.create(make_job())
    after_start = store.change_counters()
    store.jobs.update(make_job(step="embed"))
    assert after_start == {**before, "jobs": before["jobs"] + 1}
    assert store.change_counters()["jobs"] == after_start["jobs"] + 1


class BlockingEncoder(HashingEncoder):
    """An encoder that waits, after reporting progress, until it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.started, self.released = threading.Event(), threading.Event()

    def encode(self, texts: Any, *, progress: Any = None) -> Any:
        if progress:
            progress("embed", 0, len(texts))
        self.started.set()
        assert self.released.wait(20)
        return super().encode(texts, progress=progress)


def make_context(home: Path, *, encoder: Any = None, clock: Any = None) -> AppContext:
    return AppContext(Settings(home=home), encoder=encoder or HashingEncoder(), clock=clock)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    ctx = make_context(tmp_path / "home")
    assert import_files(ctx.store, [write_rows(tmp_path / "c.jsonl", list(the_cases()))], kind=CaseKind.CASE).accepted
    return tmp_path / "home"


def wait_until_ended(jobs: JobRunner, job_id: str) -> Job:
    for _ in range(600):
        if (job := jobs.find(job_id)).has_ended:
            return job
        time.sleep(0.02)
    raise AssertionError("the job did not finish")


def test_job_progress_and_result_are_visible_to_other_process(home: Path) -> None:
    encoder = BlockingEncoder()
    here, there = (
        JobRunner(make_context(home, encoder=encoder), describe_failure=describe_failure),
        Program(make_context(home)),
    )
    job = here.start(JobKind.PREREADING, {"topic": "the scanner froze in the cold"}, actor="Ada Berg")
    assert encoder.started.wait(20)
    job_data: dict[str, Any] = {}
    for _ in range(200):
        job_data = there.get(f"jobs/{job.id}").json()
        if job_data["progress"]["step"] == "embed":
            break
        time.sleep(0.02)
    assert (job_data["state"], job_data["by"], job_data["progress"]) == (
        "running", "Ada Berg", {"step": "embed", "done": 0, "total": 48},
    )  # fmt: skip
    encoder.released.set()
    assert wait_until_ended(here, job.id).state is JobState.FINISHED
    job_data = there.get(f"jobs/{job.id}").json()
    assert (job_data["state"], job_data["problem"]) == ("finished", None)
    assert there.get(f"prereadings/{job_data['prereading_id']}").status_code == 200
    assert here.find(job.id).parameters == {}, "parameters of a finished job are deleted"


def test_lost_job_is_reported_and_can_be_restarted(home: Path) -> None:
    clock = Clock()
    ctx = make_context(home, clock=clock)
    ctx.store.jobs.create(make_job("dead"))
    program = Program(ctx)
    assert program.get("jobs/dead").json()["state"] == "running"
    assert program.post("prereadings/jobs/dead/restart").status_code == 409
    clock.at += HEARTBEAT_TIMEOUT + dt.timedelta(seconds=1)
    job_data = program.get("jobs/dead").json()
    assert (job_data["state"], job_data["problem"]["type"]) == ("failed", "/api/v1/docs#problem-lost")
    assert program.post("runs/jobs/dead/restart").status_code == 404, "it is a pre-reading"
    restarted = program.post("prereadings/jobs/dead/restart")
    assert restarted.status_code == 202
    assert wait_until_ended(program.app.state.shared.network("default").jobs, restarted.json()["job_id"]).made
    listed = program.get("jobs", params={"limit": 1}).json()
    assert [item["job_id"] for item in listed["items"]] == [restarted.json()["job_id"]]
    assert [job["job_id"] for job in program.get("jobs", params={"cursor": listed["next_cursor"]}).json()["items"]] == [
        "dead"
    ]


def events_in(text: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for part in text.split("\n\n"):
        pairs = [line.partition(": ") for line in part.splitlines() if not line.startswith(":")]
        lines = {name: value for name, _, value in pairs}
        if "event" in lines:
            yield lines["id"], lines["event"], json.loads(lines["data"])


def test_job_stream_sends_progress_and_final_event_once(home: Path) -> None:
    program = Program(make_context(home))
    job = program.post("runs", json={"label": "2026Q4"}).json()
    stream = program.get(f"jobs/{job['job_id']}/events")
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert stream.text.startswith("retry: ")
    events = list(events_in(stream.text))
    assert [name for _, name, _ in events[:-1]] == ["progress"] * (len(events) - 1)
    last_id, name, data = events[-1]
    assert (name, data["state"], data["run"]["cases"]) == ("done", "finished", 48)
    resumed = program.get(f"jobs/{job['job_id']}/events", headers={"last-event-id": last_id})
    assert resumed.status_code == 204
    replayed = list(events_in(program.get(f"jobs/{job['job_id']}/events", headers={"last-event-id": "older"}).text))
    assert [name for _, name, _ in replayed] == ["done"]
    assert program.get("jobs/nothing/events").status_code == 404


def test_change_counters_survive_event_id_round_trip() -> None:
    marks = {"jobs": 3, "reviews": 0}
    assert decode_counters(encode_counters(marks)) == marks
    assert decode_counters("") == {}
    assert decode_counters("jobs-x.y") == {}


async def collect(streams: EventStreams, read_events: Any, *, n: int, last_id: str = "") -> list[str]:
    parts: list[str] = []
    async for part in streams.iterate(read_events, "ada", last_id):
        parts.append(part)
        if len(parts) == n:
            streams.close()
    return parts


def test_stream_resumes_after_last_event_and_ends_when_server_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("patternmind.web.event_streams.POLL_SECONDS", 0.0)
    requested_ids: list[str] = []

    def look(last_id: str) -> list[ServerSentEvent]:
        requested_ids.append(last_id)
        return [ServerSentEvent("2", "themes", {"at": 2})] if last_id == "1" else []

    parts = run_coroutine(collect(EventStreams(), look, n=2, last_id="1"))
    assert parts == ["retry: 2000\n\n", 'id: 2\nevent: themes\ndata: {"at": 2}\n\n']
    assert requested_ids[0] == "1"


def test_idle_stream_sends_keep_alive_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("patternmind.web.event_streams.POLL_SECONDS", 0.0)
    monkeypatch.setattr("patternmind.web.event_streams.KEEPALIVE_SECONDS", 0.0)

    def look(last_id: str) -> list[ServerSentEvent]:
        return []

    assert run_coroutine(collect(EventStreams(), look, n=2))[1] == ": keep-alive\n\n"


def test_streams_per_caller_are_limited(home: Path) -> None:
    program = Program(make_context(home))
    ctx: AppContext = program.app.state.shared.ctx
    ctx.store.jobs.create(replace(make_job("in progress"), beat_at=ctx.clock.now()))
    streams: EventStreams = program.app.state.shared.event_streams
    open_streams = [streams.track("default ") for _ in range(MAX_STREAMS_PER_CALLER)]
    for open_stream in open_streams:
        open_stream.__enter__()
    rejected = program.get("jobs/in progress/events")
    assert (rejected.status_code, rejected.headers["retry-after"]) == (429, "10")
    streams.check_limit("default another caller")
    open_streams[0].__exit__(None, None, None)
    streams.check_limit("default ")


def test_stopping_server_stores_unfinished_job_as_failed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("patternmind.jobs.runner.STOP_TIMEOUT_SECONDS", 0.05)
    encoder = BlockingEncoder()
    jobs = JobRunner(make_context(home, encoder=encoder), describe_failure=describe_failure)
    job = jobs.start(JobKind.PREREADING, {"topic": "scanner"}, actor="Ada")
    assert encoder.started.wait(20)
    jobs.stop()
    stored = make_context(home).store.jobs.get(job.id)
    assert (stored.state, stored.problem["status"]) == (JobState.FAILED, 503)
    encoder.released.set()


def test_unexpected_error_fails_job_without_exposing_message(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ValueError("text of a case")

    monkeypatch.setattr("patternmind.jobs.runner.JOB_HANDLERS", {JobKind.PREREADING: fail})
    jobs = JobRunner(make_context(home), describe_failure=describe_failure)
    failed = wait_until_ended(jobs, jobs.start(JobKind.PREREADING, {"topic": "x"}, actor="Ada").id)
    assert failed.problem["status"] == 500
    assert "text of a case" not in json.dumps(dict(failed.problem))
