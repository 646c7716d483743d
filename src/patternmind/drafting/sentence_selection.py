"""Select central sentences of a theme that differ from each other."""

from collections.abc import Callable, Mapping, Sequence

from patternmind.drafting.keyphrases import ALL_STOPWORDS, Phrase
from patternmind.drafting.word_forms import normalize_word
from patternmind.text import Sentence, SentenceRole, is_fragment, is_self_contained

IDEAL_WORD_RANGE = (10, 28)
MAX_WORD_OVERLAP = 0.5

DEPENDENT_SENTENCE_WEIGHT = 0.3
"""Weight of a sentence that cannot be understood without the one before it."""

DIVERSITY = 0.5
"""Score share that a sentence loses at full overlap (maximal marginal relevance)."""


def content_words(text: str) -> frozenset[str]:
    folded = (normalize_word(word.strip(".,;:!?()[]\"'“”")) for word in text.split())
    return frozenset(word for word in folded if len(word) >= 3 and word not in ALL_STOPWORDS)


def compute_document_frequencies(texts: Sequence[str]) -> dict[str, float]:
    """Return the share of a theme's cases that contain each word; each case counts once, at any length."""
    n_texts: dict[str, int] = {}
    for text in texts:
        for word in content_words(text):
            n_texts[word] = n_texts.get(word, 0) + 1
    return {word: n / len(texts) for word, n in n_texts.items()}


def centrality(
    sentence: Sentence,
    phrases: Sequence[Phrase],
    *,
    cohesion: float,
    document_frequencies: Mapping[str, float] | None = None,
) -> float:
    """Score how well a sentence represents its theme.

    The score combines the theme's phrases and words in the sentence, its length, and the cohesion of its case.

    Args:
        cohesion: Strength of the sentence's case in the theme, 0..1.
        document_frequencies: By word, the share of the theme's cases that contain it (centroid of Radev et al., 2004).
    """
    words = content_words(sentence.text)
    phrase_score = sum(phrase.score for phrase in phrases if set(phrase.words) <= words)
    word_score = sum((document_frequencies or {}).get(word, 0.0) for word in words) / max(1, len(words))
    low, high = IDEAL_WORD_RANGE
    n = sentence.n_words
    length_weight = 1.0 if low <= n <= high else 0.6 if n < low else high / n
    context_weight = 1.0 if is_self_contained(sentence.text) else DEPENDENT_SENTENCE_WEIGHT
    return (0.3 + phrase_score + word_score) * length_weight * context_weight * (0.5 + 0.5 * cohesion)


def select_sentences(
    sentences: Sequence[Sentence],
    score: Callable[[Sentence], float],
    *,
    limit: int,
    one_per_case: bool = True,
    dissimilar_to: Sequence[Sentence] = (),
    first: Sentence | None = None,
) -> list[Sentence]:
    """Select sentences with high scores and little overlap, best first.

    The selection begins with ``first`` if that is one of ``sentences``. A sentence that shares half of its words with a
    selected one, or with one of ``dissimilar_to``, is excluded. A smaller overlap lowers its score.
    """
    selected: list[Sentence] = []
    scores = {sentence: score(sentence) for sentence in sentences}
    words = {sentence: content_words(sentence.text) for sentence in (*sentences, *dissimilar_to)}
    candidates = sorted(scores, key=lambda s: (-scores[s], s.case_id, s.field, s.start))
    overlap = {
        s: max((_word_overlap(words[s], words[other]) for other in dissimilar_to), default=0.0) for s in candidates
    }
    while candidates and len(selected) < limit:
        candidates = [s for s in candidates if overlap[s] < MAX_WORD_OVERLAP]
        if not candidates:
            break
        best = max(candidates, key=lambda s: scores[s] * (1 - DIVERSITY * overlap[s]))
        best, first = first if first in scores else best, None
        selected.append(best)
        candidates = [s for s in candidates if s != best and not (one_per_case and s.case_id == best.case_id)]
        overlap = {s: max(overlap[s], _word_overlap(words[s], words[best])) for s in candidates}
    return selected


def representative_sentences(
    sentences: Sequence[Sentence], case_id: str, score: Callable[[Sentence], float], *, limit: int
) -> list[Sentence]:
    """Select the best quotable sentences of one case, in reading order."""
    own = [sentence for sentence in sentences if sentence.case_id == case_id and sentence.is_quotable]
    return sorted(select_sentences(own, score, limit=limit, one_per_case=False), key=own.index)


def _word_overlap(words: frozenset[str], other_words: frozenset[str]) -> float:
    return len(words & other_words) / max(1, min(len(words), len(other_words)))


def sentences_with_roles(sentences: Sequence[Sentence], *roles: SentenceRole) -> list[Sentence]:
    """Return the quotable sentences with these roles, without questions, headings and form labels."""
    return [sentence for sentence in sentences if sentence.role in roles and is_quotable_statement(sentence)]


def is_quotable_statement(sentence: Sentence) -> bool:
    return sentence.is_quotable and not is_fragment(sentence.text) and not sentence.text.rstrip().endswith("?")
