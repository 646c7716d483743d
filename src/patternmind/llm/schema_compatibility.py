"""Whether one JSON schema lets through no more than another: what an organisation's own prompt has to keep to."""

from collections.abc import Mapping
from typing import Any, cast

UPPER_LIMITS = ("maxLength", "maxItems", "maximum")
LOWER_LIMITS = ("minLength", "minItems", "minimum")


def find_widening(custom: Mapping[str, Any], packaged: Mapping[str, Any], path: str = "the answer") -> str | None:
    """Where and why an answer might fit ``theirs`` and not ``ours``; None where every such answer fits.

    On the safe side: words of a schema add up, so all of ours must stand in theirs, limits as tight or tighter, the
    rest as it is. Theirs may have more of them.
    """
    for word, wanted in packaged.items():
        problem = _keyword_problem(word, custom.get(word), wanted, path)
        if problem:
            return problem
    return None


def _keyword_problem(keyword: str, custom: Any, packaged: Any, path: str) -> str | None:
    problem = f'"{keyword}" of {path} must be as it is in ours'
    if keyword == "properties" and isinstance(custom, Mapping):
        problem = _properties_problem(cast("Mapping[str, Any]", custom), packaged, path)
    elif keyword == "items" and isinstance(custom, Mapping):
        problem = find_widening(cast("Mapping[str, Any]", custom), packaged, f"an entry of {path}")
    elif keyword in UPPER_LIMITS:
        problem = (
            None if _is_number(custom) and custom <= packaged else f"{keyword} of {path} must be at most {packaged}"
        )
    elif keyword in LOWER_LIMITS:
        problem = (
            None if _is_number(custom) and custom >= packaged else f"{keyword} of {path} must be at least {packaged}"
        )
    elif keyword == "required":
        missing = [name for name in packaged if name not in (custom or ())]
        problem = f"{path} must require {', '.join(missing)}" if missing else None
    elif keyword == "enum" and isinstance(custom, list):
        extra = [str(one) for one in cast("list[object]", custom) if one not in packaged]
        problem = f"{path} may not be {', '.join(extra)}" if extra else None
    return None if custom == packaged else problem


def _properties_problem(custom: Mapping[str, Any], packaged: Mapping[str, Any], path: str) -> str | None:
    unknown = sorted(custom.keys() - packaged.keys())
    if unknown:
        return f"{path} has no {', '.join(unknown)}"
    for name, schema in packaged.items():
        if name not in custom:
            return f"{path} lacks {name}"
        if problem := find_widening(custom[name], schema, name):
            return problem
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
