"""Groups and themes without enough cases in common, matched by what they are about: centre and exemplars.

A stored centre is comparable only with vectors of the encoder that made it. Where the encoder changed, the centre is
made again from those of the theme's cases that are among this run's.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from patternmind.carry.memory import exemplars_of, members_of
from patternmind.model.themes import Theme, Vectors

SAME_CENTRE = 0.85
"""Least cosine of two centres that are each other's closest."""

ALIKE_CENTRE = 0.7
"""Least cosine where the theme's exemplars speak for the group too."""

VOTES = 0.5
"""Share of a theme's exemplars among this run's cases that must not be exceeded elsewhere, and must be reached here."""


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
    themes: Mapping[int, Theme],
    centres: Mapping[int, Vectors],
) -> dict[int, int]:
    """Theme by group, for pairs that are each other's closest.

    Args:
        groups: all groups of the run, members and centre; only the ``free`` may be matched, but a theme whose closest
            group is another's, or whose exemplars are there, did not come back.
        themes: those left, by position; ``centres`` of those that have one.
    """
    right = sorted(centres, key=lambda position: themes[position].id)
    if not free or not right:
        return {}
    cosine = np.array([[float(groups[g][1] @ centres[t]) for t in right] for g in range(len(groups))])
    matched: dict[int, int] = {}
    for g in sorted(free, key=lambda g: min(groups[g][0])):
        column = int(cosine[g].argmax())
        closest = [int(i) for i in np.flatnonzero(cosine[:, column] == cosine[:, column].max())]
        first = min((i for i in closest if i in free), key=lambda i: min(groups[i][0]), default=None)
        here, elsewhere = _votes(themes[right[column]], g, groups)
        enough = ALIKE_CENTRE if here >= VOTES else SAME_CENTRE
        if first == g and cosine[g, column] >= enough and elsewhere <= VOTES:
            matched[g] = right[column]
    return matched


def _votes(theme: Theme, group: int, groups: Sequence[tuple[frozenset[str], Vectors]]) -> tuple[float, float]:
    """The shares of the theme's exemplars that are in this group, and in any other."""
    speaks = exemplars_of(theme)
    if not speaks:
        return 0.0, 0.0
    here = sum(case_id in groups[group][0] for case_id in speaks)
    anywhere = sum(any(case_id in members for members, _ in groups) for case_id in speaks)
    return here / len(speaks), (anywhere - here) / len(speaks)
