"""Find telephone numbers among part numbers, dates and section numbers. The only module that imports phonenumbers."""

import re
from collections.abc import Iterator
from functools import lru_cache

from patternmind.ingestion.redaction.spans import Span

REGIONS = ("US", "GB", "DE", "NL", "NO", "SE", "DK", "FR", "CA", "AU", "IN")
"""Regions whose numbers count without a country code if a network names no regions."""
ALL_REGIONS = "ALL"

_SEPARATOR = r"[ \t\u00a0().\-/\u2013]"
_DIGIT_RUN = re.compile(
    rf"(?<![\w\-/.#_=+])(?:\+{_SEPARATOR}?|\()?\d(?:{_SEPARATOR}{{0,3}}\d){{6,16}}"
    r"(?:[ ]?(?:x|ext\.?)[ ]?\d{1,6})?(?!\w|[.\-]\d)"
)
_DATE = re.compile(
    r"\d{4}[-./ ][01]?\d[-./ ][0-3]?\d(?!\d)|\d{4}([-./])\d\d\1\d\d(?!\d)|[0-3]?\d[-./][01]?\d[-./](?:19|20)\d\d(?!\d)"
    r"|\(?[0-2]\d[0-5]\d ?[-–] ?[0-2]\d[0-5]\d(?!\d)"  # a shift, 0800-1630
)
_TELEPHONE_BEFORE = re.compile(
    r"\b(?:(?:tele)?phones?|tel|tlf|tlph|telefono?|teléfono|téléphone|mobile?|móvil|portable|mob|cell|handy|fax"
    r"|sms|hotline|pager"
    r"|whats?app|call(?:s|ed|ing)?|ring(?:ing)?|rang|dial(?:led|ing)?|reach(?:ed)?(?: (?:me|us|him|her"
    r"|them))? (?:at|on|under)"
    r"|answer(?:s|ed|ing)? (?:at|on)|text(?:ed)? (?:me|us|him|her|them)|(?:call|voice|phone) ?back)\b[^\n]{0,20}$"
    r"|\b(?:desk|office|direct|home|landline|switchboard)(?: (?:line|no\.?|number))?: ?$",
    re.IGNORECASE,
)
_TELEPHONE_AFTER = re.compile(
    r"[\s,\\(–-]{0,3}(?:office|fax|mobile|cell|home|desk|direct|landline|tel)\b(?!\w)", re.IGNORECASE
)
"""A label after the number, as on business cards: "+47 22 12 34 56 office"."""


def find_phones(text: str, regions: tuple[str, ...] = REGIONS) -> Iterator[Span]:
    """Find telephone numbers: runs of 7 to 17 digits.

    Every such run counts after a word such as "call" or "tel.", or before "office" or "fax". Elsewhere a run counts
    if it begins with ``+`` and is a possible number. Otherwise it must have at least three groups, as few part numbers
    do, and be valid in one of ``regions``: any eight digits are a valid number in Denmark, and "15 USC 1681" contains
    one in Germany. Runs of two groups must begin with the long-distance 0 and be grouped as usual in that region.
    Dates do not count.
    """
    for match in _DIGIT_RUN.finditer(text):
        run = match[0]
        if _DATE.match(run) or _has_decimals(run):
            continue
        before = text[max(0, match.start() - 40) : match.start()]
        if _TELEPHONE_BEFORE.search(before) or _TELEPHONE_AFTER.match(text, match.end()):
            yield (*match.span(), "[phone]")
            continue
        for start, end in _find_valid(run, regions):
            yield match.start() + start, match.start() + end, "[phone]"


def known_regions() -> frozenset[str]:
    """Return the ISO 3166-1 codes of all regions with known numbering plans."""
    from phonenumbers import SUPPORTED_REGIONS

    return frozenset(SUPPORTED_REGIONS)


@lru_cache(maxsize=4096)
def _find_valid(run: str, regions: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    from phonenumbers import Leniency, PhoneNumberMatcher

    if run.startswith("+"):
        return tuple((m.start, m.end) for m in PhoneNumberMatcher(run, None, leniency=Leniency.POSSIBLE))
    n_groups = len(re.findall(r"\d+", run))
    if n_groups < 2 or (n_groups == 2 and not run.startswith(("0", "(0"))):
        return ()
    leniency = Leniency.STRICT_GROUPING if n_groups == 2 else Leniency.VALID
    for region in regions:
        spans = [(m.start, m.end) for m in PhoneNumberMatcher(run, region, leniency=leniency) if _is_long(m.raw_string)]
        if spans:
            return tuple(spans)
    return ()


def _has_decimals(run: str) -> bool:
    """Return whether dots are decimal points, as in ``0.55 40 0.0654`` of a table."""
    return "." in run and re.fullmatch(r"[+(]?\d+\)?(?:\.\d+){2,}(?: ?(?:x|ext\.?) ?\d+)?", run) is None


def _is_long(number: str) -> bool:
    return sum(c.isdigit() for c in number) >= 8
