"""A word diff: what a person made of a text, as runs of words kept, taken out and put in."""

import difflib
import re
from dataclasses import dataclass
from typing import Literal

WORDS = re.compile(r"\n|[^\S\n]+|\w+(?:[-'’]\w+)*|[^\w\s]")
"""Words, spaces and marks, each by itself, so that a changed comma is a comma and not a sentence."""


@dataclass(frozen=True, slots=True)
class Change:
    """``text`` stands in both (same), in the former alone (out) or in the later alone (in)."""

    kind: Literal["same", "out", "in"]
    text: str


def diff_words(before: str, after: str) -> list[Change]:
    """The runs in reading order: those that are not "in" make up ``before``, those not "out" make up ``after``."""
    old, new = WORDS.findall(before), WORDS.findall(after)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    found: list[Change] = []
    for word, a, b, c, d in matcher.get_opcodes():
        if word == "equal":
            found.append(Change("same", "".join(old[a:b])))
            continue
        found += [Change("out", "".join(old[a:b]))] * (b > a) + [Change("in", "".join(new[c:d]))] * (d > c)
    return _joined(found)


def _joined(changes: list[Change]) -> list[Change]:
    """A lone space between two changes belongs to them: "in the" to "on a" reads as one change, not three."""
    told: list[Change] = []
    out = inside = ""

    def close() -> None:
        nonlocal out, inside
        told.extend([Change("out", out)] * bool(out) + [Change("in", inside)] * bool(inside))
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
