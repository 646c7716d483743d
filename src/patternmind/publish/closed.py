"""Words in a row that only cases for the network alone say: a line that holds them repeats such a case.

A person may have written them into any draft, of cases it was never made from; so every closed case is looked at.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from patternmind.model.cases import Case, Consent

RUN = 6
"""Words in a row that give a text away even where a person has mended the rest of the sentence."""

SHORTEST = 3
"""Words of a sentence or title that gives itself away whole, though it is shorter than a run."""

LEAST_LETTERS = 4
"""A shorter word without a digit says nothing about who used it."""

MOST_PHRASE_WORDS = 6
"""What stands in quotation marks in a sentence of ours and has no more words is a key phrase or a name of a theme."""

QUOTED = re.compile(r"“([^”]{1,120})”|\"([^\"]{1,120})\"")
"""A name of a theme, or a key phrase, inside a sentence of ours."""

WITHHELD_HERE = "[withheld: network only]"

Run = tuple[str, ...]


def words_of(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\w+", text.casefold()))


def runs_of(text: str) -> set[Run]:
    return _runs(words_of(text))


def _runs(words: tuple[str, ...]) -> set[Run]:
    return {words[at : at + RUN] for at in range(len(words) - RUN + 1)}


def _shorts_of(words: Sequence[str]) -> set[Run]:
    """Every few words in a row, fewer than a run."""
    return {tuple(words[at : at + n]) for n in range(SHORTEST, RUN) for at in range(len(words) - n + 1)}


def _telling(words: Iterable[str]) -> set[str]:
    return {word for word in words if len(word) >= LEAST_LETTERS or any(char.isdigit() for char in word)}


def asked_in(texts: Iterable[str]) -> tuple[set[Run], set[Run], set[str]]:
    """The runs, the shorter rows of words and the telling words of texts: what a closed case might give away by."""
    asked = [words_of(text) for text in texts]
    runs = {run for words in asked for run in _runs(words)}
    shorts = {short for words in asked for short in _shorts_of(words)}
    return runs, shorts, _telling(word for words in asked for word in words)


def parts_of(text: str) -> list[str]:
    """Sentences and lines with the space behind them; together they are the text."""
    return [part for part in re.split(r"(?<=[.!?…]\s)|(?<=\n)", text) if part]


def all_texts(value: Any) -> Iterator[str]:
    """Every string in a value made of strings, mappings and lists."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in cast(Mapping[str, Any], value).values():
            yield from all_texts(one)
    elif isinstance(value, Sequence):
        for one in cast(Sequence[Any], value):
            yield from all_texts(one)


@dataclass(frozen=True, slots=True)
class Closed:
    """What a closed case says and no open one: runs, short sentences and titles whole, single words.

    The words count in names and key phrases, which are made of a few of them; a sentence may use any word.
    """

    runs: frozenset[Run] = frozenset()
    shorts: frozenset[Run] = frozenset()
    words: frozenset[str] = frozenset()

    @classmethod
    def within(cls, texts: Iterable[str], cases: Iterable[Case]) -> "Closed":
        """Those that stand in these texts; a large network is read through once for all of them."""
        wanted, wanted_shorts, wanted_words = asked_in(texts)
        parted: tuple[list[Case], list[Case]] = ([], [])
        for case in cases:
            parted[case.consent is Consent.NETWORK_ONLY].append(case)
        runs: set[Run] = set()
        shorts: set[Run] = set()
        words: set[str] = set()
        for text in _said(parted[True]) if wanted_words or wanted_shorts else ():
            said = words_of(text)
            runs |= wanted & _runs(said)
            words |= wanted_words.intersection(said)
            shorts |= wanted_shorts & {words_of(part) for part in parts_of(text)}
        for text in _said(parted[False]) if runs or shorts or words else ():
            said = words_of(text)
            runs -= _runs(said) if runs else set()
            shorts -= _shorts_of(said) if shorts else set()
            words.difference_update(said)
        return cls(frozenset(runs), frozenset(shorts), frozenset(words))

    def stands_in(self, line: str) -> bool:
        return (bool(self.runs) and not self.runs.isdisjoint(runs_of(line))) or self.named_in(line)

    def named_in(self, line: str) -> bool:
        """Whether a line repeats a short sentence or title whole, or puts a phrase with such a word in quotation."""
        if self.shorts and not self.shorts.isdisjoint(_shorts_of(words_of(line))):
            return True
        quoted = (found[1] or found[2] for found in QUOTED.finditer(line)) if self.words else ()
        return any(len(phrase.split()) <= MOST_PHRASE_WORDS and self.in_name(phrase) for phrase in quoted)

    def in_name(self, name: str) -> bool:
        """Whether a name or a key phrase holds a word of closed cases alone."""
        return not self.words.isdisjoint(words_of(name))

    def cut(self, value: Any) -> Any:
        """The value with a mark in place of every sentence that repeats a closed case."""
        if isinstance(value, str):
            return self._cut_text(value) if self.stands_in(value) else value
        if isinstance(value, Mapping):
            return {name: self.cut(one) for name, one in cast(Mapping[str, Any], value).items()}
        if isinstance(value, Sequence):
            return [self.cut(one) for one in cast(Sequence[Any], value)]
        return value

    def _cut_text(self, text: str) -> str:
        left = "".join(WITHHELD_HERE + _space(part) if self.stands_in(part) else part for part in parts_of(text))
        return left if not self.stands_in(left) else WITHHELD_HERE


def _said(cases: Iterable[Case]) -> Iterator[str]:
    for case in cases:
        yield from (*case.text.values(), *case.extra.values())


def _space(part: str) -> str:
    return part[len(part.rstrip()) :]


__all__ = [
    "QUOTED",
    "RUN",
    "SHORTEST",
    "WITHHELD_HERE",
    "Closed",
    "Run",
    "all_texts",
    "asked_in",
    "parts_of",
    "runs_of",
    "words_of",
]
