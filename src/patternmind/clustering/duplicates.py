"""Near-duplicates: the same incident told twice. Found among neighbours, confirmed by words, kept out of counts."""

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from patternmind.domain.themes import Neighbours

MIN_SIMILARITY = 0.85
"""Candidates; an edited copy of a case keeps a higher cosine than this, and so do many merely similar cases."""

MIN_SHARED_WORD_PAIRS = 0.6
"""Share of the shorter text's word pairs that the other holds too; different reports of one theme stay below 0.25."""

MIN_WORD_PAIRS = 25
"""Texts of fewer word pairs share many by chance ("my card has not arrived"): they must be alike word for word."""


def find_near_duplicates(texts: Sequence[str], neighbours: Neighbours) -> dict[int, int]:
    """Each row that repeats an earlier row, with the earliest row of its group.

    Groups are joined through every pair: of forty copies each lists only its few neighbours, all the same ones.

    Args:
        texts: row i of the neighbour search.
    """
    close = neighbours.similarity >= MIN_SIMILARITY
    pairs: dict[int, set[tuple[str, str]]] = {}  # of the rows that are close to another: few of very many
    first: dict[int, int] = {}
    for row, rank in np.argwhere(close).tolist():
        other = int(neighbours.index[row, rank])
        for one in (row, other):
            if one not in pairs:
                pairs[one] = _word_pairs(texts[one])
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
