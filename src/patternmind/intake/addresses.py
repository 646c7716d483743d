"""E-mail addresses, as machines write them and as people hide them from machines."""

import re
from collections.abc import Iterator

from patternmind.intake.patterns import Span

# Possessive, and begun only where no such character stands before: one pass, however long the run of letters.
_EMAIL = re.compile(r"(?<![\w.%+~&-])[\w.%+~&-]++(?:'[\w.%+~&-]++){0,2}@(?:[^\W_](?:[\w-]*+)\.)+[^\W\d_][\w-]*[^\W_]")

_AT_WORD = r"(?:at|ät|arroba|arobase|krøllalfa|snabel-?a|klammeraffe|apenstaartje)"
_DOT_WORD = r"(?:dot|punkt|punto|ponto|prikk|punt)"
_AT_SET_OFF = rf"[ ]?(?:[(\[{{<][ ]?(?:{_AT_WORD}|@)[ ]?[)\]}}>]|[ ]@[ ]|@)[ ]?"
_DOT_SET_OFF = rf"[ ]?[(\[{{<][ ]?(?:{_DOT_WORD}|\.)[ ]?[)\]}}>][ ]?"
_DOT = rf"(?:{_DOT_SET_OFF}|[ ]{_DOT_WORD}[ ]|[ ]?\.[ ]?(?=[a-z]))"
_DOT_SAID = rf"(?:{_DOT_SET_OFF}|[ ]{_DOT_WORD}[ ])"
_LOCAL = rf"(?<![\w.-])[a-z0-9][\w.+-]{{0,40}}(?:{_DOT_SAID}[\w+-]{{1,40}}){{0,3}}"
_LABEL = r"[a-z0-9][a-z0-9-]{0,40}"
_TOP = (
    "com|org|net|edu|gov|mil|int|info|biz|name|io|ai|co|app|dev|me|eu|uk|us|ca|au|nz|ie|de|at|ch|dk|se|no|fi|is|nl|be|lu|fr"
    "|es|pt|it|pl|cz|sk|hu|ro|bg|gr|hr|si|rs|ee|lv|lt|ua|ru|tr|il|in|pk|cn|jp|kr|tw|hk|sg|my|id|ph|th|vn|br|ar|mx|cl|pe|za|ng|ke|eg"
)
_HIDDEN = re.compile(
    # "anna (at) example.com", "anna[at]example[dot]com", "anna @ example . com": the at is set off, so any dot will do;
    rf"{_LOCAL}{_AT_SET_OFF}(?:{_LABEL}{_DOT}){{1,3}}(?:{_TOP})(?![\w-])"
    # "anna at example dot com": at is a word like any other, so every dot must be said.
    rf"|{_LOCAL}[ ]{_AT_WORD}[ ](?:{_LABEL}{_DOT_SAID}){{1,3}}(?:{_TOP})(?![\w-])",
    re.IGNORECASE,
)
_MAY_HIDE = re.compile(
    rf"[ (\[{{<]{_DOT_WORD}[ )\]}}>]|[(\[{{<][ ]?(?:{_AT_WORD}|@)[ ]?[)\]}}>]| @|@ |\. ?[)\]]", re.IGNORECASE
)
_REACH = 120
"""Characters around a sign of hiding in which the whole address stands."""


def find_emails(text: str) -> Iterator[Span]:
    if "@" in text:
        for found in _EMAIL.finditer(text):
            yield (*found.span(), "[email]")


def find_hidden_emails(text: str) -> Iterator[Span]:
    """Addresses written around: "anna at example dot com", "anna (at) example.com", "anna[at]example[dot]com".

    The last part must be a common top-level domain; "meet at example.com" hides nothing.
    """
    for start, end in _windows(text):
        for found in _HIDDEN.finditer(text, start, end):
            yield (*found.span(), "[email]")


def _windows(text: str) -> Iterator[tuple[int, int]]:
    """The stretches around signs of hiding, those that overlap as one."""
    start = end = 0
    for sign in _MAY_HIDE.finditer(text):
        if sign.start() - _REACH > end:
            if end:
                yield start, end
            start = sign.start() - _REACH
        end = sign.end() + _REACH
    if end:
        yield start, end
