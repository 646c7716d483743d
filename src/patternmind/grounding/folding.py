"""Finding a text in another where spaces, quote marks, dashes and composed letters may be written in other ways.

Only what is listed here is folded. Never NFKC: "10²" is not "102", and "ﬁt" is left as it was typed.
"""

import unicodedata
from functools import lru_cache

FOLDED_CHARACTERS = {
    **dict.fromkeys("‘’‚‛′´`", "'"),
    **dict.fromkeys("“”„‟″«»", '"'),
    **dict.fromkeys("‐‑‒–—―−", "-"),
}
"""Marks that are written in different ways and mean the same."""


def find_folded(passage: str, source: str) -> tuple[int, int] | None:
    """Where ``wanted`` stands in ``source`` once both are folded; offsets in the source's code points.

    A character and its marks are found whole or not at all ("cafe" is not the beginning of "café"), and so are words
    and numbers: see ``cuts``.
    """
    folded, spans = _fold_with_spans(source)
    needle, _ = _fold_with_spans(passage.strip())
    at = folded.find(needle) if needle else -1
    while at >= 0:
        end = at + len(needle)
        cuts_first = at > 0 and spans[at - 1] == spans[at]
        cuts_last = end < len(spans) and spans[end] == spans[end - 1]
        if not (cuts_first or cuts_last):
            span = spans[at][0], spans[end - 1][1]
            if not cuts_word_or_number(source, *span):
                return span
        at = folded.find(needle, at + 1)
    return None


def cuts_word_or_number(source: str, start: int, end: int) -> bool:
    """Whether a slice begins or ends inside a word or a number, and so may say what its source does not.

    "We can" is no quote of "we cannot", "10" none of "102", "10²", "10,5" or "-10".
    """
    text = source[start:end]
    if not text.strip():
        return False
    start += len(text) - len(text.lstrip())
    end -= len(text) - len(text.rstrip())
    return (
        _is_inside_word_or_number(source, start)
        or _is_inside_word_or_number(source, end)
        or _has_sign_before(source, start)
    )


def _is_inside_word_or_number(source: str, offset: int) -> bool:
    """Whether the characters on both sides of a place belong to one word or one number."""
    if not 0 < offset < len(source):
        return False
    before, after = source[offset - 1], source[offset]
    if _is_word_character(before) and _is_word_character(after):
        return True
    if before in ".," and offset > 1 and source[offset - 2].isdigit() and after.isdigit():
        return True
    if after in ".," and before.isdigit() and offset + 1 < len(source) and source[offset + 1].isdigit():
        return True
    return after in "'’" and before == "n" and source[offset + 1 : offset + 2] == "t"


def _has_sign_before(source: str, offset: int) -> bool:
    """Whether a number at this place has its sign, or the beginning of its range, before it."""
    return (
        0 < offset < len(source)
        and source[offset].isdigit()
        and FOLDED_CHARACTERS.get(source[offset - 1], source[offset - 1]) == "-"
    )


def _is_word_character(char: str) -> bool:
    """Letters, digits and marks; not the letters of scripts that write no spaces ("Lo"), where words cannot be told."""
    category = unicodedata.category(char)
    return category[0] in "NM" or category in {"Lu", "Ll", "Lt", "Lm"}


def fold_text(text: str) -> str:
    """The text as ``find_folded`` compares it, without spaces at its ends."""
    return _fold_with_spans(text.strip())[0]


@lru_cache(maxsize=32)  # the claims of a draft quote the same few cases
def _fold_with_spans(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Folded text in NFD, and for each of its characters the span of the source that it stands for.

    A base character is taken together with its marks, so that "é" is found however it was typed. Taken apart rather
    than composed, because only so does a text fold piece by piece into what it folds into whole (Korean, Bengali).
    """
    out: list[str] = []
    spans: list[tuple[int, int]] = []
    start = 0
    while start < len(text):
        end = start + 1
        while end < len(text) and _is_combining(text[end]):
            end += 1
        plain = unicodedata.normalize("NFD", text[start:end])
        plain = " " if plain.isspace() else FOLDED_CHARACTERS.get(plain, plain)
        if not (plain == " " and out and out[-1] == " "):
            out.extend(plain)
            spans.extend([(start, end)] * len(plain))
        start = end
    return "".join(out), spans


def _is_combining(char: str) -> bool:
    """A mark, or a vowel or final consonant of a Korean syllable."""
    return unicodedata.category(char).startswith("M") or "\u1160" <= char <= "\u11ff"
