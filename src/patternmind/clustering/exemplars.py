"""Exemplars of a cluster: up to three central cases and one edge case."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from patternmind.clustering.neighbours import cosine_similarity
from patternmind.domain.themes import Vectors

MAX_CENTRAL = 3
MAX_SIMILARITY = 0.92


@dataclass(frozen=True, slots=True)
class Exemplars:
    """Representative rows of one cluster.

    Attributes:
        central: the medoid first, then central rows that are not near-copies of it.
        edge: the member farthest from the centroid; None where the cluster is too small.
        cohesion: mean cosine of the members to the centroid.
    """

    central: tuple[int, ...]
    edge: int | None
    cohesion: float


def choose_exemplars(vectors: Vectors, rows: Sequence[int], centroid: Vectors) -> Exemplars:
    """Choose the exemplars of one cluster."""
    members = np.asarray(rows)
    to_centroid = cosine_similarity(vectors[members], centroid[None, :])[:, 0]
    order = members[np.argsort(-to_centroid, kind="stable")]
    central: list[int] = []
    for row in order:
        highest = cosine_similarity(vectors[central], vectors[[row]]).max() if central else 0
        if highest < MAX_SIMILARITY:
            central.append(int(row))
        if len(central) == MAX_CENTRAL:
            break
    edge = int(order[-1]) if len(order) > MAX_CENTRAL and int(order[-1]) not in central else None
    return Exemplars(tuple(central), edge, float(to_centroid.mean()))
