"""Groups and themes without enough cases in common, matched by what they are about: centre and exemplars.

Similarity is the cosine after the mean of all centres was taken from each: what sets a theme apart, not what the whole
network is about. Plain cosines say little: in one narrow domain every theme's closest successor reaches .9, in a broad
one hardly any does. A stored centre is comparable only with vectors of the encoder that made it; where the encoder
changed, the centre is made again from those of the theme's cases that are among this run's.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from patternmind.carry.memory import exemplars_of, members_of
from patternmind.model.themes import Theme, Vectors

SAME_CENTRE = 0.7
"""Least similarity of two centres that are each other's closest, for one to continue the other.

From one month of complaints, block of bills or quarter of arXiv to the next, without a shared case, 59 of 139 pairs
that are closest to each other reach it: 81 % of them are the best pairs by people's labels, of the others 61 %.
"""

ALIKE_CENTRE = 0.4
"""Least similarity where the theme's exemplars are in the group too, and the group is no other theme."""

VOTES = 0.5
"""Share of a theme's exemplars that speaks for a group, or, exceeded elsewhere, against it."""

FEW_CENTRES = 6
"""Below this many, what all have in common cannot be told from what sets one apart: the plain cosine decides."""

SAME_WHERE_FEW = 0.85


def centre_of(theme: Theme, encoder: str, vectors: Mapping[str, Vectors], d: int) -> Vectors | None:
    """The theme's centre among this run's vectors, (d,) unit norm; none where nothing of it can be compared."""
    if theme.centre and theme.encoder in {"", encoder} and len(theme.centre) == d:
        return np.asarray(theme.centre, np.float32)
    told = [vectors[case_id] for case_id in sorted(members_of(theme) & vectors.keys())]
    if not told:
        return None
    total = np.stack(told).astype(np.float64).sum(axis=0)
    length = np.linalg.norm(total)
    return np.asarray(total / length, np.float32) if length > 0 else None


def match_by_centre(
    groups: Sequence[tuple[frozenset[str], Vectors]],
    free: Sequence[int],
    left: Mapping[int, Theme],
    centres: Mapping[int, Vectors],
) -> dict[int, int]:
    """Theme by group, for pairs that are each other's closest.

    Args:
        groups: all groups of the run, members and centre; only the ``free`` may be matched, but a theme whose closest
            group is another's, or whose exemplars are there, did not come back.
        left: the themes that may be matched, by position.
        centres: by position, of all former themes that can be compared; the others say what is common to all.
    """
    right = sorted(left.keys() & centres.keys(), key=lambda position: left[position].id)
    if not free or not right:
        return {}
    cosine, same = _similarities([centre for _, centre in groups], centres, right)
    matched: dict[int, int] = {}
    for g in sorted(free, key=lambda g: min(groups[g][0])):
        column = int(cosine[g].argmax())
        closest = [int(i) for i in np.flatnonzero(cosine[:, column] == cosine[:, column].max())]
        first = min((i for i in closest if i in free), key=lambda i: min(groups[i][0]), default=None)
        here, elsewhere = _votes(left[right[column]], g, groups)
        enough = ALIKE_CENTRE if here >= VOTES else same
        if first == g and cosine[g, column] >= enough and elsewhere <= VOTES:
            matched[g] = right[column]
    return matched


def _similarities(
    groups: Sequence[Vectors], centres: Mapping[int, Vectors], right: Sequence[int]
) -> tuple[NDArray[np.float64], float]:
    """Every group with every theme of ``right``, (g, t), and from where on they are the same."""
    rows = np.stack([*groups, *(centres[t] for t in sorted(centres))]).astype(np.float64)
    enough = len(rows) >= FEW_CENTRES
    common = rows.mean(axis=0) if enough else np.zeros(rows.shape[1])

    def apart(vectors: Sequence[Vectors]) -> NDArray[np.float64]:
        told = np.stack(vectors).astype(np.float64) - common
        return told / np.maximum(np.linalg.norm(told, axis=1, keepdims=True), 1e-12)

    cosine = np.round(apart(groups) @ apart([centres[t] for t in right]).T, 6)  # ties are ties on every machine
    return cosine, SAME_CENTRE if enough else SAME_WHERE_FEW


def _votes(theme: Theme, group: int, groups: Sequence[tuple[frozenset[str], Vectors]]) -> tuple[float, float]:
    """The shares of the theme's exemplars that are in this group, and in any other."""
    speaks = exemplars_of(theme)
    if not speaks:
        return 0.0, 0.0
    here = sum(case_id in groups[group][0] for case_id in speaks)
    anywhere = sum(any(case_id in members for members, _ in groups) for case_id in speaks)
    return here / len(speaks), (anywhere - here) / len(speaks)
