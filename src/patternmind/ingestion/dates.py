"""Parse dates as people write them."""

import datetime as dt
import re

DATE_FORMAT_HINT = "use YYYY-MM-DD"
_YEARS = range(1900, 2101)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

_YEAR_FIRST = re.compile(r"(\d{4})(?:[-./](\d{1,2})(?:[-./](\d{1,2}))?)?")
_YEAR_LAST = re.compile(r"(\d{1,2})([-./])(\d{1,2})\2(\d{4})")
_DAY_MONTH = re.compile(r"(\d{1,2})(?:st|nd|rd|th|\.)? +([a-z]{3,9})\.?,? +(\d{4})", re.IGNORECASE)
_MONTH_DAY = re.compile(r"([a-z]{3,9})\.? +(\d{1,2})(?:st|nd|rd|th)?,? +(\d{4})", re.IGNORECASE)


def parse_date(text: str) -> dt.date:
    """Return the day that a text names; the first of the year or month alone.

    Accepts ISO dates and times (the day as written, whatever the time zone), ``2019``, ``2019-05``, ``31.12.2025``,
    ``31/12/2025``, ``31 December 2025`` and ``Dec 31, 2025``. If day and month could be swapped, the day comes first,
    as in most of the world. ``12/31/2025`` can only be one day and is read as that.

    Raises:
        ValueError: the text names no day between 1900 and 2100. The message is the reason, as the predicate of a
            sentence: "is not a day that exists".
    """
    try:
        day = _parse(text.strip())
    except ValueError as error:
        raise ValueError("is not a day that exists") from error
    if day is None:
        raise ValueError("is not a date I can read")
    if day.year not in _YEARS:
        raise ValueError(f"is not a date between {_YEARS[0]} and {_YEARS[-1]}")
    return day


def _parse(text: str) -> dt.date | None:
    if match := _YEAR_FIRST.fullmatch(text):
        return dt.date(int(match[1]), int(match[2] or 1), int(match[3] or 1))
    if match := _YEAR_LAST.fullmatch(text):
        return _day_first(int(match[1]), int(match[3]), int(match[4]))
    if match := _DAY_MONTH.fullmatch(text):
        return _with_month_name(int(match[1]), match[2], int(match[3]))
    if match := _MONTH_DAY.fullmatch(text):
        return _with_month_name(int(match[2]), match[1], int(match[3]))
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
