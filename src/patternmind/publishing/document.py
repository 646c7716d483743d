"""A document as a short list of blocks. All text is plain text: every renderer makes it safe in its own format."""

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

FrontMatterValue = str | int | bool | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """``level`` 2 begins a section, 3 a part of it; ``anchor`` is a target of ``Contents``."""

    level: int
    text: str
    anchor: str = ""
    starts_page: bool = False


@dataclass(frozen=True, slots=True)
class Paragraph:
    """``lead`` marks the one sentence a hurried reader should see."""

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
    """Somebody's own words; without a ``source`` the next quote goes on with them and names it.

    ``link`` leads to the source and is dropped unless it is an http(s) address.
    """

    text: str
    source: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class FactTable:
    """Label and value, a row each."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Note:
    """A word on how far to trust what stands here: ``label`` in short, ``text`` in a sentence."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class ContentsEntry:
    """A line of ``Contents``: where ``text`` is given, it is the reason to go to ``target``."""

    target: str
    anchor: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class ContentsList:
    """Ways to the headings of this document; ``label`` tells two of them apart for who hears the page."""

    label: str
    entries: tuple[ContentsEntry, ...]


Block = Heading | Paragraph | BulletList | NumberedList | QuoteBlock | FactTable | Note | ContentsList


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """``kind`` is playbook or pre-reading; ``front`` is what a program may want to read before the text."""

    kind: str
    title: str
    blocks: tuple[Block, ...]
    front_matter: Mapping[str, FrontMatterValue]
    lang: str = "en"


ALLOWED_FORMAT_CHARS = frozenset("\u200c\u200d\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u08e2")
"""Joiners that Persian, Indic scripts and emoji need, and Arabic number signs. Every other invisible mark goes out:
they reorder a line or hide words in it."""


def to_visible_line(text: str) -> str:
    """One line of visible characters that any format can hold: runs of space folded, invisible marks left out."""
    return " ".join("".join(char for char in text if char.isspace() or _is_visible(char)).split())


def _is_visible(char: str) -> bool:
    category = unicodedata.category(char)
    noncharacter = (ord(char) & 0xFFFE) == 0xFFFE or 0xFDD0 <= ord(char) <= 0xFDEF
    hidden = category in {"Cc", "Cs"} or (category == "Cf" and char not in ALLOWED_FORMAT_CHARS)
    return not (hidden or noncharacter)


def block_texts(block: Block) -> Iterator[str]:
    """Every text of a block that a reader reads."""
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
"""Characters, its space counted, that one word takes at most in this count: German words are as long as they look."""

WIDE_CHARS_PER_WORD = 2
"""Characters a word takes where they are drawn double wide and without spaces: Chinese, Japanese, Korean."""


def count_words(text: str) -> int:
    """How long a text takes to read, in words, whatever its script; never fewer than the spaces say."""
    n_wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return max(len(text.split()), (len(text) - n_wide) // CHARS_PER_WORD + n_wide // WIDE_CHARS_PER_WORD)


def count_document_words(document: Document) -> int:
    return count_words(document.title) + sum(
        count_words(text) for block in document.blocks for text in block_texts(block)
    )


def safe_link(link: str) -> str:
    """The address where it is one of the web's, else nothing."""
    shown = to_visible_line(link)
    return shown if shown.startswith(("https://", "http://")) and " " not in shown else ""
