"""Telephone numbers, told from part numbers, dates and section numbers. The one owner of phonenumbers."""

import re
from collections.abc import Iterator
from functools import lru_cache

from patternmind.intake.patterns import Span

REGIONS = ("US", "GB", "DE", "NL", "NO", "SE", "DK", "FR", "CA", "AU", "IN")

_SEPARATOR = r"[ \t\u00a0().\-/\u2013]"
_RUN = re.compile(
    rf"(?<![\w\-/.#_=+])(?:\+{_SEPARATOR}?|\()?\d(?:{_SEPARATOR}{{0,3}}\d){{6,16}}"
    r"(?:[ ]?(?:x|ext\.?)[ ]?\d{1,6})?(?!\w|[.\-]\d)"
)
_DATE = re.compile(
    r"\d{4}[-./ ][01]?\d[-./ ][0-3]?\d(?!\d)|\d{4}([-./])\d\d\1\d\d(?!\d)|[0-3]?\d[-./][01]?\d[-./](?:19|20)\d\d(?!\d)"
)
_TELEPHONE_BEFORE = re.compile(
    r"\b(?:(?:tele)?phones?|tel|tlf|telefon|mobile?|mob|cell|handy|fax|sms|whatsapp|signal"
    r"|call(?:s|ed|ing)?|ring(?:ing)?|rang|dial(?:led)?|reach(?:ed)?|text(?:ed)? (?:me|us|him|her|them))\b[^\n]{0,20}$",
    re.IGNORECASE,
)


def find_phones(text: str) -> Iterator[Span]:
    """Runs of 7 to 17 digits that are telephone numbers.

    Behind a word such as "call" or "tel." every such run is one. Elsewhere it must begin with ``+`` and be possible, or
    stand in three groups or more, as few part numbers do, and be valid in one of ``REGIONS``: any eight digits are a
    valid number in Denmark, and "15 USC 1681" holds one in Germany. Dates are left.
    """
    for found in _RUN.finditer(text):
        run = found[0]
        if _DATE.match(run) or _holds_decimals(run):
            continue
        before = text[max(0, found.start() - 40) : found.start()]
        if _TELEPHONE_BEFORE.search(before):
            yield (*found.span(), "[phone]")
            continue
        for start, end in _find_valid(run):
            yield found.start() + start, found.start() + end, "[phone]"


@lru_cache(maxsize=4096)
def _find_valid(run: str) -> tuple[tuple[int, int], ...]:
    from phonenumbers import Leniency, PhoneNumberMatcher

    if run.startswith("+"):
        return tuple((m.start, m.end) for m in PhoneNumberMatcher(run, None, leniency=Leniency.POSSIBLE))
    if len(re.findall(r"\d+", run)) < 3:
        return ()
    for region in REGIONS:
        spans = [
            (m.start, m.end) for m in PhoneNumberMatcher(run, region, leniency=Leniency.VALID) if _is_long(m.raw_string)
        ]
        if spans:
            return tuple(spans)
    return ()


def _holds_decimals(run: str) -> bool:
    """Dots beside other separators, or a single one: measures and amounts, such as ``0.55 40 0.0654`` of a table."""
    return "." in run and re.fullmatch(r"[+(]?\d+\)?(?:\.\d+){2,}(?: ?(?:x|ext\.?) ?\d+)?", run) is None


def _is_long(number: str) -> bool:
    return sum(c.isdigit() for c in number) >= 8
