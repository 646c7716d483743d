"""Count how a network's texts use a word: after "the" and "of" as a noun, after "we" and "was" as a verb.

The preceding word approximates a part-of-speech tagger without model weights, and covers the words of the trade. A rare
word is judged by its ending.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping

from patternmind.drafting.word_forms import WORD, normalize_word

MAX_TEXTS_READ = 2_000
"""Limit of texts to count; a few thousand show how a trade uses its words."""

WORDS_BEFORE_NOUNS = frozenset(
    "a an the my our your his her their its this these those no any some each every another of in on at for with from"
    " without during between into per new".split()
)
WORDS_BEFORE_VERBS = frozenset(
    "to i we you he she they it who will would can could should must may might shall not never cannot n't didn't don't"
    " doesn't can't won't wasn't isn't am is are was were be been being has have had having do does did get got let"
    " please gets getting just already".split()
)
WORDS_AFTER_VERBS = frozenset("a an the my our your me him them it us his her their this these those".split())
"""Words that follow a verb. They follow a noun only if a clause ends without a comma."""

SUFFIX_SCORES: Mapping[str, float] = {
    "tion": 2, "sion": 2, "ment": 2, "ness": 2, "ship": 2, "ance": 1, "ence": 1, "ity": 2, "age": 1, "ure": 1,
    "ed": -2, "ly": -3, "ise": -1, "ize": -1, "ify": -1,
}  # fmt: skip
"""Number of uses that an ending counts for: noun, or (negative) verb or adverb."""


class WordUsage:
    """Noun and verb counts of a network's words."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._noun_counts: Counter[str] = Counter()
        self._verb_counts: Counter[str] = Counter()
        for text in texts:
            for part in re.split(r"[.,;:!?()\[\]\"“”\n/|{}]+", text):
                self._count([word.casefold().replace("’", "'") for word in WORD.findall(part)])

    def _count(self, words: list[str]) -> None:
        for before, word, after in zip(["", *words], words, [*words[1:], ""], strict=False):
            key = normalize_word(word)
            if before in WORDS_BEFORE_NOUNS:
                self._noun_counts[key] += 1
            elif before in WORDS_BEFORE_VERBS:
                self._verb_counts[key] += 1
            if after in WORDS_AFTER_VERBS:
                self._verb_counts[key] += 1

    def noun_log_odds(self, word: str) -> float:
        """Return the log-odds that a normalised word is used as a noun; about 0 for an unknown word."""
        suffix_score = next(
            (score for suffix, score in SUFFIX_SCORES.items() if word.endswith(suffix) and len(word) > len(suffix) + 2),
            0.0,
        )
        n_noun = self._noun_counts[word] + max(0.0, suffix_score)
        n_verb = self._verb_counts[word] + max(0.0, -suffix_score)
        return math.log((n_noun + 1) / (n_verb + 1))
