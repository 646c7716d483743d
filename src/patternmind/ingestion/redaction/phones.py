"""Telephone numbers, told from part numbers, dates and section numbers. The one owner of phonenumbers."""

import re
from collections.abc import Iterator
from functools import lru_cache

from patternmind.ingestion.redaction.identifiers import Span

REGIONS = ("US", "GB", "DE", "NL", "NO", "SE", "DK", "FR", "CA", "AU", "IN")
"""Whose numbers are known without their country code where a network names no regions."""
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
"""As business cards have it: "+47 22 12 34 56 office"."""


def find_phones(text: str, regions: tuple[str, ...] = REGIONS) -> Iterator[Span]:
    """Runs of 7 to 17 digits that are telephone numbers.

    Behind a word such as "call" or "tel." every such run is one, and so before "office" or "fax". Elsewhere it must
    begin with ``+`` and be possible, or stand in three groups or more, as few part numbers do, and be valid in one of
    ``regions``: any eight digits are a valid number in Denmark, and "15 USC 1681" holds one in Germany. Two groups must
    begin with the 0 of long distance and be grouped as that region groups them. Dates are left.
    """
    for found in _DIGIT_RUN.finditer(text):
        run = found[0]
        if _DATE.match(run) or _has_decimals(run):
            continue
        before = text[max(0, found.start() - 40) : found.start()]
        if _TELEPHONE_BEFORE.search(before) or _TELEPHONE_AFTER.match(text, found.end()):
            yield (*found.span(), "[phone]")
            continue
        for start, end in _find_valid(run, regions):
            yield found.start() + start, found.start() + end, "[phone]"


def known_regions() -> frozenset[str]:
    """The two letters of every region whose numbers can be known (ISO 3166-1)."""
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
    """Dots beside other separators, or a single one: measures and amounts, such as ``0.55 40 0.0654`` of a table."""
    return "." in run and re.fullmatch(r"[+(]?\d+\)?(?:\.\d+){2,}(?: ?(?:x|ext\.?) ?\d+)?", run) is None


def _is_long(number: str) -> bool:
    return sum(c.isdigit() for c in number) >= 8
