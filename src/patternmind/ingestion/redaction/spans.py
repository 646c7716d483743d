"""Types that all finders of personal data share."""

from collections.abc import Callable, Iterator

Span = tuple[int, int, str]
"""Start, end and placeholder of a piece of text to redact."""
Finder = Callable[[str], Iterator[Span]]
"""A function that yields the pieces of a text to redact."""
