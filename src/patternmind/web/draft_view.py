"""View models of a draft page: each line with its evidence, flags and edits.

Pure functions from a reviewed draft and its cases to the values of a template.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from patternmind.domain.case_fields import text_fields
from patternmind.domain.cases import Case
from patternmind.domain.draft_fields import (
    COMPUTED_FIELDS,
    COUNTER_EVIDENCE,
    COUNTER_SEARCH,
    NOT_STATED,
    WITHDRAWN,
    DraftFields,
    FieldValue,
    value_lines,
    value_to_text,
)
from patternmind.domain.drafts import Claim, Flag, Quote, ReviewedDraft, fields_of
from patternmind.review import WordChange, diff_words

HIDDEN_FIELDS = frozenset({"related", COUNTER_SEARCH})
"""Ids, and a sentence that the page shows next to the counter-evidence."""

FIELD_TITLES: Mapping[str, str] = {
    "patlet": "In short",
    "signs_it_applies": "Signs it applies",
    "do_not_use_when": "Do not use when",
    COUNTER_EVIDENCE: "Counter-evidence",
    "solution": "Therefore",
    "quotes": "What people said",
    "helped": "What helped",
    "case": "The case",
    "case_title": "Title of the case",
    "leave_with": "What we will leave with",
    "unknown": "What we do not know",
    "disagreement": "Where cases disagree",
    "next_use": "Next use",
    "coverage": "Coverage",
}


@dataclass(frozen=True, slots=True)
class LineSegment:
    """Part of a line; ``claim_number`` is None for text between claims."""

    text: str
    claim_number: int | None = None


@dataclass(frozen=True, slots=True)
class LineView:
    """A line of a field.

    Attributes:
        is_unsupported: no quote supports the line, although one is required.
        flag_reasons: reasons to check the line.
    """

    segments: tuple[LineSegment, ...]
    is_unsupported: bool
    flag_reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FieldView:
    """A field of a draft; ``lines`` is empty if the cases state nothing, ``changes`` if no one edited the text."""

    name: str
    title: str
    lines: tuple[LineView, ...]
    changes: tuple[WordChange, ...] = ()


@dataclass(frozen=True, slots=True)
class SourcePassage:
    """A field of a case as segments of (text, is quoted)."""

    title: str
    segments: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class QuotedCase:
    """A whole case with the quotes of one claim highlighted."""

    case: Case
    passages: tuple[SourcePassage, ...]


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """A claim with the cases it quotes."""

    number: int
    claim: Claim
    quoted_cases: tuple[QuotedCase, ...]
    flag_reasons: tuple[str, ...]
    previous_number: int | None
    next_number: int | None


def field_title(field: str) -> str:
    return FIELD_TITLES.get(field) or field.replace("_", " ").capitalize()


def field_views(reviewed: ReviewedDraft, *, changes: bool = True) -> list[FieldView]:
    """Return all fields in reading order; the draft of a pattern always has counter-evidence."""
    draft, fields = reviewed.grounded.draft, fields_of(reviewed)
    machine: DraftFields = {"name": draft.name, **draft.fields}
    return [
        FieldView(
            name=name,
            title=field_title(name),
            lines=tuple(_line_view(line, name, draft.claims, reviewed.grounded.flags) for line in value_lines(value)),
            changes=tuple(diff_words(value_to_text(machine[name]), value_to_text(value)))
            if changes and value_to_text(machine[name]) != value_to_text(value)
            else (),
        )
        for name, value in fields.items()
        if name not in HIDDEN_FIELDS
    ]


def text_to_field(text: str, current: FieldValue) -> FieldValue:
    """Parse form text into the type of the current value."""
    text = normalize_newlines(text)
    lines = tuple(line.strip() for line in text.split("\n") if line.strip())
    if not lines:
        return current if value_to_text(current) == "" else NOT_STATED
    if not isinstance(current, str):
        return lines
    return lines if current.strip() == NOT_STATED and len(lines) > 1 else text


def normalize_newlines(text: str) -> str:
    """Return form text with plain line breaks, without spaces around it."""
    return text.replace("\r\n", "\n").strip()


def _line_view(line: str, field: str, claims: Sequence[Claim], flags: Sequence[Flag]) -> LineView:
    spans = _claim_spans(line, field, claims)
    segments: list[LineSegment] = []
    at = 0
    for start, end, number in spans:
        segments += [LineSegment(line[at:start])] * (start > at) + [LineSegment(line[start:end], number)]
        at = end
    segments += [LineSegment(line[at:])] * (at < len(line))
    needs_evidence = field not in COMPUTED_FIELDS and field != "name" and WITHDRAWN not in line
    reasons = tuple(dict.fromkeys(flag.reason for flag in flags if flag.text and flag.text in line))
    return LineView(tuple(segments), is_unsupported=needs_evidence and not spans, flag_reasons=reasons)


def _claim_spans(line: str, field: str, claims: Sequence[Claim]) -> list[tuple[int, int, int]]:
    """Return (start, end, claim number) of the claims in a line, sorted and without overlaps.

    Claims of this field take precedence over others, then longer ones over shorter ones.
    """
    ranked = sorted(range(len(claims)), key=lambda n: (claims[n].field != field, -len(claims[n].text), n))
    spans: list[tuple[int, int, int]] = []
    for number in ranked:
        text = claims[number].text
        start = line.find(text) if text.strip() and claims[number].quotes else -1
        end = start + len(text)
        if start >= 0 and all(end <= other or start >= stop for other, stop, _ in spans):
            spans.append((start, end, number))
    return sorted(spans)


def evidence_view(reviewed: ReviewedDraft, number: int, cases: Mapping[str, Case]) -> EvidenceView | None:
    """Return a claim with the cases it quotes; None if the number has no claim with quotes."""
    claims = reviewed.grounded.draft.claims
    numbers = [n for n, claim in enumerate(claims) if claim.quotes]
    if number not in numbers:
        return None
    claim, index = claims[number], numbers.index(number)
    ids = dict.fromkeys(quote.case_id for quote in claim.quotes)
    return EvidenceView(
        number=number,
        claim=claim,
        quoted_cases=tuple(_quoted_case(cases[id], claim.quotes) for id in ids if id in cases),
        flag_reasons=tuple(flag.reason for flag in reviewed.grounded.flags if flag.text and flag.text == claim.text),
        previous_number=numbers[index - 1] if index else None,
        next_number=numbers[index + 1] if index + 1 < len(numbers) else None,
    )


def _quoted_case(case: Case, quotes: Iterable[Quote]) -> QuotedCase:
    order = {name: index for index, name in enumerate(text_fields(case.kind))}
    names = sorted(case.text, key=lambda name: order.get(name, len(order)))
    case_quotes = [quote for quote in quotes if quote.case_id == case.id]
    passages = (
        SourcePassage(
            field_title(name),
            highlight_segments(case.text[name], [(q.start, q.end) for q in case_quotes if q.field == name]),
        )
        for name in names
    )
    return QuotedCase(case, tuple(passages))


def highlight_segments(text: str, marks: Sequence[tuple[int, int]]) -> tuple[tuple[str, bool], ...]:
    """Split a text into segments of (text, is marked); overlapping and adjacent marks are joined."""
    segments: list[tuple[str, bool]] = []
    at = 0
    for start, end in sorted(marks):
        if end <= at:
            continue
        begin = max(start, at)
        if begin > at:
            segments.append((text[at:begin], False))
        if begin == at and segments and segments[-1][1]:
            segments[-1] = (segments[-1][0] + text[begin:end], True)
        else:
            segments.append((text[begin:end], True))
        at = end
    return (*segments, (text[at:], False)) if at < len(text) else tuple(segments)


def draft_flags(reviewed: ReviewedDraft) -> list[Flag]:
    """Return the flags of the draft as a whole."""
    return [flag for flag in reviewed.grounded.flags if not flag.text]
