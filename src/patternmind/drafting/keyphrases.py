"""Find the words and short phrases that distinguish a theme from the others."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from patternmind.drafting.stopwords import STOPWORDS
from patternmind.drafting.word_forms import WORD, normalize_word
from patternmind.drafting.word_usage import MAX_TEXTS_READ, WordUsage

PLACEHOLDER = re.compile(r"\[[a-z]+(?: \d+)?\]")
MASKED = re.compile(r"\b[xX]{2,}\b")
PHRASE_BREAK = "\0"
MAX_PHRASE_WORDS = 3
MAX_DISTINCTIVE_PHRASES = 12
MIN_CASE_SHARE = 0.15
"""Minimum share of a theme's cases for a phrase.

A rarer phrase belongs to single incidents, not to what the cases have in common.
"""

VAGUE_WORDS = frozenset(
    "various diverse different several issue issues problem problems challenge challenges improving improvement"
    " thing things lot way ways time times day days week weeks month months year years case cases people person"
    " team teams work example general use used using need needed part parts number process result results order".split()
)
"""Words that never name a theme alone: they fit every other theme as well."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase of a theme: most common spelling, share of the cases, and score."""

    text: str
    words: tuple[str, ...]
    case_share: float
    score: float


ALL_STOPWORDS = STOPWORDS | {normalize_word(word) for word in STOPWORDS}
"""Stopwords as written and as normalised ("does" becomes "doe")."""


def extract_phrases(text: str) -> dict[tuple[str, ...], str]:
    """Return each phrase of up to three words with its first spelling. Every word of a phrase is a content word."""
    phrases: dict[tuple[str, ...], str] = {}
    clean = MASKED.sub(PHRASE_BREAK, PLACEHOLDER.sub(PHRASE_BREAK, text))
    for part in re.split(r"[.,;:!?()\[\]\"“”\n/|{}\0]+", clean):
        words = WORD.findall(part)
        folded = [normalize_word(word) for word in words]
        is_content = [is_content_word(word) for word in folded]
        for start in range(len(words)):
            for end in range(start + 1, min(start + MAX_PHRASE_WORDS, len(words)) + 1):
                if not is_content[end - 1]:
                    break
                phrases.setdefault(tuple(folded[start:end]), " ".join(words[start:end]))
    return phrases


def is_content_word(word: str) -> bool:
    return len(word) >= 3 and word not in ALL_STOPWORDS


class PhraseCounts:
    """Number of cases that contain each phrase, by theme and over the network."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        """Extract the phrases of all texts.

        Args:
            texts: Text by case id.
        """
        self.texts = texts
        self._phrases = {case_id: extract_phrases(text) for case_id, text in texts.items()}
        self._case_counts: Counter[tuple[str, ...]] = Counter(
            key for phrases in self._phrases.values() for key in phrases
        )

    @cached_property
    def word_usage(self) -> WordUsage:
        """Noun and verb counts of a sample of these texts, independent of their order."""
        return WordUsage(self.texts[case_id] for case_id in sorted(self.texts)[:MAX_TEXTS_READ])

    def distinctive_phrases(self, case_ids: Sequence[str]) -> list[Phrase]:
        """Return the phrases that a theme's cases share and other cases do not, best first.

        The score is the product of three factors:
        - the share of the theme's cases that contain the phrase,
        - the log of how much more common the phrase is there than elsewhere (smoothed),
        - a small bonus for each further word, since "label printer" says more than "label".
        """
        inside = Counter(key for case_id in case_ids for key in self._phrases[case_id])
        n, n_others = len(case_ids), max(1, len(self._phrases) - len(case_ids))
        min_count = max(2, math.ceil(MIN_CASE_SHARE * n))
        phrases: list[Phrase] = []
        for key, count in inside.items():
            if count < min_count or all(word in VAGUE_WORDS for word in key):
                continue
            share = count / n
            share_elsewhere = (self._case_counts[key] - count + 0.5) / (n_others + 1)
            lift = math.log(share / share_elsewhere) if share > share_elsewhere else 0.0
            score = share * lift * (1 + 0.35 * (len(key) - 1))
            if score > 0:
                phrases.append(Phrase(self._common_spelling(key, case_ids), key, share, score))
        phrases.sort(key=lambda phrase: (-phrase.score, phrase.words))
        return _drop_redundant_phrases(phrases)

    def _common_spelling(self, key: tuple[str, ...], case_ids: Iterable[str]) -> str:
        """Return the most common spelling; lower case, except for names and abbreviations with capitals inside."""
        spellings = Counter(self._phrases[case_id][key] for case_id in case_ids if key in self._phrases[case_id])
        best = min(spellings, key=lambda text: (-spellings[text], text))
        return best if best.isupper() or any(char.isupper() for char in best[1:]) else best.casefold()

    def contains_phrase(self, case_id: str, key: tuple[str, ...]) -> bool:
        return key in self._phrases[case_id]

    def __len__(self) -> int:
        return len(self._phrases)

    def n_cases_with(self, word: str) -> int:
        """Count the cases that contain a normalised word."""
        return self._case_counts[word,]

    def content_words_of(self, case_id: str) -> Iterator[str]:
        """Yield each content word of a case once."""
        return (key[0] for key in self._phrases[case_id] if len(key) == 1)


def _drop_redundant_phrases(phrases: Sequence[Phrase]) -> list[Phrase]:
    """Drop each phrase whose words contain, or are contained in, those of a better phrase."""
    distinct: list[Phrase] = []
    for phrase in phrases:
        words = set(phrase.words)
        if not any(words <= set(other.words) or words >= set(other.words) for other in distinct):
            distinct.append(phrase)
        if len(distinct) == MAX_DISTINCTIVE_PHRASES:
            break
    return distinct
