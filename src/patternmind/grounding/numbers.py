"""Extract the numbers and dates of a text in any notation.

A number is a set of readings, because "1,200" is 1200 in some countries and 1.2 in others. Two numbers match if they
have a common reading. Powers, versions and addresses are compared as written: "10²", "1.2.3".
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations

from patternmind.grounding.number_words import AMBIGUOUS_NUMBER_WORDS, NUMBER_WORDS, PERCENT_PATTERN, Scale

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
        r"(?P<first>[0-3]?\d)(?P<mark>[./])(?P<second>[0-3]?\d)(?P=mark)(?P<year>(?:19|20)?\d\d)",
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
    """A date as written in ``text``; ``year`` is ``None`` if missing, ``day`` 0 for a whole month."""

    year: int | None
    month: int
    day: int
    text: str = ""

    def matches(self, other: "Date", source_years: frozenset[int] = frozenset()) -> bool:
        """Return whether the other date, from a source, states this one at least as precisely.

        Args:
            source_years: Years that the sources mention; a source date without a year may be in any of them.
        """
        same_year = self.year is None or self.year == other.year or (other.year is None and self.year in source_years)
        return same_year and self.month == other.month and self.day in {0, other.day}


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written in ``text``, with its possible ``readings``.

    ``parts`` are the readings of each group of a number with spaces: "lane 4 200 boxes" may not mean 4,200.
    """

    readings: Readings
    text: str
    parts: tuple[Readings, ...] = ()

    def matches_any(self, source_readings: Readings) -> bool:
        """Return whether the sources contain this number, or each of its groups separately."""
        return not self.readings.isdisjoint(source_readings) or (
            bool(self.parts) and all(not part.isdisjoint(source_readings) for part in self.parts)
        )


def extract_dates(text: str) -> tuple[list[list[Date]], str]:
    """Return the readings of each date ("4/11/2026" has two), and the text without dates."""
    dates: list[list[Date]] = []

    def collect(match: re.Match[str]) -> str:
        readings = _possible_dates(match)
        if not readings:
            return match[0]
        dates.append(readings)
        return " " * len(match[0])

    for pattern in _DATE_PATTERNS:
        text = pattern.sub(collect, text)
    return dates, text


def _possible_dates(match: re.Match[str]) -> list[Date]:
    groups = match.groupdict()
    year = int(groups["year"]) if groups.get("year") else None
    if year is not None and year < 100:
        year += 2000
    if "first" in groups:
        first, second = int(groups["first"]), int(groups["second"])
        days = {(first, second)} if groups["mark"] == "." else {(first, second), (second, first)}
    else:
        month = groups["month"].casefold()
        days = {(int(groups.get("day") or 0), int(month) if month.isdigit() else MONTHS[month])}
    return [Date(year, month, day, match[0]) for day, month in sorted(days) if 1 <= month <= 12 and day <= 31]


def extract_numbers(text: str, *, is_source: bool) -> list[Number]:
    """Return the numbers of a text without dates, in digits and in words.

    Args:
        is_source: Read a source generously: ambiguous words such as "one" count as well, and "1 200" may also be 1
            and 200.
    """
    numbers = [number for match in _NUMBER.finditer(text) for number in _parse_digits(match, is_source=is_source)]
    return [*numbers, *_parse_number_words(text, is_source=is_source)]


def _parse_digits(match: re.Match[str], *, is_source: bool) -> list[Number]:
    text = match[0].strip()
    if match["other"]:
        return [Number(frozenset({_FRACTION_VALUES[match["other"]]}), text)]
    unit = "%" if match["percent"] else ""
    digits = match[0][: match.start("percent") - match.start()] if match["percent"] else match[0]
    digits = digits.strip()
    if match["power"]:
        return [Number(frozenset({digits + unit}), text)]
    readings = frozenset(reading + unit for reading in _possible_values(digits))
    groups = digits.split(" ") if " " in digits else []
    parts = tuple(
        frozenset(reading + (unit if position == len(groups) else "") for reading in _possible_values(group))
        for position, group in enumerate(groups, 1)
    )
    number = Number(readings, text, parts)
    return [number, *(Number(part, text) for part in parts)] if is_source else [number]


def _possible_values(digits: str) -> set[str]:
    """Return all possible values of the digits, or the digits if not a number."""
    compact = _SPACES.sub("", digits)
    has_spaces = compact != digits
    if has_spaces and not re.fullmatch(r"\d{1,3}(?:[ \u00a0\u202f\u2009'’]\d{3})+(?:[.,]\d+)?", digits):
        return {digits}
    if compact.isdigit():
        return {_canonical_value(compact)}
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", compact):
        values = {_canonical_value(compact.replace(",", ""))}
        if compact.count(",") == 1 and "." not in compact:
            values.add(_canonical_value(compact.replace(",", ".")))
        return values
    if re.fullmatch(r"\d{1,3}(?:\.\d{3})+(?:,\d+)?", compact):
        values = {_canonical_value(compact.replace(".", "").replace(",", "."))}
        if compact.count(".") == 1 and "," not in compact:
            values.add(_canonical_value(compact))
        return values
    if re.fullmatch(r"\d+[.,]\d+", compact):
        return {_canonical_value(compact.replace(",", "."))}
    return {compact}


def _canonical_value(digits: str) -> str:
    """Return a value without leading zeros, and without trailing zeros after the decimal point."""
    value = Decimal(digits)
    return f"{value.normalize():f}"


_WORD = re.compile(r"[^\W\d_]+")


def _parse_number_words(text: str, *, is_source: bool) -> list[Number]:
    """Parse runs of number words: "two hundred and fifty" is 250, in a source also 2, 200 and 50."""
    number_words = {**NUMBER_WORDS, **AMBIGUOUS_NUMBER_WORDS} if is_source else NUMBER_WORDS
    numbers: list[Number] = []
    run: list[re.Match[str]] = []

    def close() -> None:
        while run and run[-1][0].casefold() == "and":
            run.pop()
        if run:
            numbers.extend(_numbers_from_words(run, text, number_words, is_source=is_source))
            run.clear()

    for word in _WORD.finditer(text):
        folded = word[0].casefold()
        if run and text[run[-1].end() : word.start()] not in {" ", "-"}:
            close()
        if folded in number_words or (folded == "and" and run and _ends_with_scale(run)):
            run.append(word)
        else:
            close()
    close()
    return numbers


def _ends_with_scale(run: list[re.Match[str]]) -> bool:
    return isinstance(NUMBER_WORDS.get(run[-1][0].casefold()), Scale)


def _numbers_from_words(
    run: list[re.Match[str]], text: str, number_words: dict[str, int | Scale], *, is_source: bool
) -> list[Number]:
    words = [word[0].casefold() for word in run]
    run_text = text[run[0].start() : run[-1].end()]
    unit = "%" if re.match(rf"\s?(?:{PERCENT_PATTERN})", text[run[-1].end() :], re.IGNORECASE) else ""
    values = {_value_of_words(words, number_words)}
    if is_source:
        bounds = combinations(range(len(words) + 1), 2)
        values |= {
            _value_of_words(words[first:last], number_words)
            for first, last in bounds
            if set(words[first:last]) != {"and"}
        }
    return [Number(frozenset({f"{value}{unit}"}), run_text) for value in sorted(values)]


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
