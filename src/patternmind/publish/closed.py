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

WITHHELD_HERE = "[withheld: network only]"

Run = tuple[str, ...]


def words_of(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\w+", text.casefold()))


def runs_of(text: str) -> set[Run]:
    words = words_of(text)
    return {words[at : at + RUN] for at in range(len(words) - RUN + 1)}


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
    """Runs that a closed case says and no open one."""

    runs: frozenset[Run]

    @classmethod
    def within(cls, texts: Iterable[str], cases: Iterable[Case]) -> "Closed":
        """Those that stand in these texts; a large network is read through once for all of them."""
        wanted = {run for text in texts for run in runs_of(text)}
        parted: tuple[list[Case], list[Case]] = ([], [])
        for case in cases:
            parted[case.consent is Consent.NETWORK_ONLY].append(case)
        said = _said(parted[True]) if wanted else iter(())
        found = {run for runs in said for run in runs & wanted}
        for runs in _said(parted[False]) if found else ():
            found -= runs
        return cls(frozenset(found))

    def stands_in(self, line: str) -> bool:
        return bool(self.runs) and not self.runs.isdisjoint(runs_of(line))

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


def _said(cases: Iterable[Case]) -> Iterator[set[Run]]:
    for case in cases:
        for text in (*case.text.values(), *case.extra.values()):
            yield runs_of(text)


def _space(part: str) -> str:
    return part[len(part.rstrip()) :]


__all__ = ["RUN", "WITHHELD_HERE", "Closed", "Run", "all_texts", "parts_of", "runs_of", "words_of"]
