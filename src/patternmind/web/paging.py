"""Cursor pages: a cursor says after which row to go on, so rows that come or go between two pages move nothing."""

import base64
import binascii
from typing import Annotated

from fastapi import Query

from patternmind.errors import UsageError

MOST_ROWS = 200

Limit = Annotated[int, Query(ge=1, le=MOST_ROWS, description="Rows on a page.")]
Cursor = Annotated[str | None, Query(max_length=800, description="`next_cursor` of the page before.")]


def write_cursor(place: str | None) -> str | None:
    """The place after which a list goes on, as it travels in an address; None where the list has ended."""
    return None if place is None else base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def read_cursor(cursor: str | None) -> str | None:
    """The place that a cursor names; None for the beginning.

    Raises:
        UsageError: no cursor of ours.
    """
    if cursor is None:
        return None
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise UsageError('"cursor" is not one that this service gave. Begin again without it.') from error
