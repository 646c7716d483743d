"""Limit the length of a pre-reading, and define the order of removal; only whole sentences are removed."""

import math
from collections.abc import Mapping

from patternmind.domain.draft_fields import COUNTER_EVIDENCE, stated_lines
from patternmind.publishing.document import (
    Block,
    BulletList,
    Document,
    FactTable,
    Heading,
    Note,
    NumberedList,
    Paragraph,
    QuoteBlock,
    block_texts,
    count_document_words,
    count_words,
)
from patternmind.publishing.prereading_content import PrereadingContent

MAX_WORDS = 900
"""Under eight minutes at 115 words a minute, slower than most people read."""

MAX_LINES = 114
"""Limit of the line estimate for two pages.

Two printed Letter pages hold 112 lines; the estimate was 8 to 18 lines too high in 32 documents.
"""

WORDS_PER_LINE = 13
"""Words per line in DejaVu, the widest font of the style sheet."""

MAX_CASE_WORDS = 250
MAX_SENTENCE_WORDS = 80
"""Limit for a sentence; a longer one is a text without full stops and would displace everything else."""

MAX_QUOTES = 3

Parts = dict[str, tuple[str, ...]]

SHORTENING_ORDER = (
    ("helped", 2),
    ("forces", 2),
    (COUNTER_EVIDENCE, 2),
    ("related", 2),
    ("disagreement", 1),
    ("helped", 1),
    ("forces", 1),
    (COUNTER_EVIDENCE, 1),
    ("unknown", 2),
    ("case", 5),
    ("related", 0),
    ("quotes", 2),
    ("case", 3),
    ("quotes", 1),
    ("forces", 0),
    ("helped", 0),
    ("case", 1),
    ("patlet", 0),
    ("disagreement", 0),
    (COUNTER_EVIDENCE, 0),
    ("unknown", 0),
    ("quotes", 0),
    ("questions", 0),
    ("case", 0),
)
"""Parts in the order of removal, with the number of sentences that remain."""


BLOCK_SPACING_LINES: Mapping[type, float] = {
    Heading: 1.2,
    Paragraph: 0.5,
    BulletList: 0.6,
    NumberedList: 0.6,
    QuoteBlock: 0.5,
    FactTable: 0.6,
    Note: 1.2,
}
"""Space around a block, in lines; ``ROW_SPACING_LINES`` is the space between its rows."""

ROW_SPACING_LINES = 0.25
HEADER_LINES = 3.5


def is_too_long(document: Document) -> bool:
    """Return whether the document takes more than eight minutes or two printed pages."""
    lines = HEADER_LINES + sum(_estimate_lines(block) for block in document.blocks)
    return count_document_words(document) > MAX_WORDS or lines > MAX_LINES


def _estimate_lines(block: Block) -> float:
    rows = _block_rows(block)
    text = sum(math.ceil(count_words(row) / WORDS_PER_LINE) for row in rows)
    return BLOCK_SPACING_LINES.get(type(block), 0) + text + ROW_SPACING_LINES * (len(rows) - 1)


def _block_rows(block: Block) -> list[str]:
    """Return the texts of a block that start on a new line."""
    match block:
        case QuoteBlock() | Note():
            return [" ".join(block_texts(block))]
        case FactTable():
            return [value for _, value in block.rows]
        case _:
            return list(block_texts(block))


def split_parts(content: PrereadingContent) -> Parts:
    """Return the removable sentences by part."""
    names = ("case", "quotes", "helped", "disagreement", "unknown", "questions")
    parts = {name: stated_lines(content.fields, name) for name in names}
    parts["quotes"] = parts["quotes"][:MAX_QUOTES]
    uses = (f"{card.name}: {line}" for card in content.cards for line in stated_lines(card.fields, "known_uses"))
    parts["related"] = (*(card.name for card in content.other_cards), *uses)
    for card in content.cards:
        parts[f"patlet of {card.id}"] = stated_lines(card.fields, "patlet")
        parts[f"forces of {card.id}"] = stated_lines(card.fields, "forces")
        parts[f"{COUNTER_EVIDENCE} of {card.id}"] = stated_lines(card.fields, COUNTER_EVIDENCE)
    return parts


def without_long_sentences(parts: Parts) -> Parts:
    """Remove sentences that are too long, and shorten the case from its end."""
    short = {
        name: _without_long_lines(lines, MAX_CASE_WORDS if name == "case" else MAX_SENTENCE_WORDS)
        for name, lines in parts.items()
    }
    while sum(count_words(line) for line in short["case"]) > MAX_CASE_WORDS:
        short["case"] = short["case"][:-1]
    return short


def _without_long_lines(lines: tuple[str, ...], max_words: int) -> tuple[str, ...]:
    return tuple(line for line in lines if count_words(line) <= max_words)


def count_lines(parts: Parts) -> int:
    return sum(len(lines) for lines in parts.values())


def find_longest_part(parts: Parts, name: str, min_lines: int) -> str | None:
    """Return the longest part with this name that has more than ``min_lines`` lines."""
    names = [part for part in parts if part == name or part.startswith(f"{name} of ")]
    removable = [part for part in names if len(parts[part]) > min_lines]
    return max(removable, key=lambda part: len(parts[part]), default=None)
