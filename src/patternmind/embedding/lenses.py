"""Which text of a case is embedded, and putting known and new vectors together."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from patternmind.domain.cases import (
    CASE_FIELDS,
    RECAP_FIELDS,
    Case,
    CaseKind,
)
from patternmind.domain.themes import Vectors
from patternmind.errors import UsageError
from patternmind.text import (
    SentenceSide,
    Side,
    classify_sides,
    is_english,
    is_plain_text,
    split_sentences,
)

LENSES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "all": (CASE_FIELDS, RECAP_FIELDS),
    "problem": (
        ("title", "problem", "context", "expected", "what_happened", "decision_point", "newcomer_miss"),
        ("title", "case", "open_question"),
    ),
    "helped": (("tried", "outcome", "lesson", "recommendation"), ("pattern", "decision", "next_use")),
}
"""Fields of a case and of a recap that a lens looks at."""

LENS_SIDES = {"problem": Side.PROBLEM, "helped": Side.HELPED}
"""The sentences that a lens looks at where a case has no fields of its own for it."""

LENS_TOPICS = {"problem": "the problem", "helped": "what helped"}

MIN_WORDS = 8
"""Fewer say too little to place a case by: "It is solved now." would lie beside every other that is solved."""

PERSON_PLACEHOLDER = re.compile(r"\[(?:person|customer|site)(?: \d+)?\]")
"""Who is meant must not draw cases together: with their numbers left in, cases that name a colleague looked alike."""


class LensCoverage(StrEnum):
    """How a lens came by the text of a case."""

    FIELDS = "its fields"
    SENTENCES = "its sentences"
    NOTHING_APART = "all of it: it says nothing apart"
    NOT_ENGLISH = "all of it: its sentences are not English"


@dataclass(frozen=True, slots=True)
class LensText:
    """The text that stands for a case under a lens, and how it was found."""

    text: str
    coverage: LensCoverage


def check_lens(lens: str) -> str:
    if lens not in LENSES:
        raise UsageError(f'There is no lens "{lens}". Choose one of: {", ".join(LENSES)}.')
    return lens


def lens_text(case: Case, lens: str) -> str:
    """The text that stands for a case under a lens, in reading order; all of it where the lens sees too little."""
    return extract_lens_text(case, lens).text


def extract_lens_text(case: Case, lens: str) -> LensText:
    """What a lens sees of a case: its fields where the case has any of them, else the sentences on its side.

    A text that stands whole in one field has its sentences told apart. Where what is left says too little, or the text
    is not English, the case is placed by all it says.
    """
    of_case, of_recap = LENSES[lens]
    fields = [field for field in (of_case if case.kind is CaseKind.CASE else of_recap) if field in case.text]
    plain = is_plain_text(case)
    if lens == "all" or (fields and not plain):
        return LensText(_join_masked(case.text[field] for field in fields), LensCoverage.FIELDS)
    body = [field for field in case.text if field != "title"]
    if not body:
        return LensText(_join_masked(case.text.values()), LensCoverage.NOTHING_APART)
    if not is_english(" ".join(case.text[field] for field in body)):
        return LensText(_join_masked(case.text.values()), LensCoverage.NOT_ENGLISH)
    told = {field: _classify_sentences(case.text[field], whole=plain) for field in body}
    side = LENS_SIDES[lens]
    if all(one.side is side for sentences in told.values() for one in sentences):
        return LensText(_join_masked(case.text.values()), LensCoverage.SENTENCES)
    kept = [case.text[field][one.start : one.end] for field in body for one in told[field] if one.side is side]
    if len(" ".join(kept).split()) < MIN_WORDS:
        return LensText(_join_masked(case.text.values()), LensCoverage.NOTHING_APART)
    title = [case.text["title"]] if "title" in fields else []
    return LensText(_join_masked([*title, *kept]), LensCoverage.SENTENCES)


def _classify_sentences(text: str, *, whole: bool) -> list[SentenceSide]:
    return classify_sides(text, split_sentences(text), is_whole_text=whole)


def _join_masked(parts: Iterable[str]) -> str:
    return PERSON_PLACEHOLDER.sub("somebody", "\n".join(parts))


def lens_notes(lens_texts: Sequence[LensText], lens: str) -> list[str]:
    """How many cases a lens could not look into, in sentences for the people who read its themes."""
    seen = [one.coverage for one in lens_texts]
    silent, foreign = seen.count(LensCoverage.NOTHING_APART), seen.count(LensCoverage.NOT_ENGLISH)
    notes: list[str] = []
    if silent:
        say = "says" if silent == 1 else "say"
        notes.append(
            f"{silent} of {len(seen)} cases {say} nothing apart about {LENS_TOPICS.get(lens, lens)}; {_fallback_clause(silent)}."
        )
    if foreign:
        are = "is" if foreign == 1 else "are"
        notes.append(
            f"{foreign} of {len(seen)} cases {are} not in English, and sentences are told apart in English only;"
            f" {_fallback_clause(foreign)}."
        )
    return notes


def _fallback_clause(n: int) -> str:
    return "it is placed by all it says" if n == 1 else "they are placed by all they say"


def text_hash(text: str) -> str:
    """The key of a text's vector: 32 hex digits of its SHA-256."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def missing_texts(texts: Sequence[str], known_vectors: Mapping[str, Vectors]) -> dict[str, str]:
    """The texts that have no vector yet, by hash, each once, in an order that does not depend on how they came in."""
    wanted = {text_hash(text): text for text in texts}
    return {key: wanted[key] for key in sorted(wanted) if key not in known_vectors}


def stack_vectors(texts: Sequence[str], known_vectors: Mapping[str, Vectors], dimensions: int) -> Vectors:
    """Row i belongs to ``texts[i]``: (n, d) float32.

    Raises:
        KeyError: a text has no vector; every missing text must be embedded first.
    """
    if not texts:
        return np.zeros((0, dimensions), np.float32)
    return np.stack([known_vectors[text_hash(text)] for text in texts])
