"""Vectors held in memory answer as a search through all rows does, after every write, in every process."""

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.fixtures.builders import NOON, build_case, build_submission

from patternmind.domain.cases import Case, CaseKind
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.ports import TextRewrite
from patternmind.services.search import embed_all_cases
from patternmind.storage import SqlStore
from patternmind.storage.search.chroma import ExactIndex
from patternmind.storage.search.in_memory import InMemoryIndex

WORDS = "dock pump night scanner door invoice gasket ramp label shift board card".split()
STAY = TextRewrite(rewrite_theme=lambda one: one, rewrite_name=str, rewrite_text=str, rewrite_draft=lambda draft, log: (draft, log))
ENCODER = HashingEncoder()


def some_cases(n: int, draw: random.Random, *, start: int = 0) -> list[Case]:
    return [
        build_case(
            f"{'r' if number % 5 == 0 else 'c'}-{number:03d}",
            " ".join(draw.choices(WORDS, k=6)),
            kind=CaseKind.RECAP if number % 5 == 0 else CaseKind.CASE,
        )
        for number in range(start, start + n)
    ]


def save(store: SqlStore, cases: list[Case]) -> None:
    store.save_cases([(build_submission(case.text), case) for case in cases])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "patternmind.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqlStore]:
    store = SqlStore(path)
    yield store
    store.close()


def check(store: SqlStore, live: InMemoryIndex) -> None:
    """The same hits as of an index over all rows, of each kind and of any number."""
    oracle = ExactIndex(*embed_all_cases(store, ENCODER))
    for query in ENCODER.encode(["pump door", "night shift board", "gasket"]):
        for kind in (None, *CaseKind):
            for k in (1, 7, 500):
                assert live.search(query, k, kind=kind) == oracle.search(query, k, kind=kind)


def test_every_write_of_another_process_is_seen_by_the_next_search(store: SqlStore, path: Path) -> None:
    draw = random.Random(3)
    live = InMemoryIndex(store, lambda: ENCODER)
    check(store, live)
    other = SqlStore(path)
    save(other, some_cases(40, draw))
    check(store, live)
    save(other, some_cases(3, draw, start=40))
    check(store, live)
    save(other, some_cases(5, draw))  # other texts under known ids
    check(store, live)
    other.erase_case("c-003", STAY, kept_text_hashes=(), actor="Ada", at=NOON)
    check(store, live)
    save(other, some_cases(1, draw, start=99))
    check(store, live)
    other.close()


def test_more_cases_than_there_was_room_for(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("patternmind.storage.search.in_memory.SPARE_ROWS", 2)
    draw = random.Random(4)
    live = InMemoryIndex(store, lambda: ENCODER)
    for start in (0, 3, 20, 21, 22, 60):
        save(store, some_cases(12, draw, start=start))
        check(store, live)


def test_equal_scores_are_in_the_order_of_ids(store: SqlStore) -> None:
    save(store, [build_case(id, "The same words.") for id in ("c-3", "c-1", "c-2")])
    found = InMemoryIndex(store, lambda: ENCODER).search(ENCODER.encode(["The same words."])[0], 2)
    assert [hit.case_id for hit in found] == ["c-1", "c-2"]


def test_without_a_run_no_case_has_neighbours(store: SqlStore) -> None:
    save(store, some_cases(4, random.Random(1)))
    assert InMemoryIndex(store, lambda: ENCODER).neighbours("c-001", 3) == []


def test_vectors_are_whole_numbers_in_memory(store: SqlStore) -> None:
    save(store, some_cases(4, random.Random(1)))
    live = InMemoryIndex(store, lambda: ENCODER)
    live.search(ENCODER.encode(["pump"])[0], 1)
    assert live._table is not None  # pyright: ignore[reportPrivateUsage]
    grid = live._table.quantized  # pyright: ignore[reportPrivateUsage]
    assert np.array_equal(grid, np.rint(grid))
