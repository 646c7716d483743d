"""How a network's own texts use a word: after "the" and "of" as a noun, after "we" and "was" as a verb.

Counting what stands before a word is as near to a tagger as one comes without weights, and it knows the words of the
trade. A word that is seen little is judged by its ending.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping

from patternmind.drafting.word_forms import WORD, normalize_word

MAX_TEXTS_READ = 2_000
"""Texts; how a trade uses its words shows in a few thousand."""

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
"""After a verb; after a noun only where a clause ends without a comma."""

SUFFIX_SCORES: Mapping[str, float] = {
    "tion": 2, "sion": 2, "ment": 2, "ness": 2, "ship": 2, "ance": 1, "ence": 1, "ity": 2, "age": 1, "ure": 1,
    "ed": -2, "ly": -3, "ise": -1, "ize": -1, "ify": -1,
}  # fmt: skip
"""Uses that an ending is worth, as a noun or (minus) as a verb or adverb."""


class WordUsage:
    """Counted once over a network's texts, asked by every theme that is to be named."""

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
        """Log-odds that a word, as compared, is used as a noun; about 0 where nothing is known of it."""
        ending = next(
            (value for end, value in SUFFIX_SCORES.items() if word.endswith(end) and len(word) > len(end) + 2), 0.0
        )
        nouns, verbs = self._noun_counts[word] + max(0.0, ending), self._verb_counts[word] + max(0.0, -ending)
        return math.log((nouns + 1) / (verbs + 1))
