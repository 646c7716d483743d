"""Split a text into sentences."""

import re

SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+(?=[\"'“‘(\[]?[^\s])|\n+|(?<=[。！？])")
ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|Mr|Mrs|Ms|Dr|Prof|Nr|No|approx|ca|bzw|z\.B|Fig|Sec|St|Inc|Ltd|Co|U\.S)|\b[A-Z]|^\d+)\.$"
)
LIST_MARKER = re.compile(
    r"""\s*(?:
        [•>|]+\s*                                                   # glued to the text or not
      | (?:[-–—*#·+]+|\d+[.)])(?:\s+|$)                            # "- ", "3) "
      | \[[ xX]?\](?:\s+|$)                                        # a box to tick
      | [\u2190-\u21ff\u2300-\u23ff\u25a0-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff\u2022-\u2023\u2043\u200d\ufe0f]+\s*
      | \(?[ ]?(?:[a-zA-Z]|[ivx]{2,4}|\d{1,2})[ ]?\)\s+           # "a) ", "( ii ) "
      | [o§]\s+(?=[A-Z])                                           # of word processors; "§ 12" is text
      | (?:\d{1,2}[.)]|[-–—])(?=[A-Z][a-z])                        # "3.Charge", "-Charge"
      | \*{1,3}(?=[A-Z][a-z][^*]*$)                                # "*Charge it", and not "*Charge* it"
    )""",
    re.VERBOSE,
)
"""A bullet or number before a line; "3.5 hours" and "-20 degrees" do not have one."""


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Return (start, end) of each sentence, without surrounding spaces and list markers."""
    spans: list[tuple[int, int]] = []
    start = 0
    for match in SENTENCE_END.finditer(text):
        if "\n" not in match.group() and ABBREVIATION.search(text[start : match.start()]):
            continue
        spans.append((start, match.end()))
        start = match.end()
    spans.append((start, len(text)))
    return [trimmed for span in spans if (trimmed := _trim_span(text, *span)) is not None]


def _trim_span(text: str, start: int, end: int) -> tuple[int, int] | None:
    while (mark := LIST_MARKER.match(text, start, end)) and mark.end() > start:  # "> - [x] Charge it"
        start = mark.end()
    part = text[start:end]
    start += len(part) - len(part.lstrip())
    end -= len(part) - len(part.rstrip())
    return (start, end) if start < end else None
