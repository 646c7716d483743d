"""Which text of a case is embedded, and putting known and new vectors together."""

import hashlib
import re
from collections.abc import Mapping, Sequence

import numpy as np

from patternmind.errors import UsageError
from patternmind.model.cases import CASE_FIELDS, RECAP_FIELDS, Case, Kind
from patternmind.model.themes import Vectors

LENSES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "all": (CASE_FIELDS, RECAP_FIELDS),
    "problem": (
        ("title", "problem", "context", "expected", "what_happened", "decision_point", "newcomer_miss"),
        ("title", "case", "open_question"),
    ),
    "helped": (("tried", "outcome", "lesson", "recommendation"), ("pattern", "decision", "next_use")),
}
"""Fields of a case and of a recap that a lens looks at."""

PERSON = re.compile(r"\[person(?: \d+)?\]")
"""Who is meant must not draw cases together: with their numbers left in, cases that name a colleague looked alike."""


def check_lens(lens: str) -> str:
    if lens not in LENSES:
        raise UsageError(f'There is no lens "{lens}". Choose one of: {", ".join(LENSES)}.')
    return lens


def lens_text(case: Case, lens: str) -> str:
    """The text that stands for a case under a lens, its fields in reading order; all of it where the lens sees none.

    A recap or case that says nothing in the lens's fields is still placed, by all it says.
    """
    of_case, of_recap = LENSES[lens]
    fields = of_case if case.kind is Kind.CASE else of_recap
    seen = [case.text[field] for field in fields if field in case.text]
    return PERSON.sub("somebody", "\n".join(seen or case.text.values()))


def text_hash(text: str) -> str:
    """The key of a text's vector: 32 hex digits of its SHA-256."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def missing_texts(texts: Sequence[str], known: Mapping[str, Vectors]) -> dict[str, str]:
    """The texts that have no vector yet, by hash, each once, in an order that does not depend on how they came in."""
    wanted = {text_hash(text): text for text in texts}
    return {key: wanted[key] for key in sorted(wanted) if key not in known}


def stack_vectors(texts: Sequence[str], known: Mapping[str, Vectors], dimensions: int) -> Vectors:
    """Row i belongs to ``texts[i]``: (n, d) float32.

    Raises:
        KeyError: a text has no vector; every missing text must be embedded first.
    """
    if not texts:
        return np.zeros((0, dimensions), np.float32)
    return np.stack([known[text_hash(text)] for text in texts])
