"""The lines of a draft's fields: which of them no claim covers, and the fields without some of them."""

from collections.abc import Iterator, Mapping, Sequence

from patternmind.domain.drafts import Claim

WITHDRAWN = "[withdrawn]"

NOT_STATED = "not stated in these cases"
"""What drafting writes where the cases say nothing; a test holds it equal to ``draft.patterns.NOT_STATED``."""

COMPUTED_FIELDS = frozenset(
    {"coverage", "counter_search", "related", "session", "date", "leave_with", "unknown", "reason", "known_uses"}
)
"""Fields in which the program counts or names; what they say needs no quote."""

FieldValue = str | tuple[str, ...]


def unclaimed_lines(fields: Mapping[str, FieldValue], claims: Sequence[Claim]) -> Iterator[tuple[str, str]]:
    """Field and line of every line that is no claim and holds none, in reading order."""
    said = [claim.text for claim in claims if claim.text.strip()]
    for name, value in fields.items():
        if name in COMPUTED_FIELDS:
            continue
        for line in value.splitlines() if isinstance(value, str) else value:
            bare = line.strip()
            if bare and bare != NOT_STATED and WITHDRAWN not in line and not any(text in line for text in said):
                yield name, line


def remove_lines(fields: Mapping[str, FieldValue], removed_lines: set[str]) -> dict[str, FieldValue]:
    """The fields without these lines; where one is part of a longer text it reads "[withdrawn]"."""
    left: dict[str, FieldValue] = {}
    for name, value in fields.items():
        if isinstance(value, str):
            left[name] = _replace_with_withdrawn(value, removed_lines - {""})
        else:
            left[name] = tuple(line for line in value if line not in removed_lines)
    return left


def _replace_with_withdrawn(text: str, removed_lines: set[str]) -> str:
    for part in sorted(removed_lines, key=len, reverse=True):
        text = text.replace(part, WITHDRAWN)
    return text
