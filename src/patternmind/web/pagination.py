"""Cursor pages: a cursor says after which row to go on, so rows that come or go between two pages move nothing."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

from fastapi import Query

from patternmind.errors import UsageError

Row = TypeVar("Row")

MAX_PAGE_SIZE = 200

MAX_CURSOR_DIGITS = 15

LimitQuery = Annotated[int, Query(ge=1, le=MAX_PAGE_SIZE, description="Rows on a page.")]
CursorQuery = Annotated[str | None, Query(max_length=800, description="`next_cursor` of the page before.")]


def encode_cursor(position: str | None) -> str | None:
    """The place after which a list goes on, as it travels in an address; None where the list has ended."""
    return None if position is None else base64.urlsafe_b64encode(position.encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None) -> str | None:
    """The place that a cursor names; None for the beginning.

    Raises:
        UsageError: no cursor of ours.
    """
    if cursor is None:
        return None
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise UsageError(
            '"cursor" is not one that this service gave. Begin again without it.', field="query.cursor"
        ) from error


def paginate(
    rows: Sequence[Row], *, key: Callable[[Row], str], limit: int, cursor: str | None
) -> tuple[list[Row], str | None]:
    """Of a list that is short enough to hold: the rows after the cursor, and the cursor of the page after them.

    Args:
        key: names a row and gives the order.

    Raises:
        UsageError: no cursor of ours.
    """
    after = decode_cursor(cursor) or ""
    left = sorted((row for row in rows if key(row) > after), key=key)
    page = left[:limit]
    return page, encode_cursor(key(page[-1])) if len(left) > limit else None


def encode_number_cursor(number: int) -> str:
    """A cursor that says which number came last."""
    return base64.urlsafe_b64encode(str(number).encode()).decode().rstrip("=")


def decode_number_cursor(cursor: str | None) -> int | None:
    """The number in a cursor.

    Raises:
        UsageError: no cursor of ours.
    """
    text = decode_cursor(cursor)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > MAX_CURSOR_DIGITS:
        raise UsageError('"cursor" is not one that this service gave. Begin again without it.', field="query.cursor")
    return int(text)
