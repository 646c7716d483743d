"""Where the sentences of a text begin and end."""

import re

SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+(?=[\"'“‘(\[]?[^\s])|\n+|(?<=[。！？])")
ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|Mr|Mrs|Ms|Dr|Prof|Nr|No|approx|ca|bzw|z\.B|Fig|Sec|St|Inc|Ltd|Co|U\.S)|\b[A-Z]|^\d+)\.$"
)
LIST_MARK = re.compile(r"^\s*(?:[•>|]+\s*|(?:[-*#]+|\d+[.)])(?:\s+|$))")
"""A bullet, or a dash or number with a space after it: "3.5 hours" and "-20 degrees" begin with what they say."""


def split_sentences(text: str) -> list[tuple[int, int]]:
    """(start, end) of each sentence, without the space around it or the mark of a list before it."""
    spans: list[tuple[int, int]] = []
    start = 0
    for match in SENTENCE_END.finditer(text):
        if "\n" not in match.group() and ABBREVIATION.search(text[start : match.start()]):
            continue
        spans.append((start, match.end()))
        start = match.end()
    spans.append((start, len(text)))
    return [trimmed for span in spans if (trimmed := _trim(text, *span)) is not None]


def _trim(text: str, start: int, end: int) -> tuple[int, int] | None:
    part = text[start:end]
    if mark := LIST_MARK.match(part):
        start += mark.end()
    part = text[start:end]
    start += len(part) - len(part.lstrip())
    end -= len(part) - len(part.rstrip())
    return (start, end) if start < end else None
