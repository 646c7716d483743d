"""Hidden and control characters, with the policies for terminals, print and the checks of texts."""

import re
import unicodedata

_DIRECTION = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
DIRECTION_CONTROLS = frozenset(_DIRECTION)
"""Marks that reorder a line."""

HIDDEN_CHARACTERS = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f{_DIRECTION}\U000e0000-\U000e007f]")
"""Controls other than tab and line feed, direction marks, and tags: no honest text on a terminal needs them."""

HARMLESS_CHARACTERS = frozenset("\u200c\u200d\u00ad\ufeff\u200e\u200f\u061c") | frozenset(
    chr(code) for code in range(0x80, 0xA0) if code != 0x9B
)
"""Characters of honest texts: joiners, soft hyphens, byte order marks, single direction marks, badly decoded dashes."""

PRINTED_FORMAT_CHARACTERS = frozenset("\u200c\u200d\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u08e2")
"""Joiners of Persian, Indic scripts and emoji, and Arabic number signs."""


def strip_hidden(text: str) -> str:
    """Remove what a terminal would act on: cursor moves, links, text direction."""
    return HIDDEN_CHARACTERS.sub("", text)


def strip_format(text: str) -> str:
    """Remove format and private-use characters, which can hide words from a check."""
    return text if text.isascii() else "".join(char for char in text if unicodedata.category(char) not in {"Cf", "Co"})


def is_printed(char: str) -> bool:
    """Return False for a character that could reorder a printed line or hide words."""
    category = unicodedata.category(char)
    is_noncharacter = (ord(char) & 0xFFFE) == 0xFFFE or 0xFDD0 <= ord(char) <= 0xFDEF
    is_hidden = category in {"Cc", "Cs"} or (category == "Cf" and char not in PRINTED_FORMAT_CHARACTERS)
    return not (is_hidden or is_noncharacter)


def is_name(text: str, *, max_chars: int) -> bool:
    """Return whether the text can name a person or thing: visible characters, at least one."""
    return 0 < len(text) <= max_chars and text.isprintable()
