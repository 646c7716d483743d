"""Proof of crash recovery: a killed run or import loses no case, duplicates no case and changes no result."""

import random
import shutil
import time
from pathlib import Path

import pytest
from tests.fixtures.commands import CommandRunner, write_rows
from tests.fixtures.corpora import corpus_rows
from tests.fixtures.run_outcome import count_rows, outcome_of, passes_integrity_check, vectors_of

pytestmark = pytest.mark.prove

ROWS = 2000
KILLS = 20


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rows(tmp_path_factory.mktemp("rows") / "cases.jsonl", corpus_rows("banking77")[:ROWS])


@pytest.fixture(scope="module")
def imported_home(tmp_path_factory: pytest.TempPathFactory, file: Path) -> Path:
    home = tmp_path_factory.mktemp("imported")
    assert CommandRunner(home)("ingest", file, "--json").json()["accepted"] == ROWS
    return home


def test_run_killed_twenty_times_gives_the_same_result(imported_home: Path, tmp_path: Path) -> None:
    """Kill one run in each twentieth of the run time, and check the next run."""
    undisturbed = CommandRunner(Path(shutil.copytree(imported_home, tmp_path / "calm")))
    run_seconds = undisturbed("run", "--json").seconds
    expected, expected_vectors = outcome_of(undisturbed), vectors_of(undisturbed.home)
    draw = random.Random(4)
    n_killed = 0
    for number in range(KILLS):
        disturbed = CommandRunner(Path(shutil.copytree(imported_home, tmp_path / f"kill-{number}")))
        with disturbed.start("run") as process:
            time.sleep(run_seconds * (number + draw.random()) / KILLS)
            n_killed += process.poll() is None
            process.kill()
            process.wait()
        assert passes_integrity_check(disturbed.home)
        assert count_rows(disturbed.home, "case") == ROWS
        assert disturbed("run", "--json").json()["cases"] == ROWS
        assert outcome_of(disturbed) == expected
        assert vectors_of(disturbed.home) == expected_vectors
        shutil.rmtree(disturbed.home)
    print(f"\nkilled in flight: {n_killed} of {KILLS}, over {run_seconds:.1f} s")
    assert n_killed >= KILLS * 0.8


def test_killed_import_loses_and_duplicates_no_case(file: Path, imported_home: Path, tmp_path: Path) -> None:
    expected = CommandRunner(imported_home)("export", "cases").out
    draw = random.Random(5)
    for number in range(8):
        disturbed = CommandRunner(tmp_path / f"ingest-{number}")
        with disturbed.start("ingest", file) as process:
            time.sleep(draw.uniform(0.1, 1.5))
            process.kill()
            process.wait()
        report = disturbed("ingest", file, "--json").json()
        assert report["accepted"] + report["unchanged"] == ROWS
        # Contributors are hashed with a key of the data folder; this file has no contributors, so exports are equal.
        assert disturbed("export", "cases").out == expected
        assert passes_integrity_check(disturbed.home)
