"""Checks of arguments before any work starts."""

from datetime import date
from enum import StrEnum
from typing import TypeVar

from patternmind.embedding.lenses import check_lens
from patternmind.errors import UsageError
from patternmind.ports import RunParameters

EnumT = TypeVar("EnumT", bound=StrEnum)

ENGINES = ("graph", "hdbscan")
LEVELS = ("theme", "area")


def validate_run_parameters(parameters: RunParameters) -> None:
    """Refuse an unknown lens, level or engine, and an invalid date.

    Raises:
        UsageError: The message lists the valid values.
    """
    check_lens(parameters.lens)
    for name, value, choices in (("level", parameters.level, LEVELS), ("engine", parameters.engine, ENGINES)):
        if value not in choices:
            raise UsageError(f'There is no {name} "{value}". Choose one of: {", ".join(choices)}.', field=name)
    if parameters.since is not None:
        try:
            date.fromisoformat(parameters.since)
        except ValueError as error:
            raise UsageError(
                f'"{parameters.since}" is not a date. Enter it as YYYY-MM-DD, such as 2026-10-01.', field="since"
            ) from error


def require_search_text(text: str) -> None:
    """Refuse an empty search before all cases are embedded for it.

    Raises:
        UsageError
    """
    if not text.strip():
        raise UsageError("Enter a few words to search for.")


def parse_enum(enum_type: type[EnumT], value: str, name: str) -> EnumT:
    """Return the enum member with this value.

    Raises:
        UsageError: The message lists the valid values.
    """
    try:
        return enum_type(value)
    except ValueError as error:
        raise UsageError(f'There is no {name} "{value}". Choose one of: {", ".join(enum_type)}.') from error
