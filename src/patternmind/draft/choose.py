"""Choosing sentences: central to the theme, different from each other, from different cases and teams."""

from collections.abc import Callable, Mapping, Sequence

from patternmind.draft.keyphrases import COMMON, Phrase
from patternmind.draft.words import fold
from patternmind.sentences import Role, Sentence, is_scrap, stands_alone

IDEAL_WORDS = (10, 28)
SAME_WORDS = 0.5

NOT_ALONE = 0.3
"""What a sentence is worth that points at the one before it: taken where nothing else is said."""

DIVERSITY = 0.5
"""How much of its worth a sentence loses that says all that one chosen before it said (maximal marginal relevance)."""


def content_words(text: str) -> frozenset[str]:
    folded = (fold(word.strip(".,;:!?()[]\"'“”")) for word in text.split())
    return frozenset(word for word in folded if len(word) >= 3 and word not in COMMON)


def shares_of_words(texts: Sequence[str]) -> dict[str, float]:
    """The share of a theme's cases that hold each word: its centroid, each case counted once however long it is."""
    held: dict[str, int] = {}
    for text in texts:
        for word in content_words(text):
            held[word] = held.get(word, 0) + 1
    return {word: n / len(texts) for word, n in held.items()}


def centrality(
    sentence: Sentence, phrases: Sequence[Phrase], *, firmness: float, shares: Mapping[str, float] | None = None
) -> float:
    """How well a sentence speaks for its theme: the theme's phrases and common words it holds, length, strength.

    Args:
        firmness: the strength of the sentence's case in the theme, 0..1.
        shares: by word, the share of the theme's cases that hold it (centroid of Radev et al., 2004).
    """
    words = content_words(sentence.text)
    held = sum(phrase.score for phrase in phrases if set(phrase.words) <= words)
    shared = sum((shares or {}).get(word, 0.0) for word in words) / max(1, len(words))
    low, high = IDEAL_WORDS
    n = sentence.n_words
    fit = 1.0 if low <= n <= high else 0.6 if n < low else high / n
    alone = 1.0 if stands_alone(sentence.text) else NOT_ALONE
    return (0.3 + held + shared) * fit * alone * (0.5 + 0.5 * firmness)


def pick(
    sentences: Sequence[Sentence],
    score: Callable[[Sentence], float],
    *,
    limit: int,
    one_per_case: bool = True,
    unlike: Sequence[Sentence] = (),
    first: Sentence | None = None,
) -> list[Sentence]:
    """Sentences that each score high and say little of what those before them say, best first; ``first`` if given.

    One that shares half of its words with a chosen one, or with one of ``unlike``, is left out; below that it loses
    worth by what it shares.
    """
    chosen: list[Sentence] = []
    worth = {sentence: score(sentence) for sentence in sentences}
    words = {sentence: content_words(sentence.text) for sentence in (*sentences, *unlike)}
    left = sorted(worth, key=lambda s: (-worth[s], s.case_id, s.field, s.start))
    overlap = {one: max((_overlap(words[one], words[other]) for other in unlike), default=0.0) for one in left}
    while left and len(chosen) < limit:
        left = [one for one in left if overlap[one] < SAME_WORDS]
        if not left:
            break
        best = max(left, key=lambda one: worth[one] * (1 - DIVERSITY * overlap[one]))
        best, first = first if first in worth else best, None
        chosen.append(best)
        left = [one for one in left if one != best and not (one_per_case and one.case_id == best.case_id)]
        overlap = {one: max(overlap[one], _overlap(words[one], words[best])) for one in left}
    return chosen


def _overlap(mine: frozenset[str], theirs: frozenset[str]) -> float:
    return len(mine & theirs) / max(1, min(len(mine), len(theirs)))


def of_roles(sentences: Sequence[Sentence], *roles: Role) -> list[Sentence]:
    """The sentences of these roles that can be quoted: no questions, no headings or labels of forms."""
    return [sentence for sentence in sentences if sentence.role in roles and tells(sentence)]


def tells(sentence: Sentence) -> bool:
    return sentence.quotable and not is_scrap(sentence.text) and not sentence.text.rstrip().endswith("?")
