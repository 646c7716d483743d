"""Find counter-evidence: cases of the theme in which a step similar to the draft's did not help."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from patternmind.domain.case_fields import field_named
from patternmind.domain.cases import Case
from patternmind.domain.draft_fields import COUNTER_EVIDENCE, COUNTER_SEARCH, FieldValue
from patternmind.domain.drafts import Claim, Draft, DraftKind
from patternmind.domain.wording import pluralize
from patternmind.grounding.support import word_overlap
from patternmind.text import Sentence, SentenceRole, extract_sentences

MIN_STEP_OVERLAP = 0.3
"""Minimum share of a step's words in the sentence and its context in the case."""

MAX_COUNTER_CLAIMS = 3

FAILURE_PATTERN = re.compile(
    r"\b(?:did(?:n['’]t| not)|does(?:n['’]t| not)|never|not|nobody|cannot|couldn['’]t) (?:\w+ ){0,2}(?:help|work|hold"
    r"|last|solved?|fix(?:ed)?|resolved|prevent|improve|matter|change anything)\w*\b|\bfailed again\b"
    r"|\bcame back\b|\bno better\b|\bmade (?:it|things|this|that) worse\b|\bwithout (?:success|effect)\b"
    r"|\bto no avail\b|\bbackfired\b",
    re.IGNORECASE,
)
"""Common phrases for a failed remedy, checked in addition to the sentence's role."""

REMEDY_ROLES = (SentenceRole.TRIED, SentenceRole.HELPED)
"""Roles of the fields whose sentences name remedies."""


@dataclass(frozen=True, slots=True)
class CounterEvidence:
    """A sentence about a failure, and its overlap with the closest step, 0..1."""

    sentence: Sentence
    closeness: float


def add_counter_evidence(draft: Draft, cases: Sequence[Case]) -> Draft:
    """Add counter-evidence from the theme's cases to a pattern, and the number of searched cases.

    A sentence qualifies if it reports a failure and its case mentions the words of a step nearby. The drafter's own
    counter-evidence stays first. A draft without a step is returned unchanged.

    Args:
        cases: All cases of the theme, not only those that the draft was made from.
    """
    steps = [claim for claim in draft.claims if claim.field == "solution"]
    if draft.kind is not DraftKind.PATTERN or not steps:
        return draft
    existing = [claim for claim in draft.claims if claim.field == COUNTER_EVIDENCE]
    quoted = {(quote.case_id, quote.field, quote.start) for claim in draft.claims for quote in claim.quotes}
    candidates = [
        evidence
        for case in cases
        for evidence in _find_counter_evidence(case, steps)
        if _sentence_key(evidence.sentence) not in quoted
    ]
    candidates.sort(key=lambda evidence: (-evidence.closeness, evidence.sentence.case_id, evidence.sentence.start))
    used_case_ids = {quote.case_id for claim in existing for quote in claim.quotes}
    new: list[Claim] = []
    for sentence in (evidence.sentence for evidence in candidates):
        if len(existing) + len(new) < MAX_COUNTER_CLAIMS and sentence.case_id not in used_case_ids:
            used_case_ids.add(sentence.case_id)
            new.append(Claim(text=sentence.text, field=COUNTER_EVIDENCE, quotes=(sentence.to_quote(),)))
    searched = f"Searched {pluralize(len(cases), 'case')} of the theme: "
    n = len(existing) + len(new)
    fields = {
        **draft.fields,
        COUNTER_EVIDENCE: _field_lines(draft, existing, new),
        COUNTER_SEARCH: searched + (f"{n} found." if n else "none found."),
    }
    return replace(draft, claims=(*draft.claims, *new), fields=fields)


def _field_lines(draft: Draft, existing_claims: Sequence[Claim], new_claims: Sequence[Claim]) -> FieldValue:
    """Return all lines of the field; without a new claim, the drafter's own value."""
    if not new_claims:
        return draft.fields.get(COUNTER_EVIDENCE, ())
    return (*(claim.text for claim in existing_claims), *(claim.text for claim in new_claims))


def _sentence_key(sentence: Sentence) -> tuple[str, str, int]:
    return sentence.case_id, sentence.field, sentence.start


def _find_counter_evidence(case: Case, steps: Sequence[Claim]) -> Iterator[CounterEvidence]:
    """Yield the sentences of a case that report the failure of a similar step."""
    sentences = extract_sentences(case)
    remedies = [sentence.text for sentence in sentences if field_named(sentence.field).role in REMEDY_ROLES]
    is_abandoned = case.facts.get("status") == "abandoned"
    for position, sentence in enumerate(sentences):
        reports_failure = sentence.role is SentenceRole.WORSE or FAILURE_PATTERN.search(sentence.text) is not None
        is_outcome = field_named(sentence.field).role is SentenceRole.OUTCOME
        if not sentence.is_quotable or not (reports_failure or (is_abandoned and is_outcome)):
            continue
        previous = sentences[max(0, position - 1) : position]
        before = [other.text for other in previous if other.field == sentence.field]
        closeness = max(word_overlap(step.text, [sentence.text, *before, *remedies]) for step in steps)
        if closeness >= MIN_STEP_OVERLAP:
            yield CounterEvidence(sentence, closeness)
