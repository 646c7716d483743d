"""Remove characters that a terminal would act on: cursor moves, links, text direction."""

import re

_CONTROL_CHARS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]")


def strip_control_chars(text: str) -> str:
    """Remove controls other than tab and line feed, direction overrides and invisible tags."""
    return _CONTROL_CHARS.sub("", text)
