"""Words in a row that only cases for the network alone say: a line that holds them repeats such a case.

A person may have written them into any draft, of cases it was never made from; so every closed case is looked at.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from patternmind.domain.cases import Case, Consent

RUN_WORDS = 6
"""Words in a row that give a text away even where a person has mended the rest of the sentence."""

MIN_SHORT_WORDS = 3
"""Words of a sentence or title that gives itself away whole, though it is shorter than a run."""

MIN_WORD_LETTERS = 4
"""A shorter word without a digit says nothing about who used it."""

MAX_PHRASE_WORDS = 6
"""What stands in quotation marks in a sentence of ours and has no more words is a key phrase or a name of a theme."""

QUOTATION_PATTERN = re.compile(r"“([^”]{1,120})”|\"([^\"]{1,120})\"")
"""A name of a theme, or a key phrase, inside a sentence of ours."""

WITHHELD_MARK = "[withheld: network only]"

WordRun = tuple[str, ...]


def split_words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\w+", text.casefold()))


def word_runs(text: str) -> set[WordRun]:
    return _word_runs(split_words(text))


def _word_runs(words: tuple[str, ...]) -> set[WordRun]:
    return {words[at : at + RUN_WORDS] for at in range(len(words) - RUN_WORDS + 1)}


def _short_runs(words: Sequence[str]) -> set[WordRun]:
    """Every few words in a row, fewer than a run."""
    return {tuple(words[at : at + n]) for n in range(MIN_SHORT_WORDS, RUN_WORDS) for at in range(len(words) - n + 1)}


def _identifying_words(words: Iterable[str]) -> set[str]:
    return {word for word in words if len(word) >= MIN_WORD_LETTERS or any(char.isdigit() for char in word)}


def identifying_phrases(texts: Iterable[str]) -> tuple[set[WordRun], set[WordRun], set[str]]:
    """The runs, the shorter rows of words and the telling words of texts: what a closed case might give away by."""
    asked = [split_words(text) for text in texts]
    runs = {run for words in asked for run in _word_runs(words)}
    shorts = {short for words in asked for short in _short_runs(words)}
    return runs, shorts, _identifying_words(word for words in asked for word in words)


def split_sentences(text: str) -> list[str]:
    """Sentences and lines with the space behind them; together they are the text."""
    return [part for part in re.split(r"(?<=[.!?…]\s)|(?<=\n)", text) if part]


def iter_texts(value: Any) -> Iterator[str]:
    """Every string in a value made of strings, mappings and lists."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in cast(Mapping[str, Any], value).values():
            yield from iter_texts(one)
    elif isinstance(value, Sequence):
        for one in cast(Sequence[Any], value):
            yield from iter_texts(one)


@dataclass(frozen=True, slots=True)
class ConfidentialPhrases:
    """What a closed case says and no open one: runs, short sentences and titles whole, single words.

    The words count in names and key phrases, which are made of a few of them; a sentence may use any word.
    """

    runs: frozenset[WordRun] = frozenset()
    short_runs: frozenset[WordRun] = frozenset()
    words: frozenset[str] = frozenset()

    @classmethod
    def find_in(cls, texts: Iterable[str], cases: Iterable[Case]) -> "ConfidentialPhrases":
        """Those that stand in these texts; a large network is read through once for all of them."""
        wanted, wanted_shorts, wanted_words = identifying_phrases(texts)
        parted: tuple[list[Case], list[Case]] = ([], [])
        for case in cases:
            parted[case.consent is Consent.NETWORK_ONLY].append(case)
        runs: set[WordRun] = set()
        shorts: set[WordRun] = set()
        words: set[str] = set()
        for text in _case_texts(parted[True]) if wanted_words or wanted_shorts else ():
            said = split_words(text)
            runs |= wanted & _word_runs(said)
            words |= wanted_words.intersection(said)
            shorts |= wanted_shorts & {split_words(part) for part in split_sentences(text)}
        for text in _case_texts(parted[False]) if runs or shorts or words else ():
            said = split_words(text)
            runs -= _word_runs(said) if runs else set()
            shorts -= _short_runs(said) if shorts else set()
            words.difference_update(said)
        return cls(frozenset(runs), frozenset(shorts), frozenset(words))

    def occurs_in(self, line: str) -> bool:
        return (bool(self.runs) and not self.runs.isdisjoint(word_runs(line))) or self.is_quoted_in(line)

    def is_quoted_in(self, line: str) -> bool:
        """Whether a line repeats a short sentence or title whole, or puts a phrase with such a word in quotation."""
        if self.short_runs and not self.short_runs.isdisjoint(_short_runs(split_words(line))):
            return True
        quoted = (found[1] or found[2] for found in QUOTATION_PATTERN.finditer(line)) if self.words else ()
        return any(len(phrase.split()) <= MAX_PHRASE_WORDS and self.occurs_in_name(phrase) for phrase in quoted)

    def occurs_in_name(self, name: str) -> bool:
        """Whether a name or a key phrase holds a word of closed cases alone."""
        return not self.words.isdisjoint(split_words(name))

    def withhold(self, value: Any) -> Any:
        """The value with a mark in place of every sentence that repeats a closed case."""
        if isinstance(value, str):
            return self._withhold_text(value) if self.occurs_in(value) else value
        if isinstance(value, Mapping):
            return {name: self.withhold(one) for name, one in cast(Mapping[str, Any], value).items()}
        if isinstance(value, Sequence):
            return [self.withhold(one) for one in cast(Sequence[Any], value)]
        return value

    def _withhold_text(self, text: str) -> str:
        left = "".join(
            WITHHELD_MARK + _trailing_space(part) if self.occurs_in(part) else part for part in split_sentences(text)
        )
        return left if not self.occurs_in(left) else WITHHELD_MARK


def _case_texts(cases: Iterable[Case]) -> Iterator[str]:
    for case in cases:
        yield from (*case.text.values(), *case.extra.values())


def _trailing_space(part: str) -> str:
    return part[len(part.rstrip()) :]


__all__ = [
    "MIN_SHORT_WORDS",
    "QUOTATION_PATTERN",
    "RUN_WORDS",
    "WITHHELD_MARK",
    "ConfidentialPhrases",
    "WordRun",
    "identifying_phrases",
    "iter_texts",
    "split_sentences",
    "split_words",
    "word_runs",
]
