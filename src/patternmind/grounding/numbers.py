"""Numbers and dates of a text, however they are written.

A number is a set of readings, for "1,200" is 1200 in one country and 1.2 in another: two numbers agree where they have
a reading in common. What is a power, a version or an address is compared as it is written: "10²", "1.2.3".
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations

from patternmind.grounding.number_words import (
    AMBIGUOUS_NUMBER_WORDS,
    NUMBER_WORDS,
    PERCENT_PATTERN,
    Scale,
)

Readings = frozenset[str]

MONTHS = {
    word: number
    for number, words in enumerate(
        (
            "january jan januar jänner",
            "february feb februar",
            "march mar märz mars",
            "april apr",
            "may mai",
            "june jun juni",
            "july jul juli",
            "august aug",
            "september sept sep",
            "october oct oktober okt",
            "november nov",
            "december dec dezember desember dez",
        ),
        start=1,
    )
    for word in words.split()
}
_MONTH = rf"(?P<month>{'|'.join(sorted(MONTHS, key=len, reverse=True))})\b\.?"
_DAY = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th|\.)?"
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_DATE_PATTERNS = tuple(
    re.compile(rf"(?<![\w.,-]){form}(?![\w²³]|[.,]\d)", re.IGNORECASE)
    for form in (
        rf"{_YEAR}-(?P<month>[01]\d)-(?P<day>[0-3]\d)(?:T[\d:.+Z-]*)?",
        rf"{_DAY}(?: of)? {_MONTH}(?:,? {_YEAR})?",
        rf"{_MONTH} {_DAY}(?:,? {_YEAR})?",
        rf"{_MONTH},? {_YEAR}",
        r"(?P<one>[0-3]?\d)(?P<mark>[./])(?P<two>[0-3]?\d)(?P=mark)(?P<year>(?:19|20)?\d\d)",
    )
)

_NUMBER = re.compile(
    r"(?:(?<!\d)\d{1,3}(?:[ \u00a0\u202f\u2009'’]\d{3})+(?!\d)(?:[.,]\d+)?|\d+(?:[.,:]\d+)*)"
    r"(?P<power>[⁰¹²³⁴-⁹]+)?(?:\s?(?P<percent>%|per ?cent\b|percent\b|prosent\b|Prozent\b))?"
    r"|(?P<other>[½¼¾⅓⅔⅛⅜⅝⅞])"
)
_FRACTION_VALUES = dict(zip("½¼¾⅓⅔⅛⅜⅝⅞", "0.5 0.25 0.75 1/3 2/3 0.125 0.375 0.625 0.875".split(), strict=True))
_SPACES = re.compile(r"[ \u00a0\u202f\u2009'’]")


@dataclass(frozen=True, slots=True)
class Date:
    """A day of a month, of a year where one is said; or a whole month where ``day`` is 0. ``told`` as written."""

    year: int | None
    month: int
    day: int
    text: str = ""

    def matches(self, other: "Date", source_years: frozenset[int] = frozenset()) -> bool:
        """Whether the other, as a source, says this: as exact or more so. A source that leaves the year out may mean
        any of ``years``, those that the sources do name."""
        same_year = self.year is None or self.year == other.year or (other.year is None and self.year in source_years)
        return same_year and self.month == other.month and self.day in {0, other.day}


@dataclass(frozen=True, slots=True)
class Number:
    """``readings`` is what it may mean, ``told`` how it is written.

    ``parts`` are the readings of its groups where spaces part them: "lane 4 200 boxes" need not be 4,200.
    """

    readings: Readings
    text: str
    parts: tuple[Readings, ...] = ()

    def matches_any(self, known: Readings) -> bool:
        """Whether one of these values is said by the sources, or each of its groups apart."""
        return not self.readings.isdisjoint(known) or (
            bool(self.parts) and all(not part.isdisjoint(known) for part in self.parts)
        )


def extract_dates(text: str) -> tuple[list[list[Date]], str]:
    """The dates of a text, each with all that it may mean ("4/11/2026" is two days), and the text without them."""
    found: list[list[Date]] = []

    def take(match: re.Match[str]) -> str:
        meant = _possible_dates(match)
        if not meant:
            return match[0]
        found.append(meant)
        return " " * len(match[0])

    for form in _DATE_PATTERNS:
        text = form.sub(take, text)
    return found, text


def _possible_dates(match: re.Match[str]) -> list[Date]:
    said = match.groupdict()
    year = int(said["year"]) if said.get("year") else None
    if year is not None and year < 100:
        year += 2000
    if "one" in said:
        days = {(int(said["one"]), int(said["two"])), (int(said["two"]), int(said["one"]))}
        if said["mark"] == ".":
            days = {(int(said["one"]), int(said["two"]))}
    else:
        month = said["month"].casefold()
        days = {(int(said.get("day") or 0), int(month) if month.isdigit() else MONTHS[month])}
    return [Date(year, month, day, match[0]) for day, month in sorted(days) if 1 <= month <= 12 and day <= 31]


def extract_numbers(text: str, *, is_source: bool) -> list[Number]:
    """The numbers of a text without dates, in figures and in words.

    Args:
        as_source: a source is read generously: "one", and words that may also mean something else, count there only;
            "1 200" may also be 1 and 200.
    """
    found = [number for match in _NUMBER.finditer(text) for number in _parse_figures(match, is_source=is_source)]
    return [*found, *_parse_number_words(text, is_source=is_source)]


def _parse_figures(match: re.Match[str], *, is_source: bool) -> list[Number]:
    told = match[0].strip()
    if match["other"]:
        return [Number(frozenset({_FRACTION_VALUES[match["other"]]}), told)]
    unit = "%" if match["percent"] else ""
    figures = match[0][: match.start("percent") - match.start()] if match["percent"] else match[0]
    figures = figures.strip()
    if match["power"]:
        return [Number(frozenset({figures + unit}), told)]
    readings = frozenset(reading + unit for reading in _possible_values(figures))
    groups = figures.split(" ") if " " in figures else []
    parts = tuple(
        frozenset(reading + (unit if at == len(groups) else "") for reading in _possible_values(group))
        for at, group in enumerate(groups, 1)
    )
    found = [Number(readings, told, parts)]
    return [*found, *(Number(part, told) for part in parts)] if is_source else found


def _possible_values(figures: str) -> set[str]:
    """All values that figures may stand for; the figures themselves where they are no number."""
    tight = _SPACES.sub("", figures)
    grouped = tight != figures
    if grouped and not re.fullmatch(r"\d{1,3}(?:[ \u00a0\u202f\u2009'’]\d{3})+(?:[.,]\d+)?", figures):
        return {figures}
    if tight.isdigit():
        return {_canonical_value(tight)}
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", tight):
        thousands = {_canonical_value(tight.replace(",", ""))}
        return thousands | (
            {_canonical_value(tight.replace(",", "."))} if tight.count(",") == 1 and "." not in tight else set()
        )
    if re.fullmatch(r"\d{1,3}(?:\.\d{3})+(?:,\d+)?", tight):
        thousands = {_canonical_value(tight.replace(".", "").replace(",", "."))}
        return thousands | ({_canonical_value(tight)} if tight.count(".") == 1 and "," not in tight else set())
    if re.fullmatch(r"\d+[.,]\d+", tight):
        return {_canonical_value(tight.replace(",", "."))}
    return {tight}


def _canonical_value(figures: str) -> str:
    """One spelling of a value: no leading and, behind a point, no trailing zeros."""
    value = Decimal(figures)
    return f"{value.normalize():f}"


_WORD = re.compile(r"[^\W\d_]+")


def _parse_number_words(text: str, *, is_source: bool) -> list[Number]:
    """Runs of number words: "two hundred and fifty" is 250, and in a source 2, 200, 50 as well."""
    known = {**NUMBER_WORDS, **AMBIGUOUS_NUMBER_WORDS} if is_source else NUMBER_WORDS
    found: list[Number] = []
    run: list[re.Match[str]] = []

    def close() -> None:
        while run and run[-1][0].casefold() == "and":
            run.pop()
        if run:
            found.extend(_numbers_from_words(run, text, known, is_source=is_source))
            run.clear()

    for word in _WORD.finditer(text):
        folded = word[0].casefold()
        near = not run or text[run[-1].end() : word.start()] in {" ", "-"}
        if run and not near:
            close()
        if folded in known or (folded == "and" and run and _ends_with_scale(run)):
            run.append(word)
        else:
            close()
    close()
    return found


def _ends_with_scale(run: list[re.Match[str]]) -> bool:
    return isinstance(NUMBER_WORDS.get(run[-1][0].casefold()), Scale)


def _numbers_from_words(
    run: list[re.Match[str]], text: str, number_words: dict[str, int | Scale], *, is_source: bool
) -> list[Number]:
    words = [word[0].casefold() for word in run]
    told = text[run[0].start() : run[-1].end()]
    unit = "%" if re.match(rf"\s?(?:{PERCENT_PATTERN})", text[run[-1].end() :], re.IGNORECASE) else ""
    values = {_value_of_words(words, number_words)}
    if is_source:
        bounds = combinations(range(len(words) + 1), 2)
        values |= {
            _value_of_words(words[first:last], number_words)
            for first, last in bounds
            if set(words[first:last]) != {"and"}
        }
    return [Number(frozenset({f"{value}{unit}"}), told) for value in sorted(values)]


def _value_of_words(words: list[str], number_words: dict[str, int | Scale]) -> int:
    total = part = 0
    for word in words:
        step = number_words.get(word, 0)
        if isinstance(step, Scale):
            part = max(part, 1) * step.multiplier
            if step.multiplier >= 1000:
                total, part = total + part, 0
        else:
            part += step
    return total + part
