"""Names that two themes may not bear side by side, because nobody would know which to open."""

from patternmind.draft.choose import content_words

MOST_SHARED = 0.6
"""Of the words of two names together; "scanner battery cold" and "scanner battery" share two of three."""


def too_like(name: str, other: str) -> bool:
    """Whether two names say the same: the same words that say something, or nearly all of them."""
    mine, theirs = content_words(name), content_words(other)
    if not mine or not theirs:
        return name.casefold() == other.casefold()
    return len(mine & theirs) > MOST_SHARED * len(mine | theirs)
