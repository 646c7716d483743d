"""Words and short phrases that set a theme apart from its neighbours."""

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
MIN_CASE_SHARE = 0.15
"""A phrase that fewer of a theme's cases hold is an incident of theirs, not what they have in common."""

VAGUE_WORDS = frozenset(
    [
        "various",
        "diverse",
        "different",
        "several",
        "issue",
        "issues",
        "problem",
        "problems",
        "challenge",
        "challenges",
        "improving",
        "improvement",
        "thing",
        "things",
        "lot",
        "way",
        "ways",
        "time",
        "times",
        "day",
        "days",
        "week",
        "weeks",
        "month",
        "months",
        "year",
        "years",
        "case",
        "cases",
        "people",
        "person",
        "team",
        "teams",
        "work",
        "example",
        "general",
        "use",
        "used",
        "using",
        "need",
        "needed",
        "part",
        "parts",
        "number",
        "process",
        "result",
        "results",
        "order",
    ]
)
"""Never a theme's name on their own: they fit every neighbour as well."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase of a theme: as most of its cases write it, with the share of them that do and its score."""

    text: str
    words: tuple[str, ...]
    case_share: float
    score: float


ALL_STOPWORDS = STOPWORDS | {normalize_word(word) for word in STOPWORDS}
"""Also as they are compared: "does" is folded to "doe"."""


def extract_phrases(text: str) -> dict[tuple[str, ...], str]:
    """Every phrase of up to three words that begins and ends with a word that says something, with its spelling."""
    found: dict[tuple[str, ...], str] = {}
    clean = MASKED.sub(PHRASE_BREAK, PLACEHOLDER.sub(PHRASE_BREAK, text))
    for part in re.split(r"[.,;:!?()\[\]\"“”\n/|{}\0]+", clean):
        words = WORD.findall(part)
        folded = [normalize_word(word) for word in words]
        says = [is_content_word(word) for word in folded]
        for start in range(len(words)):
            for end in range(start + 1, min(start + MAX_PHRASE_WORDS, len(words)) + 1):
                if not says[end - 1]:
                    break
                found.setdefault(tuple(folded[start:end]), " ".join(words[start:end]))
    return found


def is_content_word(word: str) -> bool:
    return len(word) >= 3 and word not in ALL_STOPWORDS


class PhraseCounts:
    """How many cases of each theme, and of the whole network, hold each phrase. Counted once, asked many times."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        """``texts`` by case id."""
        self.texts = texts
        self._phrases = {case_id: extract_phrases(text) for case_id, text in texts.items()}
        self._case_counts: Counter[tuple[str, ...]] = Counter(
            key for phrases in self._phrases.values() for key in phrases
        )

    @cached_property
    def word_usage(self) -> WordUsage:
        """How these texts use their words; read from some of them, the same ones whatever the order."""
        return WordUsage(self.texts[case_id] for case_id in sorted(self.texts)[:MAX_TEXTS_READ])

    def distinctive_phrases(self, case_ids: Sequence[str], *, limit: int = 12) -> list[Phrase]:
        """The phrases of a theme that its cases share and the other cases do not, best first.

        Score: the share of the theme's cases that hold the phrase, times the log of how much more common it is there
        than elsewhere (smoothed), times a little for each further word, since "label printer" says more than "label".
        """
        inside = Counter(key for case_id in case_ids for key in self._phrases[case_id])
        n, rest = len(case_ids), max(1, len(self._phrases) - len(case_ids))
        least = max(2, math.ceil(MIN_CASE_SHARE * n))
        found: list[Phrase] = []
        for key, count in inside.items():
            if count < least or (len(key) == 1 and key[0] in VAGUE_WORDS) or all(word in VAGUE_WORDS for word in key):
                continue
            share = count / n
            elsewhere = (self._case_counts[key] - count + 0.5) / (rest + 1)
            lift = math.log(share / elsewhere) if share > elsewhere else 0.0
            score = share * lift * (1 + 0.35 * (len(key) - 1))
            if score > 0:
                found.append(Phrase(self._common_spelling(key, case_ids), key, share, score))
        found.sort(key=lambda phrase: (-phrase.score, phrase.words))
        return _drop_redundant_phrases(found, limit)

    def _common_spelling(self, key: tuple[str, ...], case_ids: Iterable[str]) -> str:
        """As most cases write it, in lower case unless most write capitals inside a sentence (names, abbreviations)."""
        written = Counter(self._phrases[case_id][key] for case_id in case_ids if key in self._phrases[case_id])
        best = min(written, key=lambda text: (-written[text], text))
        return best if best.isupper() or any(char.isupper() for char in best[1:]) else best.casefold()

    def contains_phrase(self, case_id: str, key: tuple[str, ...]) -> bool:
        return key in self._phrases[case_id]

    def __len__(self) -> int:
        return len(self._phrases)

    def n_cases_with(self, word: str, case_ids: Iterable[str] | None = None) -> int:
        """How many of these cases, or of all, hold a word as it is compared."""
        if case_ids is None:
            return self._case_counts[word,]
        return sum((word,) in self._phrases[case_id] for case_id in case_ids)

    def content_words_of(self, case_id: str) -> Iterator[str]:
        """The words of a case that say something, each once."""
        return (key[0] for key in self._phrases[case_id] if len(key) == 1)


def _drop_redundant_phrases(phrases: Sequence[Phrase], limit: int) -> list[Phrase]:
    """Drop a phrase whose words are all in a better one, or that holds a better one and adds nothing but a word."""
    kept: list[Phrase] = []
    for phrase in phrases:
        words = set(phrase.words)
        if not any(words <= set(other.words) or words >= set(other.words) for other in kept):
            kept.append(phrase)
        if len(kept) == limit:
            break
    return kept
