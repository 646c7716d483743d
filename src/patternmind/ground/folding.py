"""Finding a text in another where spaces, quote marks, dashes and composed letters may be written in other ways.

Only what is listed here is folded. Never NFKC: "10²" is not "102", and "ﬁt" is left as it was typed.
"""

import unicodedata
from functools import lru_cache

FOLDED = {
    **dict.fromkeys("‘’‚‛′´`", "'"),
    **dict.fromkeys("“”„‟″«»", '"'),
    **dict.fromkeys("‐‑‒–—―−", "-"),
}
"""Marks that are written in different ways and mean the same."""


def find_folded(wanted: str, source: str) -> tuple[int, int] | None:
    """Where ``wanted`` stands in ``source`` once both are folded; offsets in the source's code points.

    A character and its marks are found whole or not at all ("cafe" is not the beginning of "café"), and so are words
    and numbers: see ``cuts``.
    """
    folded, spans = _fold(source)
    needle, _ = _fold(wanted.strip())
    at = folded.find(needle) if needle else -1
    while at >= 0:
        end = at + len(needle)
        cuts_first = at > 0 and spans[at - 1] == spans[at]
        cuts_last = end < len(spans) and spans[end] == spans[end - 1]
        if not (cuts_first or cuts_last):
            span = spans[at][0], spans[end - 1][1]
            if not cuts(source, *span):
                return span
        at = folded.find(needle, at + 1)
    return None


def cuts(source: str, start: int, end: int) -> bool:
    """Whether a slice begins or ends inside a word or a number, and so may say what its source does not.

    "We can" is no quote of "we cannot", "10" none of "102", "10²", "10,5" or "-10".
    """
    text = source[start:end]
    if not text.strip():
        return False
    start += len(text) - len(text.lstrip())
    end -= len(text) - len(text.rstrip())
    return _joined(source, start) or _joined(source, end) or _signed(source, start)


def _joined(source: str, at: int) -> bool:
    """Whether the characters on both sides of a place belong to one word or one number."""
    if not 0 < at < len(source):
        return False
    before, after = source[at - 1], source[at]
    if _in_word(before) and _in_word(after):
        return True
    if before in ".," and at > 1 and source[at - 2].isdigit() and after.isdigit():
        return True
    if after in ".," and before.isdigit() and at + 1 < len(source) and source[at + 1].isdigit():
        return True
    return after in "'’" and before == "n" and source[at + 1 : at + 2] == "t"


def _signed(source: str, at: int) -> bool:
    """Whether a number at this place has its sign, or the beginning of its range, before it."""
    return 0 < at < len(source) and source[at].isdigit() and FOLDED.get(source[at - 1], source[at - 1]) == "-"


def _in_word(char: str) -> bool:
    """Letters, digits and marks; not the letters of scripts that write no spaces ("Lo"), where words cannot be told."""
    category = unicodedata.category(char)
    return category[0] in "NM" or category in {"Lu", "Ll", "Lt", "Lm"}


def fold(text: str) -> str:
    """The text as ``find_folded`` compares it, without spaces at its ends."""
    return _fold(text.strip())[0]


@lru_cache(maxsize=32)  # the claims of a draft quote the same few cases
def _fold(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Folded text in NFD, and for each of its characters the span of the source that it stands for.

    A base character is taken together with its marks, so that "é" is found however it was typed. Taken apart rather
    than composed, because only so does a text fold piece by piece into what it folds into whole (Korean, Bengali).
    """
    out: list[str] = []
    spans: list[tuple[int, int]] = []
    start = 0
    while start < len(text):
        end = start + 1
        while end < len(text) and _belongs_to_the_one_before(text[end]):
            end += 1
        plain = unicodedata.normalize("NFD", text[start:end])
        plain = " " if plain.isspace() else FOLDED.get(plain, plain)
        if not (plain == " " and out and out[-1] == " "):
            out.extend(plain)
            spans.extend([(start, end)] * len(plain))
        start = end
    return "".join(out), spans


def _belongs_to_the_one_before(char: str) -> bool:
    """A mark, or a vowel or final consonant of a Korean syllable."""
    return unicodedata.category(char).startswith("M") or "\u1160" <= char <= "\u11ff"
