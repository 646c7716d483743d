"""Text of people on a page: escaped whole, addresses of the web in it made links that are shown in full."""

import re
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from patternmind.ingestion.redaction.redactor import PLACEHOLDER

_URL = re.compile(r"https?://[^\s<>\"'`{}|\\^\x00-\x20\x7f]+", re.IGNORECASE)
_TRAILING_PUNCTUATION = ".,;:!?)]»”’"


def link_urls(text: str) -> Markup:
    """The text with its http and https addresses as links; whatever else looks like one stays text."""
    told = Markup()
    at = 0
    for found in _URL.finditer(text):
        address = found[0].rstrip(_TRAILING_PUNCTUATION)
        if not _is_web_url(address):
            continue
        told += escape(text[at : found.start()])
        told += Markup('<a href="{0}" rel="noopener noreferrer nofollow">{0}</a>').format(address)
        at = found.start() + len(address)
    return told + escape(text[at:])


def _is_web_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme.casefold() in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False


def mark_placeholders(text: str) -> Markup:
    """The text with the placeholders of what was taken out set apart."""
    told = Markup()
    at = 0
    for found in PLACEHOLDER.finditer(text):
        told += escape(text[at : found.start()]) + Markup('<span class="taken-out">{}</span>').format(found[0][1:-1])
        at = found.end()
    return told + escape(text[at:])
