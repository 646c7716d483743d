"""Check that a custom answer schema accepts no more than the packaged one."""

from collections.abc import Mapping
from typing import Any, cast

UPPER_LIMITS = ("maxLength", "maxItems", "maximum")
LOWER_LIMITS = ("minLength", "minItems", "minimum")


def find_widening(custom: Mapping[str, Any], packaged: Mapping[str, Any], path: str = "the answer") -> str | None:
    """Return the first keyword problem of a custom schema, or ``None``.

    A problem means that the custom schema may accept an answer that the packaged one refuses.

    The check is conservative. The custom schema must contain each keyword of the packaged one: limits equal or
    stricter, other keywords equal. It may have further keywords, because keywords only restrict.
    """
    for keyword, packaged_value in packaged.items():
        problem = _keyword_problem(keyword, custom.get(keyword), packaged_value, path)
        if problem:
            return problem
    return None


def _keyword_problem(keyword: str, custom: Any, packaged: Any, path: str) -> str | None:
    problem = f'"{keyword}" of {path} must be the same as in the built-in prompt'
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
        extra = [str(value) for value in cast("list[object]", custom) if value not in packaged]
        problem = f"{path} must not be {', '.join(extra)}" if extra else None
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
