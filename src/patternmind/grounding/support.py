"""Whether a claim's quotes carry it: by the words they share, and by meaning where words differ."""

import re
from collections import Counter
from collections.abc import Callable, Sequence

Similarity = Callable[[Sequence[tuple[str, str]]], Sequence[float]]
"""Cosines, -1..1, of pairs of texts, in order. Handed in, so that grounding stays pure and needs no encoder."""

MIN_OVERLAP = 0.5
MIN_SIMILARITY = 0.4
"""Below both, support is weak. Measured in docs/decisions/0020-grounding.md on summaries that people wrote."""

STEM_LENGTH = 5
"""Letters that two forms of a word share: "promise" and "promised", "valve" and "valves"."""

FUNCTION_WORDS = frozenset(
    "about after again also and any are because been before being but came can could did does doing done each from get"
    " had has have here how into its just like made make many may might more most much must never not now off often"
    " once one only other our out over same she should since some such than that the their them then there these they"
    " this those through too under until upon very was were what when where which while who whose why will with without"
    " would you your therefore always every".split()
)


def word_overlap(claim: str, quotes: Sequence[str]) -> float:
    """Share of a claim's words that its quotes hold, 0..1, by their beginnings; 1 where it has none that say much."""
    wanted = _stems(claim)
    held = _stems(" ".join(quotes))
    return len(wanted & held) / len(wanted) if wanted else 1.0


def recurring_word_share(claim: str, texts: Sequence[str]) -> float:
    """Share of a claim's words that two or more of the texts hold, 0..1: what one text alone says does not recur."""
    wanted = _stems(claim)
    held = Counter(stem for text in texts for stem in _stems(text) & wanted)
    return sum(n > 1 for n in held.values()) / len(wanted) if wanted else 1.0


def _stems(text: str) -> frozenset[str]:
    words = (word.casefold() for word in re.findall(r"[^\W_]+", text))
    return frozenset(word[:STEM_LENGTH] for word in words if len(word) > 2 and word not in FUNCTION_WORDS)
