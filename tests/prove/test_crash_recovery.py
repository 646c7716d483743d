"""A process killed at any moment of a run or an ingest loses nothing, doubles nothing, and changes no result."""

import random
import shutil
import time
from pathlib import Path

import pytest
from tests.fixtures.commands import CommandRunner, write_rows
from tests.fixtures.corpora import corpus_rows
from tests.fixtures.run_outcome import (
    count_rows,
    outcome_of,
    passes_integrity_check,
    vectors_of,
)

pytestmark = pytest.mark.prove

ROWS = 2000
KILLS = 20


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rows(tmp_path_factory.mktemp("rows") / "cases.jsonl", corpus_rows("banking77")[:ROWS])


@pytest.fixture(scope="module")
def ingested(tmp_path_factory: pytest.TempPathFactory, file: Path) -> Path:
    home = tmp_path_factory.mktemp("ingested")
    assert CommandRunner(home)("ingest", file, "--json").json()["accepted"] == ROWS
    return home


def test_run_killed_twenty_times_gives_the_same_result(ingested: Path, tmp_path: Path) -> None:
    """Each kill on a fresh copy, at a moment of its twentieth of an undisturbed run; then the next run is judged."""
    calm = CommandRunner(Path(shutil.copytree(ingested, tmp_path / "calm")))
    took = calm("run", "--json").seconds
    wanted, wanted_vectors = outcome_of(calm), vectors_of(calm.home)
    draw = random.Random(4)
    killed = 0
    for number in range(KILLS):
        disturbed = CommandRunner(Path(shutil.copytree(ingested, tmp_path / f"kill-{number}")))
        with disturbed.start("run") as process:
            time.sleep(took * (number + draw.random()) / KILLS)
            killed += process.poll() is None
            process.kill()
            process.wait()
        assert passes_integrity_check(disturbed.home)
        assert count_rows(disturbed.home, "case") == ROWS
        assert disturbed("run", "--json").json()["cases"] == ROWS
        assert outcome_of(disturbed) == wanted
        assert vectors_of(disturbed.home) == wanted_vectors
        shutil.rmtree(disturbed.home)
    print(f"\nkilled in flight: {killed} of {KILLS}, over {took:.1f} s")
    assert killed >= KILLS * 0.8


def test_killed_import_loses_and_duplicates_no_case(file: Path, ingested: Path, tmp_path: Path) -> None:
    wanted = CommandRunner(ingested)("export", "cases").out
    draw = random.Random(5)
    for number in range(8):
        disturbed = CommandRunner(tmp_path / f"ingest-{number}")
        with disturbed.start("ingest", file) as process:
            time.sleep(draw.uniform(0.1, 1.5))
            process.kill()
            process.wait()
        report = disturbed("ingest", file, "--json").json()
        assert report["accepted"] + report["unchanged"] == ROWS
        # Contributors are hashed with a key of the data folder's own; this file names none, so exports are equal.
        assert disturbed("export", "cases").out == wanted
        assert passes_integrity_check(disturbed.home)
