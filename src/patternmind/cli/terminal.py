"""Text for a terminal: what would move the cursor, make a link or turn a line around is left out."""

import re

_CONTROL_CHARS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]")


def escape_control_chars(text: str) -> str:
    """The text without controls other than tab and line feed, without direction overrides and invisible tags."""
    return _CONTROL_CHARS.sub("", text)
