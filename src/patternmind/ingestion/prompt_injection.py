"""What in a submission may be meant for a machine rather than for a reader: said in our words, and never acted on.

A suspicious case is taken in, grouped and counted like any other; people see the note beside it and decide. The cues
are few and plain on purpose: a cue that fires on honest cases teaches people to look away (figures in
docs/decisions/0020-grounding.md). What holds against an injected order is not this list but that nothing obeys one.
"""

import base64
import binascii
import codecs
import html
import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote

from patternmind.domain.cases import SUSPICIOUS_FLAG_PREFIX, Submission
from patternmind.ingestion.prompt_injection_cues import (
    FORMULA,
    FRAME,
    MARKUP,
    ORDERS,
    TEMPLATE,
)

GIVES_ORDERS = "gives orders to a machine"
HIDES_ORDERS = "hides orders to a machine in an encoded text"
HIDDEN_CHARACTERS = "holds characters that do not show"
DIRECTION_MARKS = "holds marks that turn the direction of its text"
ACTIVE_MARKUP = "holds markup that would load or lead to something"
PROMPT_FRAME = "imitates the frame of a prompt or of an answer"
TEMPLATE_CODE = "holds template code"
SPREADSHEET_FORMULA = "begins like a spreadsheet formula"

_DIRECTION_CHARS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_HARMLESS_CHARS = frozenset("\u200c\u200d\u00ad\ufeff\u200e\u200f\u061c") | frozenset(
    chr(code) for code in range(0x80, 0xA0) if code != 0x9B
)
"""Joiners, soft hyphens, a mark at a file's beginning, single direction marks and what a wrong decoding leaves of a
dash stand in honest texts."""
_CONTROL = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1b\x7f]")
_ENCODED_TOKEN = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")
_ROT13_CUE = re.compile(r"\b(?:vtaber|qvfertneq|flfgrz|vafgehpgvbaf?|cebzcg)\b", re.IGNORECASE)


def suspicion_flags(submission: Submission) -> tuple[str, ...]:
    """The notes to put beside a case, each beginning "suspicious:"; none for nearly every case."""
    beside = [*submission.facts.values(), *submission.extra, *submission.extra.values(), submission.file]
    texts = [*submission.text.values(), *beside, submission.external_id or ""]
    # All fields as one: an order may be split over them.
    found = dict.fromkeys(_order_notes(" ".join(texts)))
    found |= dict.fromkeys(note for text in texts if text for note in _character_and_markup_notes(text))
    return tuple(f"{SUSPICIOUS_FLAG_PREFIX} {note}" for note in found)


def _order_notes(text: str) -> Iterator[str]:
    if gives_orders(_visible_text(text)):
        yield GIVES_ORDERS
    elif any(gives_orders(_visible_text(decoded)) for decoded in decode_variants(text)):
        yield HIDES_ORDERS


def _character_and_markup_notes(text: str) -> Iterator[str]:
    if not text.isascii() or _CONTROL.search(text):
        hidden = {char for char in text if unicodedata.category(char) in {"Cf", "Cc", "Co"} and not char.isspace()}
        if hidden & _DIRECTION_CHARS:
            yield DIRECTION_MARKS
        if hidden - _DIRECTION_CHARS - _HARMLESS_CHARS or _has_joiners_in_words(text):
            yield HIDDEN_CHARACTERS
    shown = _visible_text(text)
    forms = [shown, *([text] if text != shown else []), *([html.unescape(text)] if "&" in text else [])]
    for cue, note in ((MARKUP, ACTIVE_MARKUP), (FRAME, PROMPT_FRAME), (TEMPLATE, TEMPLATE_CODE)):
        if any(cue.matches(form, form.casefold()) for form in forms):
            yield note
    if FORMULA.match(text):
        yield SPREADSHEET_FORMULA


def _has_joiners_in_words(text: str) -> bool:
    """Joiners between Latin letters, where no script needs them, more than once."""
    return len(re.findall(r"(?<=[A-Za-z])[\u200b\u200c\u200d\u2060\ufeff]+(?=[A-Za-z])", text)) > 1


def gives_orders(text: str) -> bool:
    """Whether the text speaks to a machine, in one of a dozen languages."""
    folded = text.casefold()
    return any(cue.matches(text, folded) for cue in ORDERS)


def _visible_text(text: str) -> str:
    """The text without what does not show, compatibility forms as plain letters."""
    if text.isascii():
        return text
    kept = "".join(char for char in text if unicodedata.category(char) not in {"Cf", "Co"})
    return unicodedata.normalize("NFKC", kept)


def decode_variants(text: str) -> Iterator[str]:
    """What the text may say to who decodes it: base64, hex, percent, HTML entities, rot13, escapes, tags, reversed."""
    for token in _ENCODED_TOKEN.findall(text):
        yield from _decode_token(token)
    if "%" in text and (plain := unquote(text)) != text:
        yield plain
    if "&" in text and (plain := html.unescape(text)) != text:
        yield plain
    if re.search(r"\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}", text):
        yield re.sub(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2}))", lambda m: chr(int(m[1] or m[2], 16)), text)
    if _ROT13_CUE.search(text):
        yield codecs.decode(text, "rot13")
    if tags := "".join(chr(ord(char) - 0xE0000) for char in text if 0xE0020 <= ord(char) <= 0xE007E):
        yield tags
    if re.search(r"\b(?:snoitcurtsni|erongi)\b", text, re.IGNORECASE):
        yield text[::-1]
    if re.search(r"(?:\b\w\b[ .\-_]){8,}", text):
        yield re.sub(r"(?<=\b\w)[ .\-_](?=\w\b)", "", text.replace("  ", "\u2003")).replace("\u2003", " ")


def _decode_token(token: str) -> Iterator[str]:
    if re.fullmatch(r"(?:[0-9a-fA-F]{2})+", token):
        yield from _readable_text(bytes.fromhex(token))
    try:
        padded = token.rstrip("=").replace("-", "+").replace("_", "/")
        raw = base64.b64decode(padded + "=" * (-len(padded) % 4), validate=True)
    except (binascii.Error, ValueError):
        return
    yield from _readable_text(raw)


def _readable_text(raw: bytes) -> Iterator[str]:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return
    if sum(char.isprintable() or char.isspace() for char in text) >= 0.95 * len(text):
        yield text
