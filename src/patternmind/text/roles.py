"""Sentences of a case with their offsets and their role: what was wrong, what happened, what was tried, what helped."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from patternmind.domain.cases import Case
from patternmind.domain.drafts import Quote
from patternmind.text.cues import UNSOLVED_CUE, mentions_failure, remedy_log_odds
from patternmind.text.english import is_english
from patternmind.text.role_cues import (
    CONTEXT,
    CURE,
    FIRST_PERSON,
    MADE_WORSE,
    MIN_ADVICE_LOG_ODDS,
    MIN_CURE_LOG_ODDS,
    OUTCOME,
    REPORTED_SPEECH,
    TRIED,
)
from patternmind.text.segmentation import split_sentences
from patternmind.text.sides import contextual_remedy_log_odds


class SentenceRole(StrEnum):
    CONTEXT = "context"
    PROBLEM = "problem"
    HAPPENED = "what happened"
    TRIED = "tried"
    HELPED = "what helped"
    WORSE = "what did not help"
    OUTCOME = "outcome"
    OTHER = "other"


FIELD_ROLES: Mapping[str, SentenceRole] = {
    "title": SentenceRole.PROBLEM,
    "problem": SentenceRole.PROBLEM,
    "context": SentenceRole.CONTEXT,
    "expected": SentenceRole.CONTEXT,
    "what_happened": SentenceRole.HAPPENED,
    "tried": SentenceRole.TRIED,
    "decision_point": SentenceRole.CONTEXT,
    "newcomer_miss": SentenceRole.HAPPENED,
    "outcome": SentenceRole.OUTCOME,
    "lesson": SentenceRole.HELPED,
    "recommendation": SentenceRole.HELPED,
    "case": SentenceRole.PROBLEM,
    "pattern": SentenceRole.CONTEXT,
    "decision": SentenceRole.HELPED,
    "next_use": SentenceRole.OTHER,
    "open_question": SentenceRole.OTHER,
    "notes": SentenceRole.HAPPENED,
}
"""A structured case says itself what each part is; a sentence's own words may then say more (``WORSE``, ``HELPED``)."""

PLAIN_TEXT_FIELDS = frozenset({"problem", "notes"})
"""Where a plain text lands whole, so that a sentence's words must say whether it tells of a remedy."""

MIN_QUOTE_WORDS, MAX_QUOTE_WORDS = 5, 45

FIELD_LOG_ODDS = 1.5
"""Log-odds that a sentence of a lesson or recommendation tells what helped, whatever its words."""

MIN_WORDS_FOR_LANGUAGE = 12
"""Words from which a text's language shows in its small words."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence at ``case.text[field][start:end]``; ``n_words`` counts its words.

    ``sure``, 0..1: how likely it is on the side of its role, what helped or the problem; 1 where a field says so.
    """

    case_id: str
    field: str
    start: int
    end: int
    text: str
    role: SentenceRole
    role_probability: float = 1.0

    @property
    def n_words(self) -> int:
        return len(self.text.split())

    @property
    def is_quotable(self) -> bool:
        """Long enough to say something, short enough to read, and prose rather than a table row or a link."""
        if not MIN_QUOTE_WORDS <= self.n_words <= MAX_QUOTE_WORDS:
            return False
        letters = sum(map(str.isalpha, self.text)) + sum(map(str.isspace, self.text))
        return letters >= 0.8 * len(self.text)

    def to_quote(self) -> Quote:
        return Quote(case_id=self.case_id, field=self.field, start=self.start, end=self.end, text=self.text)


def extract_sentences(case: Case) -> list[Sentence]:
    """The sentences of a case in reading order, the title left out where there is any other text."""
    fields = [name for name in case.text if name != "title"] or list(case.text)
    return [sentence for field in fields for sentence in _split_field(case, field)]


def is_plain_text(case: Case) -> bool:
    """Whether the text of a case stands whole in one field, beside a title at most."""
    body = case.text.keys() - {"title"}
    return len(body) == 1 and body <= PLAIN_TEXT_FIELDS


def _split_field(case: Case, field: str) -> Iterator[Sentence]:
    text = case.text[field]
    spans = split_sentences(text)
    foreign = len(text.split()) >= MIN_WORDS_FOR_LANGUAGE and not is_english(text)
    if not is_plain_text(case) or foreign:
        for start, end in spans:
            part = text[start:end]
            role = SentenceRole.WORSE if MADE_WORSE.search(part) else FIELD_ROLES.get(field, SentenceRole.HAPPENED)
            yield Sentence(case.id, field, start, end, part, role, _role_probability(role, part, is_foreign=foreign))
        return
    for (start, end), odds in zip(spans, contextual_remedy_log_odds(text, spans), strict=True):
        part = text[start:end]
        role = classify_plain_sentence(field, part, odds)
        sure = _sigmoid(odds if role is SentenceRole.HELPED else -odds) if odds is not None else 0.0
        yield Sentence(case.id, field, start, end, part, role, sure)


def _role_probability(role: SentenceRole, text: str, *, is_foreign: bool) -> float:
    """A field says what its sentences are, and people tell stories in it too: "I was free that Monday" is no remedy."""
    return _sigmoid(remedy_log_odds(text) + FIELD_LOG_ODDS) if role is SentenceRole.HELPED and not is_foreign else 1.0


def _sigmoid(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))


def classify_plain_sentence(field: str, text: str, log_odds: float | None) -> SentenceRole:
    """The role of a sentence of a plain text: what helped where words, neighbours and the rest of its text say so.

    Args:
        odds: by ``odds_of_remedy``; ``None`` for a heading.
    """
    if log_odds is None:
        return SentenceRole.CONTEXT
    if MADE_WORSE.search(text):
        return SentenceRole.WORSE
    if _is_remedy(text, log_odds):
        return SentenceRole.HELPED
    return _narrative_role(text) or FIELD_ROLES.get(field, SentenceRole.HAPPENED)


def _narrative_role(text: str) -> SentenceRole | None:
    if TRIED.search(text):
        return SentenceRole.TRIED
    if OUTCOME.search(text):
        return SentenceRole.OUTCOME
    return SentenceRole.CONTEXT if CONTEXT.match(text) and not mentions_failure(text) else None


def _is_remedy(text: str, log_odds: float) -> bool:
    """A cure named outright, or advice that is neither somebody's own story nor somebody's words in it."""
    if UNSOLVED_CUE.search(text):
        return False
    if log_odds > MIN_CURE_LOG_ODDS and CURE.search(text):
        return True
    return (
        log_odds > 0
        and remedy_log_odds(text) >= MIN_ADVICE_LOG_ODDS
        and not (FIRST_PERSON.search(text) or REPORTED_SPEECH.search(text))
    )
