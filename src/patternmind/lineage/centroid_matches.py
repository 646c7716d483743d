"""Matching of groups and themes without enough shared cases, by centroid and exemplars.

Similarity is the cosine after subtracting the mean of all centroids, so it measures what is specific to a theme and not
what the whole network is about. Plain cosines say little: in a narrow domain every theme's closest successor reaches
.9, in a broad one hardly any does. A stored centroid is comparable only with vectors of the same encoder. If the
encoder changed, the centroid is computed again from the theme's cases in this run.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from patternmind.domain.themes import Theme, Vectors
from patternmind.lineage.dormancy import exemplars_of, members_of

MIN_CENTROID_SIMILARITY = 0.7
"""Minimum similarity of two mutually closest centroids for one theme to continue the other.

From one month of complaints, block of bills or quarter of arXiv to the next, without a shared case, 59 of 139 mutually
closest pairs reach it. Of these, 81 % are the best pairs by people's labels, of the others 61 %.
"""

MIN_SIMILARITY_WITH_EXEMPLARS = 0.4
"""Minimum similarity if the group also has the theme's exemplars and no other theme."""

MIN_EXEMPLAR_SHARE = 0.5
"""Share of a theme's exemplars that supports a match, or in other groups excludes it."""

MIN_CENTROIDS = 6
"""Number of centroids below which their mean is not meaningful, and the plain cosine decides."""

MIN_SIMILARITY_FEW_CENTROIDS = 0.85


def theme_centroid(theme: Theme, encoder: str, vectors: Mapping[str, Vectors], d: int) -> Vectors | None:
    """Return the theme's centroid in this run's vector space, (d,) unit norm; None if it has no comparable one."""
    if theme.centre and theme.encoder in {"", encoder} and len(theme.centre) == d:
        return np.asarray(theme.centre, np.float32)
    member_vectors = [vectors[case_id] for case_id in sorted(members_of(theme) & vectors.keys())]
    if not member_vectors:
        return None
    vector_sum = np.stack(member_vectors).astype(np.float64).sum(axis=0)
    length = np.linalg.norm(vector_sum)
    return np.asarray(vector_sum / length, np.float32) if length > 0 else None


def match_by_centroid(
    groups: Sequence[tuple[frozenset[str], Vectors]],
    unmatched_groups: Sequence[int],
    unmatched_themes: Mapping[int, Theme],
    centroids: Mapping[int, Vectors],
) -> dict[int, int]:
    """Match groups to themes that are each other's closest; positions of themes by positions of groups.

    Args:
        groups: members and centroid of all groups of the run. A theme is not matched if its closest group, or the group
            with its exemplars, already continues another theme.
        unmatched_groups: positions of the groups to match.
        unmatched_themes: themes to match, by position.
        centroids: centroids of all comparable former themes, by position; their mean is what all themes share.
    """
    theme_positions = sorted(
        unmatched_themes.keys() & centroids.keys(), key=lambda position: unmatched_themes[position].id
    )
    if not unmatched_groups or not theme_positions:
        return {}
    cosine, threshold = _centroid_similarities([centroid for _, centroid in groups], centroids, theme_positions)
    matches: dict[int, int] = {}
    for g in sorted(unmatched_groups, key=lambda g: min(groups[g][0])):
        column = int(cosine[g].argmax())
        closest = [int(i) for i in np.flatnonzero(cosine[:, column] == cosine[:, column].max())]
        first = min((i for i in closest if i in unmatched_groups), key=lambda i: min(groups[i][0]), default=None)
        share_here, share_elsewhere = _exemplar_shares(unmatched_themes[theme_positions[column]], g, groups)
        required = MIN_SIMILARITY_WITH_EXEMPLARS if share_here >= MIN_EXEMPLAR_SHARE else threshold
        if first == g and cosine[g, column] >= required and share_elsewhere <= MIN_EXEMPLAR_SHARE:
            matches[g] = theme_positions[column]
    return matches


def _centroid_similarities(
    groups: Sequence[Vectors], centroids: Mapping[int, Vectors], theme_positions: Sequence[int]
) -> tuple[NDArray[np.float64], float]:
    """Return the similarity of groups to themes, (g, t), and the threshold for a match."""
    rows = np.stack([*groups, *(centroids[t] for t in sorted(centroids))]).astype(np.float64)
    is_enough = len(rows) >= MIN_CENTROIDS
    common = rows.mean(axis=0) if is_enough else np.zeros(rows.shape[1])

    def specific_part(vectors: Sequence[Vectors]) -> NDArray[np.float64]:
        centred = np.stack(vectors).astype(np.float64) - common
        return centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)

    # rounded, so that ties are ties on every machine
    cosine = np.round(specific_part(groups) @ specific_part([centroids[t] for t in theme_positions]).T, 6)
    return cosine, MIN_CENTROID_SIMILARITY if is_enough else MIN_SIMILARITY_FEW_CENTROIDS


def _exemplar_shares(theme: Theme, group: int, groups: Sequence[tuple[frozenset[str], Vectors]]) -> tuple[float, float]:
    """Return the shares of the theme's exemplars in this group and in all other groups."""
    exemplars = exemplars_of(theme)
    if not exemplars:
        return 0.0, 0.0
    here = sum(case_id in groups[group][0] for case_id in exemplars)
    anywhere = sum(any(case_id in members for members, _ in groups) for case_id in exemplars)
    return here / len(exemplars), (anywhere - here) / len(exemplars)
