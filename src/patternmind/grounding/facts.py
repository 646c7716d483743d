"""What a claim says beyond doubt or not at all: its numbers, dates, names, and the words it puts in quote marks."""

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
from patternmind.grounding.numbers import (
    MONTHS,
    Date,
    Readings,
    extract_dates,
    extract_numbers,
)

QUOTED_WORDS = re.compile(r"“([^“”]+)”|\"([^\"]+)\"|„([^„“”]+)[“”]|«([^«»]+)»|»([^«»]+)«|「([^「」]+)」")


@dataclass(frozen=True, slots=True)
class MissingFact:
    """What of a claim its sources do not hold: ``kind`` is number, date, name, address or quoted words."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What a claim's sources hold."""

    texts: tuple[str, ...]
    numbers: Readings
    dates: tuple[Date, ...]
    years: frozenset[int]
    words: frozenset[str]
    capitalises_nouns: bool


def extract_source_facts(texts: Sequence[str], case_dates: Sequence[dt.date] = ()) -> SourceFacts:
    """The facts of the texts a claim rests on; ``days`` are those of its cases."""
    dates = [Date(day.year, day.month, day.day) for day in case_dates]
    numbers: set[str] = set()
    for text in texts:
        found, left = extract_dates(text)
        dates += [date for meant in found for date in meant]
        numbers.update(
            reading for number in extract_numbers(remove_codes(left), is_source=True) for reading in number.readings
        )
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
    """What a claim says in numbers, dates, names or quote marks that its sources do not.

    Names are not asked of a claim whose sources write every noun with a capital: there a capital tells nothing.
    """
    dates, left = extract_dates(claim)
    missing = [
        MissingFact("date", meant[0].text)
        for meant in dates
        if not any(date.matches(known, facts.years) for date in meant for known in facts.dates)
    ]
    for number in extract_numbers(remove_codes(left), is_source=False):
        years = {int(one) for one in number.readings if one.isdigit() and len(one) == 4}
        if not number.matches_any(facts.numbers) and years.isdisjoint(facts.years):
            missing.append(MissingFact("number", number.text))
    for name in extract_names(left):
        sure = not name[0].isalpha() or not facts.capitalises_nouns or any(map(str.isdigit, name))
        month = MONTHS.get(name.casefold())
        known = any(date.month == month for date in facts.dates) or any(
            contains_name(name, text, facts.words) for text in facts.texts
        )
        if sure and not known:
            missing.append(MissingFact("address" if is_address(name) else "name", name))
    for match in QUOTED_WORDS.finditer(claim):
        said = next(part for part in match.groups() if part)
        if any(
            find_folded(part, text) is None
            for part in _quotation_parts(said)
            for text in [_text_containing(part, facts.texts)]
        ):
            missing.append(MissingFact("quoted words", said))
    return list(dict.fromkeys(missing))


def _quotation_parts(quotation: str) -> list[str]:
    """The parts of a passage in quote marks around its "…"; a comma or full stop before the mark is the claim's own."""
    parts = [part.strip().rstrip(".,;:!?") for part in re.split(r"…|\.\.\.|\[…\]|\[\.\.\.\]", quotation)]
    return [part for part in parts if part]


def _text_containing(part: str, texts: Sequence[str]) -> str:
    return next((text for text in texts if find_folded(part, text) is not None), "")
