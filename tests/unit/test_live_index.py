"""Vectors held in memory answer as a search through all rows does, after every write, in every process."""

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.builders import NOON, a_case, a_submission

from patternmind.adapters.hashing_encoder import HashingEncoder
from patternmind.adapters.index import ExactIndex
from patternmind.adapters.live_index import LiveIndex
from patternmind.adapters.store import SqlStore
from patternmind.model.cases import Case, Kind
from patternmind.ports import Retelling
from patternmind.verbs.search import index_vectors

WORDS = "dock pump night scanner door invoice gasket ramp label shift board card".split()
STAY = Retelling(theme=lambda one: one, name=str, words=str, draft=lambda draft, log: (draft, log))
ENCODER = HashingEncoder()


def some_cases(n: int, draw: random.Random, *, start: int = 0) -> list[Case]:
    return [
        a_case(
            f"{'r' if number % 5 == 0 else 'c'}-{number:03d}",
            " ".join(draw.choices(WORDS, k=6)),
            kind=Kind.RECAP if number % 5 == 0 else Kind.CASE,
        )
        for number in range(start, start + n)
    ]


def save(store: SqlStore, cases: list[Case]) -> None:
    store.save_cases([(a_submission(case.text), case) for case in cases])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "patternmind.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqlStore]:
    store = SqlStore(path)
    yield store
    store.close()


def check(store: SqlStore, live: LiveIndex) -> None:
    """The same hits as of an index over all rows, of each kind and of any number."""
    oracle = ExactIndex(*index_vectors(store, ENCODER))
    for query in ENCODER.encode(["pump door", "night shift board", "gasket"]):
        for kind in (None, *Kind):
            for k in (1, 7, 500):
                assert live.search(query, k, kind=kind) == oracle.search(query, k, kind=kind)


def test_every_write_of_another_process_is_seen_by_the_next_search(store: SqlStore, path: Path) -> None:
    draw = random.Random(3)
    live = LiveIndex(store, lambda: ENCODER)
    check(store, live)
    other = SqlStore(path)
    save(other, some_cases(40, draw))
    check(store, live)
    save(other, some_cases(3, draw, start=40))
    check(store, live)
    save(other, some_cases(5, draw))  # other texts under known ids
    check(store, live)
    other.forget_case("c-003", STAY, kept_vectors=(), by="Ada", at=NOON)
    check(store, live)
    save(other, some_cases(1, draw, start=99))
    check(store, live)
    other.close()


def test_more_cases_than_there_was_room_for(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("patternmind.adapters.live_index.SPARE", 2)
    draw = random.Random(4)
    live = LiveIndex(store, lambda: ENCODER)
    for start in (0, 3, 20, 21, 22, 60):
        save(store, some_cases(12, draw, start=start))
        check(store, live)


def test_equal_scores_are_in_the_order_of_ids(store: SqlStore) -> None:
    save(store, [a_case(id, "The same words.") for id in ("c-3", "c-1", "c-2")])
    found = LiveIndex(store, lambda: ENCODER).search(ENCODER.encode(["The same words."])[0], 2)
    assert [hit.case_id for hit in found] == ["c-1", "c-2"]


def test_without_a_run_no_case_has_neighbours(store: SqlStore) -> None:
    save(store, some_cases(4, random.Random(1)))
    assert LiveIndex(store, lambda: ENCODER).neighbours("c-001", 3) == []


def test_vectors_are_whole_numbers_in_memory(store: SqlStore) -> None:
    save(store, some_cases(4, random.Random(1)))
    live = LiveIndex(store, lambda: ENCODER)
    live.search(ENCODER.encode(["pump"])[0], 1)
    assert live._table is not None  # pyright: ignore[reportPrivateUsage]
    grid = live._table.grid  # pyright: ignore[reportPrivateUsage]
    assert np.array_equal(grid, np.rint(grid))
