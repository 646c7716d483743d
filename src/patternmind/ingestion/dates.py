"""Dates as people write them."""

import datetime as dt
import re

DATE_FORMAT_HINT = "write it as 2026-05-31"
_YEARS = range(1900, 2101)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

_YEAR_FIRST = re.compile(r"(\d{4})(?:[-./](\d{1,2})(?:[-./](\d{1,2}))?)?")
_YEAR_LAST = re.compile(r"(\d{1,2})([-./])(\d{1,2})\2(\d{4})")
_DAY_MONTH = re.compile(r"(\d{1,2})(?:st|nd|rd|th|\.)? +([a-z]{3,9})\.?,? +(\d{4})", re.IGNORECASE)
_MONTH_DAY = re.compile(r"([a-z]{3,9})\.? +(\d{1,2})(?:st|nd|rd|th)?,? +(\d{4})", re.IGNORECASE)


def parse_date(text: str) -> dt.date:
    """The day a text names; the first of the year or month where no more is given.

    ISO dates and times (the day as written, whatever the time zone), ``2019``, ``2019-05``, ``31.12.2025``,
    ``31/12/2025``, ``31 December 2025``, ``Dec 31, 2025``. Where day and month could be swapped the day comes first,
    as in most of the world; ``12/31/2025`` can only be one day and is taken as that.

    Raises:
        ValueError: it names no day between 1900 and 2100; the message says why, and the form wanted.
    """
    written = text.strip()
    try:
        day = _parse(written)
    except ValueError as error:
        raise ValueError(f"there is no such day; {DATE_FORMAT_HINT}") from error
    if day is None:
        raise ValueError(f"it is not a date that is known here; {DATE_FORMAT_HINT}")
    if day.year not in _YEARS:
        raise ValueError(f"the year is not between {_YEARS[0]} and {_YEARS[-1]}; {DATE_FORMAT_HINT}")
    return day


def _parse(text: str) -> dt.date | None:
    if found := _YEAR_FIRST.fullmatch(text):
        return dt.date(int(found[1]), int(found[2] or 1), int(found[3] or 1))
    if found := _YEAR_LAST.fullmatch(text):
        return _day_first(int(found[1]), int(found[3]), int(found[4]))
    if found := _DAY_MONTH.fullmatch(text):
        return _with_month_name(int(found[1]), found[2], int(found[3]))
    if found := _MONTH_DAY.fullmatch(text):
        return _with_month_name(int(found[2]), found[1], int(found[3]))
    return _parse_iso(text)


def _day_first(first: int, second: int, year: int) -> dt.date:
    day, month = (second, first) if second > 12 >= first else (first, second)
    return dt.date(year, month, day)


def _with_month_name(day: int, name: str, year: int) -> dt.date | None:
    month = name[:3].lower()
    return dt.date(year, _MONTHS.index(month) + 1, day) if month in _MONTHS else None


def _parse_iso(text: str) -> dt.date | None:
    if re.match(r"\d{4}-?(\d\d|W)", text) is None:
        return None
    date, time = text[:10], text[10:]
    try:
        return dt.datetime.fromisoformat(text.removesuffix(" UTC")).date()
    except ValueError:
        if time[:1] not in {"T", " "} or not re.fullmatch(r"[T ][\d:.,]+ ?(?:Z|[+-]\d\d:?\d\d|[A-Z]{2,5})?", time):
            raise
        return dt.date.fromisoformat(date)
