"""Proof that the same cases give the same vectors and assignments.

This holds for any order, number of imports and number of threads, and after interruptions.
"""

import random
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.commands import CommandRunner, write_rows
from tests.fixtures.corpora import corpus_path, corpus_rows
from tests.fixtures.run_outcome import count_rows, vectors_of

from patternmind.embedding.vectors import EMBEDDING_CHUNK_SIZE

pytestmark = pytest.mark.prove

SLICE = 300
"""Number of rows of the variants; the whole corpus runs once."""

SHORT_ROWS = 4 * EMBEDDING_CHUNK_SIZE


def test_determinism_of_repeated_runs(tmp_path: Path) -> None:
    """A run takes under a minute, and a repetition gives the same bytes in seconds."""
    patternmind = CommandRunner(tmp_path / "home")
    lessons = corpus_path("lessons")
    assert patternmind("ingest", lessons, "--json").json()["accepted"] == 1053
    assert patternmind("ingest", lessons, "--json").json()["unchanged"] == 1053
    first = patternmind("run", "--json", seconds=1200, measured=True)
    assignments = patternmind("export", "assignments")
    again = patternmind("run", "--json")
    print(f"\nlessons: {first.seconds:.1f} s, {first.peak_mb:.0f} MB, again {again.seconds:.1f} s; {first.json()}")
    rows = assignments.rows()
    assert len(rows) == 1053 == len({row["case_id"] for row in rows})
    assert all((row["theme_id"] is None) == (row["area_id"] is None) for row in rows)
    assert patternmind("export", "assignments").out == assignments.out
    # Another label is another run: everything except the vectors is computed again.
    vectors = vectors_of(patternmind.home)
    other_label = patternmind("run", "--label", "again", "--json", measured=True)
    assert other_label.json()["run_id"] != first.json()["run_id"]
    assert patternmind("export", "assignments").out == assignments.out
    assert vectors_of(patternmind.home) == vectors
    print(f"computed again without embedding: {other_label.seconds:.1f} s")
    assert other_label.seconds < 15
    assert again.seconds < 10
    assert first.peak_mb < 1500
    assert first.seconds < 60


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return corpus_rows("lessons")[:SLICE]


@pytest.fixture(scope="module")
def reference(rows: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> CommandRunner:
    """Import once and run once on two threads."""
    runner = CommandRunner(tmp_path_factory.mktemp("plain") / "home").with_env(
        OMP_NUM_THREADS="2", OPENBLAS_NUM_THREADS="2"
    )
    return _import_and_run(runner, [rows])


def _import_and_run(patternmind: CommandRunner, parts: Sequence[list[dict[str, Any]]]) -> CommandRunner:
    patternmind.home.parent.mkdir(parents=True, exist_ok=True)
    for number, part in enumerate(parts):
        file = write_rows(patternmind.home.parent / f"part-{number}.jsonl", part)
        assert patternmind("ingest", file, "--json").json()["accepted"] == len(part)
    assert patternmind("run", "--json", seconds=1200).code == 0
    return patternmind


def _is_same_outcome(first: CommandRunner, second: CommandRunner) -> bool:
    has_same_assignments = first("export", "assignments").out == second("export", "assignments").out
    return has_same_assignments and vectors_of(first.home) == vectors_of(second.home)


def test_determinism_with_shuffled_input(rows: list[dict[str, Any]], reference: CommandRunner, tmp_path: Path) -> None:
    shuffled = random.Random(3).sample(rows, len(rows))
    assert _is_same_outcome(reference, _import_and_run(CommandRunner(tmp_path / "home"), [shuffled]))


def test_determinism_with_five_imports(rows: list[dict[str, Any]], reference: CommandRunner, tmp_path: Path) -> None:
    parts = [rows[start::5] for start in range(5)]
    assert _is_same_outcome(reference, _import_and_run(CommandRunner(tmp_path / "home"), parts))


def test_determinism_with_a_single_thread(rows: list[dict[str, Any]], reference: CommandRunner, tmp_path: Path) -> None:
    runner = CommandRunner(tmp_path / "home").with_env(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    assert _is_same_outcome(reference, _import_and_run(runner, [rows]))


@pytest.fixture(scope="module")
def rows_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rows(tmp_path_factory.mktemp("many") / "rows.jsonl", corpus_rows("banking77")[:SHORT_ROWS])


@pytest.fixture(scope="module")
def reference_run(rows_file: Path, tmp_path_factory: pytest.TempPathFactory) -> CommandRunner:
    patternmind = CommandRunner(tmp_path_factory.mktemp("undisturbed") / "home")
    assert patternmind("ingest", rows_file).code == 0
    assert patternmind("run", "--no-draft", seconds=1200).code == 0
    return patternmind


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_determinism_after_an_interrupted_embedding(
    stop: signal.Signals, rows_file: Path, reference_run: CommandRunner, tmp_path: Path
) -> None:
    """The run stops after some of the vectors; short texts make several commits."""
    patternmind = CommandRunner(tmp_path / "home")
    assert patternmind("ingest", rows_file).code == 0
    with patternmind.start("run", "--no-draft") as process:
        while process.poll() is None and count_rows(patternmind.home, "vector") < EMBEDDING_CHUNK_SIZE:
            time.sleep(0.01)
        process.send_signal(stop)
        code = process.wait(60)
    stored_vectors = vectors_of(patternmind.home)
    assert patternmind("run", "--no-draft", "--json", seconds=1200).json()["cases"] == SHORT_ROWS

    print(
        f"\n{stop.name}: exit {code}, {len(stored_vectors)} of {len(vectors_of(patternmind.home))} vectors were stored"
    )
    assert code == (130 if stop == signal.SIGINT else -stop)
    assert EMBEDDING_CHUNK_SIZE <= len(stored_vectors) < len(vectors_of(patternmind.home))
    assert _is_same_outcome(reference_run, patternmind)
