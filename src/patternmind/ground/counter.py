"""Counter-evidence: cases of the theme in which something like the draft's "Therefore" did not help."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from patternmind.ground.support import overlap
from patternmind.model.cases import Case
from patternmind.model.drafts import Claim, Draft, DraftKind
from patternmind.sentences import Role, Sentence, sentences_of

COUNTER = "counter_evidence"
SEARCH = "counter_search"

LEAST_SHARED = 0.3
"""Share of a step's words that the sentence, or those beside it in the case, must hold to be about that step."""

MOST_SHOWN = 3

FAILED = re.compile(
    r"\b(?:did(?:n['’]t| not)|does(?:n['’]t| not)|never|not|nobody|cannot|couldn['’]t) (?:\w+ ){0,2}(?:help|work|hold"
    r"|last|solved?|fix(?:ed)?|resolved|prevent|improve|matter|change anything)\w*\b|\bfailed again\b"
    r"|\bcame back\b|\bno better\b|\bmade (?:it|things|this|that) worse\b|\bwithout (?:success|effect)\b"
    r"|\bto no avail\b|\bbackfired\b",
    re.IGNORECASE,
)
"""Beside the role that a sentence has: that a remedy failed, in the words people use for it."""

FIELDS_TRIED = ("tried", "recommendation", "lesson", "decision")


@dataclass(frozen=True, slots=True)
class Against:
    """A sentence that says something failed, and how near what failed is to a step of the draft, 0..1."""

    sentence: Sentence
    closeness: float


def look_for_counter_evidence(draft: Draft, cases: Sequence[Case]) -> Draft:
    """The pattern with what its theme's cases say against its steps, and a line on how many were looked through.

    By cues and by distance: a sentence that says it did not help, in a case that tells of a step's words beside it.
    What the drafter found stays first. A draft without a step is left as it is.

    Args:
        cases: all cases of the theme, not only those that the draft was made from.
    """
    steps = [claim for claim in draft.claims if claim.field == "solution"]
    if draft.kind is not DraftKind.PATTERN or not steps:
        return draft
    known = [claim for claim in draft.claims if claim.field == COUNTER]
    used = {(quote.case_id, quote.field, quote.start) for claim in draft.claims for quote in claim.quotes}
    found = [one for case in cases for one in _against(case, steps) if _place(one.sentence) not in used]
    found.sort(key=lambda one: (-one.closeness, one.sentence.case_id, one.sentence.start))
    told = {quote.case_id for claim in known for quote in claim.quotes}
    new: list[Claim] = []
    for one in found:
        if len(known) + len(new) < MOST_SHOWN and one.sentence.case_id not in told:
            told.add(one.sentence.case_id)
            new.append(Claim(text=one.sentence.text, field=COUNTER, quotes=(one.sentence.quote(),)))
    lines = _lines(draft, known, new)
    searched = f"Looked for in {len(cases)} {'case' if len(cases) == 1 else 'cases'} of the theme: "
    n = len(known) + len(new)
    fields = {**draft.fields, COUNTER: lines, SEARCH: searched + (f"{n} found." if n else "none found.")}
    return replace(draft, claims=(*draft.claims, *new), fields=fields)


def _lines(draft: Draft, known: Sequence[Claim], new: Sequence[Claim]) -> str | tuple[str, ...]:
    """The field as the drafter wrote it where nothing is new: its words for "none" are its own."""
    if not new:
        return draft.fields.get(COUNTER, ())
    return (*(claim.text for claim in known), *(claim.text for claim in new))


def _place(sentence: Sentence) -> tuple[str, str, int]:
    return sentence.case_id, sentence.field, sentence.start


def _against(case: Case, steps: Sequence[Claim]) -> Iterator[Against]:
    """The sentences of a case that say something like a step failed."""
    sentences = sentences_of(case)
    tried = [sentence.text for sentence in sentences if sentence.field in FIELDS_TRIED]
    given_up = case.facts.get("status") == "abandoned"
    for at, sentence in enumerate(sentences):
        fails = sentence.role is Role.WORSE or FAILED.search(sentence.text) is not None
        if not sentence.quotable or not (fails or (given_up and sentence.field == "outcome")):
            continue
        before = [one.text for one in sentences[max(0, at - 1) : at] if one.field == sentence.field]
        closeness = max(overlap(step.text, [sentence.text, *before, *tried]) for step in steps)
        if closeness >= LEAST_SHARED:
            yield Against(sentence, closeness)
