"""The approximate neighbour search, whose library compiles itself at its first use (20 s): no unit test.

With one thread it compiles itself again, in a process of its own: a proof.
"""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from tests.fixtures.builders import planted_vectors

from patternmind.clustering.approximate_search import find_candidate_neighbours
from patternmind.clustering.neighbours import cosine_similarity, find_nearest_neighbours


@pytest.mark.prove(reason="the library compiles itself: 20 s to 2 minutes")
def test_nearest_neighbours_finds_nearly_all_with_exact_similarities_when_it_searches_candidates() -> None:
    vectors, _ = planted_vectors([60] * 50, spread=0.5)
    exact, approximate = find_nearest_neighbours(vectors, 15), find_nearest_neighbours(vectors, 15, max_exact_rows=100)
    shared = [len(set(a.tolist()) & set(b.tolist())) for a, b in zip(exact.index, approximate.index, strict=True)]
    assert np.mean(shared) / 15 >= 0.95
    rows = np.arange(len(vectors))[:, None]
    assert np.array_equal(approximate.similarity, cosine_similarity(vectors, vectors)[rows, approximate.index])
    assert not (approximate.index == rows).any()


SAVE_CANDIDATES = """
import sys
import numpy as np
from patternmind.clustering.approximate_search import find_candidate_neighbours
np.save(sys.argv[2], find_candidate_neighbours(np.load(sys.argv[1]), 15))
"""


@pytest.mark.parametrize(("allowed", "used"), [("1", "2"), ("2", "2"), ("7", "7")])
def test_search_allows_numba_two_threads_at_least(monkeypatch: pytest.MonkeyPatch, allowed: str, used: str) -> None:
    monkeypatch.setenv("NUMBA_NUM_THREADS", allowed)
    monkeypatch.setitem(sys.modules, "pynndescent", Mock())
    with suppress(TypeError, IndexError):  # the library is replaced and returns nothing
        find_candidate_neighbours(np.zeros((1, 3), np.float32), 1)
    assert os.environ["NUMBA_NUM_THREADS"] == used


@pytest.mark.prove(reason="the library compiles itself in a process of its own: 20 s to 2 minutes")
def test_candidates_are_the_same_when_numba_is_limited_to_one_thread(tmp_path: Path) -> None:
    vectors, _ = planted_vectors([60] * 10, spread=0.5)
    rows, candidates = tmp_path / "rows.npy", tmp_path / "candidates.npy"
    np.save(rows, vectors)
    environment = {**os.environ, "NUMBA_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-c", SAVE_CANDIDATES, rows, candidates], env=environment, check=True)
    assert np.array_equal(np.load(candidates), find_candidate_neighbours(vectors, 15))
