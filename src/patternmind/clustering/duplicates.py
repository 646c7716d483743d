"""Detection of near-duplicates: reports of one incident, which counts must include once."""

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from patternmind.domain.themes import Neighbours

MIN_SIMILARITY = 0.85
"""Cosine above which pairs are candidates: edited copies of a case exceed it, and so do many merely similar cases."""

MIN_SHARED_WORD_PAIRS = 0.6
"""Share of the shorter text's word pairs that the other text must contain.

Different reports of one theme stay below 0.25.
"""

MIN_WORD_PAIRS = 25
"""Word pairs below which texts must be identical word for word.

Short texts share many pairs by chance ("my card has not arrived").
"""


def find_near_duplicates(texts: Sequence[str], neighbours: Neighbours) -> dict[int, int]:
    """Map each row that repeats an earlier row to the earliest row of its group.

    Groups are joined through every pair, because each of forty copies lists only its few neighbours, all the same.

    Args:
        texts: texts in the row order of the neighbour search.
        neighbours: result of the neighbour search.
    """
    close = neighbours.similarity >= MIN_SIMILARITY
    pairs: dict[int, set[tuple[str, str]]] = {}  # only of rows close to another row, which are few
    first: dict[int, int] = {}
    for row, rank in np.argwhere(close).tolist():
        other = int(neighbours.index[row, rank])
        for candidate in (row, other):
            if candidate not in pairs:
                pairs[candidate] = _word_pairs(texts[candidate])
        if _is_near_duplicate(pairs[row], pairs[other]):
            earlier, later = sorted((_find_root(row, first), _find_root(other, first)))
            if earlier < later:
                first[later] = earlier
    return {row: _find_root(row, first) for row in sorted(first)}


def _find_root(row: int, first: dict[int, int]) -> int:
    while row in first:
        row = first[row]
    return row


def _word_pairs(text: str) -> set[tuple[str, str]]:
    words = re.findall(r"\w+", text.casefold())
    return set(pairwise(words))


def _is_near_duplicate(left: set[tuple[str, str]], right: set[tuple[str, str]]) -> bool:
    shorter, longer = sorted((left, right), key=len)
    if len(shorter) < MIN_WORD_PAIRS:
        return left == right and bool(left)
    if len(longer) > 2 * len(shorter):
        return False
    return len(shorter & longer) / len(shorter) >= MIN_SHARED_WORD_PAIRS
