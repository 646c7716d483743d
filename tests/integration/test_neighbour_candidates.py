"""The approximate neighbour search, whose library compiles itself at its first use (20 s): no unit test."""

import numpy as np
from tests.fixtures.builders import planted_vectors

from patternmind.clustering.neighbours import cosine_similarity, find_nearest_neighbours


def test_nearest_neighbours_finds_nearly_all_with_exact_similarities_when_it_searches_candidates() -> None:
    vectors, _ = planted_vectors([60] * 50, spread=0.5)
    exact, approximate = find_nearest_neighbours(vectors, 15), find_nearest_neighbours(vectors, 15, max_exact_rows=100)
    shared = [len(set(a.tolist()) & set(b.tolist())) for a, b in zip(exact.index, approximate.index, strict=True)]
    assert np.mean(shared) / 15 >= 0.95
    rows = np.arange(len(vectors))[:, None]
    assert np.array_equal(approximate.similarity, cosine_similarity(vectors, vectors)[rows, approximate.index])
    assert not (approximate.index == rows).any()
