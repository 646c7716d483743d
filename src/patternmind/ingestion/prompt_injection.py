"""Flag submissions that may address a machine instead of a reader.

A suspicious case is imported, grouped and counted like any other; people see the flag and decide. The cues are few and
plain on purpose: a cue that fires on honest cases teaches people to ignore flags (figures in
docs/decisions/0020-grounding.md). This list is not the defence against injected orders: the defence is that no part of
the program obeys them.
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
from patternmind.domain.characters import DIRECTION_CONTROLS, HARMLESS_CHARACTERS, strip_format
from patternmind.ingestion.prompt_injection_cues import FORMULA, FRAME, MARKUP, ORDERS, TEMPLATE

GIVES_ORDERS = "gives orders to a machine"
HIDES_ORDERS = "hides orders to a machine in encoded text"
HIDDEN_CHARACTERS = "contains invisible characters"
DIRECTION_MARKS = "contains marks that change the text direction"
ACTIVE_MARKUP = "contains markup that could load or open a link"
PROMPT_FRAME = "imitates a prompt or a model's answer"
TEMPLATE_CODE = "contains template code"
SPREADSHEET_FORMULA = "begins like a spreadsheet formula"

_CONTROL = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1b\x7f]")
_ENCODED_TOKEN = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")
_ROT13_CUE = re.compile(r"\b(?:vtaber|qvfertneq|flfgrz|vafgehpgvbaf?|cebzcg)\b", re.IGNORECASE)


def suspicion_flags(submission: Submission) -> tuple[str, ...]:
    """Return the flags for a case, each beginning with "suspicious:"; nearly every case has none."""
    other_values = [*submission.facts.values(), *submission.extra, *submission.extra.values(), submission.file]
    texts = [*submission.text.values(), *other_values, submission.external_id or ""]
    # Joined, because an order may be split over several fields.
    notes = dict.fromkeys(_order_notes(" ".join(texts)))
    notes |= dict.fromkeys(note for text in texts if text for note in _character_and_markup_notes(text))
    return tuple(f"{SUSPICIOUS_FLAG_PREFIX} {note}" for note in notes)


def _order_notes(text: str) -> Iterator[str]:
    if gives_orders(_visible_text(text)):
        yield GIVES_ORDERS
    elif any(gives_orders(_visible_text(decoded)) for decoded in decode_variants(text)):
        yield HIDES_ORDERS


def _character_and_markup_notes(text: str) -> Iterator[str]:
    if not text.isascii() or _CONTROL.search(text):
        hidden = {char for char in text if unicodedata.category(char) in {"Cf", "Cc", "Co"} and not char.isspace()}
        if hidden & DIRECTION_CONTROLS:
            yield DIRECTION_MARKS
        if hidden - DIRECTION_CONTROLS - HARMLESS_CHARACTERS or _has_joiners_in_words(text):
            yield HIDDEN_CHARACTERS
    visible = _visible_text(text)
    forms = [visible, *([text] if text != visible else []), *([html.unescape(text)] if "&" in text else [])]
    for cue, note in ((MARKUP, ACTIVE_MARKUP), (FRAME, PROMPT_FRAME), (TEMPLATE, TEMPLATE_CODE)):
        if any(cue.matches(form, form.casefold()) for form in forms):
            yield note
    if FORMULA.match(text):
        yield SPREADSHEET_FORMULA


def _has_joiners_in_words(text: str) -> bool:
    """Return whether joiners occur more than once between Latin letters, which never need them."""
    return len(re.findall(r"(?<=[A-Za-z])[\u200b\u200c\u200d\u2060\ufeff]+(?=[A-Za-z])", text)) > 1


def gives_orders(text: str) -> bool:
    """Return whether the text gives orders to a machine, in one of a dozen languages."""
    folded = text.casefold()
    return any(cue.matches(text, folded) for cue in ORDERS)


def _visible_text(text: str) -> str:
    """Return the text without invisible characters, with compatibility forms as plain letters."""
    return text if text.isascii() else unicodedata.normalize("NFKC", strip_format(text))


def decode_variants(text: str) -> Iterator[str]:
    """Yield decoded versions: base64, hex, percent, HTML entities, rot13, escapes, tag characters, reversed."""
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
