"""Groups and themes without enough cases in common, matched by what they are about: centre and exemplars.

Similarity is the cosine after the mean of all centres was taken from each: what sets a theme apart, not what the whole
network is about. Plain cosines say little: in one narrow domain every theme's closest successor reaches .9, in a broad
one hardly any does. A stored centre is comparable only with vectors of the encoder that made it; where the encoder
changed, the centre is made again from those of the theme's cases that are among this run's.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from patternmind.domain.themes import Theme, Vectors
from patternmind.lineage.dormancy import exemplars_of, members_of

MIN_CENTROID_SIMILARITY = 0.7
"""Least similarity of two centres that are each other's closest, for one to continue the other.

From one month of complaints, block of bills or quarter of arXiv to the next, without a shared case, 59 of 139 pairs
that are closest to each other reach it: 81 % of them are the best pairs by people's labels, of the others 61 %.
"""

MIN_SIMILARITY_WITH_EXEMPLARS = 0.4
"""Least similarity where the theme's exemplars are in the group too, and the group is no other theme."""

MIN_EXEMPLAR_SHARE = 0.5
"""Share of a theme's exemplars that speaks for a group, or, exceeded elsewhere, against it."""

MIN_CENTROIDS = 6
"""Below this many, what all have in common cannot be told from what sets one apart: the plain cosine decides."""

MIN_SIMILARITY_FEW_CENTROIDS = 0.85


def theme_centroid(theme: Theme, encoder: str, vectors: Mapping[str, Vectors], d: int) -> Vectors | None:
    """The theme's centre among this run's vectors, (d,) unit norm; none where nothing of it can be compared."""
    if theme.centre and theme.encoder in {"", encoder} and len(theme.centre) == d:
        return np.asarray(theme.centre, np.float32)
    told = [vectors[case_id] for case_id in sorted(members_of(theme) & vectors.keys())]
    if not told:
        return None
    total = np.stack(told).astype(np.float64).sum(axis=0)
    length = np.linalg.norm(total)
    return np.asarray(total / length, np.float32) if length > 0 else None


def match_by_centroid(
    groups: Sequence[tuple[frozenset[str], Vectors]],
    unmatched_groups: Sequence[int],
    unmatched_themes: Mapping[int, Theme],
    centroids: Mapping[int, Vectors],
) -> dict[int, int]:
    """Theme by group, for pairs that are each other's closest.

    Args:
        groups: all groups of the run, members and centre; only the ``free`` may be matched, but a theme whose closest
            group is another's, or whose exemplars are there, did not come back.
        left: the themes that may be matched, by position.
        centres: by position, of all former themes that can be compared; the others say what is common to all.
    """
    right = sorted(unmatched_themes.keys() & centroids.keys(), key=lambda position: unmatched_themes[position].id)
    if not unmatched_groups or not right:
        return {}
    cosine, same = _centroid_similarities([centre for _, centre in groups], centroids, right)
    matched: dict[int, int] = {}
    for g in sorted(unmatched_groups, key=lambda g: min(groups[g][0])):
        column = int(cosine[g].argmax())
        closest = [int(i) for i in np.flatnonzero(cosine[:, column] == cosine[:, column].max())]
        first = min((i for i in closest if i in unmatched_groups), key=lambda i: min(groups[i][0]), default=None)
        here, elsewhere = _exemplar_shares(unmatched_themes[right[column]], g, groups)
        enough = MIN_SIMILARITY_WITH_EXEMPLARS if here >= MIN_EXEMPLAR_SHARE else same
        if first == g and cosine[g, column] >= enough and elsewhere <= MIN_EXEMPLAR_SHARE:
            matched[g] = right[column]
    return matched


def _centroid_similarities(
    groups: Sequence[Vectors], centroids: Mapping[int, Vectors], theme_positions: Sequence[int]
) -> tuple[NDArray[np.float64], float]:
    """Every group with every theme of ``right``, (g, t), and from where on they are the same."""
    rows = np.stack([*groups, *(centroids[t] for t in sorted(centroids))]).astype(np.float64)
    enough = len(rows) >= MIN_CENTROIDS
    common = rows.mean(axis=0) if enough else np.zeros(rows.shape[1])

    def apart(vectors: Sequence[Vectors]) -> NDArray[np.float64]:
        told = np.stack(vectors).astype(np.float64) - common
        return told / np.maximum(np.linalg.norm(told, axis=1, keepdims=True), 1e-12)

    cosine = np.round(
        apart(groups) @ apart([centroids[t] for t in theme_positions]).T, 6
    )  # ties are ties on every machine
    return cosine, MIN_CENTROID_SIMILARITY if enough else MIN_SIMILARITY_FEW_CENTROIDS


def _exemplar_shares(theme: Theme, group: int, groups: Sequence[tuple[frozenset[str], Vectors]]) -> tuple[float, float]:
    """The shares of the theme's exemplars that are in this group, and in any other."""
    speaks = exemplars_of(theme)
    if not speaks:
        return 0.0, 0.0
    here = sum(case_id in groups[group][0] for case_id in speaks)
    anywhere = sum(any(case_id in members for members, _ in groups) for case_id in speaks)
    return here / len(speaks), (anywhere - here) / len(speaks)
