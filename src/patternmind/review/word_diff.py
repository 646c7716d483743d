"""A word diff: what a person made of a text, as runs of words kept, taken out and put in."""

import difflib
import re
from dataclasses import dataclass
from typing import Literal

TOKEN_PATTERN = re.compile(r"\n|[^\S\n]+|\w+(?:[-'’]\w+)*|[^\w\s]")
"""Words, spaces and marks, each by itself, so that a changed comma is a comma and not a sentence."""


@dataclass(frozen=True, slots=True)
class WordChange:
    """``text`` stands in both (same), in the former alone (out) or in the later alone (in)."""

    kind: Literal["same", "out", "in"]
    text: str


def diff_words(before: str, after: str) -> list[WordChange]:
    """The runs in reading order: those that are not "in" make up ``before``, those not "out" make up ``after``."""
    old, new = TOKEN_PATTERN.findall(before), TOKEN_PATTERN.findall(after)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    found: list[WordChange] = []
    for word, a, b, c, d in matcher.get_opcodes():
        if word == "equal":
            found.append(WordChange("same", "".join(old[a:b])))
            continue
        found += [WordChange("out", "".join(old[a:b]))] * (b > a) + [WordChange("in", "".join(new[c:d]))] * (d > c)
    return _merge_changes(found)


def _merge_changes(changes: list[WordChange]) -> list[WordChange]:
    """A lone space between two changes belongs to them: "in the" to "on a" reads as one change, not three."""
    told: list[WordChange] = []
    out = inside = ""

    def close() -> None:
        nonlocal out, inside
        told.extend([WordChange("out", out)] * bool(out) + [WordChange("in", inside)] * bool(inside))
        out = inside = ""

    for place, change in enumerate(changes):
        following = changes[place + 1].kind if place + 1 < len(changes) else "same"
        if change.kind == "same" and not (change.text.isspace() and "\n" not in change.text and following != "same"):
            close()
            told.append(change)
        elif change.kind == "same":
            out, inside = (out + change.text, inside + change.text) if out or inside else ("", "")
            if not out:
                told.append(change)
        elif change.kind == "out":
            out += change.text
        else:
            inside += change.text
    close()
    return told
