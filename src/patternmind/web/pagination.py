"""Cursor pagination: a cursor names the last row, so rows added or removed between two pages shift nothing."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

from fastapi import Query

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


def paginate(
    rows: Sequence[Row], *, key: Callable[[Row], str], limit: int, cursor: str | None
) -> tuple[list[Row], str | None]:
    """Return a page of an in-memory list, and the cursor of the next page.

    Args:
        key: the unique sort key of a row.

    Raises:
        UsageError: the cursor is invalid.
    """
    after = decode_cursor(cursor) or ""
    remaining = sorted((row for row in rows if key(row) > after), key=key)
    page = remaining[:limit]
    return page, encode_cursor(key(page[-1])) if len(remaining) > limit else None


def encode_number_cursor(number: int) -> str:
    """Return a cursor for the last number of a page."""
    return base64.urlsafe_b64encode(str(number).encode()).decode().rstrip("=")


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
