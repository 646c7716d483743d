"""Vectors to clusters: conservation, exactness, determinism, planted truth and the inputs that are hardly any."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.fixtures.builders import planted_vectors

from patternmind.clustering import neighbours as search
from patternmind.clustering.duplicates import find_near_duplicates
from patternmind.clustering.exemplars import Exemplars, choose_exemplars
from patternmind.clustering.graph import (
    Communities,
    Edges,
    build_edges,
    default_n_fits,
    find_communities,
)
from patternmind.clustering.levels import group_into_areas
from patternmind.clustering.neighbours import (
    cosine_similarity,
    find_nearest_neighbours,
    quantize,
    top_k,
)
from patternmind.clustering.outliers import find_outliers
from patternmind.clustering.partition import MIN_CASES, default_n_neighbours, partition_rows
from patternmind.domain.themes import (
    OUTLIER,
    Neighbours,
    Partition,
    Vectors,
)

ENGINES = ["graph", "hdbscan"]
LONG = "The scanner in the cold store loses its battery within an hour and nobody carries a spare one " * 2


def random_vectors(n: int, d: int, seed: int) -> Vectors:
    rows = np.random.default_rng(seed).standard_normal((n, d))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def found_in(vectors: Vectors, *, engine: str = "graph", seed: int = 0, level: str = "theme") -> Partition:
    return partition_rows(
        vectors,
        find_nearest_neighbours(vectors, default_n_neighbours(len(vectors))),
        engine=engine,
        seed=seed,
        level=level,
    )


def groups_of(labels: NDArray[np.int32]) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in set(labels.tolist()) - {OUTLIER}}


def assert_sound(found: Partition, n: int, d: int) -> None:
    """What holds of every partition, whatever went in."""
    sizes = np.bincount(found.labels[found.labels != OUTLIER], minlength=found.n_clusters)
    assert found.labels.shape == found.strength.shape == found.nearest.shape == (n,)
    assert found.centres.shape == (found.n_clusters, d)
    assert found.areas.shape == found.stability.shape == (found.n_clusters,)
    assert found.n_clusters <= n // 4
    assert int(sizes.sum()) + int((found.labels == OUTLIER).sum()) == n
    assert (sizes >= 3).all()
    assert (np.diff(sizes) <= 0).all()
    assert ((found.strength >= 0) & (found.strength <= 1 + 1e-6)).all()
    assert np.isfinite(found.centres).all()
    assert (found.nearest[found.labels != OUTLIER] == found.labels[found.labels != OUTLIER]).all()
    assert ((found.nearest >= 0) == bool(found.n_clusters)).all()
    assert sorted(set(found.areas.tolist())) == list(range(len(set(found.areas.tolist()))))


@settings(max_examples=5, deadline=None)
@given(n=st.integers(20, 45), d=st.integers(2, 24), seed=st.integers(0, 1000), level=st.sampled_from(["theme", "area"]))
@pytest.mark.parametrize("engine", ENGINES)
def test_every_row_is_in_one_cluster_or_an_outlier_and_clusters_come_by_size(
    engine: str, n: int, d: int, seed: int, level: str
) -> None:
    assert_sound(found_in(random_vectors(n, d, seed), engine=engine, seed=seed, level=level), n, d)


@pytest.mark.parametrize("n", [0, 1, 2, MIN_CASES - 1])
@pytest.mark.parametrize("level", ["theme", "area"])
def test_fewer_than_twenty_rows_are_too_few_to_group(n: int, level: str) -> None:
    found = found_in(random_vectors(n, 8, 0), level=level)
    assert found.n_clusters == 0
    assert found.labels.tolist() == found.nearest.tolist() == [OUTLIER] * n
    assert found.centres.shape == (0, 8)


@pytest.mark.parametrize("engine", ENGINES)
def test_planted_groups_are_found_and_planted_strangers_stand_alone(engine: str) -> None:
    vectors, truth = planted_vectors([8] * 6, n_outliers=4)
    found = found_in(vectors, engine=engine)
    assert found.n_clusters == 6
    placed = found.labels != OUTLIER
    assert groups_of(np.where(placed, found.labels, OUTLIER)) == groups_of(np.where(placed, truth, OUTLIER))
    assert not placed[truth == OUTLIER].any()
    assert placed[truth != OUTLIER].mean() > 0.9
    assert found.nearest[~placed & (truth != OUTLIER)].tolist() == [
        int(found.labels[(truth == truth[row]) & placed][0]) for row in np.flatnonzero(~placed & (truth != OUTLIER))
    ]


def test_groups_without_any_spread_are_found_exactly() -> None:
    vectors, truth = planted_vectors([9, 7, 6], spread=0)
    assert groups_of(found_in(vectors).labels) == groups_of(truth)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_same_rows_and_seed_give_the_same_partition(engine: str) -> None:
    vectors = random_vectors(80, 12, 3)
    first, again = found_in(vectors, engine=engine, seed=5), found_in(vectors.copy(), engine=engine, seed=5)
    for name in ("labels", "areas", "strength", "nearest", "centres", "stability"):
        assert np.array_equal(getattr(first, name), getattr(again, name)), name


@pytest.mark.parametrize("engine", ENGINES)
def test_planted_groups_do_not_depend_on_the_order_of_the_rows(engine: str) -> None:
    vectors, _ = planted_vectors([8, 7, 6, 6], n_outliers=2, spread=0.2)
    order = np.random.default_rng(1).permutation(len(vectors))
    back = np.argsort(order)
    here, there = found_in(vectors, engine=engine), found_in(vectors[order], engine=engine)
    assert groups_of(here.labels) == groups_of(there.labels[back])
    assert np.array_equal(found_in(vectors[order][back], engine=engine).labels, here.labels)


def test_areas_are_whole_clusters_and_the_area_level_makes_them_the_clusters() -> None:
    vectors, _ = planted_vectors([8] * 6, n_outliers=4)
    themes, areas = found_in(vectors), found_in(vectors, level="area")
    assert areas.n_clusters == len(set(themes.areas.tolist())) < themes.n_clusters
    assert areas.areas.tolist() == list(range(areas.n_clusters))
    for label in range(themes.n_clusters):
        assert len({int(areas.labels[row]) for row in themes.rows_of(label)}) == 1
    assert np.array_equal(areas.labels == OUTLIER, themes.labels == OUTLIER)


def test_areas_are_numbered_by_first_appearance_and_hold_alike_centres() -> None:
    axes = np.eye(6)
    centres = (axes[[0, 1, 0, 1]] + axes[[2, 3, 4, 5]] * 0.1).astype(np.float32)
    assert group_into_areas(centres).tolist() == [0, 1, 0, 1]
    assert group_into_areas(centres[:2]).tolist() == [0, 0]
    assert group_into_areas(centres[:0]).tolist() == []


# inputs that are hardly any


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("level", ["theme", "area"])
@pytest.mark.filterwarnings("ignore:invalid value encountered")
def test_hardly_any_input_still_gives_a_sound_partition(engine: str, level: str) -> None:
    one, two = random_vectors(2, 8, 0)
    inputs = {
        "all alike": np.tile(one, (30, 1)),
        "two points": np.array([one, two] * 15),
        "nothing": np.zeros((25, 8), np.float32),
        "nothing and something": np.array([one] * 15 + [np.zeros(8, np.float32)] * 15),
        "opposites": np.array([one, -one] * 12),
        "exactly twenty": random_vectors(MIN_CASES, 8, 1),
    }
    for name, vectors in inputs.items():
        found = found_in(np.asarray(vectors, np.float32), engine=engine, level=level)
        assert_sound(found, len(vectors), 8)
        assert name != "nothing" or found.n_clusters == 0


@pytest.mark.parametrize("engine", ENGINES)
def test_two_distinct_points_are_two_clusters(engine: str) -> None:
    one, two = random_vectors(2, 8, 0)
    vectors = np.array([one] * 16 + [two] * 14, np.float32)
    assert found_in(vectors, engine=engine).labels.tolist() == [0] * 16 + [1] * 14


# the neighbour search


def test_the_similarity_is_the_same_bits_whatever_the_block_and_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = random_vectors(150, 40, 0)
    whole = find_nearest_neighbours(vectors, 7)
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
        assert np.array_equal(blocked.index, whole.index)
        assert np.array_equal(blocked.similarity, whole.similarity)


def test_the_similarity_is_the_cosine_to_three_digits() -> None:
    vectors = random_vectors(100, 384, 1)
    assert np.abs(cosine_similarity(vectors, vectors) - vectors @ vectors.T).max() < 0.001
    assert np.array_equal(quantize(vectors), np.rint(quantize(vectors)))


@settings(max_examples=40, deadline=None)
@given(n=st.integers(0, 30), k=st.integers(1, 12), seed=st.integers(0, 100))
def test_neighbours_are_the_k_most_similar_other_rows_nearest_first(n: int, k: int, seed: int) -> None:
    vectors = random_vectors(n, 5, seed)
    found = find_nearest_neighbours(vectors, k)
    assert found.index.shape == found.similarity.shape == (n, max(0, min(k, n - 1)))
    cosine = cosine_similarity(vectors, vectors)
    for row in range(n):
        others = np.delete(cosine[row], row)
        assert row not in found.index[row]
        assert len(set(found.index[row].tolist())) == found.index.shape[1]
        assert np.array_equal(found.similarity[row], np.sort(others)[::-1][: found.index.shape[1]])
        assert np.array_equal(found.similarity[row], cosine[row][found.index[row]])


def test_neighbours_and_fits_stay_within_their_bounds() -> None:
    assert [default_n_neighbours(n) for n in (20, 100, 400, 100_000)] == [5, 10, 40, 15]
    assert [default_n_neighbours(n) for n in (1000, 4000, 8000, 1_000_000)] == [80, 80, 49, 15]
    assert [default_n_fits(n) for n in (0, 100, 2000, 10_000, 100_000)] == [60, 60, 60, 20, 6]


def communities(labels: NDArray[np.int32], firmness: NDArray[np.float64] | None = None) -> Communities:
    n = len(labels)
    rows = np.arange(n - 1, dtype=np.int32)
    edges = Edges(n, rows, rows + 1, np.ones(n - 1))
    return Communities(labels, np.ones(n) if firmness is None else firmness, edges, np.ones(n - 1))


def test_nobody_stands_alone_where_all_are_equally_close() -> None:
    alike = Neighbours(np.zeros((30, 5), np.int32), np.full((30, 5), 0.4, np.float32))
    found = find_outliers(alike, communities(np.zeros(30, np.int32)))
    assert not found.is_alone.any()
    assert not found.is_between.any()


def test_a_cluster_of_what_was_left_over_stands_alone_as_a_whole() -> None:
    close = np.tile(np.linspace(0.6, 0.8, 40, dtype=np.float32)[:, None], (1, 5))
    close[:4] = 0.2
    labels = np.array([0] * 4 + [1] * 36, np.int32)
    found = find_outliers(Neighbours(np.zeros((40, 5), np.int32), close), communities(labels))
    assert found.is_alone[:4].all()


def test_a_row_that_the_fits_keep_with_little_of_its_theme_is_between_themes() -> None:
    alike = Neighbours(np.zeros((30, 5), np.int32), np.full((30, 5), 0.4, np.float32))
    firmness = np.full(30, 0.9)
    firmness[:2] = 0.2
    found = find_outliers(alike, communities(np.zeros(30, np.int32), firmness))
    assert np.flatnonzero(found.is_between).tolist() == [0, 1]


def test_strangers_make_only_tentative_clusters_and_planted_themes_do_not() -> None:
    strangers = random_vectors(100, 64, 0)
    assert found_in(strangers).tentative.all()
    planted, _ = planted_vectors([12] * 6)
    assert not found_in(planted).tentative.any()


def test_resampling_changes_no_label() -> None:
    vectors, _ = planted_vectors([10, 9, 8], n_outliers=3, spread=0.3)
    neighbours = find_nearest_neighbours(vectors, default_n_neighbours(len(vectors)))
    with_it = partition_rows(vectors, neighbours, engine="graph", seed=0)
    without = partition_rows(vectors, neighbours, engine="graph", seed=0, resample=False)
    for name in ("labels", "areas", "nearest", "centres", "second", "outlier_score", "why"):
        assert np.array_equal(getattr(with_it, name), getattr(without, name)), name


@settings(max_examples=50, deadline=None)
@given(b=st.integers(1, 4), m=st.integers(2, 400), k=st.integers(1, 20), seed=st.integers(0, 99))
def test_the_best_of_a_row_are_the_first_of_it_sorted(b: int, m: int, k: int, seed: int) -> None:
    k = min(k, m - 1)
    rows = np.random.default_rng(seed).integers(0, 50, (b, m)).astype(np.float32)
    index, best = top_k(rows, k)
    order = np.argsort(-rows, axis=1, kind="stable")[:, :k]
    assert index.tolist() == order.tolist()
    assert best.tolist() == np.take_along_axis(rows, order, axis=1).tolist()


def test_a_part_of_a_graph_holds_the_edges_among_its_rows() -> None:
    edges = Edges(5, np.array([0, 1, 2], np.int32), np.array([1, 3, 4], np.int32), np.array([1.0, 2.0, 3.0]))
    part = edges.subgraph(np.array([1, 2, 3, 4]))
    assert (part.n, part.left.tolist(), part.right.tolist(), part.weight.tolist()) == (4, [0, 1], [2, 3], [2.0, 3.0])


def test_communities_are_the_same_for_the_same_seed_and_firm_where_groups_are_clear() -> None:
    vectors, truth = planted_vectors([10, 10, 10], spread=0.2)
    edges = build_edges(find_nearest_neighbours(vectors, 5))
    one, two = find_communities(edges, n_fits=10, seed=1), find_communities(edges, n_fits=10, seed=1)
    assert np.array_equal(one.labels, two.labels)
    assert groups_of(one.labels) == groups_of(truth)
    assert one.cohesion.min() > 0.5


# near-duplicates


def repeats(texts: list[str], vectors: Vectors, k: int = 5) -> dict[int, int]:
    return find_near_duplicates(texts, find_nearest_neighbours(vectors, k))


def story(seed: int, n_words: int = 60) -> list[str]:
    return [f"word{number}" for number in np.random.default_rng(seed).integers(0, 5000, n_words)]


def test_an_edited_copy_is_a_near_duplicate_of_the_earliest_and_a_stranger_is_not() -> None:
    first, other = story(1), story(2)
    edited = [*first[:20], "surely", *first[20:]]
    texts = [" ".join(words) for words in (other, first, edited, first)]
    same, different = random_vectors(2, 16, 0)
    assert repeats(texts, np.array([different, same, same, same])) == {2: 1, 3: 1}


def test_texts_that_only_mean_the_same_are_no_near_duplicates() -> None:
    same = random_vectors(1, 16, 0)[0]
    assert repeats([" ".join(story(1)), " ".join(story(2))], np.array([same, same])) == {}


def test_a_text_far_longer_than_another_is_not_its_copy() -> None:
    same = random_vectors(1, 16, 0)[0]
    short = story(1, 40)
    assert repeats([" ".join(short), " ".join(short + story(2, 60))], np.array([same, same])) == {}


def test_short_texts_must_be_alike_word_for_word() -> None:
    same = np.tile(random_vectors(1, 16, 0), (3, 1))
    texts = ["My card has not arrived.", "my card has not arrived", "My card has not arrived yet."]
    assert repeats(texts, same) == {1: 0}


def test_copies_are_all_found_where_there_are_more_of_them_than_neighbours() -> None:
    same = np.tile(random_vectors(1, 16, 0), (40, 1))
    assert repeats([LONG] * 40, same) == dict.fromkeys(range(1, 40), 0)


def test_two_stories_that_a_third_repeats_are_one_group() -> None:
    words = story(3, 90)
    texts = [" ".join(words[:55]), " ".join(words[35:]), " ".join(words[5:85])]
    vectors = np.tile(random_vectors(1, 16, 0), (3, 1))
    assert repeats(texts, vectors) == {1: 0, 2: 0}


# exemplars


def test_exemplars_are_the_medoid_then_central_ones_that_are_no_copies_and_one_at_the_edge() -> None:
    centre = np.eye(8, dtype=np.float32)[0]
    away = [0.3, 0.3, 0.5, 0.6, 0.9]
    rows = np.array([centre + a * np.eye(8, dtype=np.float32)[1 + max(0, i - 1)] for i, a in enumerate(away)])
    vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    found = choose_exemplars(vectors, range(5), centre)
    assert (found.central, found.edge) == ((0, 2, 3), 4)
    assert found.cohesion == pytest.approx(float((vectors @ centre).mean()), abs=1e-3)


def test_three_copies_have_one_exemplar_and_no_edge() -> None:
    same = np.tile(random_vectors(1, 8, 0), (3, 1))
    found = choose_exemplars(same, [0, 1, 2], same[0])
    assert found == Exemplars((0,), None, found.cohesion)
    assert found.cohesion == pytest.approx(1.0, abs=1e-3)
