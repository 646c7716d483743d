"""Cursor pagination: a cursor names the last row, so rows added or removed between two pages shift nothing."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

from fastapi import Query

from patternmind.domain.read_models import Page
from patternmind.errors import UsageError

Row = TypeVar("Row")

MAX_PAGE_SIZE = 200

MAX_CURSOR_DIGITS = 15

LimitQuery = Annotated[int, Query(ge=1, le=MAX_PAGE_SIZE, description="Rows per page.")]
CursorQuery = Annotated[str | None, Query(max_length=800, description="`next_cursor` of the previous page.")]


def encode_cursor(position: str | None) -> str | None:
    """Return a position as a URL-safe cursor; None at the end of the list."""
    return None if position is None else base64.urlsafe_b64encode(position.encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None) -> str | None:
    """Return the position in a cursor; None for the first page.

    Raises:
        UsageError: the cursor is invalid.
    """
    if cursor is None:
        return None
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise invalid_cursor() from error


def invalid_cursor() -> UsageError:
    return UsageError('"cursor" is invalid. Start again without it.', field="query.cursor")


def paginate(rows: Sequence[Row], *, key: Callable[[Row], str], limit: int, cursor: str | None) -> Page[Row]:
    """Return a page of an in-memory list.

    Args:
        rows: the whole list.
        key: the unique sort key of a row.
        limit: size of the page.
        cursor: `next_cursor` of the previous page.

    Raises:
        UsageError: the cursor is invalid.
    """
    after = decode_cursor(cursor) or ""
    remaining = sorted((row for row in rows if key(row) > after), key=key)
    page = tuple(remaining[:limit])
    return Page(page, key(page[-1]) if len(remaining) > limit else None)


def decode_number_cursor(cursor: str | None) -> int | None:
    """Return the number in a cursor; None for the first page.

    Raises:
        UsageError: the cursor is invalid.
    """
    text = decode_cursor(cursor)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > MAX_CURSOR_DIGITS:
        raise invalid_cursor()
    return int(text)


def cursor_links(path: str, page: Page[Any], cursor: str | None) -> dict[str, Any]:
    """Return links to the next and the first page of a list, for a template."""
    separator, next_cursor = "&" if "?" in path else "?", encode_cursor(page.next_cursor)
    return {
        "next_url": f"{path}{separator}cursor={next_cursor}" if next_cursor else "",
        "first_url": path if cursor else "",
    }


def offset_links(path: str, n: int, start: int, page_size: int, **query: str) -> dict[str, Any]:
    """Return the pager of a list of ``n`` rows, for a template.

    Args:
        path: path of the list.
        n: number of rows.
        start: number of rows before the page.
        page_size: rows per page.
        query: further parameters of the links; empty ones are left out.
    """
    end = min(start + page_size, n)
    given = {name: value for name, value in query.items() if value}
    return {
        "page_range": f"{start + 1}–{end} of {n}" if n > page_size else "",
        "next_url": f"{path}?{urlencode({**given, 'start': end})}" if end < n else "",
        "first_url": f"{path}?{urlencode(given)}" if start else "",
    }
