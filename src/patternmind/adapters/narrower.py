"""Whether one JSON schema lets through no more than another: what an organisation's own prompt has to keep to."""

from collections.abc import Mapping
from typing import Any, cast

AT_MOST = ("maxLength", "maxItems", "maximum")
AT_LEAST = ("minLength", "minItems", "minimum")


def wider_than(theirs: Mapping[str, Any], ours: Mapping[str, Any], at: str = "the answer") -> str | None:
    """Where and why an answer might fit ``theirs`` and not ``ours``; None where every such answer fits.

    On the safe side: words of a schema add up, so all of ours must stand in theirs, limits as tight or tighter, the
    rest as it is. Theirs may have more of them.
    """
    for word, wanted in ours.items():
        problem = _wider_by(word, theirs.get(word), wanted, at)
        if problem:
            return problem
    return None


def _wider_by(word: str, given: Any, wanted: Any, at: str) -> str | None:
    problem = f'"{word}" of {at} must be as it is in ours'
    if word == "properties" and isinstance(given, Mapping):
        problem = _wider_property(cast("Mapping[str, Any]", given), wanted, at)
    elif word == "items" and isinstance(given, Mapping):
        problem = wider_than(cast("Mapping[str, Any]", given), wanted, f"an entry of {at}")
    elif word in AT_MOST:
        problem = None if _is_number(given) and given <= wanted else f"{word} of {at} must be at most {wanted}"
    elif word in AT_LEAST:
        problem = None if _is_number(given) and given >= wanted else f"{word} of {at} must be at least {wanted}"
    elif word == "required":
        missing = [name for name in wanted if name not in (given or ())]
        problem = f"{at} must require {', '.join(missing)}" if missing else None
    elif word == "enum" and isinstance(given, list):
        extra = [str(one) for one in cast("list[object]", given) if one not in wanted]
        problem = f"{at} may not be {', '.join(extra)}" if extra else None
    return None if given == wanted else problem


def _wider_property(given: Mapping[str, Any], wanted: Mapping[str, Any], at: str) -> str | None:
    unknown = sorted(given.keys() - wanted.keys())
    if unknown:
        return f"{at} has no {', '.join(unknown)}"
    for name, schema in wanted.items():
        if name not in given:
            return f"{at} lacks {name}"
        if problem := wider_than(given[name], schema, name):
            return problem
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
