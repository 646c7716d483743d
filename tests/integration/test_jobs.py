"""Long work is written down: every process sees it, a dead process's job says so, and events tell of it once."""

import asyncio
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
from tests.fixtures.networks import the_cases

from patternmind.bootstrap import AppContext
from patternmind.domain.cases import CaseKind
from patternmind.domain.jobs import (
    HEARTBEAT_TIMEOUT,
    Job,
    JobKind,
    JobState,
)
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


def a_job(id: str = "j-1", **known: Any) -> Job:
    given: dict[str, Any] = {"kind": JobKind.PREREADING, "by": "Ada Berg", "asked": {"topic": "pallets"}, **known}
    return Job(id=id, started_at=NOON, beat_at=given.pop("beat_at", NOON), **given)


@pytest.fixture
def store(tmp_path: Path) -> SqlStore:
    return SqlStore(tmp_path / "patternmind.db")


def test_a_job_reads_back_as_it_was_written(store: SqlStore) -> None:
    job = a_job()
    store.create_job(job)
    assert store.job("j-1") == job
    ended = replace(
        job, state=JobState.FINISHED, finished_at=NOON, made="d-1", notes=("Made with no AI used.",), step="prepare",
        n_done=1, n_total=1,
    )  # fmt: skip
    store.update_job(ended)
    assert store.job("j-1") == ended
    with pytest.raises(NotFound):
        store.job("j-2")


def test_jobs_come_newest_first_of_a_kind_and_page_by_page(store: SqlStore) -> None:
    for n in range(5):
        store.create_job(a_job(f"j-{n}", kind=JobKind.RUN if n == 2 else JobKind.PREREADING))
    assert [job.id for job in store.jobs(limit=2)] == ["j-4", "j-3"]
    assert [job.id for job in store.jobs(before="j-3", limit=2)] == ["j-2", "j-1"]
    assert [job.id for job in store.jobs(kind=JobKind.RUN)] == ["j-2"]


def test_a_second_run_waits_for_the_first_unless_that_shows_no_sign_of_life(store: SqlStore) -> None:
    store.create_job(a_job("first", kind=JobKind.RUN))
    with pytest.raises(RunInProgress, match="job first"):
        store.create_job(a_job("second", kind=JobKind.RUN))
    store.create_job(a_job("third", kind=JobKind.PREREADING))
    later = NOON + HEARTBEAT_TIMEOUT + dt.timedelta(seconds=1)
    assert store.job("first").as_of(later).state is JobState.LOST
    store.record_heartbeat(["first"], later)
    assert store.job("first").as_of(later).state is JobState.RUNNING
    much_later = later + HEARTBEAT_TIMEOUT + dt.timedelta(seconds=1)
    store.create_job(replace(a_job("second", kind=JobKind.RUN), started_at=much_later))


