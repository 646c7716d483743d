"""Find the lines of a draft that no claim covers, and remove lines from fields."""

from collections.abc import Iterator, Sequence

from patternmind.domain.draft_fields import COMPUTED_FIELDS, WITHDRAWN, DraftFields, FieldValue, value_lines
from patternmind.domain.drafts import Claim


def unclaimed_lines(fields: DraftFields, claims: Sequence[Claim]) -> Iterator[tuple[str, str]]:
    """Yield field name and text of each line that contains no claim, in reading order."""
    claim_texts = [claim.text for claim in claims if claim.text.strip()]
    for name, value in fields.items():
        if name in COMPUTED_FIELDS:
            continue
        for line in value_lines(value):
            if WITHDRAWN not in line and not any(text in line for text in claim_texts):
                yield name, line


def remove_lines(fields: DraftFields, removed_lines: set[str]) -> dict[str, FieldValue]:
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
