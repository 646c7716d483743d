"""A draft as its page shows it: every sentence with its evidence, or told to have none, and what people changed.

Pure: from a reviewed draft and its cases to what a template says.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from patternmind.domain.cases import Case, text_fields
from patternmind.domain.drafts import (
    Claim,
    Flag,
    Quote,
    ReviewedDraft,
)
from patternmind.grounding.field_lines import COMPUTED_FIELDS, NOT_STATED, WITHDRAWN
from patternmind.review import WordChange, diff_words, fields_of

FieldValue = str | tuple[str, ...]

HIDDEN_FIELDS = frozenset({"related", "counter_search"})
"""Ids, and a sentence that is shown beside the counter-evidence."""

COUNTER_EVIDENCE_FIELD = "counter_evidence"

PATLET_FIELD = "patlet"
"""Made of two claims that stand again below, with their evidence."""

FIELD_TITLES: Mapping[str, str] = {
    "patlet": "In short",
    "signs_it_applies": "Signs it applies",
    "do_not_use_when": "Do not use when",
    "counter_evidence": "Counter-evidence",
    "solution": "Therefore",
    "quotes": "What people said",
    "helped": "What helped",
    "case": "The case",
    "case_title": "Title of the case",
    "leave_with": "What we will leave with",
    "unknown": "What we do not know",
    "disagreement": "Where cases disagree",
    "next_use": "Next use",
    "coverage": "Evidence behind it",
}


@dataclass(frozen=True, slots=True)
class LineSegment:
    """Part of a line; ``claim`` is the number of the claim it is, None for words between."""

    text: str
    claim_number: int | None = None


@dataclass(frozen=True, slots=True)
class LineView:
    """``bare``: no quote stands behind it. ``doubts`` are the reasons to look twice at it."""

    segments: tuple[LineSegment, ...]
    is_unsupported: bool
    flag_reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FieldView:
    """``lines`` is empty where the cases say nothing; ``changes`` where people left the machine's text alone."""

    name: str
    title: str
    lines: tuple[LineView, ...]
    is_list: bool
    changes: tuple[WordChange, ...] = ()


@dataclass(frozen=True, slots=True)
class SourcePassage:
    """A field of a case in runs of text, marked or not."""

    title: str
    segments: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class QuotedCase:
    """A whole case with the quotes of one claim marked in it."""

    case: Case
    passages: tuple[SourcePassage, ...]


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """What one claim stands on."""

    number: int
    claim: Claim
    quoted_cases: tuple[QuotedCase, ...]
    flag_reasons: tuple[str, ...]
    previous_number: int | None
    next_number: int | None


def field_title(field: str) -> str:
    return FIELD_TITLES.get(field) or field.replace("_", " ").capitalize()


def field_views(reviewed: ReviewedDraft, *, changes: bool = True) -> list[FieldView]:
    """Every field in reading order, the counter-evidence always among them where the draft is of a pattern."""
    draft, fields = reviewed.grounded.draft, fields_of(reviewed)
    machine: Mapping[str, FieldValue] = {"name": draft.name, **draft.fields}
    return [
        FieldView(
            name=name,
            title=field_title(name),
            lines=tuple(_line_view(line, name, draft.claims, reviewed.grounded.flags) for line in value_lines(value)),
            is_list=not isinstance(value, str),
            changes=tuple(diff_words(field_to_text(machine[name]), field_to_text(value)))
            if changes and field_to_text(machine[name]) != field_to_text(value)
            else (),
        )
        for name, value in fields.items()
        if name not in HIDDEN_FIELDS
    ]


def value_lines(value: FieldValue) -> list[str]:
    lines = value.splitlines() if isinstance(value, str) else value
    return [line for line in lines if line.strip() and line.strip() != NOT_STATED]


def field_to_text(value: FieldValue) -> str:
    """A field as it is written into a form: a list has a line each, and nothing stated is nothing."""
    text = value if isinstance(value, str) else "\n".join(value)
    return "" if text.strip() == NOT_STATED else text


