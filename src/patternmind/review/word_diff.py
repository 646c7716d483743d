"""Word diff of two texts, as runs of unchanged, removed and added words."""

import difflib
import re
from dataclasses import dataclass
from typing import Literal

TOKEN_PATTERN = re.compile(r"\n|[^\S\n]+|\w+(?:[-'’]\w+)*|[^\w\s]")
"""Words, spaces and punctuation marks as separate tokens: a changed comma marks one token only."""


@dataclass(frozen=True, slots=True)
class WordChange:
    """A run of text: unchanged ("same"), removed ("out") or added ("in")."""

    kind: Literal["same", "out", "in"]
    text: str


def diff_words(before: str, after: str) -> list[WordChange]:
    """Return the runs in reading order.

    The "same" and "out" runs join to ``before``, the "same" and "in" runs to ``after``.
    """
    old, new = TOKEN_PATTERN.findall(before), TOKEN_PATTERN.findall(after)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    changes: list[WordChange] = []
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            changes.append(WordChange("same", "".join(old[a:b])))
            continue
        changes += [WordChange("out", "".join(old[a:b]))] * (b > a) + [WordChange("in", "".join(new[c:d]))] * (d > c)
    return _merge_changes(changes)


def _merge_changes(changes: list[WordChange]) -> list[WordChange]:
    """Merge changes with only a space between them: "in the" to "on a" is one change, not three."""
    merged: list[WordChange] = []
    removed = added = ""

    def flush() -> None:
        nonlocal removed, added
        merged.extend([WordChange("out", removed)] * bool(removed) + [WordChange("in", added)] * bool(added))
        removed = added = ""

    for position, change in enumerate(changes):
        next_kind = changes[position + 1].kind if position + 1 < len(changes) else "same"
        if change.kind == "same" and not (change.text.isspace() and "\n" not in change.text and next_kind != "same"):
            flush()
            merged.append(change)
        elif change.kind == "same":
            removed, added = (removed + change.text, added + change.text) if removed or added else ("", "")
            if not removed:
                merged.append(change)
        elif change.kind == "out":
            removed += change.text
        else:
            added += change.text
    flush()
    return merged
