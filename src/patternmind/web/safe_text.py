"""Text of people on a page: escaped whole, addresses of the web in it made links that are shown in full."""

import re
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from patternmind.intake.redaction import PLACEHOLDER

_ADDRESS = re.compile(r"https?://[^\s<>\"'`{}|\\^\x00-\x20\x7f]+", re.IGNORECASE)
_TAIL = ".,;:!?)]»”’"


def linked(text: str) -> Markup:
    """The text with its http and https addresses as links; whatever else looks like one stays text."""
    told = Markup()
    at = 0
    for found in _ADDRESS.finditer(text):
        address = found[0].rstrip(_TAIL)
        if not _leads_somewhere(address):
            continue
        told += escape(text[at : found.start()])
        told += Markup('<a href="{0}" rel="noopener noreferrer nofollow">{0}</a>').format(address)
        at = found.start() + len(address)
    return told + escape(text[at:])


def _leads_somewhere(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme.casefold() in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False


def redacted(text: str) -> Markup:
    """The text with the placeholders of what was taken out set apart."""
    told = Markup()
    at = 0
    for found in PLACEHOLDER.finditer(text):
        told += escape(text[at : found.start()]) + Markup('<span class="taken-out">{}</span>').format(found[0][1:-1])
        at = found.end()
    return told + escape(text[at:])
