"""Counter-evidence: cases of the theme in which something like the draft's "Therefore" did not help."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from patternmind.domain.cases import Case
from patternmind.domain.drafts import Claim, Draft, DraftKind
from patternmind.grounding.support import word_overlap
from patternmind.text import Sentence, SentenceRole, extract_sentences

COUNTER_EVIDENCE_FIELD = "counter_evidence"
COUNTER_SEARCH_FIELD = "counter_search"

MIN_STEP_OVERLAP = 0.3
"""Share of a step's words that the sentence, or those beside it in the case, must hold to be about that step."""

MAX_COUNTER_CLAIMS = 3

FAILURE_PATTERN = re.compile(
    r"\b(?:did(?:n['’]t| not)|does(?:n['’]t| not)|never|not|nobody|cannot|couldn['’]t) (?:\w+ ){0,2}(?:help|work|hold"
    r"|last|solved?|fix(?:ed)?|resolved|prevent|improve|matter|change anything)\w*\b|\bfailed again\b"
    r"|\bcame back\b|\bno better\b|\bmade (?:it|things|this|that) worse\b|\bwithout (?:success|effect)\b"
    r"|\bto no avail\b|\bbackfired\b",
    re.IGNORECASE,
)
"""Beside the role that a sentence has: that a remedy failed, in the words people use for it."""

REMEDY_FIELDS = ("tried", "recommendation", "lesson", "decision")


@dataclass(frozen=True, slots=True)
class CounterEvidence:
    """A sentence that says something failed, and how near what failed is to a step of the draft, 0..1."""

    sentence: Sentence
    closeness: float


def add_counter_evidence(draft: Draft, cases: Sequence[Case]) -> Draft:
    """The pattern with what its theme's cases say against its steps, and a line on how many were looked through.

    By cues and by distance: a sentence that says it did not help, in a case that tells of a step's words beside it.
    What the drafter found stays first. A draft without a step is left as it is.

    Args:
        cases: all cases of the theme, not only those that the draft was made from.
    """
    steps = [claim for claim in draft.claims if claim.field == "solution"]
    if draft.kind is not DraftKind.PATTERN or not steps:
        return draft
    known = [claim for claim in draft.claims if claim.field == COUNTER_EVIDENCE_FIELD]
    used = {(quote.case_id, quote.field, quote.start) for claim in draft.claims for quote in claim.quotes}
    found = [
        one for case in cases for one in _find_counter_evidence(case, steps) if _sentence_key(one.sentence) not in used
    ]
    found.sort(key=lambda one: (-one.closeness, one.sentence.case_id, one.sentence.start))
    told = {quote.case_id for claim in known for quote in claim.quotes}
    new: list[Claim] = []
    for one in found:
        if len(known) + len(new) < MAX_COUNTER_CLAIMS and one.sentence.case_id not in told:
            told.add(one.sentence.case_id)
            new.append(Claim(text=one.sentence.text, field=COUNTER_EVIDENCE_FIELD, quotes=(one.sentence.to_quote(),)))
    lines = _field_lines(draft, known, new)
    searched = f"Looked for in {len(cases)} {'case' if len(cases) == 1 else 'cases'} of the theme: "
    n = len(known) + len(new)
    fields = {
        **draft.fields,
        COUNTER_EVIDENCE_FIELD: lines,
        COUNTER_SEARCH_FIELD: searched + (f"{n} found." if n else "none found."),
    }
    return replace(draft, claims=(*draft.claims, *new), fields=fields)


def _field_lines(draft: Draft, existing_claims: Sequence[Claim], new_claims: Sequence[Claim]) -> str | tuple[str, ...]:
    """The field as the drafter wrote it where nothing is new: its words for "none" are its own."""
    if not new_claims:
        return draft.fields.get(COUNTER_EVIDENCE_FIELD, ())
    return (*(claim.text for claim in existing_claims), *(claim.text for claim in new_claims))


def _sentence_key(sentence: Sentence) -> tuple[str, str, int]:
    return sentence.case_id, sentence.field, sentence.start


def _find_counter_evidence(case: Case, steps: Sequence[Claim]) -> Iterator[CounterEvidence]:
    """The sentences of a case that say something like a step failed."""
    sentences = extract_sentences(case)
    tried = [sentence.text for sentence in sentences if sentence.field in REMEDY_FIELDS]
    given_up = case.facts.get("status") == "abandoned"
    for at, sentence in enumerate(sentences):
        fails = sentence.role is SentenceRole.WORSE or FAILURE_PATTERN.search(sentence.text) is not None
        if not sentence.is_quotable or not (fails or (given_up and sentence.field == "outcome")):
            continue
        before = [one.text for one in sentences[max(0, at - 1) : at] if one.field == sentence.field]
        closeness = max(word_overlap(step.text, [sentence.text, *before, *tried]) for step in steps)
        if closeness >= MIN_STEP_OVERLAP:
            yield CounterEvidence(sentence, closeness)
