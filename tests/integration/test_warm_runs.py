"""A run after few new cases continues the fits of the last one; one after many, or asked to, makes them anew."""

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
    """A vector nearer or farther from that of the text's last word, the same for the same text on every machine."""

    id = "subjects"
    dimensions = 32

    def encode(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        del progress
        own = np.array([self._drawn(text) for text in texts])
        rows = np.array([self._drawn(text.split()[-1]) for text in texts]) * (2.5 + np.tanh(own[:, :1])) + own
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    def _drawn(self, text: str) -> Any:
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")
        return np.random.default_rng(seed).standard_normal(self.dimensions)


def told(first: int, last: int, subjects: Sequence[str] = SUBJECTS) -> list[Case]:
    """Cases by number; ids in no order, as those of a real network are in none of time."""
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

    def take_in(self, cases: Sequence[Case]) -> None:
        self.store.save_cases([(build_submission(case.text, external_id=case.external_id), case) for case in cases])

    def run(self, **parameters: Any) -> RunRecord:
        self.clock.at += dt.timedelta(minutes=1)
        return run_pipeline(self.store, SubjectEncoder(), self.clock, RunParameters(draft=False, **parameters))

    def continued(self, run: RunRecord) -> str | None:
        return next((note for note in run.notes if note.startswith("Continued from")), None)

    def by_case(self) -> dict[str, str | None]:
        return {one.case_id: one.theme_id for one in self.store.assignments()}


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network after its first, full run; every test works on a copy of its own."""
    network = Network(tmp_path_factory.mktemp("begun"))
    network.take_in(told(0, N))
    assert network.continued(network.run()) is None
    network.store.close()
    return network.path


@pytest.fixture
def network(begun: Path, tmp_path: Path) -> Network:
    with closing(sqlite3.connect(begun)) as old, closing(sqlite3.connect(tmp_path / DATABASE_FILE)) as new:
        old.backup(new)
    return Network(tmp_path)


def test_a_few_new_cases_join_the_themes_there_are(network: Network) -> None:
    before, themes = network.by_case(), {theme.id for theme in network.store.themes()}
    new = told(N, N + 10)
    network.take_in(new)
    run = network.run()
    assert network.continued(run) == f"Continued from run-0001: 10 of {N + 10} cases are new or changed."
    after = network.by_case()
    assert {theme.id for theme in network.store.themes()} == themes
    assert np.mean([after[case_id] == theme for case_id, theme in before.items()]) > 0.98
    home = {case.text["problem"].split()[-1]: before[case.id] for case in told(0, N) if before[case.id]}
    assert np.mean([after[case.id] == home[case.text["problem"].split()[-1]] for case in new]) >= 0.7


def test_a_theme_born_among_the_new_cases_is_there_at_once(network: Network) -> None:
    themes = {theme.id for theme in network.store.themes()}
    born = told(N, N + 30, ["ferry"])
    network.take_in(born)
    assert network.continued(network.run())
    after = network.by_case()
    (found,) = {theme.id for theme in network.store.themes() if theme.case_ids} - themes
    assert np.mean([after[case.id] == found for case in born]) > 0.8


def test_drift_adds_up_until_a_full_fit_takes_it_in(network: Network) -> None:
    part = round(0.4 * MAX_DRIFT * N)
    runs: list[bool] = []
    for step in range(4):
        network.take_in(told(N + step * part, N + (step + 1) * part))
        runs.append(network.continued(network.run()) is not None)
    assert runs == [True, True, False, True]


def test_the_same_state_gives_the_same_themes_and_nothing_new_is_not_run(network: Network, tmp_path: Path) -> None:
    network.take_in(told(N, N + 10))
    with closing(sqlite3.connect(network.path)) as old, closing(sqlite3.connect(tmp_path / "again.db")) as new:
        old.backup(new)
    twin = Network(tmp_path)
    twin.store = SqlStore(tmp_path / "again.db")
    first, second = network.run(), twin.run()
    assert first.fingerprint == second.fingerprint
    assert network.store.themes() == twin.store.themes()
    assert network.store.assignments() == twin.store.assignments()
    assert network.run().id == first.id


def test_afresh_makes_all_fits_again_even_where_nothing_is_new(network: Network) -> None:
    before = network.store.assignments()
    run = network.run(from_scratch=True)
    assert (run.id, network.continued(run)) == ("run-0002", None)
    assert [(one.case_id, one.theme_id, one.strength) for one in network.store.assignments()] == [
        (one.case_id, one.theme_id, one.strength) for one in before
    ]
    assert network.run().id == run.id


@pytest.mark.parametrize("parameters", [{"seed": 1}, {"lens": "problem"}, {"level": "area"}, {"engine": "hdbscan"}])
def test_a_run_of_another_kind_continues_nothing(network: Network, parameters: dict[str, Any]) -> None:
    network.take_in(told(N, N + 10))
    assert network.continued(network.run(**parameters)) is None


@pytest.mark.parametrize(
    "body", [b"", b"no zlib", zlib.compress(b"no arrays"), None], ids=["empty", "no zlib", "no arrays", "cut"]
)
def test_fits_that_cannot_be_read_are_made_anew(network: Network, body: bytes | None) -> None:
    with closing(sqlite3.connect(network.path)) as connection, connection:
        whole = connection.execute("SELECT body FROM fits").fetchone()[0]
        connection.execute("UPDATE fits SET body = ?", (whole[: len(whole) // 2] if body is None else body,))
    network.take_in(told(N, N + 10))
    run = network.run()
    assert (run.state, network.continued(run)) == ("finished", None)
    network.take_in(told(N + 10, N + 12))
    assert network.continued(network.run())


def test_what_is_kept_holds_no_word_and_no_id_of_a_case(network: Network) -> None:
    with closing(sqlite3.connect(network.path)) as connection:
        body = zlib.decompress(connection.execute("SELECT body FROM fits").fetchone()[0])
    assert b"Story" not in body
    assert not any(case.id.encode() in body for case in told(0, N))
