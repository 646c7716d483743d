"""The in-memory index equals an exact search after every write of any process."""

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
from patternmind.storage.search.exact import ExactIndex
from patternmind.storage.search.in_memory import InMemoryIndex

WORDS = "dock pump night scanner door invoice gasket ramp label shift board card".split()
NO_REWRITE = TextRewrite(
    rewrite_theme=lambda theme: theme, rewrite_name=str, rewrite_text=str, rewrite_draft=lambda draft, log: (draft, log)
)
ENCODER = HashingEncoder()


def make_cases(n: int, rng: random.Random, *, start: int = 0) -> list[Case]:
    return [
        build_case(
            f"{'r' if number % 5 == 0 else 'c'}-{number:03d}",
            " ".join(rng.choices(WORDS, k=6)),
            kind=CaseKind.RECAP if number % 5 == 0 else CaseKind.CASE,
        )
        for number in range(start, start + n)
    ]


def save(store: SqlStore, cases: list[Case]) -> None:
    store.cases.save_all([(build_submission(case.text), case) for case in cases])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "patternmind.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqlStore]:
    store = SqlStore(path)
    yield store
    store.close()


def assert_same_hits(store: SqlStore, index: InMemoryIndex) -> None:
    """Compare the hits with those of an exact index, for each kind and several numbers."""
    oracle = ExactIndex(*embed_all_cases(store, ENCODER))
    for query in ENCODER.encode(["pump door", "night shift board", "gasket"]):
        for kind in (None, *CaseKind):
            for k in (1, 7, 500):
                assert index.search(query, k, kind=kind) == oracle.search(query, k, kind=kind)


def test_search_sees_every_write_of_another_process(store: SqlStore, path: Path) -> None:
    rng = random.Random(3)
    index = InMemoryIndex(store, lambda: ENCODER)
    assert_same_hits(store, index)
    other = SqlStore(path)
    save(other, make_cases(40, rng))
    assert_same_hits(store, index)
    save(other, make_cases(3, rng, start=40))
    assert_same_hits(store, index)
    save(other, make_cases(5, rng))  # other texts under existing ids
    assert_same_hits(store, index)
    other.erase_case("c-003", NO_REWRITE, kept_text_hashes=(), actor="Ada", at=NOON)
    assert_same_hits(store, index)
    save(other, make_cases(1, rng, start=99))
    assert_same_hits(store, index)
    other.close()


def test_search_grows_beyond_the_capacity_of_its_table(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("patternmind.storage.search.in_memory.SPARE_ROWS", 2)
    rng = random.Random(4)
    index = InMemoryIndex(store, lambda: ENCODER)
    for start in (0, 3, 20, 21, 22, 60):
        save(store, make_cases(12, rng, start=start))
        assert_same_hits(store, index)


def test_search_orders_equal_scores_by_id(store: SqlStore) -> None:
    save(store, [build_case(id, "The same words.") for id in ("c-3", "c-1", "c-2")])
    hits = InMemoryIndex(store, lambda: ENCODER).search(ENCODER.encode(["The same words."])[0], 2)
    assert [hit.case_id for hit in hits] == ["c-1", "c-2"]


def test_neighbours_are_empty_without_a_run(store: SqlStore) -> None:
    save(store, make_cases(4, random.Random(1)))
    assert InMemoryIndex(store, lambda: ENCODER).neighbours("c-001", 3) == []


def test_quantized_vectors_are_whole_numbers(store: SqlStore) -> None:
    save(store, make_cases(4, random.Random(1)))
    index = InMemoryIndex(store, lambda: ENCODER)
    index.search(ENCODER.encode(["pump"])[0], 1)
    assert index._table is not None  # pyright: ignore[reportPrivateUsage]
    quantized = index._table.quantized  # pyright: ignore[reportPrivateUsage]
    assert np.array_equal(quantized, np.rint(quantized))