def text_to_field(text: str, current: FieldValue) -> FieldValue:
    """What was written into a form, in the shape of the field it is for."""
    lines = tuple(line.strip() for line in text.replace("\r\n", "\n").split("\n") if line.strip())
    if not lines:
        return current if field_to_text(current) == "" else NOT_STATED
    if not isinstance(current, str):
        return lines
    given = text.replace("\r\n", "\n").strip()
    return lines if current.strip() == NOT_STATED and len(lines) > 1 else given


def _line_view(line: str, field: str, claims: Sequence[Claim], flags: Sequence[Flag]) -> LineView:
    places = _claim_spans(line, field, claims)
    pieces: list[LineSegment] = []
    at = 0
    for start, end, number in places:
        pieces += [LineSegment(line[at:start])] * (start > at) + [LineSegment(line[start:end], number)]
        at = end
    pieces += [LineSegment(line[at:])] * (at < len(line))
    owed = field not in COMPUTED_FIELDS and field != "name" and WITHDRAWN not in line
    doubts = tuple(dict.fromkeys(one.reason for one in flags if one.text and one.text in line))
    return LineView(tuple(pieces), is_unsupported=owed and not places, flag_reasons=doubts)


def _claim_spans(line: str, field: str, claims: Sequence[Claim]) -> list[tuple[int, int, int]]:
    """Where claims stand in a line, without overlaps, those of this field before others and the longer before the
    shorter."""
    ranked = sorted(range(len(claims)), key=lambda n: (claims[n].field != field, -len(claims[n].text), n))
    found: list[tuple[int, int, int]] = []
    for number in ranked:
        text = claims[number].text
        start = line.find(text) if text.strip() and claims[number].quotes else -1
        end = start + len(text)
        if start >= 0 and all(end <= other or start >= stop for other, stop, _ in found):
            found.append((start, end, number))
    return sorted(found)


def evidence_view(reviewed: ReviewedDraft, number: int, cases: Mapping[str, Case]) -> EvidenceView | None:
    """The claim of this number with the cases it quotes, whole; None where there is no such claim."""
    claims = reviewed.grounded.draft.claims
    numbers = [n for n, claim in enumerate(claims) if claim.quotes]
    if number not in numbers:
        return None
    claim, place = claims[number], numbers.index(number)
    ids = dict.fromkeys(quote.case_id for quote in claim.quotes)
    return EvidenceView(
        number=number,
        claim=claim,
        quoted_cases=tuple(_quoted_case(cases[id], claim.quotes) for id in ids if id in cases),
        flag_reasons=tuple(flag.reason for flag in reviewed.grounded.flags if flag.text and flag.text == claim.text),
        previous_number=numbers[place - 1] if place else None,
        next_number=numbers[place + 1] if place + 1 < len(numbers) else None,
    )


def _quoted_case(case: Case, quotes: Iterable[Quote]) -> QuotedCase:
    order = {name: place for place, name in enumerate(text_fields(case.kind))}
    names = sorted(case.text, key=lambda name: order.get(name, len(order)))
    here = [quote for quote in quotes if quote.case_id == case.id]
    passages = (
        SourcePassage(
            field_title(name), highlight_segments(case.text[name], [(q.start, q.end) for q in here if q.field == name])
        )
        for name in names
    )
    return QuotedCase(case, tuple(passages))


def highlight_segments(text: str, marks: Sequence[tuple[int, int]]) -> tuple[tuple[str, bool], ...]:
    """The text in runs, overlapping marks joined."""
    runs: list[tuple[str, bool]] = []
    at = 0
    for start, end in sorted(marks):
        if end <= at:
            continue
        begin = max(start, at)
        if begin > at:
            runs.append((text[at:begin], False))
        if begin == at and runs and runs[-1][1]:
            runs[-1] = (runs[-1][0] + text[begin:end], True)
        else:
            runs.append((text[begin:end], True))
        at = end
    return (*runs, (text[at:], False)) if at < len(text) else tuple(runs)


def draft_flags(reviewed: ReviewedDraft) -> list[Flag]:
    """The doubts about the draft as a whole."""
    return [flag for flag in reviewed.grounded.flags if not flag.text]
