"""Tests of warm runs: few new cases extend the last fits; many new cases need a full fit."""

import datetime as dt
import hashlib
import sqlite3
import zlib
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.fixtures.builders import NOON, build_case, build_submission

from patternmind.bootstrap import DATABASE_FILE
from patternmind.clock import FixedClock
from patternmind.clustering.warm_start import MAX_DRIFT, MIN_ROWS
from patternmind.domain.cases import Case
from patternmind.domain.themes import Vectors
from patternmind.pipeline import run_pipeline
from patternmind.ports import Progress, RunParameters, RunRecord
from patternmind.storage import SqlStore

N = MIN_ROWS + 50
SUBJECTS = ("scanner", "pallet", "login", "pump", "invoice", "ladder", "heater", "roster", "label", "gasket")


class SubjectEncoder:
    """Encoder with vectors near that of the last word, the same on every machine."""

    id = "subjects"
    dimensions = 32

    def encode(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        del progress
        text_vectors = np.array([self._random_vector(text) for text in texts])
        rows = (
            np.array([self._random_vector(text.split()[-1]) for text in texts]) * (2.5 + np.tanh(text_vectors[:, :1]))
            + text_vectors
        )
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    def _random_vector(self, text: str) -> Any:
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")
        return np.random.default_rng(seed).standard_normal(self.dimensions)


def build_cases(first: int, last: int, subjects: Sequence[str] = SUBJECTS) -> list[Case]:
    """Return cases by number; ids are in random order, as in a real network."""
    return [
        build_case(
            f"c-{hashlib.sha256(str(number).encode()).hexdigest()[:10]}",
            {"problem": f"Story {number} of the {subjects[number % len(subjects)]}"},
            content_hash=str(number),
        )
        for number in range(first, last)
    ]


class Network:
    def __init__(self, folder: Path) -> None:
        self.path = folder / DATABASE_FILE
        self.store = SqlStore(self.path)
        self.clock = FixedClock(NOON)

    def save(self, cases: Sequence[Case]) -> None:
        self.store.cases.save_all([(build_submission(case.text, external_id=case.external_id), case) for case in cases])

    def run(self, **parameters: Any) -> RunRecord:
        self.clock.at += dt.timedelta(minutes=1)
        return run_pipeline(self.store, SubjectEncoder(), self.clock, RunParameters(draft=False, **parameters))

    def warm_start_note(self, run: RunRecord) -> str | None:
        return next((note for note in run.notes if note.startswith("Continued from")), None)

    def theme_by_case(self) -> dict[str, str | None]:
        return {assignment.case_id: assignment.theme_id for assignment in self.store.runs.assignments()}


@pytest.fixture(scope="module")
def first_network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run a network for the first time; every test uses a copy of it."""
    network = Network(tmp_path_factory.mktemp("first"))
    network.save(build_cases(0, N))
    assert network.warm_start_note(network.run()) is None
    network.store.close()
    return network.path


@pytest.fixture
def network(first_network: Path, tmp_path: Path) -> Network:
    with closing(sqlite3.connect(first_network)) as old, closing(sqlite3.connect(tmp_path / DATABASE_FILE)) as new:
        old.backup(new)
    return Network(tmp_path)


def test_warm_run_adds_new_cases_to_existing_themes(network: Network) -> None:
    before, themes = network.theme_by_case(), {theme.id for theme in network.store.themes.list_all()}
    new = build_cases(N, N + 10)
    network.save(new)
    run = network.run()
    assert network.warm_start_note(run) == f"Continued from run-0001: 10 of {N + 10} cases are new or changed."
    after = network.theme_by_case()
    assert {theme.id for theme in network.store.themes.list_all()} == themes
    assert np.mean([after[case_id] == theme for case_id, theme in before.items()]) > 0.98
    theme_by_subject = {
        case.text["problem"].split()[-1]: before[case.id] for case in build_cases(0, N) if before[case.id]
    }
    assert np.mean([after[case.id] == theme_by_subject[case.text["problem"].split()[-1]] for case in new]) >= 0.7


def test_warm_run_finds_a_theme_of_new_cases_at_once(network: Network) -> None:
    themes = {theme.id for theme in network.store.themes.list_all()}
    new_cases = build_cases(N, N + 30, ["ferry"])
    network.save(new_cases)
    assert network.warm_start_note(network.run())
    after = network.theme_by_case()
    (new_theme,) = {theme.id for theme in network.store.themes.list_all() if theme.case_ids} - themes
    assert np.mean([after[case.id] == new_theme for case in new_cases]) > 0.8


def test_warm_runs_accumulate_drift_until_a_full_fit(network: Network) -> None:
    n_new = round(0.4 * MAX_DRIFT * N)
    is_warm: list[bool] = []
    for step in range(4):
        network.save(build_cases(N + step * n_new, N + (step + 1) * n_new))
        is_warm.append(network.warm_start_note(network.run()) is not None)
    assert is_warm == [True, True, False, True]


def test_warm_run_is_reproducible_and_skipped_without_changes(network: Network, tmp_path: Path) -> None:
    network.save(build_cases(N, N + 10))
    with closing(sqlite3.connect(network.path)) as old, closing(sqlite3.connect(tmp_path / "again.db")) as new:
        old.backup(new)
    twin = Network(tmp_path)
    twin.store = SqlStore(tmp_path / "again.db")
    first, second = network.run(), twin.run()
    assert first.fingerprint == second.fingerprint
    assert network.store.themes.list_all() == twin.store.themes.list_all()
    assert network.store.runs.assignments() == twin.store.runs.assignments()
    assert network.run().id == first.id


def test_run_from_scratch_makes_all_fits_again(network: Network) -> None:
    before = network.store.runs.assignments()
    run = network.run(from_scratch=True)
    assert (run.id, network.warm_start_note(run)) == ("run-0002", None)
    assert [
        (assignment.case_id, assignment.theme_id, assignment.strength)
        for assignment in network.store.runs.assignments()
    ] == [(assignment.case_id, assignment.theme_id, assignment.strength) for assignment in before]
    assert network.run().id == run.id


@pytest.mark.parametrize("parameters", [{"seed": 1}, {"lens": "problem"}, {"level": "area"}, {"engine": "hdbscan"}])
def test_run_with_other_parameters_is_not_warm(network: Network, parameters: dict[str, Any]) -> None:
    network.save(build_cases(N, N + 10))
    assert network.warm_start_note(network.run(**parameters)) is None


@pytest.mark.parametrize(
    "body", [b"", b"no zlib", zlib.compress(b"no arrays"), None], ids=["empty", "no zlib", "no arrays", "cut"]
)
def test_unreadable_fits_are_computed_again(network: Network, body: bytes | None) -> None:
    with closing(sqlite3.connect(network.path)) as connection, connection:
        stored_body = connection.execute("SELECT body FROM fits").fetchone()[0]
        connection.execute(
            "UPDATE fits SET body = ?", (stored_body[: len(stored_body) // 2] if body is None else body,)
        )
    network.save(build_cases(N, N + 10))
    run = network.run()
    assert (run.state, network.warm_start_note(run)) == ("finished", None)
    network.save(build_cases(N + 10, N + 12))
    assert network.warm_start_note(network.run())


def test_stored_fits_contain_no_text_and_no_case_id(network: Network) -> None:
    with closing(sqlite3.connect(network.path)) as connection:
        body = zlib.decompress(connection.execute("SELECT body FROM fits").fetchone()[0])
    assert b"Story" not in body
    assert not any(case.id.encode() in body for case in build_cases(0, N))
