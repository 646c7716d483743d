"""Find a text in another, ignoring variants of spaces, quote marks, dashes and composed letters.

Only the listed characters are folded. NFKC is not used: "10²" is not "102", and "ﬁt" stays as typed.
"""

import unicodedata
from functools import lru_cache

FOLDED_CHARACTERS = {**dict.fromkeys("‘’‚‛′´`", "'"), **dict.fromkeys("“”„‟″«»", '"'), **dict.fromkeys("‐‑‒–—―−", "-")}
"""Variants of a mark with the same meaning."""


def find_folded(passage: str, source: str) -> tuple[int, int] | None:
    """Return (start, end) of a passage in a source, after folding both.

    The offsets are in the source's code points.

    A match never splits a character from its marks ("cafe" does not match in "café"), nor a word or number: see
    ``cuts_word_or_number``.
    """
    folded, spans = _fold_with_spans(source)
    needle, _ = _fold_with_spans(passage.strip())
    start = folded.find(needle) if needle else -1
    while start >= 0:
        end = start + len(needle)
        cuts_first = start > 0 and spans[start - 1] == spans[start]
        cuts_last = end < len(spans) and spans[end] == spans[end - 1]
        if not (cuts_first or cuts_last):
            span = spans[start][0], spans[end - 1][1]
            if not cuts_word_or_number(source, *span):
                return span
        start = folded.find(needle, start + 1)
    return None


def cuts_word_or_number(source: str, start: int, end: int) -> bool:
    """Return whether a slice starts or ends inside a word or number.

    Such a slice may change the meaning.
    "We can" is not a quote of "we cannot", and "10" is not a quote of "102", "10²", "10,5" or "-10".
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
    """Return whether the characters around an offset belong to the same word or number."""
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
    """Return whether a sign or the start of a range precedes a number."""
    return (
        0 < offset < len(source)
        and source[offset].isdigit()
        and FOLDED_CHARACTERS.get(source[offset - 1], source[offset - 1]) == "-"
    )


def _is_word_character(char: str) -> bool:
    """Return whether a character is a letter, digit or mark.

    Letters of scripts without spaces ("Lo") do not count, because their words cannot be delimited.
    """
    category = unicodedata.category(char)
    return category[0] in "NM" or category in {"Lu", "Ll", "Lt", "Lm"}


@lru_cache(maxsize=32)  # the claims of a draft quote the same few cases
def _fold_with_spans(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Return the folded text in NFD, and the source span of each character.

    A base character is folded together with its marks, so that "é" matches in both encodings. NFD rather than NFC,
    because only then does a text fold piecewise to the same result as at once (Korean, Bengali).
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
    """Return whether a character is a mark, or a Korean vowel or final consonant."""
    return unicodedata.category(char).startswith("M") or "\u1160" <= char <= "\u11ff"
