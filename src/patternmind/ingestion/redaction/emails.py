"""Find e-mail addresses, plain or obfuscated."""

import re
from collections.abc import Iterator

from patternmind.ingestion.redaction.spans import Span

# Possessive, and only at the start of a run of such characters: one pass, however long the run is.
_EMAIL = re.compile(r"(?<![\w.%+~&-])[\w.%+~&-]++(?:'[\w.%+~&-]++){0,2}@(?:[^\W_](?:[\w-]*+)\.)+[^\W\d_][\w-]*[^\W_]")

_AT_WORD = r"(?:at|ät|arroba|arobase|krøllalfa|snabel-?a|klammeraffe|apenstaartje)"
_DOT_WORD = r"(?:dot|punkt|punto|ponto|prikk|punt)"
_DELIMITED_AT = rf"[ ]?(?:[(\[{{<][ ]?(?:{_AT_WORD}|@)[ ]?[)\]}}>]|[ ]@[ ]|@)[ ]?"
_DELIMITED_DOT = rf"[ ]?[(\[{{<][ ]?(?:{_DOT_WORD}|\.)[ ]?[)\]}}>][ ]?"
_DOT = rf"(?:{_DELIMITED_DOT}|[ ]{_DOT_WORD}[ ]|[ ]?\.[ ]?(?=[a-z]))"
_SPELLED_DOT = rf"(?:{_DELIMITED_DOT}|[ ]{_DOT_WORD}[ ])"
_LOCAL_PART = rf"(?<![\w.-])[a-z0-9][\w.+-]{{0,40}}(?:{_SPELLED_DOT}[\w+-]{{1,40}}){{0,3}}"
_DOMAIN_LABEL = r"[a-z0-9][a-z0-9-]{0,40}"
_TOP_LEVEL_DOMAINS = (
    "com|org|net|edu|gov|mil|int|info|biz|name|io|ai|co|app|dev|me|eu|uk|us|ca|au|nz|ie|de|at|ch|dk|se|no|fi|is|nl|be|lu|fr"
    "|es|pt|it|pl|cz|sk|hu|ro|bg|gr|hr|si|rs|ee|lv|lt|ua|ru|tr|il|in|pk|cn|jp|kr|tw|hk|sg|my|id|ph|th|vn|br|ar|mx|cl|pe|za|ng|ke|eg"
)
_OBFUSCATED_EMAIL = re.compile(
    # "anna (at) example.com", "anna[at]example[dot]com", "anna @ example . com": a delimited at, so any dot counts.
    rf"{_LOCAL_PART}{_DELIMITED_AT}(?:{_DOMAIN_LABEL}{_DOT}){{1,3}}(?:{_TOP_LEVEL_DOMAINS})(?![\w-])"
    # "anna at example dot com": "at" is a common word, so every dot must be spelled out.
    rf"|{_LOCAL_PART}[ ]{_AT_WORD}[ ](?:{_DOMAIN_LABEL}{_SPELLED_DOT}){{1,3}}(?:{_TOP_LEVEL_DOMAINS})(?![\w-])",
    re.IGNORECASE,
)
_OBFUSCATION_HINT = re.compile(
    rf"[ (\[{{<]{_DOT_WORD}[ )\]}}>]|[(\[{{<][ ]?(?:{_AT_WORD}|@)[ ]?[)\]}}>]| @|@ |\. ?[)\]]", re.IGNORECASE
)
_WINDOW_CHARS = 120
"""Characters around a hint of obfuscation that contain the whole address."""


def find_emails(text: str) -> Iterator[Span]:
    if "@" in text:
        for match in _EMAIL.finditer(text):
            yield (*match.span(), "[email]")


def find_obfuscated_emails(text: str) -> Iterator[Span]:
    """Find obfuscated addresses: "anna at example dot com", "anna (at) example.com", "anna[at]example[dot]com".

    The last part must be a common top-level domain. "meet at example.com" is not an address.
    """
    for start, end in _hint_windows(text):
        for match in _OBFUSCATED_EMAIL.finditer(text, start, end):
            yield (*match.span(), "[email]")


def _hint_windows(text: str) -> Iterator[tuple[int, int]]:
    """Yield the pieces of text around hints of obfuscation; overlapping pieces are joined."""
    start = end = 0
    for hint in _OBFUSCATION_HINT.finditer(text):
        if hint.start() - _WINDOW_CHARS > end:
            if end:
                yield start, end
            start = hint.start() - _WINDOW_CHARS
        end = hint.end() + _WINDOW_CHARS
    if end:
        yield start, end
