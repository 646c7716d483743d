"""Find the lines of a draft that no claim covers, and remove lines from fields."""

from collections.abc import Iterator, Mapping, Sequence

from patternmind.domain.drafts import NOT_STATED, Claim

WITHDRAWN = "[withdrawn]"

COMPUTED_FIELDS = frozenset(
    {"coverage", "counter_search", "related", "session", "date", "leave_with", "unknown", "reason", "known_uses"}
)
"""Fields that the program computes; their text needs no quote."""

FieldValue = str | tuple[str, ...]


def unclaimed_lines(fields: Mapping[str, FieldValue], claims: Sequence[Claim]) -> Iterator[tuple[str, str]]:
    """Yield field name and text of each line that contains no claim, in reading order."""
    claim_texts = [claim.text for claim in claims if claim.text.strip()]
    for name, value in fields.items():
        if name in COMPUTED_FIELDS:
            continue
        for line in value.splitlines() if isinstance(value, str) else value:
            stripped = line.strip()
            is_statement = stripped and stripped != NOT_STATED and WITHDRAWN not in line
            if is_statement and not any(text in line for text in claim_texts):
                yield name, line


def remove_lines(fields: Mapping[str, FieldValue], removed_lines: set[str]) -> dict[str, FieldValue]:
    """Return the fields without these lines; within a longer text, a removed line reads "[withdrawn]"."""
    remaining: dict[str, FieldValue] = {}
    for name, value in fields.items():
        if isinstance(value, str):
            remaining[name] = _replace_with_withdrawn(value, removed_lines - {""})
        else:
            remaining[name] = tuple(line for line in value if line not in removed_lines)
    return remaining


def _replace_with_withdrawn(text: str, removed_lines: set[str]) -> str:
    for part in sorted(removed_lines, key=len, reverse=True):
        text = text.replace(part, WITHDRAWN)
    return text


__all__ = ["COMPUTED_FIELDS", "NOT_STATED", "WITHDRAWN", "remove_lines", "unclaimed_lines"]
