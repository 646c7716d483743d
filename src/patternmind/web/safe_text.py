"""User text as safe HTML: escaped, with web addresses as links that show the full address."""

import re
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from patternmind.ingestion.redaction.redactor import PLACEHOLDER

_URL = re.compile(r"https?://[^\s<>\"'`{}|\\^\x00-\x20\x7f]+", re.IGNORECASE)
_TRAILING_PUNCTUATION = ".,;:!?)]»”’"


def link_urls(text: str) -> Markup:
    """Return escaped text with http and https addresses as links; other schemes stay text."""
    html = Markup()
    at = 0
    for match in _URL.finditer(text):
        address = match[0].rstrip(_TRAILING_PUNCTUATION)
        if not _is_web_url(address):
            continue
        html += escape(text[at : match.start()])
        html += Markup('<a href="{0}" rel="noopener noreferrer nofollow">{0}</a>').format(address)
        at = match.start() + len(address)
    return html + escape(text[at:])


def _is_web_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme.casefold() in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False


def mark_placeholders(text: str) -> Markup:
    """Return escaped text with redaction placeholders wrapped in a span."""
    html = Markup()
    at = 0
    for match in PLACEHOLDER.finditer(text):
        html += escape(text[at : match.start()]) + Markup('<span class="taken-out">{}</span>').format(match[0][1:-1])
        at = match.end()
    return html + escape(text[at:])
