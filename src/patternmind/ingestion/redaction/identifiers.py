"""Find links, bank accounts, cards and machine addresses; checksums exclude look-alikes."""

import ipaddress
import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from patternmind.ingestion.redaction.spans import Span

_URL_CHAR = r"[^\s<>\"\ue000\[\]{}|\\^`]"
_URL = re.compile(rf"(?<![^\W_])(?:[a-z][a-z0-9+]{{1,15}}+://|www\.(?=[^\W_])){_URL_CHAR}+", re.IGNORECASE)
_BARE_URL_TLD = r"(?:com|org|net|edu|gov|info|io|eu|uk|de|dk|se|no|nl|fr|ca|au)/"
_BARE_URL = re.compile(rf"(?<![\w@./-])(?:[a-z0-9](?:[a-z0-9-]*+)\.)+{_BARE_URL_TLD}{_URL_CHAR}*", re.IGNORECASE)
_BARE_URL_HINT = re.compile(rf"\.{_BARE_URL_TLD}", re.IGNORECASE)
_URL_TRAILING_PUNCTUATION = ".,;:!?'\"’”»…*_"
_CARD = re.compile(r"(?<![\w.])\d(?:[ -]?\d){11,22}")
_CARD_LENGTHS = (
    "1:15 2014:15 2131:15 2149:15 2200-2204:16 2221-2720:16 300-305:14-19 3095:14-19 34:15 36:14-19 37:15 38-39:14-19"
    " 35:16-19 4:13,16,19 50:12-19 51-55:16 56-59:12-19 60:16-19 6304:12-19 62:16-19 63:12-19 64-65:16-19"
    " 66-69:12-19 0604:12-19 81:16-19 82:16 9792:16"
)
"""Issuers' first digits and card lengths (ISO/IEC 7812).

Luhn's sum alone accepts one number in ten, and clocks in milliseconds, parcels and IMEIs are as long as cards.
"""
_IBAN = re.compile(r"(?<![^\W_])[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){11,34}", re.IGNORECASE)
_IPV4 = re.compile(r"(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)")
_IPV6 = re.compile(
    r"(?<![\w:.])(?=[0-9A-Fa-f:]*\d)[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:\.\d{1,3}){0,3}(?![\w:])"
)
_MAC = re.compile(
    r"(?<![\w:.-])(?:[0-9A-F]{2}(?:([:-])[0-9A-F]{2})(?:\1[0-9A-F]{2}){4}"
    r"|[0-9A-F]{4}\.[0-9A-F]{4}\.[0-9A-F]{4})(?![\w:-]|\.\w)",
    re.IGNORECASE,
)
_NUMBERING_BEFORE = re.compile(
    r"(?:\b(?:v|ver|vers|version|release|rev|revision|firmware|build|fw|section|sec|paragraph|para|clause"
    r"|chapter|appendix"
    r"|table|figure|fig|step|item)[.:]?\s?|§\s?|/)$",
    re.IGNORECASE,
)
_IBAN_COUNTRIES = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20"
    " EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30"
    " KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24"
    " PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29"
    " VA22 VG24 XK20 YE30"
)
_IBAN_LENGTHS = {entry[:2]: int(entry[2:]) for entry in _IBAN_COUNTRIES.split()}
"""ISO 13616 registry. The checksum alone accepts one in 97, "FY2008 appropriations" among them."""


def find_links(text: str) -> Iterator[Span]:
    """Find web addresses without trailing punctuation. A bare ``node.js`` or ``example.com`` does not count."""
    if "://" in text or "www." in text.lower():
        yield from _find_links(_URL, text)
    if _BARE_URL_HINT.search(text):
        yield from _find_links(_BARE_URL, text)


def _find_links(pattern: re.Pattern[str], text: str) -> Iterator[Span]:
    for match in pattern.finditer(text):
        unopened = match[0].count(")") - match[0].count("(")
        end = len(match[0])
        while match[0][end - 1] in _URL_TRAILING_PUNCTUATION or (match[0][end - 1] == ")" and unopened > 0):
            unopened -= match[0][end - 1] == ")"
            end -= 1
        yield match.start(), match.start() + end, "[link]"


def find_ibans(text: str) -> Iterator[Span]:
    for match in _IBAN.finditer(text):
        if end := _longest_valid_length(match[0], _is_iban, text[match.end() : match.end() + 1]):
            yield match.start(), match.start() + end, "[iban]"


def find_cards(text: str) -> Iterator[Span]:
    for match in _CARD.finditer(text):
        if end := _longest_valid_length(match[0], _is_card, text[match.end() : match.end() + 1]):
            yield match.start(), match.start() + end, "[card]"


def _longest_valid_length(candidate: str, is_valid: Callable[[str], bool], next_char: str) -> int:
    """Return the length of the longest valid prefix that ends with a group, or 0.

    Text after a number (an expiry date, the next word) may look like another group of it.
    """
    ends = [len(candidate)] if not next_char.isalnum() else []
    ends += [match.start() for match in re.finditer(r"[ -]", candidate)][::-1]
    return next((end for end in ends if is_valid(re.sub(r"[ -]", "", candidate[:end]))), 0)


def _is_card(digits: str) -> bool:
    return len(digits) in _card_lengths(digits[:4]) and luhn(digits)


@lru_cache(maxsize=4096)
def _card_lengths(prefix: str) -> frozenset[int]:
    """Return the possible lengths of card numbers that begin with these four digits."""
    lengths: set[int] = set()
    for entry in _CARD_LENGTHS.split():
        prefixes, sizes = entry.split(":")
        low, _, high = prefixes.partition("-")
        if low <= prefix[: len(low)] <= (high or low):
            ends = [size.partition("-") for size in sizes.split(",")]
            lengths |= {n for least, _, most in ends for n in range(int(least), int(most or least) + 1)}
    return frozenset(lengths)


def luhn(digits: str) -> bool:
    """Check the sum that cards and many national numbers end in (ISO/IEC 7812-1, annex B)."""
    doubled = [int(d) * (1 + i % 2) for i, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def _is_iban(code: str) -> bool:
    """Check the length by country, and the checksum modulo 97 (ISO 13616)."""
    if not code.isascii() or len(code) != _IBAN_LENGTHS.get(code[:2].upper()):
        return False
    return int("".join(str(int(c, 36)) for c in code[4:] + code[:4])) % 97 == 1


def find_macs(text: str) -> Iterator[Span]:
    """Find MAC addresses with colons or hyphens, or in three dotted groups with a letter."""
    for match in _MAC.finditer(text):
        if "." not in match[0] or any(c.isalpha() for c in match[0]):
            yield (*match.span(), "[mac]")


def find_ips(text: str) -> Iterator[Span]:
    """Find IPv4 and IPv6 addresses, but not ``v1.2.3.4``, ``section 1.2.3.4``, times or ``a::b``."""
    for pattern in (_IPV4, _IPV6):
        for match in pattern.finditer(text):
            before = text[max(0, match.start() - 14) : match.start()]
            if _is_ip(match[0]) and not (pattern is _IPV4 and _NUMBERING_BEFORE.search(before)):
                yield (*match.span(), "[ip]")


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
