"""Numbers with their nouns, and lists, as English text."""

from collections.abc import Iterable


def pluralize(n: int, noun: str, plural: str = "", *, is_grouped: bool = False) -> str:
    """Return "1 case" or "3 cases"; ``is_grouped`` writes 1200 as "1,200"."""
    number = f"{n:,}" if is_grouped else str(n)
    return f"{number} {noun if n == 1 else plural or f'{noun}s'}"


def join_words(parts: Iterable[str]) -> str:
    """Return "A, B and C"."""
    *first, last = [*parts] or [""]
    return f"{', '.join(first)} and {last}" if first else last
