"""Lenses: the part of a case's text that is embedded."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from patternmind.domain.case_fields import CASE_FIELDS, CASE_TEXTS, RECAP_FIELDS, RECAP_TEXTS, CaseField
from patternmind.domain.cases import Case, CaseKind
from patternmind.errors import UsageError
from patternmind.text import Side, classify_sides, is_english, is_plain_text, split_sentences

LENS_SIDES = {"problem": Side.PROBLEM, "helped": Side.HELPED}
"""Side of the sentences that a lens selects if a case has no separate fields."""


def _fields_under(lens: str, fields: Sequence[CaseField]) -> tuple[str, ...]:
    return tuple(field.name for field in fields if field.lens == lens)


LENSES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "all": (CASE_FIELDS, RECAP_FIELDS),
    **{lens: (_fields_under(lens, CASE_TEXTS), _fields_under(lens, RECAP_TEXTS)) for lens in LENS_SIDES},
}
"""Fields of a case and of a recap for each lens."""

LENS_TOPICS = {"problem": "the problem", "helped": "what helped"}

MIN_WORDS = 8
"""Minimum number of words of a lens text.

With fewer, a case cannot be placed: "It is solved now." would be close to every other solved case.
"""

PERSON_PLACEHOLDER = re.compile(r"\[(?:person|customer|site)(?: \d+)?\]")
"""Placeholders of redacted names.

Their numbers are removed: with them, cases that mention a colleague were similar to each other.
"""


class LensCoverage(StrEnum):
    """Source of the lens text of a case."""

    FIELDS = "its fields"
    SENTENCES = "its sentences"
    NOTHING_SPECIFIC = "its whole text: too few sentences for the lens"
    NOT_ENGLISH = "its whole text: not in English"


@dataclass(frozen=True, slots=True)
class LensText:
    """Text of a case under a lens, and its source."""

    text: str
    coverage: LensCoverage


def check_lens(lens: str) -> str:
    if lens not in LENSES:
        raise UsageError(f'Unknown lens "{lens}". Choose one of: {", ".join(LENSES)}.')
    return lens


def lens_text(case: Case, lens: str) -> str:
    """Return the text of a case under a lens, in reading order. It is the whole text if the lens selects too little."""
    return extract_lens_text(case, lens).text


def extract_lens_text(case: Case, lens: str) -> LensText:
    """Extract the part of a case that a lens selects: its fields, or else the sentences on its side.

    A case with its whole text in one field is split into sentences. If the selection is too short, or the text is not
    English, the whole text is used.
    """
    case_fields, recap_fields = LENSES[lens]
    fields = [field for field in (case_fields if case.kind is CaseKind.CASE else recap_fields) if field in case.text]
    has_single_field = is_plain_text(case)
    if lens == "all" or (fields and not has_single_field):
        return LensText(_join_masked(case.text[field] for field in fields), LensCoverage.FIELDS)
    body = [field for field in case.text if field != "title"]
    if not body:
        return LensText(_join_masked(case.text.values()), LensCoverage.NOTHING_SPECIFIC)
    if not is_english(" ".join(case.text[field] for field in body)):
        return LensText(_join_masked(case.text.values()), LensCoverage.NOT_ENGLISH)
    sentences_of = {
        field: classify_sides(case.text[field], split_sentences(case.text[field]), is_whole_text=has_single_field)
        for field in body
    }
    side = LENS_SIDES[lens]
    if all(sentence.side is side for sentences in sentences_of.values() for sentence in sentences):
        return LensText(_join_masked(case.text.values()), LensCoverage.SENTENCES)
    selected = [
        case.text[field][sentence.start : sentence.end]
        for field in body
        for sentence in sentences_of[field]
        if sentence.side is side
    ]
    if len(" ".join(selected).split()) < MIN_WORDS:
        return LensText(_join_masked(case.text.values()), LensCoverage.NOTHING_SPECIFIC)
    title = [case.text["title"]] if "title" in fields else []
    return LensText(_join_masked([*title, *selected]), LensCoverage.SENTENCES)


def _join_masked(parts: Iterable[str]) -> str:
    return PERSON_PLACEHOLDER.sub("somebody", "\n".join(parts))


def lens_notes(lens_texts: Sequence[LensText], lens: str) -> list[str]:
    """Return notes for readers of the themes: the number of cases with their whole text."""
    coverages = [lens_text.coverage for lens_text in lens_texts]
    n_short = coverages.count(LensCoverage.NOTHING_SPECIFIC)
    n_foreign = coverages.count(LensCoverage.NOT_ENGLISH)
    topic = LENS_TOPICS.get(lens, lens)
    notes: list[str] = []
    if n_short:
        clause = f"{'has' if n_short == 1 else 'have'} too few sentences about {topic}"
        notes.append(f"{n_short} of {len(coverages)} cases {clause}; {_fallback_clause(n_short)}.")
    if n_foreign:
        clause = f"{'is' if n_foreign == 1 else 'are'} not in English, and only English sentences can be sorted by lens"
        notes.append(f"{n_foreign} of {len(coverages)} cases {clause}; {_fallback_clause(n_foreign)}.")
    return notes


def _fallback_clause(n: int) -> str:
    return "its whole text is used" if n == 1 else "their whole text is used"