def test_what_ended_long_ago_is_forgotten_and_what_runs_is_not(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("patternmind.storage.repositories.jobs.MAX_ENDED_JOBS", 3)
    store.create_job(a_job("running"))
    for n in range(6):
        store.create_job(a_job(f"j-{n}", state=JobState.FINISHED))
    assert [job.id for job in store.jobs()] == ["j-5", "j-4", "j-3", "running"]


def test_every_change_moves_a_mark_and_only_its_own(store: SqlStore) -> None:
    before = store.change_counters()
    store.create_job(a_job())
    begun = store.change_counters()
    store.update_job(a_job(step="embed"))
    assert begun == {**before, "jobs": before["jobs"] + 1}
    assert store.change_counters()["jobs"] == begun["jobs"] + 1


class Slow(HashingEncoder):
    """Waits in the midst of its work until it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.go_on = threading.Event(), threading.Event()

    def encode(self, texts: Any, *, progress: Any = None) -> Any:
        if progress:
            progress("embed", 0, len(texts))
        self.asked.set()
        assert self.go_on.wait(20)
        return super().encode(texts, progress=progress)


def a_house(home: Path, *, encoder: Any = None, clock: Any = None) -> AppContext:
    return AppContext(Settings(home=home), encoder=encoder or HashingEncoder(), clock=clock)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    house = a_house(tmp_path / "home")
    assert import_files(house.store, [write_rows(tmp_path / "c.jsonl", list(the_cases()))], kind=CaseKind.CASE).accepted
    return tmp_path / "home"


def ended(jobs: JobRunner, job_id: str) -> Job:
    for _ in range(600):
        if (found := jobs.find(job_id)).has_ended:
            return found
        time.sleep(0.02)
    raise AssertionError("the job did not end")


def test_another_process_sees_how_far_a_job_is_and_what_came_of_it(home: Path) -> None:
    encoder = Slow()
    here, there = JobRunner(a_house(home, encoder=encoder), describe_failure=describe_failure), Program(a_house(home))
    job = here.start(JobKind.PREREADING, {"topic": "the scanner froze in the cold"}, actor="Ada Berg")
    assert encoder.asked.wait(20)
    told: dict[str, Any] = {}
    for _ in range(200):
        told = there.get(f"jobs/{job.id}").json()
        if told["progress"]["step"] == "embed":
            break
        time.sleep(0.02)
    assert (told["state"], told["by"], told["progress"]) == (
        "running", "Ada Berg", {"step": "embed", "done": 0, "total": 48},
    )  # fmt: skip
    encoder.go_on.set()
    assert ended(here, job.id).state is JobState.FINISHED
    told = there.get(f"jobs/{job.id}").json()
    assert (told["state"], told["problem"]) == ("finished", None)
    assert there.get(f"prereadings/{told['prereading_id']}").status_code == 200
    assert here.find(job.id).asked == {}, "what was asked for is no longer needed, and not kept"


def test_a_job_whose_process_died_says_so_and_can_be_started_again(home: Path) -> None:
    clock = Clock()
    house = a_house(home, clock=clock)
    house.store.create_job(a_job("dead"))
    program = Program(house)
    assert program.get("jobs/dead").json()["state"] == "running"
    assert program.post("prereadings/jobs/dead/restart").status_code == 409
    clock.at += HEARTBEAT_TIMEOUT + dt.timedelta(seconds=1)
    told = program.get("jobs/dead").json()
    assert (told["state"], told["problem"]["type"]) == ("failed", "/api/v1/docs#problem-lost")
    assert program.post("runs/jobs/dead/restart").status_code == 404, "it is no run"
    again = program.post("prereadings/jobs/dead/restart")
    assert again.status_code == 202
    assert ended(program.app.state.shared.network("default").jobs, again.json()["job_id"]).made
    listed = program.get("jobs", params={"limit": 1}).json()
    assert [one["job_id"] for one in listed["items"]] == [again.json()["job_id"]]
    assert [one["job_id"] for one in program.get("jobs", params={"cursor": listed["next_cursor"]}).json()["items"]] == [
        "dead"
    ]


def events_in(text: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for part in text.split("\n\n"):
        pairs = [line.partition(": ") for line in part.splitlines() if not line.startswith(":")]
        lines = {name: value for name, _, value in pairs}
        if "event" in lines:
            yield lines["id"], lines["event"], json.loads(lines["data"])


def test_a_job_is_told_as_it_goes_on_until_its_end_and_the_end_only_once(home: Path) -> None:
    program = Program(a_house(home))
    job = program.post("runs", json={"label": "2026Q4"}).json()
    stream = program.get(f"jobs/{job['job_id']}/events")
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert stream.text.startswith("retry: ")
    told = list(events_in(stream.text))
    assert [name for _, name, _ in told[:-1]] == ["progress"] * (len(told) - 1)
    last_id, name, data = told[-1]
    assert (name, data["state"], data["run"]["cases"]) == ("done", "finished", 48)
    again = program.get(f"jobs/{job['job_id']}/events", headers={"last-event-id": last_id})
    assert again.status_code == 204
    anew = list(events_in(program.get(f"jobs/{job['job_id']}/events", headers={"last-event-id": "older"}).text))
    assert [one[1] for one in anew] == ["done"]
    assert program.get("jobs/nothing/events").status_code == 404


def test_changes_are_told_after_the_last_one_that_was_seen() -> None:
    marks = {"jobs": 3, "reviews": 0}
    assert decode_counters(encode_counters(marks)) == marks
    assert decode_counters("") == {}
    assert decode_counters("jobs-x.y") == {}


async def collect(streams: EventStreams, look: Any, *, n: int, last_id: str = "") -> list[str]:
    told: list[str] = []
    async for part in streams.iterate(look, "ada", last_id):
        told.append(part)
        if len(told) == n:
            streams.close()
    return told


def test_a_stream_goes_on_after_what_was_seen_and_ends_when_the_server_stops(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("patternmind.web.event_streams.POLL_SECONDS", 0.0)
    seen: list[str] = []

    def look(last_id: str) -> list[ServerSentEvent]:
        seen.append(last_id)
        return [ServerSentEvent("2", "themes", {"at": 2})] if last_id == "1" else []

    told = asyncio.run(collect(EventStreams(), look, n=2, last_id="1"))
    assert told == ["retry: 2000\n\n", 'id: 2\nevent: themes\ndata: {"at": 2}\n\n']
    assert seen[0] == "1"


def test_a_quiet_stream_says_that_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("patternmind.web.event_streams.POLL_SECONDS", 0.0)
    monkeypatch.setattr("patternmind.web.event_streams.KEEPALIVE_SECONDS", 0.0)

    def look(last_id: str) -> list[ServerSentEvent]:
        return []

    assert asyncio.run(collect(EventStreams(), look, n=2))[1] == ": keep-alive\n\n"


def test_a_caller_has_so_many_streams_and_no_more_until_one_ends(home: Path) -> None:
    program = Program(a_house(home))
    house: AppContext = program.app.state.shared.ctx
    house.store.create_job(replace(a_job("goes on"), beat_at=house.clock.now()))
    streams: EventStreams = program.app.state.shared.event_streams
    held = [streams.track("default ") for _ in range(MAX_STREAMS_PER_CALLER)]
    for one in held:
        one.__enter__()
    refused = program.get("jobs/goes on/events")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "10")
    streams.check_limit("default somebody else")
    held[0].__exit__(None, None, None)
    streams.check_limit("default ")


def test_a_server_that_stops_writes_down_what_it_did_not_finish(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("patternmind.jobs.runner.STOP_TIMEOUT_SECONDS", 0.05)
    encoder = Slow()
    jobs = JobRunner(a_house(home, encoder=encoder), describe_failure=describe_failure)
    job = jobs.start(JobKind.PREREADING, {"topic": "scanner"}, actor="Ada")
    assert encoder.asked.wait(20)
    jobs.stop()
    told = a_house(home).store.job(job.id)
    assert (told.state, told.problem["status"]) == (JobState.FAILED, 503)
    encoder.go_on.set()


def test_a_failure_nobody_expected_ends_the_job_without_its_words(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ValueError("text of a case")

    monkeypatch.setattr("patternmind.jobs.runner.JOB_HANDLERS", {JobKind.PREREADING: fail})
    jobs = JobRunner(a_house(home), describe_failure=describe_failure)
    told = ended(jobs, jobs.start(JobKind.PREREADING, {"topic": "x"}, actor="Ada").id)
    assert told.problem["status"] == 500
    assert "text of a case" not in json.dumps(dict(told.problem))
