"""Arguments checked before any work begins."""

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
    """Refuse a lens, level, engine or date that does not exist.

    Raises:
        UsageError: naming what there is.
    """
    check_lens(parameters.lens)
    for name, value, known in (("level", parameters.level, LEVELS), ("engine", parameters.engine, ENGINES)):
        if value not in known:
            raise UsageError(f'There is no {name} "{value}". Choose one of: {", ".join(known)}.', field=name)
    if parameters.since is not None:
        try:
            date.fromisoformat(parameters.since)
        except ValueError as error:
            raise UsageError(
                f'--since takes a date such as 2026-10-01, not "{parameters.since}".', field="since"
            ) from error


def require_search_text(text: str) -> None:
    """Refuse to look for nothing, before all cases are embedded for it.

    Raises:
        UsageError
    """
    if not text.strip():
        raise UsageError("Say what to look for, in a few words.")


def parse_enum(enum_type: type[EnumT], value: str, name: str) -> EnumT:
    """The word of a fixed list.

    Raises:
        UsageError: naming the words there are.
    """
    try:
        return enum_type(value)
    except ValueError as error:
        raise UsageError(f'There is no {name} "{value}". Choose one of: {", ".join(enum_type)}.') from error
