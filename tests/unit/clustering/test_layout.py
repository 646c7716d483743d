"""Tests of the map layout: reproducibility, separated themes, and stability from run to run."""

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


def centroids_of(vectors: Vectors, labels: NDArray[np.int32]) -> Vectors:
    sums = np.stack([vectors[labels == label].sum(axis=0) for label in range(labels.max() + 1)])
    return (sums / np.linalg.norm(sums, axis=1, keepdims=True)).astype(np.float32)


def lay_out(
    vectors: Vectors, labels: NDArray[np.int32], former: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    return compute_layout(
        find_nearest_neighbours(vectors, 8), labels, centroids_of(vectors, labels), former=former, seed=0
    )


@pytest.fixture(scope="module")
def planted() -> tuple[Vectors, NDArray[np.int32]]:
    return planted_vectors(SIZES, n_outliers=12)


@pytest.fixture(scope="module")
def positions(planted: tuple[Vectors, NDArray[np.int32]]) -> NDArray[np.float32]:
    return lay_out(*planted)


def share_nearest_to_own_centre(positions: NDArray[np.float32], labels: NDArray[np.int32]) -> float:
    is_member = labels != OUTLIER
    centres = np.stack([positions[labels == label].mean(axis=0) for label in range(labels.max() + 1)])
    distances = np.linalg.norm(positions[is_member][:, None] - centres[None], axis=2)
    return float((distances.argmin(axis=1) == labels[is_member]).mean())


def test_layout_positions_every_row_within_the_square(positions: NDArray[np.float32]) -> None:
    assert positions.dtype == np.float32
    assert np.isfinite(positions).all()
    assert np.abs(positions).max() == pytest.approx(1, abs=1e-4)
    assert np.ptp(positions[:, 0]) >= np.ptp(positions[:, 1])


def test_layout_separates_themes(positions: NDArray[np.float32], planted: tuple[Vectors, NDArray[np.int32]]) -> None:
    assert share_nearest_to_own_centre(positions, planted[1]) == 1.0


def test_layout_gives_identical_rows_different_positions() -> None:
    vectors, labels = planted_vectors((30, 30))
    vectors[1] = vectors[0]

    assert len(np.unique(lay_out(vectors, labels), axis=0)) == len(vectors)


def test_layout_has_the_same_bits_with_any_number_of_threads(positions: NDArray[np.float32]) -> None:
    script = (
        "import sys; from tests.unit.clustering.test_layout import *; v, l = planted_vectors(SIZES, n_outliers=12); "
        "sys.stdout.buffer.write(lay_out(v, l).tobytes())"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads, "PYTHONPATH": "."},
            capture_output=True,
            check=True,
        ).stdout
        for threads in ("1", "2")
    ]

    assert outputs == [positions.tobytes()] * 2


def test_layout_hardly_moves_old_cases_when_a_tenth_is_new(planted: tuple[Vectors, NDArray[np.int32]]) -> None:
    vectors, labels = planted
    is_old = np.arange(len(labels)) % 10 != 0
    old_positions = lay_out(vectors[is_old], labels[is_old])
    former = np.full((len(labels), 2), np.nan, np.float32)
    former[is_old] = old_positions

    new_positions = lay_out(vectors, labels, former)

    distances = np.linalg.norm(new_positions[is_old] - old_positions, axis=1)
    assert float(np.median(distances)) < 0.02 * np.ptp(old_positions[:, 0])
    assert np.isfinite(new_positions).all()
    assert share_nearest_to_own_centre(new_positions, labels) >= 0.98


def test_layout_separates_themes_when_the_network_has_doubled(planted: tuple[Vectors, NDArray[np.int32]]) -> None:
    vectors, labels = planted
    is_old = np.arange(len(labels)) % 2 == 0
    former = np.full((len(labels), 2), np.nan, np.float32)
    former[is_old] = lay_out(vectors[is_old], labels[is_old])

    new_positions = lay_out(vectors, labels, former)

    assert share_nearest_to_own_centre(new_positions, labels) >= 0.98
    assert float(np.median(np.linalg.norm(new_positions[is_old] - former[is_old], axis=1))) < 0.1


def test_layout_moves_a_case_to_its_new_theme(
    planted: tuple[Vectors, NDArray[np.int32]], positions: NDArray[np.float32]
) -> None:
    vectors, labels = planted
    new_labels = labels.copy()
    new_labels[0] = 1

    new_positions = lay_out(vectors, new_labels, positions)

    centres = np.stack([new_positions[new_labels == label].mean(axis=0) for label in range(len(SIZES))])
    assert int(np.linalg.norm(new_positions[0] - centres, axis=1).argmin()) == 1


def test_sampled_layout_separates_themes(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, labels = planted_vectors((200, 150, 120))
    monkeypatch.setattr(layout, "MAX_ROWS", 150)

    positions = lay_out(vectors, labels)

    assert np.isfinite(positions).all()
    assert share_nearest_to_own_centre(positions, labels) >= 0.97


@settings(max_examples=15, deadline=None)
@given(n=st.integers(0, 30), k=st.integers(0, 3), seed=st.integers(0, 100), n_old=st.integers(0, 30))
def test_layout_accepts_any_small_network(n: int, k: int, seed: int, n_old: int) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((n, 5))
    vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    labels = rng.integers(-1, k, n).astype(np.int32)
    centroids = np.eye(5, dtype=np.float32)[:k]
    former = rng.uniform(-1, 1, (n, 2)).astype(np.float32)
    former[n_old:] = np.nan

    for former_positions in (None, former):
        positions = compute_layout(
            find_nearest_neighbours(vectors, 5), labels, centroids, former=former_positions, seed=seed
        )
        assert positions.shape == (n, 2)
        assert np.isfinite(positions).all()


def test_layout_positions_rows_without_neighbours() -> None:
    neighbours = Neighbours(np.zeros((3, 0), np.int32), np.zeros((3, 0), np.float32))

    positions = compute_layout(neighbours, np.full(3, OUTLIER, np.int32), np.zeros((0, 4), np.float32), seed=0)

    assert np.isfinite(positions).all()


def test_repulsion_on_a_grid_is_close_to_the_exact_repulsion() -> None:
    rng = np.random.default_rng(0)
    positions = 12 * (rng.standard_normal(400) + 1j * rng.standard_normal(400))
    differences = positions[:, None] - positions[None, :]
    kernel = 1 / (1 + np.abs(differences) ** 2)
    exact = (differences * kernel**2).sum(axis=1) / (kernel.sum() - len(positions))

    approximate = Repulsion()(positions)

    assert float(np.abs(approximate - exact).mean() / np.abs(exact).mean()) < 0.15
