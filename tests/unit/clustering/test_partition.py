"""Tests of the partition: conservation, exactness, determinism, planted groups and tiny inputs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.fixtures.builders import planted_vectors

from patternmind.clustering import neighbours as search
from patternmind.clustering.duplicates import find_near_duplicates
from patternmind.clustering.exemplars import Exemplars, choose_exemplars
from patternmind.clustering.graph import Communities, Edges, build_edges, default_n_fits, find_communities
from patternmind.clustering.levels import group_into_areas
from patternmind.clustering.neighbours import cosine_similarity, find_nearest_neighbours, quantize, top_k
from patternmind.clustering.outliers import find_outliers
from patternmind.clustering.partition import MIN_CASES, default_n_neighbours, partition_rows
from patternmind.domain.themes import OUTLIER, Neighbours, Partition, Vectors

ENGINES = ["graph", "hdbscan"]
LONG = "The scanner in the cold store loses its battery within an hour and nobody carries a spare one " * 2


def random_vectors(n: int, d: int, seed: int) -> Vectors:
    rows = np.random.default_rng(seed).standard_normal((n, d))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def partition_of(vectors: Vectors, *, engine: str = "graph", seed: int = 0, level: str = "theme") -> Partition:
    return partition_rows(
        vectors,
        find_nearest_neighbours(vectors, default_n_neighbours(len(vectors))),
        engine=engine,
        seed=seed,
        level=level,
    )


def groups_of(labels: NDArray[np.int32]) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in set(labels.tolist()) - {OUTLIER}}


def assert_valid(partition: Partition, n: int, d: int) -> None:
    """Assert the invariants of every partition."""
    sizes = np.bincount(partition.labels[partition.labels != OUTLIER], minlength=partition.n_clusters)
    assert partition.labels.shape == partition.strength.shape == partition.nearest.shape == (n,)
    assert partition.centres.shape == (partition.n_clusters, d)
    assert partition.areas.shape == partition.stability.shape == (partition.n_clusters,)
    assert partition.n_clusters <= n // 4
    assert int(sizes.sum()) + int((partition.labels == OUTLIER).sum()) == n
    assert (sizes >= 3).all()
    assert (np.diff(sizes) <= 0).all()
    assert ((partition.strength >= 0) & (partition.strength <= 1 + 1e-6)).all()
    assert np.isfinite(partition.centres).all()
    assert (partition.nearest[partition.labels != OUTLIER] == partition.labels[partition.labels != OUTLIER]).all()
    assert ((partition.nearest >= 0) == bool(partition.n_clusters)).all()
    assert sorted(set(partition.areas.tolist())) == list(range(len(set(partition.areas.tolist()))))


@settings(max_examples=5, deadline=None)
@given(n=st.integers(20, 45), d=st.integers(2, 24), seed=st.integers(0, 1000), level=st.sampled_from(["theme", "area"]))
@pytest.mark.parametrize("engine", ENGINES)
def test_partition_assigns_every_row_and_orders_clusters_by_size(
    engine: str, n: int, d: int, seed: int, level: str
) -> None:
    assert_valid(partition_of(random_vectors(n, d, seed), engine=engine, seed=seed, level=level), n, d)


@pytest.mark.parametrize("n", [0, 1, 2, MIN_CASES - 1])
@pytest.mark.parametrize("level", ["theme", "area"])
def test_partition_has_no_clusters_below_twenty_rows(n: int, level: str) -> None:
    partition = partition_of(random_vectors(n, 8, 0), level=level)
    assert partition.n_clusters == 0
    assert partition.labels.tolist() == partition.nearest.tolist() == [OUTLIER] * n
    assert partition.centres.shape == (0, 8)


@pytest.mark.parametrize("engine", ENGINES)
def test_partition_finds_planted_groups_and_outliers(engine: str) -> None:
    vectors, truth = planted_vectors([8] * 6, n_outliers=4)
    partition = partition_of(vectors, engine=engine)
    assert partition.n_clusters == 6
    is_placed = partition.labels != OUTLIER
    assert groups_of(np.where(is_placed, partition.labels, OUTLIER)) == groups_of(np.where(is_placed, truth, OUTLIER))
    assert not is_placed[truth == OUTLIER].any()
    assert is_placed[truth != OUTLIER].mean() > 0.9
    assert partition.nearest[~is_placed & (truth != OUTLIER)].tolist() == [
        int(partition.labels[(truth == truth[row]) & is_placed][0])
        for row in np.flatnonzero(~is_placed & (truth != OUTLIER))
    ]


def test_partition_finds_groups_of_identical_rows_exactly() -> None:
    vectors, truth = planted_vectors([9, 7, 6], spread=0)
    assert groups_of(partition_of(vectors).labels) == groups_of(truth)


@pytest.mark.parametrize("engine", ENGINES)
def test_partition_is_reproducible_with_the_same_seed(engine: str) -> None:
    vectors = random_vectors(80, 12, 3)
    first, again = partition_of(vectors, engine=engine, seed=5), partition_of(vectors.copy(), engine=engine, seed=5)
    for name in ("labels", "areas", "strength", "nearest", "centres", "stability"):
        assert np.array_equal(getattr(first, name), getattr(again, name)), name


@pytest.mark.parametrize("engine", ENGINES)
def test_partition_finds_the_same_groups_in_any_row_order(engine: str) -> None:
    vectors, _ = planted_vectors([8, 7, 6, 6], n_outliers=2, spread=0.2)
    order = np.random.default_rng(1).permutation(len(vectors))
    original_order = np.argsort(order)
    partition, shuffled = partition_of(vectors, engine=engine), partition_of(vectors[order], engine=engine)
    assert groups_of(partition.labels) == groups_of(shuffled.labels[original_order])
    assert np.array_equal(partition_of(vectors[order][original_order], engine=engine).labels, partition.labels)


def test_areas_are_sets_of_clusters_and_the_clusters_of_the_area_level() -> None:
    vectors, _ = planted_vectors([8] * 6, n_outliers=4)
    themes, areas = partition_of(vectors), partition_of(vectors, level="area")
    assert areas.n_clusters == len(set(themes.areas.tolist())) < themes.n_clusters
    assert areas.areas.tolist() == list(range(areas.n_clusters))
    for label in range(themes.n_clusters):
        assert len({int(areas.labels[row]) for row in themes.rows_of(label)}) == 1
    assert np.array_equal(areas.labels == OUTLIER, themes.labels == OUTLIER)


def test_areas_are_numbered_by_first_appearance_and_join_similar_centroids() -> None:
    axes = np.eye(6)
    centroids = (axes[[0, 1, 0, 1]] + axes[[2, 3, 4, 5]] * 0.1).astype(np.float32)
    assert group_into_areas(centroids).tolist() == [0, 1, 0, 1]
    assert group_into_areas(centroids[:2]).tolist() == [0, 0]
    assert group_into_areas(centroids[:0]).tolist() == []


# tiny inputs


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("level", ["theme", "area"])
@pytest.mark.filterwarnings("ignore:invalid value encountered")
def test_partition_is_valid_for_tiny_input(engine: str, level: str) -> None:
    first, second = random_vectors(2, 8, 0)
    inputs = {
        "all the same": np.tile(first, (30, 1)),
        "two points": np.array([first, second] * 15),
        "nothing": np.zeros((25, 8), np.float32),
        "nothing and something": np.array([first] * 15 + [np.zeros(8, np.float32)] * 15),
        "opposites": np.array([first, -first] * 12),
        "exactly twenty": random_vectors(MIN_CASES, 8, 1),
    }
    for name, vectors in inputs.items():
        partition = partition_of(np.asarray(vectors, np.float32), engine=engine, level=level)
        assert_valid(partition, len(vectors), 8)
        assert name != "nothing" or partition.n_clusters == 0


@pytest.mark.parametrize("engine", ENGINES)
def test_partition_separates_two_distinct_points(engine: str) -> None:
    first, second = random_vectors(2, 8, 0)
    vectors = np.array([first] * 16 + [second] * 14, np.float32)
    assert partition_of(vectors, engine=engine).labels.tolist() == [0] * 16 + [1] * 14


# the neighbour search


def test_cosine_similarity_has_the_same_bits_for_any_block_and_order(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = random_vectors(150, 40, 0)
    expected = find_nearest_neighbours(vectors, 7)
    order = np.random.default_rng(2).permutation(150)
    assert np.array_equal(
        cosine_similarity(vectors, vectors)[np.ix_(order, order)], cosine_similarity(vectors[order], vectors[order])
    )
    assert np.array_equal(cosine_similarity(vectors, vectors)[5:6], cosine_similarity(vectors[5:6], vectors))
    columns = np.random.default_rng(3).permutation(40)
    assert np.array_equal(
        cosine_similarity(vectors, vectors), cosine_similarity(vectors[:, columns], vectors[:, columns])
    )
    for block_bytes in (1, 4 * 150 * 7, 4 * 150 * 149):
        monkeypatch.setattr(search, "BLOCK_BYTES", block_bytes)
        blocked = find_nearest_neighbours(vectors, 7)
        assert np.array_equal(blocked.index, expected.index)
        assert np.array_equal(blocked.similarity, expected.similarity)


def test_cosine_similarity_is_exact_to_three_digits() -> None:
    vectors = random_vectors(100, 384, 1)
    assert np.abs(cosine_similarity(vectors, vectors) - vectors @ vectors.T).max() < 0.001
    assert np.array_equal(quantize(vectors), np.rint(quantize(vectors)))


@settings(max_examples=40, deadline=None)
@given(n=st.integers(0, 30), k=st.integers(1, 12), seed=st.integers(0, 100))
def test_neighbours_are_the_k_most_similar_other_rows_nearest_first(n: int, k: int, seed: int) -> None:
    vectors = random_vectors(n, 5, seed)
    neighbours = find_nearest_neighbours(vectors, k)
    assert neighbours.index.shape == neighbours.similarity.shape == (n, max(0, min(k, n - 1)))
    cosine = cosine_similarity(vectors, vectors)
    for row in range(n):
        others = np.delete(cosine[row], row)
        assert row not in neighbours.index[row]
        assert len(set(neighbours.index[row].tolist())) == neighbours.index.shape[1]
        assert np.array_equal(neighbours.similarity[row], np.sort(others)[::-1][: neighbours.index.shape[1]])
        assert np.array_equal(neighbours.similarity[row], cosine[row][neighbours.index[row]])


def test_default_numbers_of_neighbours_and_fits_stay_within_their_bounds() -> None:
    assert [default_n_neighbours(n) for n in (20, 100, 400, 100_000)] == [5, 10, 40, 15]
    assert [default_n_neighbours(n) for n in (1000, 4000, 8000, 1_000_000)] == [80, 80, 49, 15]
    assert [default_n_fits(n) for n in (0, 100, 2000, 10_000, 100_000)] == [60, 60, 60, 20, 6]


def communities(labels: NDArray[np.int32], consensus: NDArray[np.float64] | None = None) -> Communities:
    n = len(labels)
    rows = np.arange(n - 1, dtype=np.int32)
    edges = Edges(n, rows, rows + 1, np.ones(n - 1))
    return Communities(labels, np.ones(n) if consensus is None else consensus, edges, np.ones(n - 1))


def test_outliers_are_empty_when_all_rows_are_equally_close() -> None:
    equal = Neighbours(np.zeros((30, 5), np.int32), np.full((30, 5), 0.4, np.float32))
    outliers = find_outliers(equal, communities(np.zeros(30, np.int32)))
    assert not outliers.is_alone.any()
    assert not outliers.is_between.any()


def test_outliers_include_a_whole_cluster_of_leftovers() -> None:
    close = np.tile(np.linspace(0.6, 0.8, 40, dtype=np.float32)[:, None], (1, 5))
    close[:4] = 0.2
    labels = np.array([0] * 4 + [1] * 36, np.int32)
    outliers = find_outliers(Neighbours(np.zeros((40, 5), np.int32), close), communities(labels))
    assert outliers.is_alone[:4].all()


def test_outliers_are_between_themes_when_consensus_is_low() -> None:
    equal = Neighbours(np.zeros((30, 5), np.int32), np.full((30, 5), 0.4, np.float32))
    consensus = np.full(30, 0.9)
    consensus[:2] = 0.2
    outliers = find_outliers(equal, communities(np.zeros(30, np.int32), consensus))
    assert np.flatnonzero(outliers.is_between).tolist() == [0, 1]


def test_clusters_of_unrelated_rows_are_tentative_and_planted_themes_are_not() -> None:
    unrelated = random_vectors(100, 64, 0)
    assert partition_of(unrelated).tentative.all()
    planted, _ = planted_vectors([12] * 6)
    assert not partition_of(planted).tentative.any()


def test_partition_labels_are_the_same_without_resampling() -> None:
    vectors, _ = planted_vectors([10, 9, 8], n_outliers=3, spread=0.3)
    neighbours = find_nearest_neighbours(vectors, default_n_neighbours(len(vectors)))
    resampled = partition_rows(vectors, neighbours, engine="graph", seed=0)
    not_resampled = partition_rows(vectors, neighbours, engine="graph", seed=0, resample=False)
    for name in ("labels", "areas", "nearest", "centres", "second", "outlier_score", "why"):
        assert np.array_equal(getattr(resampled, name), getattr(not_resampled, name)), name


@settings(max_examples=50, deadline=None)
@given(b=st.integers(1, 4), m=st.integers(2, 400), k=st.integers(1, 20), seed=st.integers(0, 99))
def test_top_k_equals_the_first_of_a_full_sort(b: int, m: int, k: int, seed: int) -> None:
    k = min(k, m - 1)
    rows = np.random.default_rng(seed).integers(0, 50, (b, m)).astype(np.float32)
    index, best = top_k(rows, k)
    order = np.argsort(-rows, axis=1, kind="stable")[:, :k]
    assert index.tolist() == order.tolist()
    assert best.tolist() == np.take_along_axis(rows, order, axis=1).tolist()


def test_subgraph_has_the_edges_among_its_rows() -> None:
    edges = Edges(5, np.array([0, 1, 2], np.int32), np.array([1, 3, 4], np.int32), np.array([1.0, 2.0, 3.0]))
    subgraph = edges.subgraph(np.array([1, 2, 3, 4]))
    assert (subgraph.n, subgraph.left.tolist(), subgraph.right.tolist(), subgraph.weight.tolist()) == (
        4,
        [0, 1],
        [2, 3],
        [2.0, 3.0],
    )


def test_communities_are_reproducible_and_have_high_consensus_in_clear_groups() -> None:
    vectors, truth = planted_vectors([10, 10, 10], spread=0.2)
    edges = build_edges(find_nearest_neighbours(vectors, 5))
    first, second = find_communities(edges, n_fits=10, seed=1), find_communities(edges, n_fits=10, seed=1)
    assert np.array_equal(first.labels, second.labels)
    assert groups_of(first.labels) == groups_of(truth)
    assert first.consensus.min() > 0.5


# near-duplicates


def near_duplicates_of(texts: list[str], vectors: Vectors, k: int = 5) -> dict[int, int]:
    return find_near_duplicates(texts, find_nearest_neighbours(vectors, k))


def random_words(seed: int, n_words: int = 60) -> list[str]:
    return [f"word{number}" for number in np.random.default_rng(seed).integers(0, 5000, n_words)]


def test_near_duplicates_include_an_edited_copy_but_no_unrelated_text() -> None:
    first, unrelated = random_words(1), random_words(2)
    edited = [*first[:20], "surely", *first[20:]]
    texts = [" ".join(words) for words in (unrelated, first, edited, first)]
    same, different = random_vectors(2, 16, 0)
    assert near_duplicates_of(texts, np.array([different, same, same, same])) == {2: 1, 3: 1}


def test_near_duplicates_exclude_texts_with_only_the_same_meaning() -> None:
    same = random_vectors(1, 16, 0)[0]
    assert near_duplicates_of([" ".join(random_words(1)), " ".join(random_words(2))], np.array([same, same])) == {}


def test_near_duplicates_exclude_a_far_longer_text() -> None:
    same = random_vectors(1, 16, 0)[0]
    short = random_words(1, 40)
    assert near_duplicates_of([" ".join(short), " ".join(short + random_words(2, 60))], np.array([same, same])) == {}


def test_near_duplicates_require_identical_words_in_short_texts() -> None:
    vectors = np.tile(random_vectors(1, 16, 0), (3, 1))
    texts = ["My card has not arrived.", "my card has not arrived", "My card has not arrived yet."]
    assert near_duplicates_of(texts, vectors) == {1: 0}


def test_near_duplicates_include_all_copies_when_they_exceed_the_neighbours() -> None:
    vectors = np.tile(random_vectors(1, 16, 0), (40, 1))
    assert near_duplicates_of([LONG] * 40, vectors) == dict.fromkeys(range(1, 40), 0)


def test_near_duplicates_join_two_texts_that_a_third_repeats() -> None:
    words = random_words(3, 90)
    texts = [" ".join(words[:55]), " ".join(words[35:]), " ".join(words[5:85])]
    vectors = np.tile(random_vectors(1, 16, 0), (3, 1))
    assert near_duplicates_of(texts, vectors) == {1: 0, 2: 0}


# exemplars


def test_exemplars_are_the_medoid_then_central_rows_without_copies_and_an_edge() -> None:
    centroid = np.eye(8, dtype=np.float32)[0]
    distances = [0.3, 0.3, 0.5, 0.6, 0.9]
    rows = np.array([centroid + a * np.eye(8, dtype=np.float32)[1 + max(0, i - 1)] for i, a in enumerate(distances)])
    vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    exemplars = choose_exemplars(vectors, range(5), centroid)
    assert (exemplars.central, exemplars.edge) == ((0, 2, 3), 4)
    assert exemplars.cohesion == pytest.approx(float((vectors @ centroid).mean()), abs=1e-3)


def test_exemplars_of_three_copies_have_one_row_and_no_edge() -> None:
    vectors = np.tile(random_vectors(1, 8, 0), (3, 1))
    exemplars = choose_exemplars(vectors, [0, 1, 2], vectors[0])
    assert exemplars == Exemplars((0,), None, exemplars.cohesion)
    assert exemplars.cohesion == pytest.approx(1.0, abs=1e-3)
