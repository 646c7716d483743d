"""Document model: a list of blocks with plain text, which each renderer escapes for its format."""

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from patternmind.domain.characters import is_printed

FrontMatterValue = str | int | bool | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a section (``level`` 2) or subsection (3); ``anchor`` is a target of ``ContentsList``."""

    level: int
    text: str
    anchor: str = ""
    starts_page: bool = False


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph; ``is_lead`` marks the most important sentence of the document."""

    text: str
    is_lead: bool = False


@dataclass(frozen=True, slots=True)
class BulletList:
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NumberedList:
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QuoteBlock:
    """A verbatim quote; without a ``source``, the next quote continues it and names the source.

    ``link`` is the address of the source; it is dropped unless it is an http(s) address.
    """

    text: str
    source: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class FactTable:
    """A table with a label and a value in each row."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Note:
    """A note on the reliability of the content: a short ``label`` and a sentence."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class ContentsEntry:
    """An entry of ``ContentsList``; ``text``, if any, is the reason to go to ``target``."""

    target: str
    anchor: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class ContentsList:
    """Links to headings of this document; ``label`` names the list for screen readers."""

    label: str
    entries: tuple[ContentsEntry, ...]


Block = Heading | Paragraph | BulletList | NumberedList | QuoteBlock | FactTable | Note | ContentsList


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A playbook or pre-reading (``kind``) with machine-readable ``front_matter``."""

    kind: str
    title: str
    blocks: tuple[Block, ...]
    front_matter: Mapping[str, FrontMatterValue]
    lang: str = "en"


def to_visible_line(text: str) -> str:
    """Return the text as a single line, with spaces folded and invisible characters removed."""
    return " ".join("".join(char for char in text if char.isspace() or is_printed(char)).split())


def block_texts(block: Block) -> Iterator[str]:
    """Yield every visible text of a block."""
    match block:
        case Heading() | Paragraph():
            yield block.text
        case BulletList() | NumberedList():
            yield from block.items
        case QuoteBlock():
            yield from (block.text, block.source)
        case FactTable():
            yield from (text for row in block.rows for text in row)
        case Note():
            yield from (block.label, block.text)
        case ContentsList():
            yield from (text for entry in block.entries for text in (entry.text, entry.target))


CHARS_PER_WORD = 7
"""Characters per word, with the space; a longer word counts as several, which suits German."""

WIDE_CHARS_PER_WORD = 2
"""Characters per word in scripts without spaces: Chinese, Japanese, Korean."""


def count_words(text: str) -> int:
    """Return the reading length of a text in any script, in words; at least the number of its words."""
    n_wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return max(len(text.split()), (len(text) - n_wide) // CHARS_PER_WORD + n_wide // WIDE_CHARS_PER_WORD)


def count_document_words(document: Document) -> int:
    return count_words(document.title) + sum(
        count_words(text) for block in document.blocks for text in block_texts(block)
    )


def safe_link(link: str) -> str:
    """Return an http(s) address unchanged, and an empty string for any other."""
    address = to_visible_line(link)
    return address if address.startswith(("https://", "http://")) and " " not in address else ""
