"""Places on the map: the same bits, islands that stand apart, neighbours kept, and little moved from run to run."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.fixtures.builders import planted_vectors

from patternmind.clustering import layout
from patternmind.clustering.layout import compute_layout
from patternmind.clustering.neighbours import find_nearest_neighbours
from patternmind.clustering.repulsion import Repulsion
from patternmind.domain.themes import OUTLIER, Neighbours, Vectors

SIZES = (60, 40, 30, 25, 20)


def centres_of(vectors: Vectors, labels: NDArray[np.int32]) -> Vectors:
    sums = np.stack([vectors[labels == label].sum(axis=0) for label in range(labels.max() + 1)])
    return (sums / np.linalg.norm(sums, axis=1, keepdims=True)).astype(np.float32)


def a_map(
    vectors: Vectors, labels: NDArray[np.int32], former: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    return compute_layout(
        find_nearest_neighbours(vectors, 8), labels, centres_of(vectors, labels), former=former, seed=0
    )


@pytest.fixture(scope="module")
def planted() -> tuple[Vectors, NDArray[np.int32]]:
    return planted_vectors(SIZES, n_outliers=12)


@pytest.fixture(scope="module")
def places(planted: tuple[Vectors, NDArray[np.int32]]) -> NDArray[np.float32]:
    return a_map(*planted)


def own_middle_is_nearest(places: NDArray[np.float32], labels: NDArray[np.int32]) -> float:
    inside = labels != OUTLIER
    middles = np.stack([places[labels == label].mean(axis=0) for label in range(labels.max() + 1)])
    away = np.linalg.norm(places[inside][:, None] - middles[None], axis=2)
    return float((away.argmin(axis=1) == labels[inside]).mean())


def test_every_row_has_a_place_within_the_square(places: NDArray[np.float32]) -> None:
    assert places.dtype == np.float32
    assert np.isfinite(places).all()
    assert np.abs(places).max() == pytest.approx(1, abs=1e-4)
    assert np.ptp(places[:, 0]) >= np.ptp(places[:, 1])


def test_every_theme_is_an_island(places: NDArray[np.float32], planted: tuple[Vectors, NDArray[np.int32]]) -> None:
    assert own_middle_is_nearest(places, planted[1]) == 1.0


def test_no_two_rows_lie_in_one_place_not_even_repeats() -> None:
    vectors, labels = planted_vectors((30, 30))
    vectors[1] = vectors[0]

    assert len(np.unique(a_map(vectors, labels), axis=0)) == len(vectors)


def test_the_same_bits_whatever_the_number_of_threads(places: NDArray[np.float32]) -> None:
    script = (
        "import sys; from tests.unit.clustering.test_layout import *; v, l = planted_vectors(SIZES, strangers=12); "
        "sys.stdout.buffer.write(a_map(v, l).tobytes())"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads, "PYTHONPATH": "."},
            capture_output=True,
            check=True,
        ).stdout
        for threads in ("1", "2")
    ]

    assert said == [places.tobytes()] * 2


def test_old_cases_hardly_move_when_a_tenth_is_new(planted: tuple[Vectors, NDArray[np.int32]]) -> None:
    vectors, labels = planted
    old = np.arange(len(labels)) % 10 != 0
    before = a_map(vectors[old], labels[old])
    former = np.full((len(labels), 2), np.nan, np.float32)
    former[old] = before

    now = a_map(vectors, labels, former)

    moved = np.linalg.norm(now[old] - before, axis=1)
    assert float(np.median(moved)) < 0.02 * np.ptp(before[:, 0])
    assert np.isfinite(now).all()
    assert own_middle_is_nearest(now, labels) >= 0.98


def test_a_network_that_doubled_still_has_an_island_for_every_theme(
    planted: tuple[Vectors, NDArray[np.int32]],
) -> None:
    vectors, labels = planted
    old = np.arange(len(labels)) % 2 == 0
    former = np.full((len(labels), 2), np.nan, np.float32)
    former[old] = a_map(vectors[old], labels[old])

    now = a_map(vectors, labels, former)

    assert own_middle_is_nearest(now, labels) >= 0.98
    assert float(np.median(np.linalg.norm(now[old] - former[old], axis=1))) < 0.1


def test_a_case_whose_theme_changed_goes_where_its_theme_is(
    planted: tuple[Vectors, NDArray[np.int32]], places: NDArray[np.float32]
) -> None:
    vectors, labels = planted
    moved = labels.copy()
    moved[0] = 1

    now = a_map(vectors, moved, places)

    middles = np.stack([now[moved == label].mean(axis=0) for label in range(len(SIZES))])
    assert int(np.linalg.norm(now[0] - middles, axis=1).argmin()) == 1


def test_too_many_rows_to_lay_out_at_once_still_keep_their_islands(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, labels = planted_vectors((200, 150, 120))
    monkeypatch.setattr(layout, "MAX_ROWS", 150)

    places = a_map(vectors, labels)

    assert np.isfinite(places).all()
    assert own_middle_is_nearest(places, labels) >= 0.97


@settings(max_examples=15, deadline=None)
@given(n=st.integers(0, 30), k=st.integers(0, 3), seed=st.integers(0, 100), old=st.integers(0, 30))
def test_any_small_network_has_a_map(n: int, k: int, seed: int, old: int) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((n, 5))
    vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    labels = rng.integers(-1, k, n).astype(np.int32)
    centres = np.eye(5, dtype=np.float32)[:k]
    former = rng.uniform(-1, 1, (n, 2)).astype(np.float32)
    former[old:] = np.nan

    for given_places in (None, former):
        found = compute_layout(find_nearest_neighbours(vectors, 5), labels, centres, former=given_places, seed=seed)
        assert found.shape == (n, 2)
        assert np.isfinite(found).all()


def test_rows_without_any_neighbour_are_still_placed() -> None:
    alone = Neighbours(np.zeros((3, 0), np.int32), np.zeros((3, 0), np.float32))

    found = compute_layout(alone, np.full(3, OUTLIER, np.int32), np.zeros((0, 4), np.float32), seed=0)

    assert np.isfinite(found).all()


def test_the_push_by_way_of_a_grid_is_close_to_the_push_of_every_pair() -> None:
    rng = np.random.default_rng(0)
    places = 12 * (rng.standard_normal(400) + 1j * rng.standard_normal(400))
    apart = places[:, None] - places[None, :]
    near = 1 / (1 + np.abs(apart) ** 2)
    exact = (apart * near**2).sum(axis=1) / (near.sum() - len(places))

    pushed = Repulsion()(places)

    assert float(np.abs(pushed - exact).mean() / np.abs(exact).mean()) < 0.15
