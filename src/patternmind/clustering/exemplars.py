"""The cases that speak for a cluster: three central ones, and one at its edge."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from patternmind.clustering.neighbours import cosine_similarity
from patternmind.domain.themes import Vectors

MAX_CENTRAL = 3
MAX_SIMILARITY = 0.92


@dataclass(frozen=True, slots=True)
class Exemplars:
    """Rows: ``central`` the medoid first, then central ones that are not its copies; ``edge`` the farthest member."""

    central: tuple[int, ...]
    edge: int | None
    cohesion: float


def choose_exemplars(vectors: Vectors, rows: Sequence[int], centroid: Vectors) -> Exemplars:
    """Pick exemplars of one cluster; ``cohesion`` is the mean cosine of its members to its centre."""
    members = np.asarray(rows)
    to_centre = cosine_similarity(vectors[members], centroid[None, :])[:, 0]
    order = members[np.argsort(-to_centre, kind="stable")]
    central: list[int] = []
    for row in order:
        alike = cosine_similarity(vectors[central], vectors[[row]]).max() if central else 0
        if alike < MAX_SIMILARITY:
            central.append(int(row))
        if len(central) == MAX_CENTRAL:
            break
    edge = int(order[-1]) if len(order) > MAX_CENTRAL and int(order[-1]) not in central else None
    return Exemplars(tuple(central), edge, float(to_centre.mean()))
