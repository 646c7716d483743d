"""Compare the facts of a claim with its sources: numbers, dates, names, and words in quote marks."""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass

from patternmind.grounding.folding import find_folded
from patternmind.grounding.names import (
    capitalises_nouns,
    contains_name,
    extract_names,
    extract_words,
    is_address,
    remove_codes,
)
from patternmind.grounding.numbers import MONTHS, Date, Readings, extract_dates, extract_numbers

QUOTED_WORDS = re.compile(r"“([^“”]+)”|\"([^\"]+)\"|„([^„“”]+)[“”]|«([^«»]+)»|»([^«»]+)«|「([^「」]+)」")


@dataclass(frozen=True, slots=True)
class MissingFact:
    """A fact of a claim that its sources lack; ``kind`` is number, date, name, address or quoted words."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """The facts in a claim's sources."""

    texts: tuple[str, ...]
    numbers: Readings
    dates: tuple[Date, ...]
    years: frozenset[int]
    words: frozenset[str]
    capitalises_nouns: bool


def extract_source_facts(texts: Sequence[str], case_dates: Sequence[dt.date] = ()) -> SourceFacts:
    """Extract the facts of a claim's source texts; the dates of their cases count as well."""
    dates = [Date(day.year, day.month, day.day) for day in case_dates]
    numbers: set[str] = set()
    for text in texts:
        text_dates, text_without_dates = extract_dates(text)
        dates += [date for readings in text_dates for date in readings]
        source_numbers = extract_numbers(remove_codes(text_without_dates), is_source=True)
        numbers.update(reading for number in source_numbers for reading in number.readings)
    joined = "\n".join(texts)
    return SourceFacts(
        texts=tuple(texts),
        numbers=frozenset(numbers),
        dates=tuple(dates),
        years=frozenset(date.year for date in dates if date.year),
        words=extract_words(joined),
        capitalises_nouns=capitalises_nouns(joined),
    )


def find_missing_facts(claim: str, facts: SourceFacts) -> list[MissingFact]:
    """Return the numbers, dates, names and quoted words of a claim that its sources lack.

    Plain names are not checked if the sources capitalise every noun, because a capital then does not mark a name.
    """
    dates, claim_without_dates = extract_dates(claim)
    missing = [
        MissingFact("date", readings[0].text)
        for readings in dates
        if not any(date.matches(source_date, facts.years) for date in readings for source_date in facts.dates)
    ]
    for number in extract_numbers(remove_codes(claim_without_dates), is_source=False):
        years = {int(reading) for reading in number.readings if reading.isdigit() and len(reading) == 4}
        if not number.matches_any(facts.numbers) and years.isdisjoint(facts.years):
            missing.append(MissingFact("number", number.text))
    for name in extract_names(claim_without_dates):
        is_certain = not name[0].isalpha() or not facts.capitalises_nouns or any(map(str.isdigit, name))
        month = MONTHS.get(name.casefold())
        in_sources = any(date.month == month for date in facts.dates) or any(
            contains_name(name, text, facts.words) for text in facts.texts
        )
        if is_certain and not in_sources:
            missing.append(MissingFact("address" if is_address(name) else "name", name))
    for match in QUOTED_WORDS.finditer(claim):
        quotation = next(part for part in match.groups() if part)
        if not all(_is_in_any(part, facts.texts) for part in _quotation_parts(quotation)):
            missing.append(MissingFact("quoted words", quotation))
    return list(dict.fromkeys(missing))


def _quotation_parts(quotation: str) -> list[str]:
    """Split a quotation at its "…"; punctuation before the closing mark belongs to the claim."""
    parts = [part.strip().rstrip(".,;:!?") for part in re.split(r"…|\.\.\.|\[…\]|\[\.\.\.\]", quotation)]
    return [part for part in parts if part]


def _is_in_any(part: str, texts: Sequence[str]) -> bool:
    return any(find_folded(part, text) is not None for text in texts)
