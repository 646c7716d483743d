"""How long a pre-reading may be, and what gives way first. Sentences go whole or stay whole."""

import math
from collections.abc import Mapping

from patternmind.publish.document import (
    Block,
    Bullets,
    Document,
    Facts,
    Heading,
    Note,
    Numbered,
    Paragraph,
    Quote,
    count_words,
    document_words,
    texts_of,
)
from patternmind.publish.fields import COUNTER, lines_of
from patternmind.publish.subject import Subject

MOST_WORDS = 900
"""Under eight minutes at 115 words a minute, slower than most people read (product.md, Pre-reading)."""

MOST_LINES = 114
"""Two printed Letter pages hold 112 lines; this count came out 8 to 18 above the lines used, in 32 documents."""

WORDS_A_LINE = 13
"""Measured in DejaVu, the widest of the type faces that the style sheet names."""

CASE_WORDS = 250
LONGEST_SENTENCE = 80
"""Words; a longer "sentence" is a text without full stops and would take the place of everything else."""

MOST_QUOTES = 3

Parts = dict[str, tuple[str, ...]]

SHORTENING = (
    ("helped", 2),
    ("forces", 2),
    ("counter", 2),
    ("related", 2),
    ("disagreement", 1),
    ("helped", 1),
    ("forces", 1),
    ("counter", 1),
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
    ("counter", 0),
    ("unknown", 0),
    ("quotes", 0),
    ("questions", 0),
    ("case", 0),
)
"""What gives way first, and down to how many sentences."""


SPACE: Mapping[type, float] = {
    Heading: 1.2,
    Paragraph: 0.5,
    Bullets: 0.6,
    Numbered: 0.6,
    Quote: 0.5,
    Facts: 0.6,
    Note: 1.2,
}
"""Lines of space around a block; ``SPACE_A_ROW`` between the rows of one."""

SPACE_A_ROW = 0.25
HEADER_LINES = 3.5


def too_long(document: Document) -> bool:
    """More than eight minutes or two printed pages would hold."""
    lines = HEADER_LINES + sum(_lines(block) for block in document.blocks)
    return document_words(document) > MOST_WORDS or lines > MOST_LINES


def _lines(block: Block) -> float:
    rows = _rows(block)
    text = sum(math.ceil(count_words(row) / WORDS_A_LINE) for row in rows)
    return SPACE.get(type(block), 0) + text + SPACE_A_ROW * (len(rows) - 1)


def _rows(block: Block) -> list[str]:
    """The texts of a block that begin a line of their own."""
    match block:
        case Quote() | Note():
            return [" ".join(texts_of(block))]
        case Facts():
            return [value for _, value in block.rows]
        case _:
            return list(texts_of(block))


def parts_of(subject: Subject) -> Parts:
    """Every sentence that could be left out, by the part it stands in."""
    names = ("case", "quotes", "helped", "disagreement", "unknown", "questions")
    parts = {name: lines_of(subject.fields, name) for name in names}
    parts["quotes"] = parts["quotes"][:MOST_QUOTES]
    uses = (f"{card.name}: {line}" for card in subject.cards for line in lines_of(card.fields, "known_uses"))
    parts["related"] = (*(card.name for card in subject.others), *uses)
    for card in subject.cards:
        parts[f"patlet of {card.id}"] = lines_of(card.fields, "patlet")
        parts[f"forces of {card.id}"] = lines_of(card.fields, "forces")
        parts[f"counter of {card.id}"] = lines_of(card.fields, COUNTER)
    return parts


def without_long_sentences(parts: Parts) -> Parts:
    """The parts without what would fill a page alone, and the case cut to its beginning."""
    short = {
        name: _short_ones(lines, CASE_WORDS if name == "case" else LONGEST_SENTENCE) for name, lines in parts.items()
    }
    while sum(count_words(line) for line in short["case"]) > CASE_WORDS:
        short["case"] = short["case"][:-1]
    return short


def _short_ones(lines: tuple[str, ...], most_words: int) -> tuple[str, ...]:
    return tuple(line for line in lines if count_words(line) <= most_words)


def n_lines(parts: Parts) -> int:
    return sum(len(lines) for lines in parts.values())


def longest_part(parts: Parts, name: str, least: int) -> str | None:
    """The part of this name, of whichever pattern, that has most sentences above the least it keeps."""
    named = [one for one in parts if one == name or one.startswith(f"{name} of ")]
    able = [one for one in named if len(parts[one]) > least]
    return max(able, key=lambda one: len(parts[one]), default=None)
