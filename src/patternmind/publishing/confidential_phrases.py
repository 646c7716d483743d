"""Find phrases that occur only in confidential (network-only) cases.

A line with such a phrase repeats a confidential case. A person may add such a phrase to any draft,
also from a case that the draft was not made from. All confidential cases are therefore checked.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from patternmind.domain.cases import Case

RUN_WORDS = 6
"""Length of a word run that reveals its source, even in an edited sentence."""

MIN_SHORT_WORDS = 3
"""Minimum length of a whole sentence or title that reveals its source."""

MIN_WORD_LETTERS = 4
"""Minimum length of an identifying word without a digit."""

MAX_PHRASE_WORDS = 6
"""Maximum length of a quotation that counts as a key phrase or theme name."""

QUOTATION_PATTERN = re.compile(r"“([^”]{1,120})”|\"([^\"]{1,120})\"")
"""A theme name or a key phrase inside a generated sentence."""

WITHHELD_MARK = "[withheld: network only]"

WordRun = tuple[str, ...]


def split_words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\w+", text.casefold()))


def word_runs(text: str) -> set[WordRun]:
    return _word_runs(split_words(text))


def _word_runs(words: tuple[str, ...]) -> set[WordRun]:
    return {words[start : start + RUN_WORDS] for start in range(len(words) - RUN_WORDS + 1)}


def _short_runs(words: Sequence[str]) -> set[WordRun]:
    """Return all word runs of three to five words."""
    return {
        tuple(words[start : start + n])
        for n in range(MIN_SHORT_WORDS, RUN_WORDS)
        for start in range(len(words) - n + 1)
    }


def _identifying_words(words: Iterable[str]) -> set[str]:
    return {word for word in words if len(word) >= MIN_WORD_LETTERS or any(char.isdigit() for char in word)}


def identifying_phrases(texts: Iterable[str]) -> tuple[set[WordRun], set[WordRun], set[str]]:
    """Return the runs, short runs and identifying words of texts."""
    word_lists = [split_words(text) for text in texts]
    runs = {run for words in word_lists for run in _word_runs(words)}
    short_runs = {run for words in word_lists for run in _short_runs(words)}
    return runs, short_runs, _identifying_words(word for words in word_lists for word in words)


def split_sentences(text: str) -> list[str]:
    """Split into sentences and lines with their trailing space; joined, they equal the text."""
    return [part for part in re.split(r"(?<=[.!?…]\s)|(?<=\n)", text) if part]


def iter_texts(value: Any) -> Iterator[str]:
    """Yield every string in a value made of strings, mappings and lists."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in cast(Mapping[str, Any], value).values():
            yield from iter_texts(item)
    elif isinstance(value, Sequence):
        for item in cast(Sequence[Any], value):
            yield from iter_texts(item)


@dataclass(frozen=True, slots=True)
class ConfidentialPhrases:
    """Runs, short sentences and words that occur only in confidential cases.

    The words apply only to names and key phrases, which consist of few words; a sentence may use any word.
    """

    runs: frozenset[WordRun] = frozenset()
    short_runs: frozenset[WordRun] = frozenset()
    words: frozenset[str] = frozenset()

    @classmethod
    def find_in(cls, texts: Iterable[str], cases: Iterable[Case]) -> "ConfidentialPhrases":
        """Return the confidential phrases in these texts; all cases are read once for all texts."""
        text_runs, text_short_runs, text_words = identifying_phrases(texts)
        confidential: list[Case] = []
        public: list[Case] = []
        for case in cases:
            (public if case.is_publishable else confidential).append(case)
        runs: set[WordRun] = set()
        short_runs: set[WordRun] = set()
        words: set[str] = set()
        for text in _case_texts(confidential) if text_words or text_short_runs else ():
            case_words = split_words(text)
            runs |= text_runs & _word_runs(case_words)
            words |= text_words.intersection(case_words)
            short_runs |= text_short_runs & {split_words(part) for part in split_sentences(text)}
        for text in _case_texts(public) if runs or short_runs or words else ():
            case_words = split_words(text)
            runs -= _word_runs(case_words) if runs else set()
            short_runs -= _short_runs(case_words) if short_runs else set()
            words.difference_update(case_words)
        return cls(frozenset(runs), frozenset(short_runs), frozenset(words))

    def occurs_in(self, line: str) -> bool:
        return (bool(self.runs) and not self.runs.isdisjoint(word_runs(line))) or self.is_quoted_in(line)

    def is_quoted_in(self, line: str) -> bool:
        """Return whether a line repeats a short sentence, or quotes a confidential phrase."""
        if self.short_runs and not self.short_runs.isdisjoint(_short_runs(split_words(line))):
            return True
        quotations = (match[1] or match[2] for match in QUOTATION_PATTERN.finditer(line)) if self.words else ()
        return any(len(phrase.split()) <= MAX_PHRASE_WORDS and self.occurs_in_name(phrase) for phrase in quotations)

    def occurs_in_name(self, name: str) -> bool:
        """Return whether a name or key phrase contains a confidential word."""
        return not self.words.isdisjoint(split_words(name))

    def withhold(self, value: Any) -> Any:
        """Replace each sentence that repeats a confidential case with a mark."""
        if isinstance(value, str):
            return self._withhold_text(value) if self.occurs_in(value) else value
        if isinstance(value, Mapping):
            return {name: self.withhold(item) for name, item in cast(Mapping[str, Any], value).items()}
        if isinstance(value, Sequence):
            return [self.withhold(item) for item in cast(Sequence[Any], value)]
        return value

    def _withhold_text(self, text: str) -> str:
        remaining = "".join(
            WITHHELD_MARK + _trailing_space(part) if self.occurs_in(part) else part for part in split_sentences(text)
        )
        return remaining if not self.occurs_in(remaining) else WITHHELD_MARK


def _case_texts(cases: Iterable[Case]) -> Iterator[str]:
    for case in cases:
        yield from (*case.text.values(), *case.extra.values())


def _trailing_space(part: str) -> str:
    return part[len(part.rstrip()) :]
