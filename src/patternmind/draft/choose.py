"""Choosing sentences: central to the theme, different from each other, from different cases and teams."""

from collections.abc import Callable, Sequence

from patternmind.draft.keyphrases import COMMON, Phrase, fold
from patternmind.sentences import Role, Sentence

IDEAL_WORDS = (10, 28)
SAME_WORDS = 0.5


def content_words(text: str) -> frozenset[str]:
    folded = (fold(word.strip(".,;:!?()[]\"'“”")) for word in text.split())
    return frozenset(word for word in folded if len(word) >= 3 and word not in COMMON)


def centrality(sentence: Sentence, phrases: Sequence[Phrase], *, firmness: float) -> float:
    """How well a sentence speaks for its theme: the theme's phrases it holds, its length, and its case's strength.

    Args:
        firmness: the strength of the sentence's case in the theme, 0..1.
    """
    words = content_words(sentence.text)
    held = sum(phrase.score for phrase in phrases if set(phrase.words) <= words)
    low, high = IDEAL_WORDS
    n = sentence.n_words
    fit = 1.0 if low <= n <= high else 0.6 if n < low else high / n
    return (0.3 + held) * fit * (0.5 + 0.5 * firmness)


def pick(
    sentences: Sequence[Sentence],
    score: Callable[[Sentence], float],
    *,
    limit: int,
    one_per_case: bool = True,
    unlike: Sequence[Sentence] = (),
) -> list[Sentence]:
    """The best sentences that do not repeat each other (or ``unlike``) in half of their words, best first."""
    chosen: list[Sentence] = []
    ranked = sorted(sentences, key=lambda s: (-score(s), s.case_id, s.field, s.start))
    for sentence in ranked:
        if len(chosen) == limit:
            break
        if one_per_case and any(sentence.case_id == other.case_id for other in chosen):
            continue
        if not any(_alike(sentence, other) for other in (*chosen, *unlike)):
            chosen.append(sentence)
    return chosen


def _alike(left: Sentence, right: Sentence) -> bool:
    mine, theirs = content_words(left.text), content_words(right.text)
    return len(mine & theirs) >= SAME_WORDS * max(1, min(len(mine), len(theirs)))


def of_roles(sentences: Sequence[Sentence], *roles: Role) -> list[Sentence]:
    return [sentence for sentence in sentences if sentence.role in roles and sentence.quotable]
