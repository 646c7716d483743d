"""Choosing sentences: central to the theme, different from each other, from different cases and teams."""

from collections.abc import Callable, Mapping, Sequence

from patternmind.drafting.keyphrases import ALL_STOPWORDS, Phrase
from patternmind.drafting.word_forms import normalize_word
from patternmind.text import (
    Sentence,
    SentenceRole,
    is_fragment,
    is_self_contained,
)

IDEAL_WORD_RANGE = (10, 28)
MAX_WORD_OVERLAP = 0.5

DEPENDENT_SENTENCE_WEIGHT = 0.3
"""What a sentence is worth that points at the one before it: taken where nothing else is said."""

DIVERSITY = 0.5
"""How much of its worth a sentence loses that says all that one chosen before it said (maximal marginal relevance)."""


def content_words(text: str) -> frozenset[str]:
    folded = (normalize_word(word.strip(".,;:!?()[]\"'“”")) for word in text.split())
    return frozenset(word for word in folded if len(word) >= 3 and word not in ALL_STOPWORDS)


def compute_document_frequencies(texts: Sequence[str]) -> dict[str, float]:
    """The share of a theme's cases that hold each word: its centroid, each case counted once however long it is."""
    held: dict[str, int] = {}
    for text in texts:
        for word in content_words(text):
            held[word] = held.get(word, 0) + 1
    return {word: n / len(texts) for word, n in held.items()}


def centrality(
    sentence: Sentence,
    phrases: Sequence[Phrase],
    *,
    cohesion: float,
    document_frequencies: Mapping[str, float] | None = None,
) -> float:
    """How well a sentence speaks for its theme: the theme's phrases and common words it holds, length, strength.

    Args:
        firmness: the strength of the sentence's case in the theme, 0..1.
        shares: by word, the share of the theme's cases that hold it (centroid of Radev et al., 2004).
    """
    words = content_words(sentence.text)
    held = sum(phrase.score for phrase in phrases if set(phrase.words) <= words)
    shared = sum((document_frequencies or {}).get(word, 0.0) for word in words) / max(1, len(words))
    low, high = IDEAL_WORD_RANGE
    n = sentence.n_words
    fit = 1.0 if low <= n <= high else 0.6 if n < low else high / n
    alone = 1.0 if is_self_contained(sentence.text) else DEPENDENT_SENTENCE_WEIGHT
    return (0.3 + held + shared) * fit * alone * (0.5 + 0.5 * cohesion)


def select_sentences(
    sentences: Sequence[Sentence],
    score: Callable[[Sentence], float],
    *,
    limit: int,
    one_per_case: bool = True,
    dissimilar_to: Sequence[Sentence] = (),
    first: Sentence | None = None,
) -> list[Sentence]:
    """Sentences that each score high and say little of what those before them say, best first; ``first`` if given.

    One that shares half of its words with a chosen one, or with one of ``unlike``, is left out; below that it loses
    worth by what it shares.
    """
    chosen: list[Sentence] = []
    worth = {sentence: score(sentence) for sentence in sentences}
    words = {sentence: content_words(sentence.text) for sentence in (*sentences, *dissimilar_to)}
    left = sorted(worth, key=lambda s: (-worth[s], s.case_id, s.field, s.start))
    overlap = {
        one: max((_word_overlap(words[one], words[other]) for other in dissimilar_to), default=0.0) for one in left
    }
    while left and len(chosen) < limit:
        left = [one for one in left if overlap[one] < MAX_WORD_OVERLAP]
        if not left:
            break
        best = max(left, key=lambda one: worth[one] * (1 - DIVERSITY * overlap[one]))
        best, first = first if first in worth else best, None
        chosen.append(best)
        left = [one for one in left if one != best and not (one_per_case and one.case_id == best.case_id)]
        overlap = {one: max(overlap[one], _word_overlap(words[one], words[best])) for one in left}
    return chosen


def _word_overlap(words: frozenset[str], other_words: frozenset[str]) -> float:
    return len(words & other_words) / max(1, min(len(words), len(other_words)))


def sentences_with_roles(sentences: Sequence[Sentence], *roles: SentenceRole) -> list[Sentence]:
    """The sentences of these roles that can be quoted: no questions, no headings or labels of forms."""
    return [sentence for sentence in sentences if sentence.role in roles and is_quotable_statement(sentence)]


def is_quotable_statement(sentence: Sentence) -> bool:
    return sentence.is_quotable and not is_fragment(sentence.text) and not sentence.text.rstrip().endswith("?")
