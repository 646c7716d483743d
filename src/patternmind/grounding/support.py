"""Measure how well a claim's quotes support it, by shared words."""

import re
from collections import Counter
from collections.abc import Callable, Sequence

Similarity = Callable[[Sequence[tuple[str, str]]], Sequence[float]]
"""Cosines, -1..1, of pairs of texts, in order; a parameter, so that grounding needs no encoder."""

MIN_OVERLAP = 0.5
MIN_SIMILARITY = 0.4
"""Support is weak below both limits; measured on human summaries in docs/decisions/0020-grounding.md."""

STEM_LENGTH = 5
"""Number of common first letters of two word forms: "promise" and "promised", "valve" and "valves"."""

FUNCTION_WORDS = frozenset(
    "about after again also and any are because been before being but came can could did does doing done each from get"
    " had has have here how into its just like made make many may might more most much must never not now off often"
    " once one only other our out over same she should since some such than that the their them then there these they"
    " this those through too under until upon very was were what when where which while who whose why will with without"
    " would you your therefore always every".split()
)


def word_overlap(claim: str, quotes: Sequence[str]) -> float:
    """Return the share of a claim's word stems in its quotes, 0..1.

    The share is 1 for a claim without content words.
    """
    claim_stems = _stems(claim)
    quote_stems = _stems(" ".join(quotes))
    return len(claim_stems & quote_stems) / len(claim_stems) if claim_stems else 1.0


def recurring_word_share(claim: str, texts: Sequence[str]) -> float:
    """Return the share of a claim's word stems that recur in the texts, 0..1.

    A stem recurs if at least two of the texts contain it.
    """
    claim_stems = _stems(claim)
    n_texts = Counter(stem for text in texts for stem in _stems(text) & claim_stems)
    return sum(n > 1 for n in n_texts.values()) / len(claim_stems) if claim_stems else 1.0


def _stems(text: str) -> frozenset[str]:
    words = (word.casefold() for word in re.findall(r"[^\W_]+", text))
    return frozenset(word[:STEM_LENGTH] for word in words if len(word) > 2 and word not in FUNCTION_WORDS)
