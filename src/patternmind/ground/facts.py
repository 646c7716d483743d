"""What a claim says beyond doubt or not at all: its numbers, dates, names, and the words it puts in quote marks."""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass

from patternmind.ground.folding import find_folded
from patternmind.ground.names import capitalises_nouns, is_address, is_named, names_in, without_codes, words_of
from patternmind.ground.numbers import MONTHS, Date, Readings, dates_in, numbers_in

QUOTED = re.compile(r"“([^“”]+)”|\"([^\"]+)\"|„([^„“”]+)[“”]|«([^«»]+)»|»([^«»]+)«|「([^「」]+)」")


@dataclass(frozen=True, slots=True)
class Missing:
    """What of a claim its sources do not hold: ``kind`` is number, date, name, address or quoted words."""

    kind: str
    told: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What a claim's sources hold."""

    texts: tuple[str, ...]
    numbers: Readings
    dates: tuple[Date, ...]
    years: frozenset[int]
    words: frozenset[str]
    german: bool


def facts_of(texts: Sequence[str], days: Sequence[dt.date] = ()) -> Facts:
    """The facts of the texts a claim rests on; ``days`` are those of its cases."""
    dates = [Date(day.year, day.month, day.day) for day in days]
    numbers: set[str] = set()
    for text in texts:
        found, left = dates_in(text)
        dates += [date for meant in found for date in meant]
        numbers.update(
            reading for number in numbers_in(without_codes(left), as_source=True) for reading in number.readings
        )
    joined = "\n".join(texts)
    return Facts(
        texts=tuple(texts),
        numbers=frozenset(numbers),
        dates=tuple(dates),
        years=frozenset(date.year for date in dates if date.year),
        words=words_of(joined),
        german=capitalises_nouns(joined),
    )


def missing_facts(claim: str, facts: Facts) -> list[Missing]:
    """What a claim says in numbers, dates, names or quote marks that its sources do not.

    Names are not asked of a claim whose sources write every noun with a capital: there a capital tells nothing.
    """
    dates, left = dates_in(claim)
    missing = [
        Missing("date", meant[0].told)
        for meant in dates
        if not any(date.agrees(known, facts.years) for date in meant for known in facts.dates)
    ]
    for number in numbers_in(without_codes(left), as_source=False):
        years = {int(one) for one in number.readings if one.isdigit() and len(one) == 4}
        if not number.among(facts.numbers) and years.isdisjoint(facts.years):
            missing.append(Missing("number", number.told))
    for name in names_in(left):
        sure = not name[0].isalpha() or not facts.german or any(map(str.isdigit, name))
        month = MONTHS.get(name.casefold())
        known = any(date.month == month for date in facts.dates) or any(
            is_named(name, text, facts.words) for text in facts.texts
        )
        if sure and not known:
            missing.append(Missing("address" if is_address(name) else "name", name))
    for match in QUOTED.finditer(claim):
        said = next(part for part in match.groups() if part)
        if any(find_folded(part, text) is None for part in _parts(said) for text in [_holding(part, facts.texts)]):
            missing.append(Missing("quoted words", said))
    return list(dict.fromkeys(missing))


def _parts(said: str) -> list[str]:
    """The parts of a passage in quote marks around its "…"; a comma or full stop before the mark is the claim's own."""
    parts = [part.strip().rstrip(".,;:!?") for part in re.split(r"…|\.\.\.|\[…\]|\[\.\.\.\]", said)]
    return [part for part in parts if part]


def _holding(part: str, texts: Sequence[str]) -> str:
    return next((text for text in texts if find_folded(part, text) is not None), "")
