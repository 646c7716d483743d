"""New rows among those of a run: the cluster they belong to, a second one, or why they are in none."""

import numpy as np
import pytest
from tests.fixtures.builders import planted_vectors

from patternmind.clustering import placement
from patternmind.clustering.neighbours import find_nearest_neighbours
from patternmind.clustering.partition import default_n_neighbours, partition_rows
from patternmind.clustering.placement import (
    N_CANDIDATES,
    PlacementModel,
    fit_placement,
    predict,
)
from patternmind.domain.themes import (
    OUTLIER,
    OutlierReason,
    Partition,
    Vectors,
)


def found_in(vectors: Vectors) -> Partition:
    return partition_rows(
        vectors, find_nearest_neighbours(vectors, default_n_neighbours(len(vectors))), engine="graph", seed=0
    )


def known_of(vectors: Vectors, part: Partition) -> PlacementModel:
    return fit_placement(vectors, part.nearest, part.strength, part.why)


def a_network() -> tuple[Vectors, Partition, Vectors, list[int]]:
    """120 rows of four groups and their partition; 40 further rows of the groups, with the label each should get."""
    vectors, truth = planted_vectors([40, 40, 40, 40], spread=0.6)
    fitted = np.arange(160) % 4 != 0
    part = found_in(vectors[fitted])
    label_of = {int(group): int(label) for group, label in zip(truth[fitted], part.nearest, strict=True)}
    return vectors[fitted], part, vectors[~fitted], [label_of[int(group)] for group in truth[~fitted]]


def between(vectors: Vectors, part: Partition, one: int, other: int) -> Vectors:
    middle = part.centres[[one]] + part.centres[[other]]
    return (middle / np.linalg.norm(middle)).astype(np.float32)


def test_new_rows_go_where_their_group_is_and_strangers_stand_alone() -> None:
    vectors, part, new, wanted = a_network()
    found = predict(new, known_of(vectors, part))
    assert found.candidates[:, 0].tolist() == wanted
    assert (found.labels != OUTLIER).mean() > 0.9
    assert (found.strength[:, 0] > 0.8).mean() > 0.9
    stranger = np.linalg.qr(np.vstack([part.centres, np.ones((1, 64))]).T)[0][:, -1:].T.astype(np.float32)
    alone = predict(stranger, known_of(vectors, part))
    assert (alone.labels[0], alone.outlier_reason[0]) == (OUTLIER, OutlierReason.ALONE)
    assert alone.closest_rows.shape == (1, placement.N_CLOSEST)


def test_a_row_of_two_groups_belongs_to_both() -> None:
    vectors, part, _, _ = a_network()
    found = predict(
        between(vectors, part, 0, 1), PlacementModel(known_of(vectors, part).quantized, part.nearest, part.strength)
    )
    assert {int(found.labels[0]), int(found.second[0])} == {0, 1}


def test_each_row_is_placed_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, part, new, _ = a_network()
    known = known_of(vectors, part)
    whole = predict(new, known)
    assert [int(predict(new[[row]], known).labels[0]) for row in range(len(new))] == whole.labels.tolist()
    monkeypatch.setattr(placement, "BLOCK_BYTES", 4 * 120 * 7)
    assert np.array_equal(predict(new, known).strength, whole.strength)
    assert np.array_equal(known_of(vectors, part).quantized, known.quantized)
    assert known_of(vectors, part).alone_below == known.alone_below


def test_a_closed_cluster_takes_nothing_in_and_is_offered_last() -> None:
    vectors, part, new, wanted = a_network()
    known = PlacementModel(known_of(vectors, part).quantized, part.nearest, part.strength)
    found = predict(new, known, excluded={wanted[0]})
    of_it = np.asarray(wanted) == wanted[0]
    assert (found.labels[of_it] == OUTLIER).all()
    assert found.labels[~of_it].tolist() == [label for label in wanted if label != wanted[0]]
    both = predict(between(vectors, part, 0, 1), known, excluded={0})
    assert (both.labels[0], both.second[0]) == (1, OUTLIER)
    assert both.candidates[0].tolist()[:2] == [1, 0]


def test_strength_falls_and_offers_end_in_none() -> None:
    vectors, part, new, _ = a_network()
    found = predict(new, known_of(vectors, part))
    assert found.candidates.shape == found.strength.shape == (len(new), N_CANDIDATES)
    assert (np.diff(found.strength, axis=1) <= 0).all()
    assert ((found.strength > 0) == (found.candidates != OUTLIER)).all()
    assert found.strength.max() <= 1


@pytest.mark.parametrize("n", [0, 1, 4, 19])
def test_where_nothing_recurs_everything_new_stands_alone(n: int) -> None:
    vectors = planted_vectors([20])[0]
    known = known_of(vectors[:n], found_in(vectors[:n]))
    found = predict(vectors[10:12], known)
    assert found.labels.tolist() == [OUTLIER, OUTLIER]
    assert found.outlier_reason.tolist() == [OutlierReason.ALONE, OutlierReason.ALONE]
    assert (found.candidates == OUTLIER).all()


def test_nothing_new_is_nothing_placed() -> None:
    vectors, part, new, _ = a_network()
    found = predict(new[:0], known_of(vectors, part))
    assert (len(found.labels), found.candidates.shape) == (0, (0, N_CANDIDATES))
