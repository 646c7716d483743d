"""Exact vector search with NumPy."""

from collections.abc import Sequence

from patternmind.clustering.neighbours import cosine_similarity
from patternmind.domain.cases import CaseKind, kind_from_id
from patternmind.domain.themes import Vectors
from patternmind.ports import Hit


class ExactIndex:
    """Implements ``ports.VectorIndex`` over rows in memory; the reference for ``ChromaIndex``."""

    def __init__(self, ids: Sequence[str], vectors: Vectors) -> None:
        self._ids = list(ids)
        self._vectors = vectors

    def search(self, vector: Vectors, k: int, *, kind: CaseKind | None = None) -> list[Hit]:
        return rank_hits(self._ids, self._vectors, vector, k, kind)


def rank_hits(ids: Sequence[str], vectors: Vectors, vector: Vectors, k: int, kind: CaseKind | None) -> list[Hit]:
    """Return the k rows nearest to a vector, best first, optionally of one kind."""
    if not len(ids):
        return []
    scores = cosine_similarity(vectors, vector[None, :])[:, 0]
    rows = (row for row, id in enumerate(ids) if kind in (None, kind_from_id(id)))
    order = sorted(rows, key=lambda row: (-float(scores[row]), ids[row]))[:k]
    return [Hit(ids[row], float(scores[row])) for row in order]
